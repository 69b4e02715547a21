// The stack of layers that tasks share. Invariant: each layer takes one random
// place for the dropout behind it, used or not, so the places do not depend on
// the probabilities. Tests: tests/unit/model/test_gradient.c,
// tests/unit/model/test_graph.c, tests/mpi/train_bytes.sh.
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/layers.h>
#include <stdio.h>

static int drop(seq_graph *graph, const seq_encoder_options *options, int node, int stage) {
    bool last = stage + 1 == options->layers + options->dense_layers;
    return seq_graph_dropout(graph, node,
                             last ? options->dropout_output : options->dropout_between);
}

int seq_graph_encoder(seq_graph *graph, const seq_encoder_options *options, int input) {
    char name[SEQ_NODE_NAME];
    int top = input;
    for (int layer = 0; layer < options->layers; layer++) {
        snprintf(name, sizeof name, "_l%d", layer);
        const seq_recurrent_options recurrent = {options->cell, options->hidden[layer],
                                                 options->forget_bias};
        top = seq_graph_layer(graph, &seq_layer_recurrent, &recurrent, options->prefix, name, &top,
                              1);
        top = drop(graph, options, top, layer);
    }
    for (int layer = 0; layer < options->dense_layers; layer++) {
        snprintf(name, sizeof name, "%s.%d", options->dense_prefix, layer);
        const seq_dense_options dense = {options->dense[layer], options->activation};
        top = seq_graph_layer(graph, &seq_layer_dense, &dense, name, "", &top, 1);
        top = drop(graph, options, top, options->layers + layer);
    }
    return top;
}
