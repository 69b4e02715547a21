// BLEU and chrF of a task that gives texts: of their tokens 13a in the case that
// they have, exponential smoothing; chrF2. Invariant: an item adds the counts that
// seq_text_count has found, so the value is seqeval's of the same lines. Test:
// tests/unit/task/test_bleu.c.
#include <seqtrain/task/metric.h>
#include <math.h>
#include <string.h>

seq_status seq_text_count(seq_segment_counter *counter, seq_segment output,
                          const seq_segment *references, size_t count, seq_overlap_counts *out,
                          seq_error *error) {
    seq_status status =
        seq_bleu_count(counter, SEQ_BLEU_13A, false, output, references, count, out->bleu, error);
    return status
               ? status
               : seq_chrf_count(counter, false, false, output, references, count, out->chrf, error);
}

static int bleu_counters(const seq_labels *labels) {
    (void)labels;
    return SEQ_BLEU_COUNTS;
}

static void add_bleu(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    for (int i = 0; i < SEQ_BLEU_COUNTS; i++)
        counters[i] += item->texts->bleu[i];
}

static double bleu_value(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    if (!counters[SEQ_BLEU_OUTPUT] && !counters[SEQ_BLEU_REFERENCE]) return NAN;
    return seq_bleu_of(counters, (seq_bleu_settings){.value = -1}).score;
}

const seq_metric seq_metric_bleu = {.name = "bleu",
                                    .summary = "BLEU from 0 to 100, tokens 13a",
                                    .higher_is_better = true,
                                    .of_texts = true,
                                    .counters = bleu_counters,
                                    .add = add_bleu,
                                    .value = bleu_value};

static int chrf_counters(const seq_labels *labels) {
    (void)labels;
    return SEQ_CHRF_PLAIN_COUNTS;
}

static void add_chrf(int64_t *counters, const seq_labels *labels, const seq_judged *item) {
    (void)labels;
    for (int i = 0; i < SEQ_CHRF_PLAIN_COUNTS; i++)
        counters[i] += item->texts->chrf[i];
}

static double chrf_value(const int64_t *counters, const seq_labels *labels) {
    (void)labels;
    if (!counters[0] && !counters[1]) return NAN;
    return seq_chrf_of(counters, SEQ_CHRF_CHARACTERS);
}

const seq_metric seq_metric_chrf = {.name = "chrf",
                                    .summary = "chrF2 from 0 to 100, of 1 to 6 characters",
                                    .higher_is_better = true,
                                    .of_texts = true,
                                    .counters = chrf_counters,
                                    .add = add_chrf,
                                    .value = chrf_value};
