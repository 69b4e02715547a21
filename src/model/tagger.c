// The head of tags from its option. Training is over all label sequences, so a
// text that breaks the scheme, or one cut inside an entity, has a finite loss;
// decoding keeps to the scheme. Test: tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/tagger.h>
#include <seqtrain/nn/crf.h>
#include <stddef.h>

enum { CRF };
static const char *const heads[] = {"crf", "softmax", NULL};

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Tags"},
    {SEQ_OPTION_CHOICE, "head", "KIND", offsetof(seq_tagger_settings, head), "crf",
     .choices = heads, .flags = SEQ_OPTION_IDENTITY,
     .help = "crf: the tags of a sequence are predicted together, by a conditional random field, "
             "and keep to the tag scheme. softmax: each tag by itself."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_tagger_options = {options, sizeof(seq_tagger_settings)};

static void refuse_softmax_options(seq_graph *graph, const seq_parsed *settings) {
    const seq_classifier_settings *own =
        settings ? seq_option_values(settings, &seq_classifier_options) : NULL;
    if (own && (own->smoothing > 0 || own->class_weights))
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--%s: --head crf has no such thing; --head softmax has it",
                      own->smoothing > 0 ? "label-smoothing" : "class-weights");
}

int seq_graph_tagger(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings,
                     int input, const char *target, const unsigned char *allowed,
                     const int64_t *counts) {
    const seq_tagger_settings *own =
        settings ? seq_option_values(settings, &seq_tagger_options) : NULL;
    if (own && own->head != CRF)
        return seq_graph_classifier(graph, config, settings, input, target, counts);
    refuse_softmax_options(graph, settings);
    int rows = seq_graph_output_dropout(graph, config, settings, input);
    int labels = seq_graph_column(graph, target);
    if (labels < 0) return -1;
    size_t cells = (size_t)graph->nodes[labels].shape.ids + 1;
    seq_head_crf_options crf = {.best = SEQ_TAGGER_BEST};
    if (allowed) crf.allowed = seq_graph_keep(graph, allowed, cells * cells);
    return seq_graph_head(graph, &seq_head_crf, &crf, "output", rows, labels, false);
}
