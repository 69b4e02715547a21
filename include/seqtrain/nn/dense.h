// A dense layer on rows: Y (N, O) = f(X (N, I) W^T + b) with W (O, I).
#ifndef SEQTRAIN_NN_DENSE_H
#define SEQTRAIN_NN_DENSE_H

#include <seqtrain/nn/layer.h>

typedef enum seq_activation {
    SEQ_ACTIVATION_RELU,
    SEQ_ACTIVATION_TANH,
    SEQ_ACTIVATION_NONE,
} seq_activation;

// Layer: rows of any axis. Parameters "weight" (O, I), "bias" (O).
typedef struct seq_dense_options {
    int units; // O
    seq_activation activation;
    bool unbiased; // without the bias
} seq_dense_options;
extern const seq_layer_kind seq_layer_dense;

#endif
