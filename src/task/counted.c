// Counters of items, kept sparse: a resample of a thousand sentences adds a few
// integers for each. Invariant: the sum with all weights 1 is what the metric
// adds up over the items. Test: tests/unit/task/test_statistic.c.
#include <seqtrain/task/statistic.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

void seq_counted_clear(seq_counted *counted) {
    free(counted->first);
    free(counted->counts);
    *counted = (seq_counted){0};
}

seq_status seq_counted_add(seq_counted *counted, int64_t *own, seq_error *error) {
    seq_status status = seq_grow(&counted->first, &counted->first_capacity, counted->items + 2,
                                 sizeof *counted->first, "counters of items", error);
    size_t used = status ? 0 : counted->first[counted->items];
    for (int32_t i = 0; !status && i < counted->counters; i++) {
        if (own[i] == 0) continue;
        status = seq_grow(&counted->counts, &counted->counts_capacity, used + 1,
                          sizeof *counted->counts, "counters of items", error);
        if (status) break;
        counted->counts[used].index = i;
        counted->counts[used++].amount = own[i];
        own[i] = 0;
    }
    if (status) return status;
    counted->first[++counted->items] = used;
    return SEQ_OK;
}

void seq_counted_sum(const seq_counted *counted, const int32_t *weights, int64_t *sums) {
    memset(sums, 0, (size_t)counted->counters * sizeof *sums);
    for (size_t i = 0; i < counted->items; i++) {
        int64_t weight = weights ? weights[i] : 1;
        if (weight == 0) continue;
        for (size_t k = counted->first[i]; k < counted->first[i + 1]; k++)
            sums[counted->counts[k].index] += weight * counted->counts[k].amount;
    }
}

static double value(const void *context, const int32_t *weights, int64_t *scratch) {
    const seq_counted *counted = context;
    seq_counted_sum(counted, weights, scratch);
    return counted->metric ? counted->metric->value(scratch, counted->labels)
                           : counted->value(counted, scratch);
}

seq_statistic seq_counted_statistic(const seq_counted *counted) {
    return (seq_statistic){value, counted, (size_t)counted->counters};
}

static seq_judged item_at(const seq_answers *gold, const seq_answers *predicted, size_t item) {
    size_t at = gold->first[item];
    bool ratings = gold->kind == SEQ_ANSWERS_RATINGS;
    return (seq_judged){.count = gold->first[item + 1] - at,
                        .predicted_count = predicted->first[item + 1] - predicted->first[item],
                        .gold = gold->ids + at,
                        .predicted = predicted->ids + predicted->first[item],
                        .gold_values = ratings ? gold->values + at : NULL,
                        .predicted_values = ratings ? predicted->values + at : NULL,
                        .gold_scheme = gold->scheme,
                        .predicted_scheme = predicted->scheme};
}

seq_status seq_answers_edits(const seq_answers *gold, const seq_answers *predicted, seq_edits **out,
                             seq_error *error) {
    seq_edits *row = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < gold->items; i++)
        if (predicted->first[i + 1] - predicted->first[i] > longest)
            longest = predicted->first[i + 1] - predicted->first[i];
    seq_status status = seq_allocate(out, gold->items, sizeof **out, "edits", error);
    if (!status) status = seq_allocate(&row, longest + 1, sizeof *row, "edits", error);
    for (size_t i = 0; !status && i < gold->items; i++) {
        seq_judged item = item_at(gold, predicted, i);
        (*out)[i] =
            seq_edits_find(item.gold, item.count, item.predicted, item.predicted_count, row);
    }
    free(row);
    return status;
}

seq_status seq_counted_of_metric(const seq_metric *metric, const seq_labels *labels,
                                 const seq_answers *gold, const seq_answers *predicted,
                                 seq_counted *out, seq_error *error) {
    int64_t *own = NULL;
    seq_edits *edits = NULL;
    *out = (seq_counted){.labels = labels, .metric = metric, .counters = metric->counters(labels)};
    seq_status status = seq_allocate(&own, (size_t)out->counters, sizeof *own, "counters", error);
    if (!status && gold->kind == SEQ_ANSWERS_TRANSCRIPTS)
        status = seq_answers_edits(gold, predicted, &edits, error);
    for (size_t i = 0; !status && i < gold->items; i++) {
        seq_judged item = item_at(gold, predicted, i);
        if (edits) item.edits = &edits[i];
        metric->add(own, labels, &item);
        status = seq_counted_add(out, own, error);
    }
    free(own);
    free(edits);
    if (status) seq_counted_clear(out);
    return status;
}
