// The product below the heads of this folder that are not over words: scores (N, S) = X W^T + b.
// Parameter 0 is "weight" (S, units), parameter 1 the bias, if there is one; packed 0 and 1 are the
// weight to go forward and back.
#ifndef SEQTRAIN_SRC_NN_PROJECTION_H
#define SEQTRAIN_SRC_NN_PROJECTION_H

#include <seqtrain/nn/layer.h>

void seq_projection_list(seq_parameter_list *list, int scores, int units, bool bias);
// Of a packed copy of N rows; training only.
void *seq_projection_take(const seq_node *node, const seq_limits *limits, seq_arena *arena);
void seq_projection_forward(const seq_node *node, seq_pass *pass, bool bias, float *scores);
// Writes the gradients of input 0, weight and bias from d_scores (N, S).
void seq_projection_backward(const seq_node *node, seq_pass *pass, bool bias, const float *d_scores,
                             void *packed_rows);

// Zeroes what predictions of rows add up: one alternative, as long as its sequence, without a
// probability.
void seq_projection_begin_values(const seq_node *node, const seq_pass *pass, seq_prediction *out);
// Losses of rows, added up for each sequence and kept, where wanted.
void seq_projection_losses(const seq_node *node, const seq_pass *pass, const double *of_row,
                           const seq_losses *losses);

#endif
