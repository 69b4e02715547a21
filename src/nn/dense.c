// y = f(x W^T + b) with f = tanh or max(0, .), for all rows of a window at
// once.
//   backward: da = dy f'(y), dW = da^T x, db = sum of da, dx = da W
// f' is taken from the output, so the argument of f is not kept. Invariant: a
// NaN passes through both activations, so it is found later. Tests:
// tests/unit/model/test_passes.c, tests/unit/model/test_gradient.c.
#include <seqtrain/nn/dense.h>

static void activate(const seq_dense *layer, size_t count, float *y) {
    if (layer->activation == SEQ_ACTIVATION_TANH) {
        layer->compute->kernels->tanh(y, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        y[i] = y[i] < 0 ? 0 : y[i]; // a NaN stays
}

void seq_dense_forward(const seq_dense *layer, const void *weight, const float *bias, size_t rows,
                       const float *x, float *y) {
    size_t in = (size_t)layer->inputs, out = (size_t)layer->outputs;
    seq_compute_rows(layer->compute, rows, in, out, x, weight, bias, y);
    activate(layer, rows * out, y);
}

static void differentiate(const seq_dense *layer, size_t count, const float *restrict y,
                          float *restrict dy) {
    if (layer->activation == SEQ_ACTIVATION_TANH)
        for (size_t i = 0; i < count; i++)
            dy[i] *= 1 - y[i] * y[i];
    else
        for (size_t i = 0; i < count; i++)
            dy[i] = y[i] > 0 ? dy[i] : 0;
}

void seq_dense_backward(const seq_dense *layer, const void *weight_back, size_t rows,
                        const float *x, const float *y, float *dy, float *dx, float *d_weight,
                        float *d_bias, void *packed_rows) {
    const seq_compute *compute = layer->compute;
    size_t in = (size_t)layer->inputs, out = (size_t)layer->outputs;
    differentiate(layer, rows * out, y, dy);
    seq_compute_sum_rows(compute, dy, rows, out, out, d_bias);
    seq_compute_pack(compute, SEQ_PLAIN, in, rows, x, in, packed_rows);
    seq_compute_outer(compute, rows, out, in, dy, out, packed_rows, false, d_weight);
    seq_compute_rows(compute, rows, out, in, dy, weight_back, NULL, dx);
}
