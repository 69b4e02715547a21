// The head of classes and tags, from its options: dropout, then all labels in
// one softmax. Weights of classes follow from the counts of the training part,
// so a checkpoint's label set has all they need. Test:
// tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/classifier.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define AT(field) offsetof(seq_classifier_settings, field)

static const char *const weightings[] = {"none", "balanced", NULL};

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Labels"},
    {SEQ_OPTION_REAL, "label-smoothing", "X", AT(smoothing), "0", 0, 0.99,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Share of each target, in training, that all labels get alike."},
    {SEQ_OPTION_CHOICE, "class-weights", "HOW", AT(class_weights), "none", .choices = weightings,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "balanced: each label weighs as much as any other in training, however often it "
             "occurs. Weights have the mean 1 over the training targets."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_classifier_options = {options, sizeof(seq_classifier_settings)};

static const float *balanced(seq_graph *graph, int labels, const int64_t *counts) {
    float *weights = NULL;
    const void *kept = NULL;
    if (!seq_allocate(&weights, (size_t)labels, sizeof *weights, "weights of classes",
                      &graph->error)) {
        seq_class_weights(NULL, counts, labels, weights);
        kept = seq_graph_keep(graph, weights, (size_t)labels * sizeof *weights);
    }
    free(weights);
    return kept;
}

int seq_graph_classifier(seq_graph *graph, const seq_model_config *config,
                         const seq_parsed *settings, int input, const char *target,
                         const int64_t *counts) {
    static const seq_classifier_settings standard = {0};
    const seq_classifier_settings *own =
        settings ? seq_option_values(settings, &seq_classifier_options) : NULL;
    int rows = seq_graph_output_dropout(graph, config, settings, input);
    int labels = seq_graph_column(graph, target);
    if (!own) own = &standard;
    if (labels < 0) return -1;
    seq_words_options words = {.smoothing = own->smoothing};
    if (own->class_weights)
        words.class_weights = balanced(graph, graph->nodes[labels].shape.ids, counts);
    char before[SEQ_NODE_NAME + 8];
    snprintf(before, sizeof before, "%s.before", target);
    return seq_graph_head(graph, &seq_head_full, &words, "output", rows, labels,
                          seq_graph_has_field(graph, before));
}
