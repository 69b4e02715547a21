// Softmax over the columns of a product, logits (N, C) = X (N, I) W^T + b, with cross-entropy and
// its gradient, in chunks of rows so that the logits of a window never exist at once. Heads over
// words (nn/head.h) are made of it.
#ifndef SEQTRAIN_NN_SOFTMAX_H
#define SEQTRAIN_NN_SOFTMAX_H

#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/nn/layer.h>

enum {
    SEQ_CHUNK_LOGITS = 1 << 21
}; // logits that exist at once, about; a part of the last-level cache

typedef struct seq_softmax {
    const seq_compute *compute;
    size_t columns, units; // C, I
    size_t
        shared; // training: the columns from here on count only in the rows whose target they are
    // Training. Of a row's loss, `smoothing` is the mean of -ln p of all columns,
    // and the rest -ln p(target); both are multiplied by the target's weight.
    double smoothing;
    const float *column_weights; // (C), or NULL: all 1
    size_t chunk;                // rows at once
    float *logits;               // (chunk, C)
    float *log_sum;              // (chunk)
    float *target_logit;         // (chunk)
    float *mean_logit;           // (chunk), with smoothing
    void *packed_rows;           // (chunk, I) packed, training only
} seq_softmax;

// Fills chunk, shared (all columns) and the buffers for up to `rows` rows; the other members are
// the caller's.
void seq_softmax_take(seq_softmax *softmax, size_t rows, bool training, seq_arena *arena);

// The weights (C, I), packed.
typedef struct seq_softmax_weights {
    const void *forward;  // W^T: (I, C)
    const void *backward; // W: (C, I); training only
    const float *bias;    // (C), or NULL
} seq_softmax_weights;

// The loss in nats: a sum of -ln p(target), or what smoothing and weights make of it. dx (N, I) =
// dL/dx, d_weight (C, I) and d_bias (C) are overwritten, with L = scale * loss. NULL: not wanted.
seq_loss seq_softmax_train(const seq_softmax *softmax, const seq_softmax_weights *weights,
                           size_t rows, const float *x, const int32_t *targets, float scale,
                           float *dx, float *d_weight, float *d_bias);
void seq_softmax_logits(const seq_softmax *softmax, const seq_softmax_weights *weights, size_t rows,
                        const float *x, float *logits, size_t ld);

// What evaluation keeps of a row of logits.
typedef struct seq_softmax_row {
    float log_sum;       // ln of the sum of exp(logit) over all columns
    float target;        // the target's logit; 0 where the target is -1
    float best;          // the largest of the first `ranked` logits
    int32_t best_column; // the first column that has it
} seq_softmax_row;

// kept (N, C - ranked), or NULL when all columns are ranked: the other logits.
void seq_softmax_survey(const seq_softmax *softmax, const seq_softmax_weights *weights, size_t rows,
                        const float *x, const int32_t *targets, size_t ranked, float *kept,
                        seq_softmax_row *out);

// The largest of (count), at least one; NaN is passed over where the first is none.
float seq_largest(const float *x, size_t count);

// ln(e^a + e^b); -inf where both are.
static inline double seq_log_add(double a, double b) {
    double most = a > b ? a : b, least = a > b ? b : a;
    return least > -INFINITY ? most + log1p(exp(least - most)) : most;
}

#endif
