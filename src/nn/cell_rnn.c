// rnn: h<t> = tanh(W_ih x + b_ih + W_hh h<t-1> + b_hh). Elman 1990.
//   backward: dL/da = dL/dh<t> (1 - h<t>^2), a the argument of tanh
// All of dL/dh<t-1> flows through the product, so d_hidden_before is zero.
// Tests: tests/golden/test_models.c (torch.nn.RNN),
// tests/unit/model/test_gradient.c.
#include "cells.h"
#include <string.h>

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        float *gates = seq_cell_gates(step, 1, b);
        step->kernels->tanh(gates, (size_t)step->count);
        memcpy(step->hidden_after + seq_cell_row(step, b), gates,
               (size_t)step->count * sizeof(float));
    }
}

static void backward_row(int count, float *restrict gates, const float *restrict d_hidden) {
    for (int j = 0; j < count; j++)
        gates[j] = d_hidden[j] * (1 - gates[j] * gates[j]);
}

static void backward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        backward_row(step->count, seq_cell_gates(step, 1, b), step->d_hidden + row);
        memset(step->d_hidden_before + row, 0, (size_t)step->count * sizeof(float));
    }
}

const seq_cell seq_cell_rnn = {.name = "rnn",
                               .gates = 1,
                               .forget_gate = -1,
                               .output_gate = -1,
                               .forward = forward,
                               .backward = backward};
