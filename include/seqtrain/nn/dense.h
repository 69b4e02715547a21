// A dense layer on rows: Y (N, O) = f(X (N, I) W^T + b) with W (O, I).
#ifndef SEQTRAIN_NN_DENSE_H
#define SEQTRAIN_NN_DENSE_H

#include <seqtrain/base/memory.h>
#include <seqtrain/kernels/compute.h>

typedef enum seq_activation { SEQ_ACTIVATION_RELU, SEQ_ACTIVATION_TANH } seq_activation;

typedef struct seq_dense {
    const seq_compute *compute;
    seq_activation activation;
    int inputs, outputs; // I, O
} seq_dense;

// weight: W^T packed, (I, O).
void seq_dense_forward(const seq_dense *layer, const void *weight, const float *bias, size_t rows,
                       const float *x, float *y);
// weight_back: W packed, (O, I). dy (N, O) is overwritten with the gradient before the activation;
// d_weight, d_bias and dx are overwritten. packed_rows: scratch for a packed matrix (N, I).
void seq_dense_backward(const seq_dense *layer, const void *weight_back, size_t rows,
                        const float *x, const float *y, float *dy, float *dx, float *d_weight,
                        float *d_bias, void *packed_rows);

#endif
