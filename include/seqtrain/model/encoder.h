// The stack that tasks share: recurrent layers, then dense layers on each step,
// with dropout on what each hands on and none inside the recurrence (Zaremba et
// al. 2014). A bidirectional layer is one layer from each end, side by side
// (Schuster and Paliwal 1997): 2 H units.
#ifndef SEQTRAIN_MODEL_ENCODER_H
#define SEQTRAIN_MODEL_ENCODER_H

#include <seqtrain/model/graph.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/recurrent.h>

typedef struct seq_encoder_options {
    const char *prefix;       // of recurrent layers: "rnn"
    const char *dense_prefix; // of dense layers, followed by ".I": "dense"
    const seq_cell *cell;
    int layers;
    const int *hidden;  // H of each layer, in each direction
    bool bidirectional; // parameters of the second direction end in _reverse, as in PyTorch
    int between;        // units of a dense layer between recurrent layers; 0: none
    int dense_layers;
    const int *dense; // units of each dense layer
    seq_activation activation;
    double forget_bias;
    double weight_drop;     // of recurrent matrices
    double dropout_between; // on what a layer hands to the next
    bool dropout_locked;    // one mask for all times of a sequence (Gal and Ghahramani 2016)
} seq_encoder_options;

// Returns the topmost node. What it hands on is not dropped: that is the head's.
int seq_graph_encoder(seq_graph *graph, const seq_encoder_options *options, int input);

#endif
