// Mean absolute error and root mean square of ratings. Each term is rounded to a
// multiple of 2^-20, so sums are integers and have no order; a sum that would
// leave 63 bits stays at the largest integer. Invariant: the mean absolute error
// is exact to 2^-21. Test: tests/unit/task/test_metrics.c.
#include <seqtrain/task/metric.h>
#include <math.h>

enum { SUM, VALUES, UNUSABLE, COUNTERS };

static int counters(const seq_labels *labels) {
    (void)labels;
    return COUNTERS;
}

static void add_term(int64_t *counters, double term) {
    if (!(term < 0x1p31)) {
        counters[UNUSABLE]++;
        return;
    }
    counters[VALUES]++;
    if (__builtin_add_overflow(counters[SUM], (int64_t)llround(term * 0x1p20), &counters[SUM]))
        counters[SUM] = INT64_MAX;
}

static void add_absolute(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    for (size_t i = 0; i < item->count; i++)
        add_term(counters, fabs(item->predicted_values[i] - item->gold_values[i]));
}

static void add_square(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    for (size_t i = 0; i < item->count; i++) {
        double difference = item->predicted_values[i] - item->gold_values[i];
        add_term(counters, difference * difference);
    }
}

static double mean(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    if (!counters[VALUES] || counters[UNUSABLE]) return NAN;
    return (double)counters[SUM] / (double)counters[VALUES] * 0x1p-20;
}

static double root(const int64_t *counters, const seq_labels *labels) {
    return sqrt(mean(counters, labels));
}

const seq_metric seq_metric_mean_absolute_error = {.name = "mean_absolute_error",
                                                   .summary = "mean of |prediction - gold|",
                                                   .counters = counters,
                                                   .add = add_absolute,
                                                   .value = mean};
const seq_metric seq_metric_root_mean_square = {
    .name = "root_mean_square",
    .summary = "square root of the mean of (prediction - gold)^2",
    .counters = counters,
    .add = add_square,
    .value = root};
