// Builds the decoder from its options: an embedding of the previous word and
// recurrent layers. A dense layer on the mean of the encoded source (the bridge)
// gives each layer's first state. The first layer has the attention. If its result
// is fed to the next step, attention runs inside the time loop (nn/decoder.h);
// otherwise it is nodes above the layer. Dropout takes its random places in the
// order of calls: embedding, then each layer but the topmost. Invariant: no row
// reads a later one of its own axis. Test: tests/unit/model/test_decoder.c.
#include "model_private.h"
#include <seqtrain/model/decoder.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/decoder.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <stdio.h>

#define AT(field) offsetof(seq_decoder_settings, field)

static const char *const attentions[] = {"none", "dot", "general", "additive", NULL};
static const char *const orders[] = {"luong", "bahdanau", NULL};
enum { NONE, DOT, GENERAL, ADDITIVE };

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Decoder"},
    {SEQ_OPTION_CHOICE, "attention", "SCORE", AT(attention), "general", .choices = attentions,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Score of a decoder state h and a row r of the encoded source. dot: h r; general: "
             "h W r; additive: v tanh(U h + W r). none: no attention; the source enters by "
             "the first state alone, or also by --summary-each-step."},
    {SEQ_OPTION_CHOICE, "attention-order", "ORDER", AT(order), "luong", .choices = orders,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "luong: the query is the state after the step, and tanh(W [state; context]) feeds the "
             "output layer. bahdanau: the query is the state before the step, and the context is "
             "an input of the step."},
    {SEQ_OPTION_FLAG, "input-feeding", NULL, AT(input_feeding), "no", .flags = SEQ_OPTION_IDENTITY,
     .help = "With luong: tanh(W [state; context]) is also an input of the next step, beside the "
             "word."},
    {SEQ_OPTION_FLAG, "summary-each-step", NULL, AT(summary_each_step), "no",
     .flags = SEQ_OPTION_IDENTITY,
     .help =
         "The mean of the encoded source is an input of each step, beside the word. Useful with "
         "--attention none."},
    {SEQ_OPTION_INTEGER, "decoder-layers", "N", AT(layers), "1", 1, SEQ_MAX_LAYERS,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Recurrent layers of the decoder; the first one has the attention."},
    {SEQ_OPTION_INTEGER, "decoder-hidden", "UNITS", AT(hidden), "0", 0, 65536,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Units of each layer of the decoder. 0: the last number of --hidden."},
    {SEQ_OPTION_FLAG, "tied-source", NULL, AT(tied_source), "no", .flags = SEQ_OPTION_IDENTITY,
     .help = "Source and target share one embedding; needs a joint vocabulary. With --tied the "
             "output layer shares it, too."},
    {SEQ_OPTION_REAL, "scheduled-sampling", "P", AT(sampling), "0", 0, 1,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Probability, in training, that the decoder reads its own most probable word instead "
             "of the given one. 0: teacher forcing."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_decoder_options = {options, sizeof(seq_decoder_settings)};

static const seq_decoder_settings *chosen(const seq_parsed *settings) {
    static const seq_decoder_settings standard = {.attention = GENERAL, .layers = 1};
    const void *own = settings ? seq_option_values(settings, &seq_decoder_options) : NULL;
    return own ? own : &standard;
}

// What the parts of a decoder are made of.
typedef struct parts {
    seq_graph *graph;
    const seq_decoder_settings *own;
    seq_recurrent_options recurrent;
    int units;         // H
    int encoded, mean; // nodes
} parts;

static int dense(const parts *parts, int units, seq_activation activation, bool unbiased,
                 const char *prefix, const char *suffix, int input) {
    const seq_dense_options options = {
        .units = units, .activation = activation, .unbiased = unbiased};
    return seq_graph_layer(parts->graph, &seq_layer_dense, &options, prefix, suffix, &input, 1);
}

static int concat(const parts *parts, int a, int b) {
    return seq_graph_layer(parts->graph, &seq_layer_concat, NULL, "", "", (int[]){a, b}, 2);
}

static int embed(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                 seq_decoder_ends *ends) {
    char before[SEQ_NODE_NAME + 8];
    snprintf(before, sizeof before, "%s.before", ends->target);
    ends->embedding = seq_graph_embedding(graph, config, settings, before, "decoder.embedding");
    if (ends->embedding < 0) return -1;
    seq_graph_own_words(graph, graph->nodes[ends->embedding].inputs[0], chosen(settings)->sampling);
    if (!chosen(settings)->tied_source) return ends->embedding;
    if (graph->nodes[ends->embedding].input_shapes[0].vocabulary !=
        graph->nodes[ends->source].input_shapes[0].vocabulary)
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--tied-source: source and target have a vocabulary each; expected a joint "
                      "one");
    seq_graph_share(graph, ends->embedding, 0, ends->source, 0);
    return ends->embedding;
}

// Where layer `layer` begins.
static int bridge(const parts *parts, int layer) {
    char suffix[SEQ_NODE_NAME] = "";
    if (layer) snprintf(suffix, sizeof suffix, "_l%d", layer);
    return dense(parts, parts->units, SEQ_ACTIVATION_TANH, false, "bridge", suffix, parts->mean);
}

static int recur(const parts *parts, int layer, int input) {
    char suffix[SEQ_NODE_NAME];
    snprintf(suffix, sizeof suffix, "_l%d", layer);
    return seq_graph_layer(parts->graph, &seq_layer_recurrent, &parts->recurrent, "decoder", suffix,
                           (int[]){input, bridge(parts, layer)}, 2);
}

// What is scored of the source.
static int keys(const parts *parts) {
    int attention = parts->own->attention;
    if (attention == DOT && seq_graph_width(parts->graph, parts->encoded) != parts->units &&
        !parts->graph->error.status)
        seq_error_set(&parts->graph->error, SEQ_BAD_USAGE,
                      "--attention dot: the encoded source has rows of %d units, the decoder a "
                      "state of %d: they must be equal; or choose general",
                      seq_graph_width(parts->graph, parts->encoded), parts->units);
    if (attention == DOT) return parts->encoded;
    return dense(parts, parts->units, SEQ_ACTIVATION_NONE, attention == GENERAL, "decoder.key", "",
                 parts->encoded);
}

static seq_attention_score score(const parts *parts) {
    return parts->own->attention == ADDITIVE ? SEQ_ATTENTION_ADDITIVE : SEQ_ATTENTION_DOT;
}

// Attention inside the loop over time.
static int attend_within(const parts *parts, int input) {
    const seq_decoder_layer_options options = {.recurrent = parts->recurrent,
                                               .score = score(parts),
                                               .order = parts->own->order ? SEQ_ORDER_BAHDANAU
                                                                          : SEQ_ORDER_LUONG};
    int start = bridge(parts, 0);
    return seq_graph_layer(parts->graph, &seq_layer_decoder, &options, "decoder", "_l0",
                           (int[]){input, parts->encoded, keys(parts), start}, 4);
}

// Luong's order without feeding: all steps at once.
static int attend_above(const parts *parts, int input) {
    const seq_attention_options options = {score(parts)};
    int states = recur(parts, 0, input), queries = states;
    if (parts->own->attention == ADDITIVE)
        queries =
            dense(parts, parts->units, SEQ_ACTIVATION_NONE, true, "decoder.query", "", states);
    int context = seq_graph_layer(parts->graph, &seq_layer_attention, &options, "decoder", "",
                                  (int[]){queries, parts->encoded, keys(parts)}, 3);
    return dense(parts, parts->units, SEQ_ACTIVATION_TANH, true, "decoder.out", "",
                 concat(parts, states, context));
}

static int first_layer(const parts *parts, int input) {
    const seq_decoder_settings *own = parts->own;
    if (own->attention == NONE) return recur(parts, 0, input);
    return own->order || own->input_feeding ? attend_within(parts, input)
                                            : attend_above(parts, input);
}

static void check(seq_graph *graph, const seq_decoder_settings *own) {
    if (graph->error.status) return;
    if (own->attention == NONE && (own->order || own->input_feeding))
        seq_error_set(&graph->error, SEQ_BAD_USAGE, "--%s: the model has --attention none",
                      own->order ? "attention-order bahdanau" : "input-feeding");
    else if (own->order && own->input_feeding)
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--input-feeding: in the order bahdanau the context enters the step; only "
                      "luong has it");
}

int seq_graph_decoder(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                      seq_decoder_ends *ends) {
    parts parts = {.graph = graph, .own = chosen(settings), .encoded = ends->encoded};
    const seq_stack_settings *stack =
        settings ? seq_option_values(settings, &seq_stack_options) : NULL;
    parts.units = parts.own->hidden ? (int)parts.own->hidden : config->hidden[config->layers - 1];
    parts.recurrent = (seq_recurrent_options){.cell = seq_cell_find(config->cell),
                                              .hidden = parts.units,
                                              .forget_bias = config->forget_bias,
                                              .weight_drop = stack ? stack->weight_drop : 0};
    check(graph, parts.own);
    parts.mean = seq_graph_layer(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, 0}, "",
                                 "", &ends->encoded, 1);
    int embedded =
        seq_graph_input_dropout(graph, config, settings, embed(graph, config, settings, ends));
    int top = embedded;
    if (parts.own->summary_each_step && top >= 0) {
        const seq_spread_options spread = {.axis = graph->nodes[top].shape.axis};
        top = concat(&parts, top,
                     seq_graph_layer(graph, &seq_layer_spread, &spread, "", "", &parts.mean, 1));
    }
    top = first_layer(&parts, top);
    for (int layer = 1; layer < parts.own->layers; layer++)
        top = recur(&parts, layer, seq_graph_between_dropout(graph, config, settings, top));
    if (parts.own->order) // the deep output of Bahdanau et al.
        top = dense(&parts, parts.units, SEQ_ACTIVATION_TANH, false, "decoder.readout", "",
                    concat(&parts, top, embedded));
    return top;
}
