// gru-reset-after: the form of PyTorch and cuDNN, reset gate behind the
// product; gates r, z, n.
//   r = s(W_ir x + b_ir + W_hr h<t-1> + b_hr)    q = W_hn h<t-1> + b_hn
//   z = s(W_iz x + b_iz + W_hz h<t-1> + b_hz)    n = tanh(W_in x + b_in + r q)
//   h<t> = (1 - z) n + z h<t-1>
// `auxiliary` holds q, and after the backward step dL/dq, which differs from
// the gradient on the input side. Tests: tests/golden/test_models.c
// (torch.nn.GRU), tests/unit/model/test_gradient.c.
#include "cells.h"

static void combine(int count, const float *restrict r, const float *restrict q,
                    float *restrict n) {
    for (int j = 0; j < count; j++)
        n[j] += r[j] * q[j];
}

static void forward_row(int hidden, int count, const float *restrict gates,
                        const float *restrict before, float *restrict out) {
    const float *z = gates + hidden, *n = gates + 2 * hidden;
    for (int j = 0; j < count; j++)
        out[j] = (1 - z[j]) * n[j] + z[j] * before[j];
}

static void forward(const seq_cell_step *step) {
    int hidden = step->hidden;
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        float *gates = seq_cell_gates(step, 3, b);
        step->kernels->sigmoid(gates, (size_t)step->count);
        step->kernels->sigmoid(gates + hidden, (size_t)step->count);
        combine(step->count, gates, step->auxiliary + row, gates + 2 * hidden);
        step->kernels->tanh(gates + 2 * hidden, (size_t)step->count);
        forward_row(hidden, step->count, gates, step->hidden_before + row,
                    step->hidden_after + row);
    }
}

static void backward_row(int hidden, int count, float *restrict gates, float *restrict q,
                         const float *restrict before, const float *restrict d_hidden,
                         float *restrict d_before) {
    float *gr = gates, *gz = gates + hidden, *gn = gates + 2 * hidden;
    for (int j = 0; j < count; j++) {
        float r = gr[j], z = gz[j], n = gn[j], d = d_hidden[j];
        float dn = d * (1 - z) * (1 - n * n);
        gr[j] = dn * q[j] * r * (1 - r);
        gz[j] = d * (before[j] - n) * z * (1 - z);
        gn[j] = dn;
        q[j] = dn * r;
        d_before[j] = d * z;
    }
}

static void backward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        backward_row(step->hidden, step->count, seq_cell_gates(step, 3, b), step->auxiliary + row,
                     step->hidden_before + row, step->d_hidden + row, step->d_hidden_before + row);
    }
}

const seq_cell seq_cell_gru_reset_after = {.name = "gru-reset-after",
                                           .gates = 3,
                                           .auxiliary = true,
                                           .forget_gate = -1,
                                           .output_gate = -1,
                                           .last_gate = SEQ_LAST_APART,
                                           .forward = forward,
                                           .backward = backward};
