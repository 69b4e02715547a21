// scores = X W^T + b for heads, and what heads of rows have in common. Backward:
// dW = dS^T X, db = sum of dS, dX = dS W. Invariant: with no row, gradients of
// parameters become 0. Test: tests/unit/nn/test_heads.c.
#include "projection.h"
#include <math.h>
#include <string.h>

void seq_projection_list(seq_parameter_list *list, int scores, int units, bool bias) {
    int weight = list->parameter_count;
    seq_list_parameter(list, "weight", scores, units, 1 / sqrt(units));
    if (bias) seq_list_parameter(list, "bias", scores, 0, 0);
    seq_list_packed(list, seq_whole_matrix(list, weight, false));
    seq_list_packed(list, seq_whole_matrix(list, weight, true));
}

void *seq_projection_take(const seq_node *node, const seq_limits *limits, seq_arena *arena) {
    size_t rows = limits->axes[node->shape.axis].rows;
    return seq_arena_take(
        arena, 1,
        seq_compute_packed_bytes(node->compute, (size_t)node->input_shapes[0].width, rows));
}

void seq_projection_forward(const seq_node *node, seq_pass *pass, bool bias, float *scores) {
    size_t rows = seq_node_axis(node, pass)->rows;
    if (rows)
        seq_compute_rows(node->compute, rows, (size_t)node->input_shapes[0].width,
                         (size_t)node->shape.width, seq_input(node, pass, 0)->values,
                         seq_packed(node, pass, 0),
                         bias ? seq_parameter_values(node, pass, 1) : NULL, scores);
}

void seq_projection_backward(const seq_node *node, seq_pass *pass, bool bias, const float *d_scores,
                             void *packed_rows) {
    const seq_compute *compute = node->compute;
    const seq_node_run *below = seq_input(node, pass, 0);
    size_t units = (size_t)node->input_shapes[0].width, width = (size_t)node->shape.width;
    size_t rows = seq_node_axis(node, pass)->rows;
    float *d_weight = seq_parameter_gradient(node, pass, 0);
    float *d_bias = bias ? seq_parameter_gradient(node, pass, 1) : NULL;
    if (d_bias) seq_compute_sum_rows(compute, d_scores, rows, width, width, d_bias);
    if (d_weight && !rows) memset(d_weight, 0, width * units * sizeof *d_weight);
    if (d_weight && rows) {
        seq_compute_pack(compute, SEQ_PLAIN, units, rows, below->values, units, packed_rows);
        seq_compute_outer(compute, rows, width, units, d_scores, width, packed_rows, false,
                          d_weight, units);
    }
    if (below->gradient && rows)
        seq_compute_rows(compute, rows, width, units, d_scores, seq_packed(node, pass, 1), NULL,
                         below->gradient);
}

void seq_projection_begin_values(const seq_node *node, const seq_pass *pass, seq_prediction *out) {
    const seq_axis *axis = seq_node_axis(node, pass);
    int length = axis->steps;
    out->axis = axis;
    for (int b = 0; b < axis->sequences; b++) {
        while (length > 0 && axis->rows_at[length - 1] <= b)
            length--;
        out->found[b] = 1;
        out->length[b] = length;
        out->score[b] = 0;
        out->probability[b] = NAN;
    }
}

void seq_projection_losses(const seq_node *node, const seq_pass *pass, const double *of_row,
                           const seq_losses *losses) {
    const seq_axis *axis = seq_node_axis(node, pass);
    if (!losses) return;
    for (int b = 0; losses->of_sequence && b < axis->sequences; b++)
        losses->of_sequence[b] = 0;
    for (int t = 0; t < axis->steps; t++)
        for (size_t row = axis->first_row[t]; row < axis->first_row[t + 1]; row++) {
            if (losses->of_sequence) losses->of_sequence[row - axis->first_row[t]] += of_row[row];
            if (losses->of_row) losses->of_row[row] = -(float)of_row[row];
        }
}
