// rnn: h<t> = tanh(W_ih x + b_ih + W_hh h<t-1> + b_hh). Elman 1990.
#include "cells.h"
#include <string.h>

static void forward(const seq_cell_step *step) {
    size_t count = (size_t)step->batch * (size_t)step->hidden;
    step->kernels->tanh(step->gates, count);
    memcpy(step->hidden_after, step->gates, count * sizeof(float));
}

static void backward(const seq_cell_step *step) {
    size_t count = (size_t)step->batch * (size_t)step->hidden;
    float *restrict gates = step->gates;
    const float *restrict d_hidden = step->d_hidden;
    for (size_t j = 0; j < count; j++)
        gates[j] = d_hidden[j] * (1 - gates[j] * gates[j]);
    memset(step->d_hidden_before, 0, count * sizeof(float));
}

const seq_cell seq_cell_rnn = {
    .name = "rnn", .gates = 1, .forget_gate = -1, .forward = forward, .backward = backward};
