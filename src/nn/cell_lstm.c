// lstm: gates i, f, g, o (PyTorch's order). Hochreiter and Schmidhuber 1997,
// forget gate: Gers et al. 2000.
//   i = s(W_i [h<t-1>, x] + b_i)       f = s(W_f [h<t-1>, x] + b_f)
//   g = tanh(W_g [h<t-1>, x] + b_g)    o = s(W_o [h<t-1>, x] + b_o)
//   c<t> = f c<t-1> + i g              h<t> = o tanh(c<t>)
// `auxiliary` keeps tanh(c<t>) (nn/saturation.c looks at it). Tests:
// tests/golden/test_models.c (torch.nn.LSTM), tests/unit/model/test_gradient.c.
#include "cells.h"
#include <string.h>

static void activate(const seq_cell_step *step, float *gates) {
    size_t hidden = (size_t)step->hidden, count = (size_t)step->count;
    if (count == hidden) {
        step->kernels->sigmoid(gates, 2 * count); // i and f side by side
    } else {
        step->kernels->sigmoid(gates, count);
        step->kernels->sigmoid(gates + hidden, count);
    }
    step->kernels->tanh(gates + 2 * hidden, count);
    step->kernels->sigmoid(gates + 3 * hidden, count);
}

static void forward_row(const seq_cell_step *step, const float *restrict gates,
                        const float *restrict before, float *restrict memory,
                        float *restrict squashed, float *restrict out) {
    int hidden = step->hidden, count = step->count;
    const float *i = gates, *f = gates + hidden, *g = gates + 2 * hidden, *o = gates + 3 * hidden;
    for (int j = 0; j < count; j++)
        memory[j] = f[j] * before[j] + i[j] * g[j];
    memcpy(squashed, memory, (size_t)count * sizeof(float));
    step->kernels->tanh(squashed, (size_t)count);
    for (int j = 0; j < count; j++)
        out[j] = o[j] * squashed[j];
}

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        activate(step, seq_cell_gates(step, 4, b));
        forward_row(step, seq_cell_gates(step, 4, b), step->memory_before + row,
                    step->memory_after + row, step->auxiliary + row, step->hidden_after + row);
    }
}

static void backward_row(int hidden, int count, float *restrict gates, const float *restrict before,
                         const float *restrict squashed, const float *restrict d_hidden,
                         float *restrict d_memory) {
    float *gi = gates, *gf = gates + hidden, *gg = gates + 2 * hidden, *go = gates + 3 * hidden;
    for (int j = 0; j < count; j++) {
        float i = gi[j], f = gf[j], g = gg[j], o = go[j], t = squashed[j];
        float d_out = d_hidden[j] * t;
        float dc = d_memory[j] + d_hidden[j] * o * (1 - t * t);
        gi[j] = dc * g * i * (1 - i);
        gf[j] = dc * before[j] * f * (1 - f);
        gg[j] = dc * i * (1 - g * g);
        go[j] = d_out * o * (1 - o);
        d_memory[j] = dc * f;
    }
}

static void backward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        backward_row(step->hidden, step->count, seq_cell_gates(step, 4, b),
                     step->memory_before + row, step->auxiliary + row, step->d_hidden + row,
                     step->d_memory + row);
        memset(step->d_hidden_before + row, 0, (size_t)step->count * sizeof(float));
    }
}

const seq_cell seq_cell_lstm = {.name = "lstm",
                                .gates = 4,
                                .memory = true,
                                .auxiliary = true,
                                .forget_gate = 1,
                                .output_gate = 3,
                                .forward = forward,
                                .backward = backward};
