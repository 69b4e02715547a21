// Label error rate and sentence error rate of transcripts. The first is a ratio
// of sums over all items, not a mean of ratios: an item without gold labels adds
// its insertions. Invariant: less is better, and 1 is no bound. Tests:
// tests/unit/task/test_edits.c, tests/cli/compare.sh.
#include <seqtrain/task/metric.h>
#include <math.h>

static int label_counters(const seq_labels *labels) {
    (void)labels;
    return SEQ_LABEL_ERROR_COUNTERS;
}

static void add_labels(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    counters[SEQ_LABEL_SUBSTITUTIONS] += item->edits->substitutions;
    counters[SEQ_LABEL_DELETIONS] += item->edits->deletions;
    counters[SEQ_LABEL_INSERTIONS] += item->edits->insertions;
    counters[SEQ_LABEL_GOLD] += (int64_t)item->count;
}

static double label_value(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    int64_t edits = counters[SEQ_LABEL_SUBSTITUTIONS] + counters[SEQ_LABEL_DELETIONS] +
                    counters[SEQ_LABEL_INSERTIONS];
    return counters[SEQ_LABEL_GOLD] ? (double)edits / (double)counters[SEQ_LABEL_GOLD]
                                    : (double)NAN;
}

const seq_metric seq_metric_label_error_rate = {
    .name = "label_error_rate",
    .summary = "substituted, deleted and inserted labels / gold labels",
    .counters = label_counters,
    .add = add_labels,
    .value = label_value};

enum { WRONG, ITEMS, SENTENCE_COUNTERS };

static int sentence_counters(const seq_labels *labels) {
    (void)labels;
    return SENTENCE_COUNTERS;
}

static void add_sentence(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    counters[WRONG] += seq_edits_sum(*item->edits) > 0;
    counters[ITEMS]++;
}

static double sentence_value(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    return counters[ITEMS] ? (double)counters[WRONG] / (double)counters[ITEMS] : (double)NAN;
}

const seq_metric seq_metric_sentence_error_rate = {.name = "sentence_error_rate",
                                                   .summary = "share of items with an edit",
                                                   .counters = sentence_counters,
                                                   .add = add_sentence,
                                                   .value = sentence_value};
