// Layers that move rows and compute nothing, and the input of numbers.
#ifndef SEQTRAIN_NN_ROWS_H
#define SEQTRAIN_NN_ROWS_H

#include <seqtrain/nn/layer.h>

// Each sequence backwards: row (t, b) is row (length - 1 - t, b) of the input. A
// layer that reads from the end to the start is one between two of these.
extern const seq_layer_kind seq_layer_reverse;

// 2 to SEQ_NODE_INPUTS inputs on one axis side by side: (N, sum of the widths).
extern const seq_layer_kind seq_layer_concat;

// One row for each sequence, the row of the parent that it belongs to, to all
// its steps: (rows of the parent, W) -> (N, W).
typedef struct seq_spread_options {
    int axis;   // of the result: a child of the input's axis
    bool first; // at a sequence's first step alone, and zeros elsewhere
} seq_spread_options;
extern const seq_layer_kind seq_layer_spread;

// A column of numbers, normalised: (x - mean) * scale. The arrays live as long
// as the model (seq_graph_keep); both NULL: the numbers as they are.
typedef struct seq_features_options {
    const float *mean, *scale; // (W)
} seq_features_options;
extern const seq_layer_kind seq_layer_features;

#endif
