// Outputs of an evaluation that are texts: greedy search, joined to text, against the raw texts of
// the split.
#ifndef SEQ_INFER_EVALUATE_TEXTS_H
#define SEQ_INFER_EVALUATE_TEXTS_H

#include <seqtrain/data/dataset.h>
#include <seqtrain/model/model.h>
#include <seqtrain/task/metric.h>

typedef struct seq_text_evaluator seq_text_evaluator;
// For batches of up to `examples` of the split, whose raw texts are read now. SEQ_BAD_INPUT: the
// data set keeps none, or damaged ones.
seq_status seq_text_evaluator_create(const seq_model *model, seq_dataset *dataset, seq_split split,
                                     int examples, seq_text_evaluator **out, seq_error *error);
void seq_text_evaluator_destroy(seq_text_evaluator *evaluator); // NULL is fine
// Searches for all examples of the batch. The workspace serves it; its values are then of the
// search.
seq_status seq_text_evaluator_step(seq_text_evaluator *evaluator, seq_workspace *workspace,
                                   const seq_weights *weights, const seq_batch *batch,
                                   seq_error *error);
// Of example `row` of the last step, until the next one.
typedef struct seq_evaluated_text {
    seq_segment output, reference;
    const seq_overlap_counts *counts;
} seq_evaluated_text;
seq_evaluated_text seq_text_evaluator_item(const seq_text_evaluator *evaluator, int row);

#endif
