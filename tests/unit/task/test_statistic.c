// Statistics against figures worked out by hand, with weights against the list
// that repeats its items, and where they are undefined. The bootstrap has the
// same bits for any team, and knows the interval of a mean. Checks
// src/task/bootstrap.c, counted.c, ratings.c, auc.c, surfaces.c, confusion.c.
#include "answers_case.h"
#include <math.h>
#include <stdio.h>

#define NEAR(found, expected) assert_true(fabs((found) - (expected)) < 1e-12)

static double value_of(seq_statistic statistic, const int32_t *weights) {
    int64_t *scratch = malloc((statistic.scratch + 1) * sizeof *scratch);
    memset(scratch, 0x55, (statistic.scratch + 1) * sizeof *scratch);
    double value = statistic.value(statistic.context, weights, scratch);
    free(scratch);
    return value;
}

static double rating(const char *gold, const char *predicted,
                     seq_statistic (*statistic)(const seq_ratings *), const int32_t *weights) {
    answers_case self;
    seq_ratings ratings;
    begin_case(&self, SEQ_ANSWERS_RATINGS, gold, predicted);
    assert_int_equal(seq_ratings_make(&self.gold, &self.predicted, &ratings, &self.error), SEQ_OK);
    double value = value_of(statistic(&ratings), weights);
    seq_ratings_clear(&ratings);
    end_case(&self);
    return value;
}

static void ratings(void **state) {
    (void)state;
    // Ranks 1 2.5 2.5 4 and 1 3 2 4.
    NEAR(rating("1\n2\n2\n3\n", "10\n30\n20\n40\n", seq_spearman, NULL), 4.5 / sqrt(4.5 * 5));
    NEAR(rating("1\n2\n3\n", "-1\n-2\n-3\n", seq_spearman, NULL), -1);
    assert_true(isnan(rating("1\n2\n3\n", "5\n5\n5\n", seq_spearman, NULL)));
    assert_true(isnan(rating("1\n", "5\n", seq_spearman, NULL)));
    assert_true(isnan(rating("1\n2\n", "1\n2\n", seq_spearman, (const int32_t[]){2, 0})));
    NEAR(rating("1\n2\n4\n3\n", "1.5\n1\n4\n2\n", seq_spearman, (const int32_t[]){2, 0, 1, 3}),
         rating("1\n1\n4\n3\n3\n3\n", "1.5\n1.5\n4\n2\n2\n2\n", seq_spearman, NULL));
    NEAR(rating("0\n1\n2\n", "0.5\n1\n4\n", seq_mean_absolute_error, NULL), 2.5 / 3);
    NEAR(rating("0\n1\n2\n", "0.5\n1\n4\n", seq_mean_absolute_error, (const int32_t[]){0, 2, 1}),
         2.0 / 3);
    NEAR(rating("0\n1e-9\n", "2e-9\n1e-9\n", seq_root_mean_square, NULL) * 1e9, sqrt(2));
}

static void areas(void **state) {
    (void)state;
    answers_case self;
    seq_auc auc;
    int64_t scratch[64];
    begin_case(&self, SEQ_ANSWERS_CLASSES, "b\na\nb\na\nc\n",
               "{\"output\": \"b\", \"labels\": [\"a\", \"b\"], \"probabilities\": [0.1, 0.9]}\n"
               "{\"output\": \"b\", \"labels\": [\"b\", \"a\"], \"probabilities\": [0.6, 0.4]}\n"
               "{\"output\": \"b\", \"labels\": [\"a\", \"b\"], \"probabilities\": [0.4, 0.6]}\n"
               "{\"output\": \"a\", \"labels\": [\"a\", \"b\"], \"probabilities\": [0.8, 0.2]}\n"
               "{\"output\": \"a\", \"labels\": [\"a\", \"b\", \"c\"], "
               "\"probabilities\": [0.0, 0.5, 0.5]}\n");
    assert_int_equal(seq_auc_make(&self.gold, &self.predicted, self.tables.labels.names.count, &auc,
                                  &self.error),
                     SEQ_OK);
    int32_t a = seq_strings_find(&self.tables.labels.names, "a", 1);
    int32_t b = seq_strings_find(&self.tables.labels.names, "b", 1);
    int32_t c = seq_strings_find(&self.tables.labels.names, "c", 1);
    // a: .4 and .8 against .1 .4 .0: 2.5 + 3 of 6. b: .9 and .6 against .6 .2 .5: 3 + 2.5 of 6.
    NEAR(seq_auc_of_class(&auc, a, NULL, scratch), 5.5 / 6);
    NEAR(seq_auc_of_class(&auc, b, NULL, scratch), 5.5 / 6);
    assert_true(isnan(seq_auc_of_class(&auc, c, NULL, scratch))); // four items do not say
    NEAR(value_of(seq_auc_mean(&auc), NULL), 5.5 / 6);
    NEAR(seq_auc_of_class(&auc, a, (const int32_t[]){1, 3, 2, 0, 0}, scratch),
         (3 * 1 + 3 * 1) / 9.0);
    assert_true(isnan(seq_auc_of_class(&auc, a, (const int32_t[]){1, 0, 0, 0, 4}, scratch)));
    seq_auc_clear(&auc);
    end_case(&self);
}

static void check_hits(const seq_counted *counted, bool surfaces, seq_hits expected) {
    int64_t sums[64];
    assert_true(counted->counters <= 64);
    seq_counted_sum(counted, NULL, sums);
    seq_hits found = surfaces ? seq_surface_hits(sums, counted->counters) : seq_hits_at(sums, 0);
    assert_int_equal(found.right, expected.right);
    assert_int_equal(found.predicted, expected.predicted);
    assert_int_equal(found.gold, expected.gold);
}

static void surfaces(void **state) {
    (void)state;
    answers_case self;
    seq_counted counted;
    begin_case(&self, SEQ_ANSWERS_TAGS,
               "Paris B-loc\nParis B-loc\nparis B-loc\nNew B-loc\nYork I-loc\n\nAda B-per\nx O\n",
               "Paris B-loc\nParis B-per\nparis O\nNew B-loc\nYork I-loc\n\nAda O\nx B-per\n");
    // Gold: Paris, paris, New York as loc, Ada. Predicted: Paris and New York, Paris as per, x.
    assert_int_equal(
        seq_counted_of_surfaces(&self.tables, &self.gold, &self.predicted, &counted, &self.error),
        SEQ_OK);
    check_hits(&counted, true, (seq_hits){2, 4, 4});
    NEAR(value_of(seq_counted_statistic(&counted), NULL), 2.0 * 2 / 8);
    // Without the second sentence: Ada and x are gone; twice the first changes nothing.
    NEAR(value_of(seq_counted_statistic(&counted), (const int32_t[]){2, 0}), 2.0 * 2 / 6);
    seq_counted_clear(&counted);
    assert_int_equal(read_case(&self, SEQ_ANSWERS_TAGS, NULL, "training",
                               "Paris B-per\nNew O\nYork B-loc\n", &self.training, NULL),
                     SEQ_OK);
    self.training.scheme = SEQ_SCHEME_IOB2;
    assert_int_equal(seq_counted_of_unseen(&self.tables, &self.training, &self.gold,
                                           &self.predicted, &counted, &self.error),
                     SEQ_OK);
    check_hits(&counted, false, (seq_hits){1, 2, 3}); // New York, x; paris, New York, Ada
    seq_counted_clear(&counted);
    end_case(&self);
}

static void counted(void **state) {
    (void)state;
    answers_case self;
    seq_counted counted;
    begin_case(&self, SEQ_ANSWERS_CLASSES, "a\nb\na\nc\n", "a\na\nb\nc\n");
    assert_int_equal(seq_counted_of_metric(&seq_metric_macro_f1, &self.tables.labels, &self.gold,
                                           &self.predicted, &counted, &self.error),
                     SEQ_OK);
    NEAR(value_of(seq_counted_statistic(&counted), NULL), (0.5 + 0 + 1) / 3);
    NEAR(value_of(seq_counted_statistic(&counted), (const int32_t[]){2, 1, 0, 0}),
         (2.0 * 2 / 5 + 0) / 2);
    assert_true(isnan(value_of(seq_counted_statistic(&counted), (const int32_t[]){0, 0, 0, 0})));
    seq_counted_clear(&counted);
    seq_confusion *cells;
    size_t count;
    assert_int_equal(seq_confusion_find(&self.gold, &self.predicted, &cells, &count, &self.error),
                     SEQ_OK);
    assert_int_equal(count, 4);
    assert_int_equal(cells[1].gold, 0);
    assert_int_equal(cells[1].predicted, 1);
    assert_int_equal(cells[1].count, 1);
    free(cells);
    end_case(&self);
}

enum { ITEMS = 400, RESAMPLES = 1000 };

static void bootstrap(void **state) {
    (void)state;
    answers_case self;
    seq_counted counted;
    seq_error error = {0};
    char gold[2 * ITEMS + 1] = "", predicted[2 * ITEMS + 1] = "";
    for (int i = 0; i < ITEMS; i++) {
        strcat(gold, "a\n");
        strcat(predicted, i % 4 ? "a\n" : "b\n"); // accuracy 0.75
    }
    begin_case(&self, SEQ_ANSWERS_CLASSES, gold, predicted);
    assert_int_equal(seq_counted_of_metric(&seq_metric_accuracy, &self.tables.labels, &self.gold,
                                           &self.predicted, &counted, &error),
                     SEQ_OK);
    seq_statistic both[] = {seq_counted_statistic(&counted), seq_counted_statistic(&counted)};
    static double alone[2 * RESAMPLES], together[2 * RESAMPLES], other[2 * RESAMPLES];
    seq_team *team;
    assert_int_equal(seq_bootstrap(both, 2, ITEMS, RESAMPLES, 7, NULL, alone, &error), SEQ_OK);
    assert_int_equal(seq_team_create(3, &team, &error), SEQ_OK);
    assert_int_equal(seq_bootstrap(both, 2, ITEMS, RESAMPLES, 7, team, together, &error), SEQ_OK);
    assert_int_equal(seq_bootstrap(both, 2, ITEMS, RESAMPLES, 8, team, other, &error), SEQ_OK);
    seq_team_destroy(team);
    assert_memory_equal(alone, together, sizeof alone);
    assert_memory_not_equal(alone, other, sizeof alone);
    for (int r = 0; r < RESAMPLES; r++) // pairs have the same items
        assert_true(alone[r] == alone[RESAMPLES + r]);
    // A binomial share: standard error sqrt(p (1 - p) / n) = 0.02165.
    seq_interval interval = seq_interval_find(alone, RESAMPLES);
    assert_true(fabs(interval.low - (0.75 - 1.96 * 0.02165)) < 0.006);
    assert_true(fabs(interval.high - (0.75 + 1.96 * 0.02165)) < 0.006);
    seq_counted_clear(&counted);
    end_case(&self);
}

static void intervals(void **state) {
    (void)state;
    double samples[1001], differences[] = {1, 2, -1, 0, 3, NAN, 4, 5};
    for (int i = 0; i <= 1000; i++)
        samples[i] = 1000 - i;
    seq_interval interval = seq_interval_find(samples, 1001);
    NEAR(interval.low, 25);
    NEAR(interval.high, 975);
    NEAR(seq_interval_two_sided(differences, 8), 2 * 2.0 / 7);
    NEAR(seq_interval_two_sided((double[]){0, 0}, 2), 1);
    assert_true(isnan(seq_interval_find((double[]){NAN, NAN, 1}, 3).low));
    interval = seq_interval_find((double[]){NAN, 2, 2}, 3);
    NEAR(interval.low, 2);
    assert_true(isnan(seq_interval_two_sided((double[]){NAN}, 1)));
    // Sizes 1, 2, 3, 0.5 with mean 1.625: one is larger than that by more than 1.2.
    NEAR(seq_interval_exceeds((double[]){1, -2, 3, 0.5}, 4, -1.2), 2.0 / 5);
    assert_true(isnan(seq_interval_exceeds((double[]){NAN}, 1, 0)));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ratings),   cmocka_unit_test(areas),
                                       cmocka_unit_test(surfaces),  cmocka_unit_test(counted),
                                       cmocka_unit_test(bootstrap), cmocka_unit_test(intervals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
