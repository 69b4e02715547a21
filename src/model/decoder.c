// The decoder from its options: the embedding of the words so far, and recurrent
// layers, each of which begins where a bridge from the mean of the encoded
// source says. Places of dropout are taken in the order of the calls: the
// embedding, then each layer but the topmost. Invariant: no row reads a later
// one of its own axis. Test: tests/unit/model/test_decoder.c.
#include "model_private.h"
#include <seqtrain/model/decoder.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/pool.h>
#include <stdio.h>

#define AT(field) offsetof(seq_decoder_settings, field)

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Decoder"},
    {SEQ_OPTION_INTEGER, "decoder-layers", "N", AT(layers), "1", 1, SEQ_MAX_LAYERS,
     .flags = SEQ_OPTION_IDENTITY, .help = "Recurrent layers of the decoder."},
    {SEQ_OPTION_INTEGER, "decoder-hidden", "UNITS", AT(hidden), "0", 0, 65536,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Units of each layer of the decoder; 0: as many as --hidden says last."},
    {SEQ_OPTION_FLAG, "tied-source", NULL, AT(tied_source), "no", .flags = SEQ_OPTION_IDENTITY,
     .help = "Source and target have one embedding; for data with a joint vocabulary. With --tied "
             "the output layer has it, too."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_decoder_options = {options, sizeof(seq_decoder_settings)};

static const seq_decoder_settings *chosen(const seq_parsed *settings) {
    static const seq_decoder_settings standard = {.layers = 1};
    const void *own = settings ? seq_option_values(settings, &seq_decoder_options) : NULL;
    return own ? own : &standard;
}

static int embed(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                 seq_decoder_ends *ends) {
    char before[SEQ_NODE_NAME + 8];
    snprintf(before, sizeof before, "%s.before", ends->target);
    ends->embedding = seq_graph_embedding(graph, config, settings, before, "decoder.embedding");
    if (ends->embedding < 0 || !chosen(settings)->tied_source) return ends->embedding;
    if (graph->nodes[ends->embedding].input_shapes[0].vocabulary !=
        graph->nodes[ends->source].input_shapes[0].vocabulary)
        seq_error_set(
            &graph->error, SEQ_BAD_USAGE,
            "--tied-source: source and target have a vocabulary each; expected a joint one");
    seq_graph_share(graph, ends->embedding, 0, ends->source, 0);
    return ends->embedding;
}

// Where layer `layer` of the decoder begins.
static int bridge(seq_graph *graph, int mean, int layer, int units) {
    char suffix[SEQ_NODE_NAME] = "";
    if (layer) snprintf(suffix, sizeof suffix, "_l%d", layer);
    return seq_graph_layer(graph, &seq_layer_dense,
                           &(seq_dense_options){units, SEQ_ACTIVATION_TANH}, "bridge", suffix,
                           &mean, 1);
}

int seq_graph_decoder(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                      seq_decoder_ends *ends) {
    const seq_decoder_settings *own = chosen(settings);
    int units = own->hidden ? (int)own->hidden : config->hidden[config->layers - 1];
    const seq_recurrent_options recurrent = {
        .cell = seq_cell_find(config->cell), .hidden = units, .forget_bias = config->forget_bias};
    int mean = seq_graph_layer(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, 0}, "",
                               "", &ends->encoded, 1);
    int top = embed(graph, config, settings, ends);
    top = seq_graph_input_dropout(graph, config, settings, top);
    for (int layer = 0; layer < own->layers; layer++) {
        char suffix[SEQ_NODE_NAME];
        int start = bridge(graph, mean, layer, units);
        snprintf(suffix, sizeof suffix, "_l%d", layer);
        top = seq_graph_layer(graph, &seq_layer_recurrent, &recurrent, "decoder", suffix,
                              (int[]){top, start}, 2);
        if (layer + 1 < own->layers) top = seq_graph_between_dropout(graph, config, settings, top);
    }
    return top;
}
