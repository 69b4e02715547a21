// gru: relevance gate r before the product; gates r, z, n. Cho et al. 2014.
//   r = s(W_r [h<t-1>, x] + b_r)         z = s(W_z [h<t-1>, x] + b_z)
//   n = tanh(W_n [r h<t-1>, x] + b_n)    h<t> = (1 - z) n + z h<t-1>
// Where the texts write c = u c~ + (1 - u) c, the stored z is 1 - u.
// `auxiliary` keeps r h<t-1>, which goes through a second product in each step.
// Tests: tests/unit/model/test_gradient.c, tests/unit/model/test_passes.c.
#include "cells.h"

static void prepare(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        float *gates = seq_cell_gates(step, 3, b);
        step->kernels->sigmoid(gates, (size_t)step->count);
        step->kernels->sigmoid(gates + step->hidden, (size_t)step->count);
        for (int j = 0; j < step->count; j++)
            step->auxiliary[row + (size_t)j] = gates[j] * step->hidden_before[row + (size_t)j];
    }
}

static void forward_row(int hidden, int count, const float *restrict gates,
                        const float *restrict before, float *restrict out) {
    const float *z = gates + hidden, *n = gates + 2 * hidden;
    for (int j = 0; j < count; j++)
        out[j] = (1 - z[j]) * n[j] + z[j] * before[j];
}

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        float *gates = seq_cell_gates(step, 3, b);
        step->kernels->tanh(gates + 2 * step->hidden, (size_t)step->count);
        forward_row(step->hidden, step->count, gates, step->hidden_before + row,
                    step->hidden_after + row);
    }
}

static void backward_row(int hidden, int count, float *restrict gates, const float *restrict before,
                         const float *restrict d_hidden, float *restrict d_before) {
    float *gz = gates + hidden, *gn = gates + 2 * hidden;
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
        backward_row(step->hidden, step->count, seq_cell_gates(step, 3, b),
                     step->hidden_before + row, step->d_hidden + row, step->d_hidden_before + row);
    }
}

static void finish_row(int count, float *restrict gates, const float *restrict before,
                       const float *restrict d_gated, float *restrict d_before) {
    for (int j = 0; j < count; j++) {
        float r = gates[j];
        d_before[j] += d_gated[j] * r;
        gates[j] = d_gated[j] * before[j] * r * (1 - r);
    }
}

static void finish(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = seq_cell_row(step, b);
        finish_row(step->count, seq_cell_gates(step, 3, b), step->hidden_before + row,
                   step->d_gated + row, step->d_hidden_before + row);
    }
}

const seq_cell seq_cell_gru = {.name = "gru",
                               .gates = 3,
                               .auxiliary = true,
                               .forget_gate = -1,
                               .output_gate = 0,
                               .last_gate = SEQ_LAST_GATED,
                               .prepare = prepare,
                               .forward = forward,
                               .backward = backward,
                               .finish = finish};
