// The output layer: logits (N, V) = X (N, H) W^T + b, cross-entropy, and its gradient, in chunks of
// rows so that the logits of a window never exist at once.
#ifndef SEQTRAIN_NN_SOFTMAX_H
#define SEQTRAIN_NN_SOFTMAX_H

#include <seqtrain/base/memory.h>
#include <seqtrain/kernels/compute.h>

typedef struct seq_output {
    const seq_compute *compute;
    int vocabulary, units; // V, H
    size_t chunk;          // rows at once
    float *logits;         // (chunk, V)
    float *log_sum;        // (chunk)
    float *target_logit;   // (chunk)
    void *packed_rows;     // (chunk, H) packed, training only
} seq_output;

typedef struct seq_output_loss {
    double nats;    // sum of -ln p(target)
    int64_t tokens; // targets other than -1
    int64_t
        correct; // targets that are the first maximum of their row (evaluation only, 0 in training)
} seq_output_loss;

// Fills chunk and the buffers for windows of up to `rows` rows; the other members are the caller's.
void seq_output_take(seq_output *output, size_t rows, bool training, seq_arena *arena);

// The weights (V, H), packed.
typedef struct seq_output_weights {
    const void *forward;  // W^T: (H, V)
    const void *backward; // W: (V, H); training only
    const float *bias;    // (V)
} seq_output_weights;

// dx (N, H) = dL/dx, d_weight (V, H) and d_bias (V) are overwritten, with L = scale * nats.
seq_output_loss seq_output_train(const seq_output *output, const seq_output_weights *weights, size_t rows, const float *x, const int32_t *targets, float scale,
                                 float *dx, float *d_weight, float *d_bias);
// log_probabilities (N), or NULL: ln p(target), 0 where the target is -1.
seq_output_loss seq_output_evaluate(const seq_output *output, const seq_output_weights *weights, size_t rows, const float *x,
                                    const int32_t *targets, float *log_probabilities);
void seq_output_logits(const seq_output *output, const seq_output_weights *weights, size_t rows, const float *x, float *logits);

#endif
