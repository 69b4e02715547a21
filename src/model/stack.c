// The input and the stack that tasks share, from their options. Places of
// dropout are taken in the order of the calls: the input, each layer but the
// topmost, the head's input; so a language model's are those it has always had.
// Test: tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/encoder.h>
#include <seqtrain/model/stack.h>
#include <seqtrain/nn/rows.h>

#define AT(field) offsetof(seq_stack_settings, field)

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Layers"},
    {SEQ_OPTION_FLAG, "bidirectional", NULL, AT(bidirectional), "no", .flags = SEQ_OPTION_IDENTITY,
     .help = "Each recurrent layer reads its sequence from both ends, with --hidden units for each "
             "direction. Not for what predicts the next item."},
    {SEQ_OPTION_INTEGER, "feedforward-between", "UNITS", AT(between), "0", 0, 65536,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "A dense layer of this size between one recurrent layer and the next; 0: none."},
    {SEQ_OPTION_FLAG, "dropout-locked", NULL, AT(dropout_locked), "no",
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Dropout draws one mask for all time steps of a sequence, not one for each step."},
    {SEQ_OPTION_REAL, "embedding-dropout", "P", AT(embedding_dropout), "0", 0, 0.99,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Probability that a word's embedding is zero in all its places of a step."},
    {SEQ_OPTION_REAL, "weight-drop", "P", AT(weight_drop), "0", 0, 0.99,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Dropout probability of the elements of recurrent matrices: one mask a step."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_stack_options = {options, sizeof(seq_stack_settings)};

static const seq_stack_settings *chosen(const seq_parsed *settings) {
    static const seq_stack_settings standard = {0};
    const void *own = settings ? seq_option_values(settings, &seq_stack_options) : NULL;
    return own ? own : &standard;
}

int seq_graph_embedding(seq_graph *graph, const seq_model_config *config,
                        const seq_parsed *settings, const char *field, const char *prefix) {
    const seq_embedding_options embedding = {.units = config->embedding,
                                             .initialisation = config->embedding_initialisation,
                                             .dropout = chosen(settings)->embedding_dropout};
    int column = seq_graph_column(graph, field);
    return seq_graph_layer(graph, &seq_layer_embedding, &embedding, prefix, "", &column, 1);
}

void seq_graph_tie(seq_graph *graph, const seq_model_config *config, int head, int embedding) {
    if (!config->tied || head < 0) return;
    int width = graph->nodes[head].input_shapes[0].width;
    if (width != config->embedding)
        seq_error_set(
            &graph->error, SEQ_BAD_USAGE,
            "--tied: the topmost layer has %d units, an embedding %d (--embed): they must be equal",
            width, config->embedding);
    seq_graph_share(graph, head, 0, embedding, 0);
}

int seq_graph_rows(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                   const char *field) {
    int column = seq_graph_column(graph, field);
    if (column < 0) return -1;
    if (graph->nodes[column].shape.ids)
        return seq_graph_embedding(graph, config, settings, field, "embedding");
    if (chosen(settings)->embedding_dropout > 0)
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--embedding-dropout: the field %s holds numbers, which have no embedding",
                      field);
    return seq_graph_layer(graph, &seq_layer_features, &(seq_features_options){0}, "", "", &column,
                           1);
}

int seq_graph_input_dropout(seq_graph *graph, const seq_model_config *config,
                            const seq_parsed *settings, int rows) {
    return seq_graph_dropout(graph, rows, config->dropout_input, chosen(settings)->dropout_locked);
}

int seq_graph_input(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                    const char *field) {
    return seq_graph_input_dropout(graph, config, settings,
                                   seq_graph_rows(graph, config, settings, field));
}

int seq_graph_stack(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                    const char *prefix, const char *dense_prefix, int input) {
    const seq_stack_settings *stack = chosen(settings);
    bool tanh = config->dense_activation == SEQ_DENSE_TANH;
    const seq_encoder_options encoder = {
        .prefix = prefix,
        .dense_prefix = dense_prefix,
        .cell = seq_cell_find(config->cell),
        .layers = config->layers,
        .hidden = config->hidden,
        .bidirectional = stack->bidirectional,
        .between = (int)stack->between,
        .dense_layers = config->dense_layers,
        .dense = config->dense,
        .activation = tanh ? SEQ_ACTIVATION_TANH : SEQ_ACTIVATION_RELU,
        .forget_bias = config->forget_bias,
        .weight_drop = stack->weight_drop,
        .dropout_between = config->dropout_between,
        .dropout_locked = stack->dropout_locked,
    };
    return seq_graph_encoder(graph, &encoder, input);
}

int seq_graph_between_dropout(seq_graph *graph, const seq_model_config *config,
                              const seq_parsed *settings, int input) {
    return seq_graph_dropout(graph, input, config->dropout_between,
                             chosen(settings)->dropout_locked);
}

int seq_graph_output_dropout(seq_graph *graph, const seq_model_config *config,
                             const seq_parsed *settings, int input) {
    return seq_graph_dropout(graph, input, config->dropout_output,
                             chosen(settings)->dropout_locked);
}
