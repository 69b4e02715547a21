// F1 of entities, in the lenient reading of conlleval and in the strict one,
// from three counters a type: right, predicted, gold. Gold and predictions may
// have different schemes; only their spans are compared. Invariant: spans of
// each side come in order, so one walk over both finds all that are equal. Test:
// tests/unit/task/test_metrics.c; the systems of WNUT17 in tests/cli/compare.sh.
#include <seqtrain/task/metric.h>

static int counters(const seq_labels *labels) {
    return 3 * labels->types.count;
}

static void add(int64_t *counters, const seq_labels *labels, const seq_judged *item,
                seq_reading reading) {
    seq_span gold = {0}, predicted = {0};
    size_t at = 0, at_predicted = 0;
    bool more = seq_span_next(labels, item->predicted_scheme, reading, item->predicted, item->count,
                              &at_predicted, &predicted);
    while (seq_span_next(labels, item->gold_scheme, reading, item->gold, item->count, &at, &gold)) {
        counters[3 * gold.type + 2]++;
        while (more && predicted.begin <= gold.begin) {
            counters[3 * predicted.type + 1]++;
            counters[3 * gold.type] += predicted.begin == gold.begin && predicted.end == gold.end &&
                                       predicted.type == gold.type;
            more = seq_span_next(labels, item->predicted_scheme, reading, item->predicted,
                                 item->count, &at_predicted, &predicted);
        }
    }
    while (more) {
        counters[3 * predicted.type + 1]++;
        more = seq_span_next(labels, item->predicted_scheme, reading, item->predicted, item->count,
                             &at_predicted, &predicted);
    }
}

static void add_lenient(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    add(counters, labels, item, SEQ_READ_LENIENT);
}

static void add_strict(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    add(counters, labels, item, SEQ_READ_STRICT);
}

static double value(const int64_t *counters, const seq_labels *labels) {
    seq_hits all = {0};
    for (int32_t i = 0; i < labels->types.count; i++) {
        seq_hits hits = seq_hits_at(counters, i);
        all.right += hits.right;
        all.predicted += hits.predicted;
        all.gold += hits.gold;
    }
    return seq_hits_f1(all);
}

const seq_metric seq_metric_entity_f1 = {.name = "entity_f1",
                                         .summary = "F1 of entities as conlleval reads them",
                                         .higher_is_better = true,
                                         .of_entities = true,
                                         .counters = counters,
                                         .add = add_lenient,
                                         .value = value};
const seq_metric seq_metric_entity_f1_strict = {.name = "entity_f1_strict",
                                                .summary = "F1 of entities without broken tags",
                                                .higher_is_better = true,
                                                .of_entities = true,
                                                .counters = counters,
                                                .add = add_strict,
                                                .value = value};
