// gru: relevance gate r before the product; gates r, z, n.
//   r = s(W_r [h<t-1>, x] + b_r)   z = s(W_z [h<t-1>, x] + b_z)   n = tanh(W_n [r h<t-1>, x] + b_n)
//   h<t> = (1 - z) n + z h<t-1>
// Where the texts write c = u c~ + (1 - u) c, the stored z is 1 - u. Cho et al. 2014. `auxiliary`
// keeps r h<t-1>, which goes through a second product in each step.
#include "cells.h"

static void prepare(const seq_cell_step *step) {
    int hidden = step->hidden;
    for (int b = 0; b < step->batch; b++) {
        size_t row = (size_t)b * (size_t)hidden;
        float *gates = step->gates + 3 * row;
        step->kernels->sigmoid(gates, 2 * (size_t)hidden);
        for (int j = 0; j < hidden; j++)
            step->auxiliary[row + (size_t)j] = gates[j] * step->hidden_before[row + (size_t)j];
    }
}

static void forward_row(int hidden, const float *restrict gates, const float *restrict before,
                        float *restrict out) {
    const float *z = gates + hidden, *n = gates + 2 * hidden;
    for (int j = 0; j < hidden; j++)
        out[j] = (1 - z[j]) * n[j] + z[j] * before[j];
}

static void forward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = (size_t)b * (size_t)step->hidden;
        float *gates = step->gates + 3 * row;
        step->kernels->tanh(gates + 2 * step->hidden, (size_t)step->hidden);
        forward_row(step->hidden, gates, step->hidden_before + row, step->hidden_after + row);
    }
}

static void backward_row(int hidden, float *restrict gates, const float *restrict before,
                         const float *restrict d_hidden, float *restrict d_before) {
    float *gz = gates + hidden, *gn = gates + 2 * hidden;
    for (int j = 0; j < hidden; j++) {
        float z = gz[j], n = gn[j], d = d_hidden[j];
        gz[j] = d * (before[j] - n) * z * (1 - z);
        gn[j] = d * (1 - z) * (1 - n * n);
        d_before[j] = d * z;
    }
}

static void backward(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = (size_t)b * (size_t)step->hidden;
        backward_row(step->hidden, step->gates + 3 * row, step->hidden_before + row,
                     step->d_hidden + row, step->d_hidden_before + row);
    }
}

static void finish_row(int hidden, float *restrict gates, const float *restrict before,
                       const float *restrict d_gated, float *restrict d_before) {
    for (int j = 0; j < hidden; j++) {
        float r = gates[j];
        d_before[j] += d_gated[j] * r;
        gates[j] = d_gated[j] * before[j] * r * (1 - r);
    }
}

static void finish(const seq_cell_step *step) {
    for (int b = 0; b < step->batch; b++) {
        size_t row = (size_t)b * (size_t)step->hidden;
        finish_row(step->hidden, step->gates + 3 * row, step->hidden_before + row,
                   step->d_gated + row, step->d_hidden_before + row);
    }
}

const seq_cell seq_cell_gru = {.name = "gru",
                               .gates = 3,
                               .auxiliary = true,
                               .forget_gate = -1,
                               .last_gate = SEQ_LAST_GATED,
                               .prepare = prepare,
                               .forward = forward,
                               .backward = backward,
                               .finish = finish};
