// Accuracy: the share of labels that are right. Copy this file for a new metric
// and register it in metric.c. `counters` says how many integers there are,
// `add` adds an item to them, `value` makes a number of their sums. A sum over
// items is all that `value` may need: ranks add counters, resamples weigh them.
// Test: tests/unit/task/test_metrics.c.
#include <seqtrain/task/metric.h>
#include <math.h>

enum { RIGHT, LABELS, COUNTERS };

static int counters(const seq_labels *labels) {
    (void)labels;
    return COUNTERS;
}

static void add(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    for (size_t i = 0; i < item->count; i++) {
        if (item->gold[i] < 0) continue;
        counters[LABELS]++;
        counters[RIGHT] += item->gold[i] == item->predicted[i];
    }
}

static double value(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    return counters[LABELS] ? (double)counters[RIGHT] / (double)counters[LABELS] : (double)NAN;
}

const seq_metric seq_metric_accuracy = {.name = "accuracy",
                                        .summary = "share of right labels",
                                        .higher_is_better = true,
                                        .counters = counters,
                                        .add = add,
                                        .value = value};
