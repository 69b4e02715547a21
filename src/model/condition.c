// Labels and numbers that condition a generated sequence. With --condition first
// they enter at the first step, where no previous symbol exists and its embedding
// is zero. Invariant: a missing label (SEQ_NO_ID) is a zero vector; with first, the
// input is zero at all later steps. Test: tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/condition.h>
#include <seqtrain/nn/embedding.h>
#include <seqtrain/nn/rows.h>
#include <stdio.h>

#define AT(field) offsetof(seq_condition_settings, field)

static const char *const places[] = {"each-step", "first", NULL};
static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Labels and numbers that condition a text"},
    {SEQ_OPTION_CHOICE, "condition", "WHERE", AT(where), "each-step", .choices = places,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Where labels and numbers enter: at each step, beside the previous symbol, or once, "
             "before the first symbol."},
    {SEQ_OPTION_INTEGER, "condition-embed", "UNITS", AT(embed), "16", 1, 65536,
     .flags = SEQ_OPTION_IDENTITY, .help = "Size of the embedding of each label."},
    {SEQ_OPTION_INTEGER, "bar-embed", "UNITS", AT(bar), "16", 0, 65536,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Size of the embedding of the position in the bar, if the data set has it (seqprep "
             "--bar-position). 0: none."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_condition_options = {options, sizeof(seq_condition_settings)};

static const seq_condition_settings *chosen(const seq_parsed *settings) {
    static const seq_condition_settings standard = {.embed = 16, .bar = 16};
    const void *own = settings ? seq_option_values(settings, &seq_condition_options) : NULL;
    return own ? own : &standard;
}

static bool is_chosen(const seq_parsed *settings, const char *name) {
    return settings &&
           !seq_option_is_absent(settings, (size_t)seq_option_find(settings->program, name));
}

static int refuse(seq_graph *graph, const char *option, const char *what) {
    seq_error_set(&graph->error, SEQ_BAD_USAGE, "--%s: the data set has %s", option, what);
    return -1;
}

static int embed(seq_graph *graph, const seq_model_config *config, const char *field,
                 const char *prefix, int64_t units) {
    const seq_embedding_options embedding = {.units = (int)units,
                                             .initialisation = config->embedding_initialisation};
    int column = seq_graph_column(graph, field);
    if (column < 0 || graph->nodes[column].shape.ids)
        return seq_graph_layer(graph, &seq_layer_embedding, &embedding, prefix, "", &column, 1);
    return seq_graph_layer(graph, &seq_layer_features, &(seq_features_options){0}, "", "", &column,
                           1);
}

static int beside(seq_graph *graph, int one, int other) {
    return seq_graph_layer(graph, &seq_layer_concat, NULL, "", "", (int[]){one, other}, 2);
}

int seq_graph_condition(seq_graph *graph, const seq_model_config *config,
                        const seq_parsed *settings, const char *const *fields, int count,
                        int rows) {
    const seq_condition_settings *own = chosen(settings);
    int all = -1;
    if (rows < 0) return -1;
    for (int i = 0; i < count; i++) {
        char prefix[SEQ_NODE_NAME + 16];
        snprintf(prefix, sizeof prefix, "condition.%.31s", fields[i]);
        int node = embed(graph, config, fields[i], prefix, own->embed);
        all = i ? beside(graph, all, node) : node;
    }
    if (count) {
        const seq_spread_options spread = {.axis = graph->nodes[rows].shape.axis,
                                           .first = own->where == 1};
        all = seq_graph_layer(graph, &seq_layer_spread, &spread, "", "", &all, 1);
        return beside(graph, rows, all);
    }
    static const char *const names[] = {"condition", "condition-embed"};
    for (int i = 0; i < 2; i++)
        if (is_chosen(settings, names[i]))
            return refuse(graph, names[i],
                          "neither labels nor numbers; seqprep --labels makes it with them");
    return rows;
}

int seq_graph_bar(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                  const char *field, int rows) {
    int64_t units = chosen(settings)->bar;
    if (rows < 0 || !units) return rows;
    if (!seq_graph_has_field(graph, field))
        return is_chosen(settings, "bar-embed")
                   ? refuse(graph, "bar-embed", "no places in the bar; seqprep --bar-position")
                   : rows;
    return beside(graph, rows, embed(graph, config, field, "bar", units));
}
