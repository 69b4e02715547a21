// Macro and weighted F1 over labels, from three counters a label: right,
// predicted, gold. Invariant: the sum of the labels' gold counters is the number
// of counted labels. Test: tests/unit/task/test_metrics.c.
#include <seqtrain/task/metric.h>
#include <math.h>

static int counters(const seq_labels *labels) {
    return 3 * labels->names.count;
}

static void add(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    for (size_t i = 0; i < item->count; i++) {
        int32_t gold = item->gold[i], predicted = item->predicted[i];
        if (gold < 0) continue;
        counters[3 * gold] += gold == predicted;
        counters[3 * gold + 2]++;
        if (predicted >= 0) counters[3 * predicted + 1]++;
    }
}

static double mean(const int64_t *counters, const seq_labels *labels, bool weighted) {
    double sum = 0, weights = 0;
    for (int32_t i = 0; i < labels->names.count; i++) {
        seq_hits hits = seq_hits_at(counters, i);
        double weight = weighted ? (double)hits.gold : 1;
        if (hits.gold + hits.predicted == 0) continue;
        sum += weight * seq_hits_f1(hits);
        weights += weight;
    }
    return weights > 0 ? sum / weights : (double)NAN;
}

static double macro(const int64_t *counters, const seq_labels *labels) {
    return mean(counters, labels, false);
}

static double weighted(const int64_t *counters, const seq_labels *labels) {
    return mean(counters, labels, true);
}

const seq_metric seq_metric_macro_f1 = {.name = "macro_f1",
                                        .summary = "mean F1 of the labels",
                                        .higher_is_better = true,
                                        .counters = counters,
                                        .add = add,
                                        .value = macro};
const seq_metric seq_metric_weighted_f1 = {.name = "weighted_f1",
                                           .summary = "mean F1 of the labels, weighted by gold",
                                           .higher_is_better = true,
                                           .counters = counters,
                                           .add = add,
                                           .value = weighted};
