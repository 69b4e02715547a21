// Builds a model: a static list of nodes from the columns of a batch to one
// head. Layers of every kind are added in the order of their computation.
//
// The first error stays in the graph; calls after it do nothing, and
// seq_graph_finish returns it. So builders need no checks in between: a node
// is its number, and -1 after an error.
#ifndef SEQTRAIN_MODEL_GRAPH_H
#define SEQTRAIN_MODEL_GRAPH_H

#include <seqtrain/model/model.h>
#include <seqtrain/nn/head.h>
#include <seqtrain/nn/layer.h>

enum { SEQ_MAX_NODES = 256, SEQ_NODE_NAME = 32 };

// A column of the batches that the model is going to see.
typedef struct seq_graph_field {
    const char *name;
    int axis;
    int ids;        // ids 0 .. ids - 1; 0: values
    int width;      // of values
    int vocabulary; // place in the list of vocabularies, or -1
} seq_graph_field;

seq_initial_choice seq_model_initial_choice(const seq_model_config *config);

typedef struct seq_graph seq_graph;
// `fields` in the order of the batch's columns; they stay the caller's.
seq_status seq_graph_create(const seq_graph_field *fields, int count,
                            const seq_initial_choice *choice, seq_graph **out, seq_error *error);
void seq_graph_destroy(seq_graph *graph);
// The first error, and the place for a builder's own.
seq_error *seq_graph_error(seq_graph *graph);

// The node of a column, by the field's name.
int seq_graph_column(seq_graph *graph, const char *name);
// Appends a layer. Its parameters are named PREFIX.NAME SUFFIX, as in
// "rnn.weight_ih_l0". `options` is copied.
int seq_graph_layer(seq_graph *graph, const seq_layer_kind *kind, const void *options,
                    const char *prefix, const char *suffix, const int *inputs, int count);
// Appends the head, once and last. `next_item`: it predicts the next item of
// its axis, so its input may not depend on later steps.
int seq_graph_head(seq_graph *graph, const seq_head_kind *kind, const void *options,
                   const char *prefix, int input, int targets, bool next_item);
// Parameter of a node is that of an earlier node: same values, one gradient.
void seq_graph_share(seq_graph *graph, int node, int parameter, int of_node, int of_parameter);
// Parameters whose names begin with `prefix` ("embedding.", "encoder.", "") learn
// at `rate` times the learning rate; 0 freezes them. Of several calls that name
// a parameter the last counts. A prefix that no parameter has is an error.
void seq_graph_rate(seq_graph *graph, const char *prefix, double rate);
// Dropout on a node's values; locked: one mask for all times of a sequence. Each
// call takes the next random place, also with probability 0, which adds no node.
int seq_graph_dropout(seq_graph *graph, int input, double probability, bool locked);
// Scheduled sampling (Bengio et al. 2015): in training, each word of a column TARGET.before, but
// the first of a sequence, is with this probability the one that the model itself finds likeliest
// there, given the true words. Drawn for (seed, step, number of the sequence, time). Training then
// costs a second forward pass.
void seq_graph_own_words(seq_graph *graph, int before, double probability);
int seq_graph_width(const seq_graph *graph, int node);
// Copies an array that options point to; it lives as long as the model.
const void *seq_graph_keep(seq_graph *graph, const void *data, size_t bytes);

// Makes the model, and ends the graph in any case.
seq_status seq_graph_finish(seq_graph *graph, const seq_compute *compute, seq_model **out,
                            seq_error *error);

#endif
