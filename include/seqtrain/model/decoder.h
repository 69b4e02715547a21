// The target side of a model that reads one sequence and writes another. Its
// recurrent layers read the words so far and attend to the encoded source. The
// first state is made from the mean of the encoded source. With seq_graph_stack and
// seq_graph_classifier it makes an encoder-decoder (Sutskever et al. 2014; Cho
// et al. 2014; Bahdanau et al. 2015; Luong et al. 2015).
#ifndef SEQTRAIN_MODEL_DECODER_H
#define SEQTRAIN_MODEL_DECODER_H

#include <seqtrain/model/stack.h>

typedef struct seq_decoder_settings {
    int attention;          // 0: none, dot, general, additive
    int order;              // 0: Luong's, 1: Bahdanau's
    bool input_feeding;     // of Luong's order
    bool summary_each_step; // the summary of the source stands beside each word
    int64_t layers, hidden; // hidden 0: as many units as --hidden says last
    bool tied_source;
    double sampling; // scheduled
} seq_decoder_settings;
extern const seq_option_group seq_decoder_options;

// What the two sides share.
typedef struct seq_decoder_ends {
    int source;         // node: the source's embedding
    int encoded;        // node: rows of the source's axis
    const char *target; // field; the words so far are TARGET.before
    int embedding;      // out: the node of the target's embedding, for seq_graph_tie
} seq_decoder_ends;

// Returns the decoder's rows on the target's axis. Parameters: "bridge.weight"
// and "bridge.bias" (the first state, tanh(W mean(encoded) + b); of further
// layers with _lI), "decoder.embedding.weight", "decoder.weight_ih_l0" and so
// on. Of attention: "decoder.key.weight", "decoder.weight_out_l0" or
// "decoder.out.weight", "decoder.weight_query_l0" or "decoder.query.weight",
// "decoder.v_l0" or "decoder.v", "decoder.readout.weight".
int seq_graph_decoder(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                      seq_decoder_ends *ends);

#endif
