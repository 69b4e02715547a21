// Each metric against figures worked out by hand, where it is undefined, and
// added up over parts of the items in any order. Checks src/task/metric*.c.
#include "answers_case.h"
#include <math.h>

static double measure(const seq_metric *metric, const seq_labels *labels, const seq_judged *items,
                      size_t count) {
    int64_t *whole = calloc((size_t)metric->counters(labels) + 1, sizeof *whole);
    int64_t *part = calloc((size_t)metric->counters(labels) + 1, sizeof *part);
    for (size_t i = 0; i < count; i++)
        metric->add(whole, labels, &items[i]);
    for (size_t i = count; i-- > 0;) { // two "ranks", from behind
        metric->add(part, labels, &items[i]);
        if (i == count / 2)
            for (int k = 0; k < metric->counters(labels); k++) {
                whole[k] -= part[k];
                part[k] = 0;
            }
    }
    for (int k = 0; k < metric->counters(labels); k++)
        assert_int_equal(whole[k], part[k]);
    for (size_t i = count / 2; i < count; i++)
        metric->add(whole, labels, &items[i]);
    double value = metric->value(whole, labels);
    free(whole);
    free(part);
    return value;
}

#define NEAR(found, expected) assert_true(fabs((found) - (expected)) < 1e-9)

static void make_labels(seq_labels *labels, const char *const *names) {
    seq_error error = {0};
    int32_t id;
    *labels = (seq_labels){0};
    for (; *names; names++)
        assert_int_equal(seq_labels_add(labels, *names, strlen(*names), &id, &error), SEQ_OK);
}

static void classes(void **state) {
    (void)state;
    seq_labels labels;
    make_labels(&labels, (const char *const[]){"a", "b", "c", "never", NULL});
    // gold a a a b b c; predicted a a b b c a; the seventh has no gold, the eighth no prediction.
    const int32_t gold[] = {0, 0, 0, 1, 1, 2, -1, 0}, predicted[] = {0, 0, 1, 1, 2, 0, 1, -1};
    seq_judged items[8];
    for (size_t i = 0; i < 8; i++)
        items[i] = (seq_judged){.count = 1, .gold = &gold[i], .predicted = &predicted[i]};
    NEAR(measure(&seq_metric_accuracy, &labels, items, 7), 3.0 / 6);
    NEAR(measure(&seq_metric_accuracy, &labels, items, 8), 3.0 / 7);
    // a: 2 right of 3 and 3, b: 1 of 2 and 2, c: 0 of 1 and 1; "never" is left out.
    NEAR(measure(&seq_metric_macro_f1, &labels, items, 7), (2.0 / 3 + 1.0 / 2 + 0) / 3);
    NEAR(measure(&seq_metric_weighted_f1, &labels, items, 7),
         (3 * (2.0 / 3) + 2 * (1.0 / 2) + 0) / 6);
    assert_true(isnan(measure(&seq_metric_accuracy, &labels, items + 6, 1)));
    assert_true(isnan(measure(&seq_metric_macro_f1, &labels, items, 0)));
    seq_labels_clear(&labels);
}

// "." is the background. Gold aaaa..bb.aa; half of a run is enough, a label that another run has
// found is not found twice, and a run with the wrong label is none.
static void segments(void **state) {
    (void)state;
    seq_labels labels;
    make_labels(&labels, (const char *const[]){".", "a", "b", NULL});
    static const int32_t gold[11] = {1, 1, 1, 1, 0, 0, 2, 2, 0, 1, 1},
                         good[11] = {0, 0, 1, 1, 0, 0, 2, 2, 2, 2, 1}, // 2 of 4, 2 of 4, 1 of 2
        split[11] = {1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1},                 // 2 of 4, -, wrong, right
        halves[11] = {1, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0};                // 2 of 4, -, 1 of 5
    seq_judged item = {.count = 11, .gold = gold, .predicted = good};
    assert_int_equal(seq_metric_segment_f1.counters(&labels), 0);
    labels.outside = 1;
    NEAR(measure(&seq_metric_segment_f1, &labels, &item, 1), 1);
    item.predicted = split;
    NEAR(measure(&seq_metric_segment_f1, &labels, &item, 1), 2.0 * 2 / (3 + 4));
    item.predicted = halves;
    NEAR(measure(&seq_metric_segment_f1, &labels, &item, 1), 2.0 * 1 / (3 + 3));
    // Two halves of one run: the first has found it.
    static const int32_t run[4] = {1, 1, 1, 1}, two[4] = {1, 1, 2, 1}, none[4] = {0, 0, 0, 0};
    item = (seq_judged){.count = 4, .gold = run, .predicted = two};
    NEAR(measure(&seq_metric_segment_f1, &labels, &item, 1), 2.0 * 1 / (1 + 3));
    item = (seq_judged){.count = 4, .gold = none, .predicted = none};
    assert_true(isnan(measure(&seq_metric_segment_f1, &labels, &item, 1)));
    seq_labels_clear(&labels);
}

static void hits(void **state) {
    (void)state;
    assert_true(isnan(seq_hits_precision((seq_hits){0, 0, 3})));
    NEAR(seq_hits_recall((seq_hits){0, 0, 3}), 0);
    NEAR(seq_hits_f1((seq_hits){0, 0, 3}), 0);
    assert_true(isnan(seq_hits_recall((seq_hits){0, 2, 0})));
    assert_true(isnan(seq_hits_f1((seq_hits){0, 0, 0})));
    NEAR(seq_hits_f1((seq_hits){355, 617, 1079}), 0.41863207547169812);
}

// The tables have O B-x I-x B-y I-y as 0 .. 4.
static void entities(void **state) {
    (void)state;
    seq_labels labels;
    make_labels(&labels, (const char *const[]){"O", "B-x", "I-x", "B-y", "I-y", NULL});
    static const int32_t gold[2][6] = {{1, 2, 0, 3, 3, 4}, {0, 1, 1, 0, 0, 0}};
    // 0-2 x right, 3-4 y right, 4-5 y with another end; 1-3 x joins two, 4-5 x by a broken I.
    static const int32_t predicted[2][6] = {{1, 2, 0, 3, 3, 0}, {0, 1, 2, 0, 2, 0}};
    seq_judged items[2];
    for (size_t i = 0; i < 2; i++)
        items[i] = (seq_judged){.count = 6,
                                .gold = gold[i],
                                .predicted = predicted[i],
                                .gold_scheme = SEQ_SCHEME_IOB2,
                                .predicted_scheme = SEQ_SCHEME_IOB2};
    NEAR(measure(&seq_metric_entity_f1, &labels, items, 2), 2.0 * 2 / (5 + 5));
    NEAR(measure(&seq_metric_entity_f1_strict, &labels, items, 2), 2.0 * 2 / (4 + 5));
    items[0].predicted = gold[1]; // same begins, other types and ends
    items[0].gold = (const int32_t[]){0, 3, 1, 2, 0, 0};
    NEAR(measure(&seq_metric_entity_f1, &labels, items, 1), 0);
    items[0].gold = items[0].predicted = (const int32_t[]){0, 0, 0, 0, 0, 0};
    assert_true(isnan(measure(&seq_metric_entity_f1, &labels, items, 1)));
    seq_labels_clear(&labels);
}

static void errors(void **state) {
    (void)state;
    seq_labels none = {0};
    const double gold[] = {0, 1, 2, 3}, predicted[] = {0.5, 1, 4, 2};
    seq_judged items[4];
    for (size_t i = 0; i < 4; i++)
        items[i] =
            (seq_judged){.count = 1, .gold_values = &gold[i], .predicted_values = &predicted[i]};
    NEAR(measure(&seq_metric_mean_absolute_error, &none, items, 4), 3.5 / 4);
    NEAR(measure(&seq_metric_root_mean_square, &none, items, 4), sqrt(5.25 / 4));
    assert_true(isnan(measure(&seq_metric_mean_absolute_error, &none, items, 0)));
    const double bad[] = {NAN, INFINITY, 1e300};
    for (size_t i = 0; i < 3; i++) {
        items[1].predicted_values = &bad[i];
        assert_true(isnan(measure(&seq_metric_mean_absolute_error, &none, items, 4)));
        assert_true(isnan(measure(&seq_metric_root_mean_square, &none, items, 4)));
    }
    // Rounding to 2^-20: a third is off by less than 2^-21.
    const double third = 1.0 / 3, zero = 0;
    seq_judged one = {.count = 1, .gold_values = &zero, .predicted_values = &third};
    assert_true(fabs(measure(&seq_metric_mean_absolute_error, &none, &one, 1) - third) < 0x1p-21);
    assert_true(measure(&seq_metric_mean_absolute_error, &none, &one, 1) != third);
}

static void table(void **state) {
    (void)state;
    assert_ptr_equal(seq_metric_find("entity_f1"), &seq_metric_entity_f1);
    assert_true(seq_metric_find("macro_f1")->higher_is_better);
    assert_false(seq_metric_find("mean_absolute_error")->higher_is_better);
    assert_null(seq_metric_find("rouge"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(classes), cmocka_unit_test(segments),
                                       cmocka_unit_test(hits),    cmocka_unit_test(entities),
                                       cmocka_unit_test(errors),  cmocka_unit_test(table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
