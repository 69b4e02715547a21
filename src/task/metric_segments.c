// F1 of segments: runs of one label, but for the background. A predicted one is
// right if it shares half of its union with a gold one of its label, which no
// other has found (F1@50 of action segmentation, Lea et al. 2017). Invariant: the
// runs of each side come in order, so a walk over both sees all pairs that
// overlap. Test: tests/unit/task/test_metrics.c.
#include <seqtrain/task/metric.h>

// Only data sets that know a background have segments.
static int counters(const seq_labels *labels) {
    return labels->outside ? 3 : 0;
}

// The next run at or behind *at, which moves behind it.
static bool next_run(const seq_labels *labels, const int32_t *ids, size_t count, size_t *at,
                     seq_span *out) {
    while (*at < count && (ids[*at] < 0 || ids[*at] == labels->outside - 1))
        ++*at;
    if (*at == count) return false;
    *out = (seq_span){.begin = *at, .type = ids[*at]};
    while (*at < count && ids[*at] == out->type)
        ++*at;
    out->end = *at;
    return true;
}

static bool is_found(const seq_span *gold, const seq_span *predicted) {
    size_t begin = gold->begin > predicted->begin ? gold->begin : predicted->begin,
           end = gold->end < predicted->end ? gold->end : predicted->end,
           both = end > begin ? end - begin : 0,
           all = gold->end - gold->begin + predicted->end - predicted->begin - both;
    return gold->type == predicted->type && 2 * both >= all;
}

static void add(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    seq_span gold = {0}, predicted = {0};
    size_t at = 0, at_predicted = 0;
    bool more = next_run(labels, item->gold, item->count, &at, &gold),
         more_predicted = next_run(labels, item->predicted, item->count, &at_predicted, &predicted),
         used = false, used_predicted = false;
    while (more || more_predicted) {
        if (more && more_predicted && !used && !used_predicted && is_found(&gold, &predicted)) {
            used = used_predicted = true;
            counters[0]++;
        }
        if (more && (!more_predicted || gold.end <= predicted.end)) {
            counters[2]++;
            used = false;
            more = next_run(labels, item->gold, item->count, &at, &gold);
        } else {
            counters[1]++;
            used_predicted = false;
            more_predicted =
                next_run(labels, item->predicted, item->count, &at_predicted, &predicted);
        }
    }
}

static double value(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    return seq_hits_f1(seq_hits_at(counters, 0));
}

const seq_metric seq_metric_segment_f1 = {.name = "segment_f1",
                                          .summary = "F1 of segments that overlap by half",
                                          .higher_is_better = true,
                                          .counters = counters,
                                          .add = add,
                                          .value = value};
