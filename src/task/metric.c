// The table of metrics, and the ratios that several of them share. A metric is
// registered by one line here. Invariant: counters are integers, so a sum over
// items or ranks does not depend on their order. Test:
// tests/unit/task/test_metrics.c.
#include <seqtrain/task/metric.h>
#include <math.h>
#include <string.h>

static const seq_metric *const metrics[] = {
    &seq_metric_accuracy,
    &seq_metric_macro_f1,
    &seq_metric_weighted_f1,
    &seq_metric_entity_f1,
    &seq_metric_entity_f1_strict,
    &seq_metric_mean_absolute_error,
    &seq_metric_segment_f1,
    &seq_metric_root_mean_square,
    &seq_metric_label_error_rate,
    &seq_metric_sentence_error_rate,
    &seq_metric_bleu,
    &seq_metric_chrf,
};

const seq_metric *seq_metric_find(const char *name) {
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (strcmp(metrics[i]->name, name) == 0) return metrics[i];
    return NULL;
}

static double ratio(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : (double)NAN;
}

double seq_hits_precision(seq_hits hits) {
    return ratio(hits.right, hits.predicted);
}

double seq_hits_recall(seq_hits hits) {
    return ratio(hits.right, hits.gold);
}

double seq_hits_f1(seq_hits hits) {
    return ratio(2 * hits.right, hits.predicted + hits.gold);
}

seq_hits seq_hits_at(const int64_t *counters, int32_t index) {
    const int64_t *own = counters + 3 * (size_t)index;
    return (seq_hits){own[0], own[1], own[2]};
}
