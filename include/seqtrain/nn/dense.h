// A dense layer on rows: Y (N, O) = f(X (N, I) W^T + b) with W (O, I).
#ifndef SEQTRAIN_NN_DENSE_H
#define SEQTRAIN_NN_DENSE_H

#include <seqtrain/kernels/kernels.h>

typedef enum seq_activation { SEQ_ACTIVATION_RELU, SEQ_ACTIVATION_TANH } seq_activation;

typedef struct seq_dense {
    const seq_kernels *kernels;
    seq_activation activation;
    int inputs, outputs; // I, O
} seq_dense;

void seq_dense_forward(const seq_dense *layer, const float *weight, const float *bias, size_t rows,
                       const float *x, float *y);
// dy (N, O) is overwritten with the gradient before the activation; d_weight and d_bias are
// accumulated; dx is overwritten.
void seq_dense_backward(const seq_dense *layer, const float *weight, size_t rows, const float *x,
                        const float *y, float *dy, float *dx, float *d_weight, float *d_bias);

#endif
