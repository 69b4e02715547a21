// lstm-peephole-current: as lstm, and the gates see the memory through the
// diagonal weight_ch (rows p_i, p_f, p_o): i and f that of before, o the new
// one. Gers and Schmidhuber 2000; the form of TensorFlow, Kaldi and ONNX.
//   i = s(W_i [h<t-1>, x] + p_i c<t-1> + b_i)   g = tanh(W_g [h<t-1>, x] + b_g)
//   f = s(W_f [h<t-1>, x] + p_f c<t-1> + b_f)   c<t> = f c<t-1> + i g
//   o = s(W_o [h<t-1>, x] + p_o c<t> + b_o)     h<t> = o tanh(c<t>)
// `auxiliary` keeps tanh(c<t>) (nn/saturation.c looks at it). Test:
// tests/unit/model/test_gradient.c.
#include "cells.h"
#include <string.h>

// y += p x
static void look(int count, const float *restrict p, const float *restrict x, float *restrict y) {
    for (int j = 0; j < count; j++)
        y[j] += p[j] * x[j];
}

static void remember(int hidden, int count, const float *restrict gates,
                     const float *restrict before, float *restrict memory) {
    const float *i = gates, *f = gates + hidden, *g = gates + 2 * hidden;
    for (int j = 0; j < count; j++)
        memory[j] = f[j] * before[j] + i[j] * g[j];
}

static void show(int count, const float *restrict o, const float *restrict squashed,
                 float *restrict out) {
    for (int j = 0; j < count; j++)
        out[j] = o[j] * squashed[j];
}

static void forward_row(const seq_cell_step *step, float *gates, size_t row) {
    const seq_kernels *kernels = step->kernels;
    int hidden = step->hidden, count = step->count;
    size_t units = (size_t)count;
    const float *p = step->weight_ch + step->first, *before = step->memory_before + row;
    float *memory = step->memory_after + row, *squashed = step->auxiliary + row;
    float *o = gates + 3 * hidden;
    look(count, p, before, gates);
    look(count, p + hidden, before, gates + hidden);
    kernels->sigmoid(gates, units);
    kernels->sigmoid(gates + hidden, units);
    kernels->tanh(gates + 2 * hidden, units);
    remember(hidden, count, gates, before, memory);
    look(count, p + 2 * hidden, memory, o);
    kernels->sigmoid(o, units);
    memcpy(squashed, memory, units * sizeof *squashed);
    kernels->tanh(squashed, units);
    show(count, o, squashed, step->hidden_after + row);
}

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++)
        forward_row(step, seq_cell_gates(step, 4, b), seq_cell_row(step, b));
}

// The output gate comes first: it hands a part of its gradient to c<t>.
static void backward_row(int hidden, int count, const float *restrict p, float *restrict gates,
                         const float *restrict before, const float *restrict after,
                         const float *restrict squashed, const float *restrict d_hidden,
                         float *restrict d_memory, float *restrict dp) {
    float *gi = gates, *gf = gates + hidden, *gg = gates + 2 * hidden, *go = gates + 3 * hidden;
    for (int j = 0; j < count; j++) {
        float i = gi[j], f = gf[j], g = gg[j], o = go[j], t = squashed[j];
        float d_o = d_hidden[j] * t * o * (1 - o);
        float dc = d_memory[j] + d_hidden[j] * o * (1 - t * t) + d_o * p[2 * hidden + j];
        float di = dc * g * i * (1 - i), df = dc * before[j] * f * (1 - f);
        gi[j] = di;
        gf[j] = df;
        gg[j] = dc * i * (1 - g * g);
        go[j] = d_o;
        d_memory[j] = dc * f + di * p[j] + df * p[hidden + j];
        dp[j] += di * before[j];
        dp[hidden + j] += df * before[j];
        dp[2 * hidden + j] += d_o * after[j];
    }
}

static void backward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        backward_row(step->hidden, step->count, step->weight_ch + step->first,
                     seq_cell_gates(step, 4, b), step->memory_before + row,
                     step->memory_after + row, step->auxiliary + row, step->d_hidden + row,
                     step->d_memory + row, step->d_weight_ch + step->first);
        memset(step->d_hidden_before + row, 0, (size_t)step->count * sizeof(float));
    }
}

const seq_cell seq_cell_lstm_peephole_current = {.name = "lstm-peephole-current",
                                                 .gates = 4,
                                                 .memory = true,
                                                 .peephole = true,
                                                 .auxiliary = true,
                                                 .forget_gate = 1,
                                                 .output_gate = 3,
                                                 .forward = forward,
                                                 .backward = backward};
