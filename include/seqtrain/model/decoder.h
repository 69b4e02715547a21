// The target side of a model that reads one sequence and writes another: the
// words so far go through recurrent layers that begin where a summary of the
// encoded source says. With seq_graph_stack and seq_graph_classifier it makes an
// encoder-decoder (Sutskever et al. 2014; Cho et al. 2014).
#ifndef SEQTRAIN_MODEL_DECODER_H
#define SEQTRAIN_MODEL_DECODER_H

#include <seqtrain/model/stack.h>

typedef struct seq_decoder_settings {
    int64_t layers, hidden; // hidden 0: as many units as --hidden says last
    bool tied_source;
} seq_decoder_settings;
extern const seq_option_group seq_decoder_options;

// What the two sides share.
typedef struct seq_decoder_ends {
    int source;         // node: the source's embedding
    int encoded;        // node: rows of the source's axis
    const char *target; // field: the words so far, TARGET.before
    int embedding;      // out: the node of the target's embedding, for seq_graph_tie
} seq_decoder_ends;

// Returns the decoder's rows on the target's axis. Parameters: "bridge.weight",
// "bridge.bias" (the first state, tanh(W mean(encoded) + b)),
// "decoder.embedding.weight", and "decoder.weight_ih_l0" and so on.
int seq_graph_decoder(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                      seq_decoder_ends *ends);

#endif
