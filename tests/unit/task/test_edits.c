// Edits and error rates against figures worked out by hand; the distance against the recursion of
// its definition. Checks src/task/edits.c and src/task/metric_edits.c.
#include "answers_case.h"
#include <math.h>
#include <seqtrain/task/metric.h>

static seq_edits find(const char *gold, const char *predicted) {
    int32_t a[32], b[32];
    seq_edits row[33];
    for (size_t i = 0; gold[i]; i++)
        a[i] = gold[i];
    for (size_t i = 0; predicted[i]; i++)
        b[i] = predicted[i];
    return seq_edits_find(a, strlen(gold), b, strlen(predicted), row);
}

static void is(const char *gold, const char *predicted, int substitutions, int deletions,
               int insertions) {
    seq_edits found = find(gold, predicted);
    assert_int_equal(found.substitutions, substitutions);
    assert_int_equal(found.deletions, deletions);
    assert_int_equal(found.insertions, insertions);
}

static void by_hand(void **state) {
    (void)state;
    is("", "", 0, 0, 0);
    is("abc", "abc", 0, 0, 0);
    is("abc", "", 0, 3, 0);
    is("", "ab", 0, 0, 2);
    is("abc", "axc", 1, 0, 0);
    is("abc", "ac", 0, 1, 0);
    is("ac", "abc", 0, 0, 1);
    is("kitten", "sitting", 2, 0, 1);
    is("intention", "execution", 5, 0, 0); // 3 + 1 + 1 cost as much
    is("1232", "132", 0, 1, 0);
}

// Equal costs: two substitutions, or a deletion and an insertion.
static void ties(void **state) {
    (void)state;
    is("ab", "ba", 2, 0, 0);
    is("ab", "bc", 2, 0, 0);
    is("abc", "bcd", 0, 1, 1); // three substitutions cost more
    is("ab", "c", 1, 1, 0);
    is("c", "ab", 1, 0, 1);
}

static size_t defined(const char *a, const char *b) {
    if (!*a || !*b) return strlen(a) + strlen(b);
    size_t pair = defined(a + 1, b + 1) + (*a != *b), deletion = defined(a + 1, b) + 1,
           insertion = defined(a, b + 1) + 1;
    if (deletion < pair) pair = deletion;
    return insertion < pair ? insertion : pair;
}

static void definition(void **state) {
    (void)state;
    unsigned draw = 1;
    for (int round = 0; round < 200; round++) {
        char texts[2][6];
        for (int k = 0; k < 2; k++) {
            draw = draw * 1103515245u + 12345u;
            size_t length = draw >> 16 & 5;
            for (size_t i = 0; i < length; i++) {
                draw = draw * 1103515245u + 12345u;
                texts[k][i] = (char)('a' + (draw >> 16) % 3);
            }
            texts[k][length] = '\0';
        }
        seq_edits found = find(texts[0], texts[1]);
        assert_int_equal(seq_edits_sum(found), defined(texts[0], texts[1]));
        assert_int_equal(found.insertions - found.deletions,
                         (int64_t)strlen(texts[1]) - (int64_t)strlen(texts[0]));
    }
}

static double measure(const answers_case *self, const seq_metric *metric) {
    seq_counted counted;
    int64_t sums[8];
    seq_error error = {0};
    assert_int_equal(seq_counted_of_metric(metric, &self->tables.labels, &self->gold,
                                           &self->predicted, &counted, &error),
                     SEQ_OK);
    seq_counted_sum(&counted, NULL, sums);
    double value = metric->value(sums, &self->tables.labels);
    seq_counted_clear(&counted);
    return value;
}

// A corpus: sums, not means; an item without gold symbols adds its insertions.
static void rates(void **state) {
    (void)state;
    answers_case self;
    begin_case(&self, SEQ_ANSWERS_TRANSCRIPTS, "one two  three\n\nfour\n five \n",
               "one too three\nsix\n\nfive\n");
    // Edits 1, 1, 1 and 0; labels 3, 0, 1 and 1.
    assert_true(fabs(measure(&self, &seq_metric_label_error_rate) - 3.0 / 5) < 1e-12);
    assert_true(fabs(measure(&self, &seq_metric_sentence_error_rate) - 3.0 / 4) < 1e-12);
    assert_int_equal(self.gold.item_lines[3], 4);
    end_case(&self);
    begin_case(&self, SEQ_ANSWERS_TRANSCRIPTS, "\n", "a\n");
    assert_true(isnan(measure(&self, &seq_metric_label_error_rate)));
    assert_true(measure(&self, &seq_metric_sentence_error_rate) == 1);
    end_case(&self);
    begin_case(&self, SEQ_ANSWERS_TRANSCRIPTS, "a\n", "b c d\n");
    assert_true(measure(&self, &seq_metric_label_error_rate) == 3); // above 1
    end_case(&self);
    assert_false(seq_metric_label_error_rate.higher_is_better);
    assert_ptr_equal(seq_metric_find("label_error_rate"), &seq_metric_label_error_rate);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(ties),
                                       cmocka_unit_test(definition), cmocka_unit_test(rates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
