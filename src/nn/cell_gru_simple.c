// gru-simple: the update gate only; gates z, n. After Cho et al. 2014, without
// the relevance gate. The texts' u, in c = u c~ + (1 - u) c, is 1 - z.
//   z = s(W_z [h<t-1>, x] + b_z)    n = tanh(W_n [h<t-1>, x] + b_n)
//   h<t> = (1 - z) n + z h<t-1>
// A new cell starts as a copy of this file: its formula here, forward and
// backward of one step below, its row at the end, a line in cells.h and in the
// list of cell.c. Test: tests/unit/model/test_gradient.c.
#include "cells.h"

static void forward_row(int hidden, int count, const float *restrict gates,
                        const float *restrict before, float *restrict out) {
    const float *z = gates, *n = gates + hidden;
    for (int j = 0; j < count; j++)
        out[j] = (1 - z[j]) * n[j] + z[j] * before[j];
}

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        float *gates = seq_cell_gates(step, 2, b);
        step->kernels->sigmoid(gates, (size_t)step->count);
        step->kernels->tanh(gates + step->hidden, (size_t)step->count);
        forward_row(step->hidden, step->count, gates, step->hidden_before + row,
                    step->hidden_after + row);
    }
}

static void backward_row(int hidden, int count, float *restrict gates, const float *restrict before,
                         const float *restrict d_hidden, float *restrict d_before) {
    float *gz = gates, *gn = gates + hidden;
    for (int j = 0; j < count; j++) {
        float z = gz[j], n = gn[j], d = d_hidden[j];
        gz[j] = d * (before[j] - n) * z * (1 - z);
        gn[j] = d * (1 - z) * (1 - n * n);
        d_before[j] = d * z;
    }
}

static void backward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        backward_row(step->hidden, step->count, seq_cell_gates(step, 2, b),
                     step->hidden_before + row, step->d_hidden + row, step->d_hidden_before + row);
    }
}

const seq_cell seq_cell_gru_simple = {.name = "gru-simple",
                                      .gates = 2,
                                      .forget_gate = -1,
                                      .output_gate = -1,
                                      .forward = forward,
                                      .backward = backward};
