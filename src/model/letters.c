// The encoder of letters: an embedding, one bidirectional layer of the model's
// cell on the axis of letters, the final state of each direction as a row of the
// axis of words. A word without letters has zeros. Test:
// tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/encoder.h>
#include <seqtrain/model/letters.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>

#define AT(field) offsetof(seq_letters_settings, field)

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Letters"},
    {SEQ_OPTION_INTEGER, "letters-hidden", "H", AT(hidden), "0", 0, 65536,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Units, in each direction, of a recurrent layer that reads the letters of each word; "
             "its final states stand beside the word's embedding. 0: none. The data set must have "
             "letters (seqprep --letters)."},
    {SEQ_OPTION_INTEGER, "letters-embed", "E", AT(embed), "25", 1, 65536,
     .flags = SEQ_OPTION_IDENTITY, .help = "Size of a letter's embedding."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_letters_options = {options, sizeof(seq_letters_settings)};

int seq_graph_letters(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                      const char *field, int words) {
    const seq_letters_settings *own =
        settings ? seq_option_values(settings, &seq_letters_options) : NULL;
    if (words < 0 || !own || own->hidden == 0) return words;
    if (!seq_graph_has_field(graph, field)) {
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--letters-hidden: the data set has no letters; make it with seqprep "
                      "--letters");
        return -1;
    }
    const seq_embedding_options embedding = {.units = (int)own->embed,
                                             .initialisation = config->embedding_initialisation};
    const int hidden[] = {(int)own->hidden};
    const seq_encoder_options encoder = {.prefix = "letters",
                                         .dense_prefix = "letters.dense",
                                         .cell = seq_cell_find(config->cell),
                                         .layers = 1,
                                         .hidden = hidden,
                                         .bidirectional = true,
                                         .forget_bias = config->forget_bias};
    int letters = seq_graph_column(graph, field);
    letters = seq_graph_layer(graph, &seq_layer_embedding, &embedding, "letters.embedding", "",
                              &letters, 1);
    letters = seq_graph_encoder(graph, &encoder, letters);
    const seq_pool_options ends = {SEQ_POOL_ENDS, graph->nodes[words].shape.axis};
    letters = seq_graph_layer(graph, &seq_layer_pool, &ends, "", "", &letters, 1);
    return seq_graph_layer(graph, &seq_layer_concat, NULL, "", "", (int[]){words, letters}, 2);
}
