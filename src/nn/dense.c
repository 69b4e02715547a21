#include <seqtrain/nn/dense.h>

static void activate(const seq_dense *layer, size_t count, float *y) {
    if (layer->activation == SEQ_ACTIVATION_TANH) {
        layer->kernels->tanh(y, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        y[i] = y[i] < 0 ? 0 : y[i]; // a NaN stays
}

void seq_dense_forward(const seq_dense *layer, const float *weight, const float *bias, size_t rows,
                       const float *x, float *y) {
    size_t in = (size_t)layer->inputs, out = (size_t)layer->outputs;
    layer->kernels->gemm(SEQ_PLAIN, SEQ_TRANSPOSED, rows, out, in, x, in, weight, in, 0, y, out);
    layer->kernels->add_rows(y, rows, out, out, bias);
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

void seq_dense_backward(const seq_dense *layer, const float *weight, size_t rows, const float *x,
                        const float *y, float *dy, float *dx, float *d_weight, float *d_bias) {
    size_t in = (size_t)layer->inputs, out = (size_t)layer->outputs;
    differentiate(layer, rows * out, y, dy);
    layer->kernels->gemm(SEQ_TRANSPOSED, SEQ_PLAIN, out, in, rows, dy, out, x, in, 1, d_weight, in);
    layer->kernels->sum_rows(dy, rows, out, out, d_bias);
    layer->kernels->gemm(SEQ_PLAIN, SEQ_PLAIN, rows, in, out, dy, out, weight, in, 0, dx, in);
}
