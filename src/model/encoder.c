// The stack of layers that tasks share. A bidirectional layer is two recurrent
// nodes, one of them between two nodes that turn the sequences around, so no
// cell learns what a direction is. Invariant: each layer but the topmost takes
// one random place for the dropout behind it, used or not, so the places do not
// depend on the probabilities. Tests: tests/unit/model/test_gradient.c,
// tests/unit/model/test_graph.c, tests/mpi/train_bytes.sh.
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/rows.h>
#include <stdio.h>

static int recur(seq_graph *graph, const seq_encoder_options *options, int layer, int input) {
    const seq_recurrent_options recurrent = {.cell = options->cell,
                                             .hidden = options->hidden[layer],
                                             .forget_bias = options->forget_bias,
                                             .weight_drop = options->weight_drop};
    char suffix[SEQ_NODE_NAME];
    snprintf(suffix, sizeof suffix, "_l%d", layer);
    int there = seq_graph_layer(graph, &seq_layer_recurrent, &recurrent, options->prefix, suffix,
                                &input, 1);
    if (!options->bidirectional) return there;
    snprintf(suffix, sizeof suffix, "_l%d_reverse", layer);
    int back = seq_graph_layer(graph, &seq_layer_reverse, NULL, "", "", &input, 1);
    back =
        seq_graph_layer(graph, &seq_layer_recurrent, &recurrent, options->prefix, suffix, &back, 1);
    back = seq_graph_layer(graph, &seq_layer_reverse, NULL, "", "", &back, 1);
    const int both[] = {there, back};
    return seq_graph_layer(graph, &seq_layer_concat, NULL, "", "", both, 2);
}

static int densify(seq_graph *graph, const seq_encoder_options *options, const char *name,
                   int layer, int units, int input) {
    char prefix[2 * SEQ_NODE_NAME];
    const seq_dense_options dense = {.units = units, .activation = options->activation};
    snprintf(prefix, sizeof prefix, "%s.%d", name, layer);
    return seq_graph_layer(graph, &seq_layer_dense, &dense, prefix, "", &input, 1);
}

// Between layers. What the topmost one hands on is the head's to drop.
static int drop(seq_graph *graph, const seq_encoder_options *options, bool topmost, int input) {
    if (topmost) return input;
    return seq_graph_dropout(graph, input, options->dropout_between, options->dropout_locked);
}

int seq_graph_encoder(seq_graph *graph, const seq_encoder_options *options, int input) {
    char between[SEQ_NODE_NAME];
    int top = input, stages = options->layers + options->dense_layers;
    snprintf(between, sizeof between, "%.20s.between", options->dense_prefix);
    for (int stage = 0; stage < stages; stage++) {
        int layer = stage - options->layers;
        if (layer < 0)
            top = recur(graph, options, stage, top);
        else
            top = densify(graph, options, options->dense_prefix, layer, options->dense[layer], top);
        top = drop(graph, options, stage + 1 == stages, top);
        if (!options->between || stage + 1 >= options->layers) continue;
        top = densify(graph, options, between, stage, options->between, top);
        top = drop(graph, options, false, top);
    }
    return top;
}
