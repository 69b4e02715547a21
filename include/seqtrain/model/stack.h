// The input and the stack of a task: what all tasks choose alike
// (seq_model_config), and a group of options of their own. With
// seq_graph_pooling, seq_graph_classifier and others of this directory, a task's
// `build` is a few lines:
//
//     int rows = seq_graph_input(graph, config, settings, "text");
//     int states = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
//     int summary = seq_graph_pooling(graph, settings, rows, states, 0);
//     seq_graph_classifier(graph, config, settings, summary, "label", counts);
#ifndef SEQTRAIN_MODEL_STACK_H
#define SEQTRAIN_MODEL_STACK_H

#include <seqtrain/base/option.h>
#include <seqtrain/model/graph.h>

typedef struct seq_stack_settings {
    bool bidirectional;
    int64_t between;          // units; 0: none
    bool dropout_locked;      // at all places
    double embedding_dropout; // of whole words
    double weight_drop;       // of elements of the recurrent matrices
} seq_stack_settings;
extern const seq_option_group seq_stack_options;

// `settings` here and in other builders: parsed options that hold the builder's
// groups. NULL, or without the group: its defaults. A node is -1 after an error.

// The embedding of a field of ids ("embedding.weight"), or the numbers of a
// field of values; with --dropout-input.
int seq_graph_input(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                    const char *field);
// Recurrent layers, then dense ones. Prefixes as in seq_encoder_options; a
// language model's are "rnn" and "dense", others' "encoder" and "encoder.dense".
int seq_graph_stack(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                    const char *prefix, const char *dense_prefix, int input);
// The input in its two steps, for who shares the embedding with a head.
int seq_graph_rows(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                   const char *field);
int seq_graph_input_dropout(seq_graph *graph, const seq_model_config *config,
                            const seq_parsed *settings, int rows);
// The embedding of a field of ids by itself, as PREFIX.weight.
int seq_graph_embedding(seq_graph *graph, const seq_model_config *config,
                        const seq_parsed *settings, const char *field, const char *prefix);
// With --tied: the head's matrix is that of the embedding, which must be as wide as its input.
void seq_graph_tie(seq_graph *graph, const seq_model_config *config, int head, int embedding);
// --dropout-between, on what a layer of a stack of one's own hands to the next.
int seq_graph_between_dropout(seq_graph *graph, const seq_model_config *config,
                              const seq_parsed *settings, int input);
// --dropout-output, on what a head reads. Builders of heads call it.
int seq_graph_output_dropout(seq_graph *graph, const seq_model_config *config,
                             const seq_parsed *settings, int input);

// All nodes of a language model, over the columns "tokens" and "tokens.before"
// (one place later).
void seq_graph_language_model(seq_graph *graph, const seq_model_config *config,
                              const seq_parsed *settings);

// The head of what predicts the next symbol of `target`, as --output says, on rows of its axis;
// parameters "output.weight" and so on.
int seq_graph_words(seq_graph *graph, const seq_model_config *config, int rows, const char *target);

#endif
