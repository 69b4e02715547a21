// The encoder of casing: an embedding beside that of the words. Where data have
// no casing, the default of the option is no choice, and nothing is added. Test:
// tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/casing.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/rows.h>

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Casing"},
    {SEQ_OPTION_INTEGER, "casing-embed", "UNITS", offsetof(seq_casing_settings, embed), "8", 0,
     65536, .flags = SEQ_OPTION_IDENTITY,
     .help = "Size of an embedding of how each word is written, beside the word's own, where the "
             "data set has it (seqprep --casing). 0: none."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_casing_options = {options, sizeof(seq_casing_settings)};

static bool is_chosen(const seq_parsed *settings) {
    return !seq_option_is_absent(settings,
                                 (size_t)seq_option_find(settings->program, "casing-embed"));
}

int seq_graph_casing(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                     const char *field, int words) {
    const seq_casing_settings *own =
        settings ? seq_option_values(settings, &seq_casing_options) : NULL;
    if (words < 0 || !own || own->embed == 0) return words;
    if (!seq_graph_has_field(graph, field)) {
        if (!is_chosen(settings)) return words;
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--casing-embed: the data set has no casing; make it with seqprep --casing");
        return -1;
    }
    const seq_embedding_options embedding = {.units = (int)own->embed,
                                             .initialisation = config->embedding_initialisation};
    int casing = seq_graph_column(graph, field);
    casing = seq_graph_layer(graph, &seq_layer_embedding, &embedding, "casing", "", &casing, 1);
    return seq_graph_layer(graph, &seq_layer_concat, NULL, "", "", (int[]){words, casing}, 2);
}
