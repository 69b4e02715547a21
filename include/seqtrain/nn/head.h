// Heads over the words of a vocabulary: from rows X (N, W) and targets (N) to
// probabilities and cross-entropy. Input 0: X; input 1: a column of ids on the
// same axis, whose `ids` is the number of words V. To add a head, copy
// src/nn/head_full.c and add a line in src/nn/head.c.
#ifndef SEQTRAIN_NN_HEAD_H
#define SEQTRAIN_NN_HEAD_H

#include <seqtrain/nn/layer.h>

enum { SEQ_MAX_CUTOFFS = 8 };

typedef struct seq_words_options {
    int samples;                                // sampled: words drawn for a batch
    int cutoff_count, cutoffs[SEQ_MAX_CUTOFFS]; // adaptive: the first word of each cluster
    double smoothing;           // full: share of the target that all words get, in training
    const float *class_weights; // full: (V), of seq_class_weights (seq_graph_keep); NULL: all 1
} seq_words_options;

// full: all words. Parameters "weight" (V, W), which may be an embedding, and "bias".
// sampled: as full, but training sees only its targets and words drawn for the
// batch, keyed by (seed, step, the batch's draw_key). Both are sparse.
// adaptive: "head.weight", then "tail.I.0.weight", "tail.I.1.weight" of each cluster.
extern const seq_head_kind seq_head_full, seq_head_sampled, seq_head_adaptive;

// Weights of classes for training, scaled to mean 1 over the training targets:
// out[c] is weights[c] times a constant. NULL: each class weighs as much as any
// other, whatever its count. The loss of a target is multiplied by its class's
// weight; the divisor stays a count, and evaluation has no weights.
void seq_class_weights(const double *weights, const int64_t *counts, int classes, float *out);

// NULL-terminated; a line in src/nn/head.c registers a kind.
const seq_head_kind *const *seq_heads(void);

// The heads that a language model chooses among (--output). NULL-terminated:
// "full", "sampled", "adaptive".
const char *const *seq_output_names(void);
// By its place in seq_output_names(), and that place by its name or -1.
const seq_head_kind *seq_output_at(int index);
int seq_output_find(const char *name);

#endif
