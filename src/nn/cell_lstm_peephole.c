// lstm-peephole: as lstm, and the three gates also see c<t-1> through the
// diagonal weight_ch (rows p_i, p_f, p_o). This is the form of the course, and
// no paper's: in Gers and Schmidhuber 2000 the output gate sees c<t>, and so it
// does in lstm-peephole-current.
//   i = s(W_i [h<t-1>, x] + p_i c<t-1> + b_i)   g = tanh(W_g [h<t-1>, x] + b_g)
//   f = s(W_f [h<t-1>, x] + p_f c<t-1> + b_f)   c<t> = f c<t-1> + i g
//   o = s(W_o [h<t-1>, x] + p_o c<t-1> + b_o)   h<t> = o tanh(c<t>)
// `auxiliary` keeps tanh(c<t>) (nn/saturation.c looks at it). Test:
// tests/unit/model/test_gradient.c.
#include "cells.h"
#include <string.h>

static void look_at_memory(int hidden, int count, const float *restrict p,
                           const float *restrict before, float *restrict gates) {
    float *i = gates, *f = gates + hidden, *o = gates + 3 * hidden;
    for (int j = 0; j < count; j++) {
        i[j] += p[j] * before[j];
        f[j] += p[hidden + j] * before[j];
        o[j] += p[2 * hidden + j] * before[j];
    }
}

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        look_at_memory(step->hidden, step->count, step->weight_ch + step->first,
                       step->memory_before + row, seq_cell_gates(step, 4, b));
    }
    seq_cell_lstm.forward(step);
}

// Gate gradients are complete: what flows through the peepholes.
static void backward_row(int hidden, int count, const float *restrict p,
                         const float *restrict gates, const float *restrict before,
                         float *restrict d_memory, float *restrict dp) {
    const float *di = gates, *df = gates + hidden, *d_o = gates + 3 * hidden;
    for (int j = 0; j < count; j++) {
        d_memory[j] += di[j] * p[j] + df[j] * p[hidden + j] + d_o[j] * p[2 * hidden + j];
        dp[j] += di[j] * before[j];
        dp[hidden + j] += df[j] * before[j];
        dp[2 * hidden + j] += d_o[j] * before[j];
    }
}

static void backward(const seq_cell_step *step) {
    seq_cell_lstm.backward(step);
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        backward_row(step->hidden, step->count, step->weight_ch + step->first,
                     seq_cell_gates(step, 4, b), step->memory_before + row, step->d_memory + row,
                     step->d_weight_ch + step->first);
    }
}

const seq_cell seq_cell_lstm_peephole = {.name = "lstm-peephole",
                                         .gates = 4,
                                         .memory = true,
                                         .peephole = true,
                                         .auxiliary = true,
                                         .forget_gate = 1,
                                         .output_gate = 3,
                                         .forward = forward,
                                         .backward = backward};
