// Layers that are made of the arithmetic of other headers.
#ifndef SEQTRAIN_NN_LAYERS_H
#define SEQTRAIN_NN_LAYERS_H

#include <seqtrain/nn/recurrent.h>
#include <seqtrain/nn/layer.h>

// Recurrent: input 0 (N, I) -> h<t> (N, H), from each sequence's first step to
// its last. Input 1, or none: h<0> of the sequences, (rows of the parent, H);
// c<0> is 0. Where the axis continues, the batch before says it. Parameters as in PyTorch:
// "weight_ih", "weight_hh", "bias_ih", "bias_hh", and "weight_ch" of cells with peepholes.
typedef struct seq_recurrent_options {
    const seq_cell *cell;
    int hidden;         // H
    double forget_bias; // initial value of the forget gate's bias_ih
    double weight_drop; // probability, see nn/weight_drop.h: of weight_hh, in training
} seq_recurrent_options;
extern const seq_layer_kind seq_layer_recurrent;
seq_recurrent seq_recurrent_of(const seq_node *node);
const seq_tape *seq_recurrent_tape(const seq_node_run *run);
float *seq_recurrent_unit_scratch(const seq_node_run *run); // (H), between passes

// Dropout in training alone; keyed by the node's random_place.
typedef struct seq_dropout_options {
    double probability; // of a zero, rounded to a multiple of 2^-16
    bool locked;        // one mask for all times of a sequence
} seq_dropout_options;
extern const seq_layer_kind seq_layer_dropout;

#endif
