// What heads over words share.
#ifndef SEQ_NN_HEADS_H
#define SEQ_NN_HEADS_H

#include <seqtrain/nn/head.h>
#include <seqtrain/nn/softmax.h>

// Of the node's targets and input.
size_t seq_head_words(const seq_node *node); // V
size_t seq_head_units(const seq_node *node); // W
size_t seq_head_rows(const seq_node *node, const seq_limits *limits);
// Checks the inputs: rows and a column of ids on one axis; the scores are (N, V).
seq_status seq_head_word_shape(const seq_node *node, seq_shape *out, seq_error *error);
double seq_head_word_chance(const seq_node *node); // ln(V + 1): above 0 for one word, too

// What is wanted of N rows.
typedef struct seq_head_work {
    size_t rows;            // N
    const float *x;         // (N, W)
    const int32_t *targets; // (N), -1: not counted
    float *dx;              // (N, W), training
} seq_head_work;
seq_head_work seq_head_work_of(const seq_node *node, seq_pass *pass);

// Adds up what was found: rows' log_sum and target are those of the whole
// vocabulary. `found` and `targets` begin at row `first` of the head's axis.
seq_loss seq_head_sum(const seq_node *node, const seq_pass *pass, const seq_softmax_row *found,
                      const int32_t *targets, size_t first, size_t rows, const seq_losses *losses);

#endif
