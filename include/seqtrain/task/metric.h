// Measures of a task that add up over items, and so over ranks: integer counters, and a value of
// their sums. The first metric of a task chooses the best checkpoint. A new metric is a file
// src/task/metric_NAME.c and a line in metric.c.
#ifndef SEQTRAIN_TASK_METRIC_H
#define SEQTRAIN_TASK_METRIC_H

#include <seqtrain/task/bleu.h>
#include <seqtrain/task/edits.h>
#include <seqtrain/task/labels.h>

// Counts of a text against its references, as the metrics of texts add them up.
typedef struct seq_overlap_counts {
    int64_t bleu[SEQ_BLEU_COUNTS], chrf[SEQ_CHRF_PLAIN_COUNTS];
} seq_overlap_counts;
seq_status seq_text_count(seq_segment_counter *counter, seq_segment output,
                          const seq_segment *references, size_t count, seq_overlap_counts *out,
                          seq_error *error);

// An item with its right answer and a prediction. Labels (a class is one, tags are several), or
// values of a rating. Of a transcript the two have lengths of their own, and metrics see `edits`.
typedef struct seq_judged {
    size_t count;                    // of gold
    size_t predicted_count;          // of a transcript; else predicted has `count`, too
    const int32_t *gold, *predicted; // (count); a negative gold label is not counted
    const double *gold_values, *predicted_values; // (count), where labels are NULL
    seq_scheme gold_scheme, predicted_scheme;     // of tags
    const seq_edits *edits;                       // of a transcript, from gold to predicted
    const seq_overlap_counts *texts;              // of an answer that is a text
} seq_judged;

typedef struct seq_metric {
    const char *name, *summary;
    bool higher_is_better;
    bool of_entities;                          // has no meaning for labels without a tag scheme
    bool of_texts;                             // of outputs that are searched for
    int (*counters)(const seq_labels *labels); // how many; at most 2^31 - 1
    // Adds an item. Real numbers are added as round(x 2^20); those that are not finite, or 2^31 and
    // more, are counted apart.
    void (*add)(int64_t *counters, const seq_labels *labels, const seq_judged *item);
    // Of sums over items; NaN where it is undefined.
    double (*value)(const int64_t *counters, const seq_labels *labels);
} seq_metric;

extern const seq_metric seq_metric_accuracy; // right labels / labels
// F1 of a label is 2 TP / (predicted + gold). Labels that are neither predicted nor gold have none
// and are left out of both means; the weights of the second are the labels' counts in gold.
extern const seq_metric seq_metric_macro_f1, seq_metric_weighted_f1;
// Exact span and type, summed over types (micro), in the lenient (conlleval) and strict reading.
extern const seq_metric seq_metric_entity_f1, seq_metric_entity_f1_strict;
// Of tags of frames: runs of one label but the background (seq_labels.outside).
extern const seq_metric seq_metric_segment_f1;
// Undefined with a value that is not finite.
extern const seq_metric seq_metric_mean_absolute_error, seq_metric_root_mean_square;
// Of transcripts. The label error rate is (S + D + I) / gold labels, summed over the items; its
// counters are these. The sentence error rate is the share of items with an edit.
enum {
    SEQ_LABEL_SUBSTITUTIONS,
    SEQ_LABEL_DELETIONS,
    SEQ_LABEL_INSERTIONS,
    SEQ_LABEL_GOLD,
    SEQ_LABEL_ERROR_COUNTERS
};
extern const seq_metric seq_metric_label_error_rate, seq_metric_sentence_error_rate;
// Of texts; undefined where output and references are empty throughout.
extern const seq_metric seq_metric_bleu, seq_metric_chrf;
const seq_metric *seq_metric_find(const char *name); // NULL: none

// What precision, recall and F1 are made of.
typedef struct seq_hits {
    int64_t right, predicted, gold;
} seq_hits;
double seq_hits_precision(seq_hits hits); // NaN: nothing predicted
double seq_hits_recall(seq_hits hits);    // NaN: nothing in gold
double seq_hits_f1(seq_hits hits);        // NaN: neither
// Counters of both F1 metrics are seq_hits of labels, those of entities seq_hits of types: three
// integers each, in this order.
seq_hits seq_hits_at(const int64_t *counters, int32_t index);

#endif
