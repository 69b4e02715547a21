// A label for each token, or for each frame: entities, parts of speech. Words, with their letters
// and casing beside them where the data set has those, go through the stack; the
// head labels each row, and as a conditional random field it keeps to the scheme
// that the tags are stored in. Invariant: nothing here depends on other items of
// a batch. Tests: tests/fault/tasks.sh, tests/unit/model/test_builders.c.
#include <seqtrain/base/memory.h>
#include <seqtrain/model/casing.h>
#include <seqtrain/model/letters.h>
#include <seqtrain/model/tagger.h>
#include <seqtrain/nn/crf.h>
#include <seqtrain/task/task.h>
#include <stdlib.h>

// In the order of seq_scheme. IOB1 has no pairs that never follow each other.
static const seq_tag_scheme constraints[SEQ_SCHEMES] = {SEQ_TAGS_FREE, SEQ_TAGS_FREE, SEQ_TAGS_BIO,
                                                        SEQ_TAGS_IOBES};

// Which tags may follow each other, in memory that the graph keeps. NULL after an error.
static const unsigned char *allow(const seq_task_input *input, seq_graph *graph,
                                  const seq_field *tags) {
    const seq_vocabulary *vocabulary = input->vocabularies[tags->vocabulary];
    size_t count = (size_t)seq_vocabulary_size(vocabulary), size = (count + 1) * (count + 1);
    seq_error *error = seq_graph_error(graph);
    const char **names = NULL;
    unsigned char *allowed = NULL;
    seq_scheme scheme = SEQ_SCHEME_NONE;
    seq_status status = seq_scheme_of_schema(input->schema, &scheme, error);
    if (!status) status = seq_allocate(&names, count, sizeof *names, "the tags", error);
    if (!status) status = seq_allocate(&allowed, size, 1, "the tags", error);
    for (size_t i = 0; !status && i < count; i++)
        names[i] = seq_vocabulary_text(vocabulary, (int)i, NULL);
    if (!status) status = seq_crf_allow(constraints[scheme], names, (int)count, allowed, error);
    const void *kept = status ? NULL : seq_graph_keep(graph, allowed, size);
    free(names);
    free(allowed);
    return kept;
}

static void build(const seq_task_input *input, seq_graph *graph) {
    const seq_model_config *config = input->config;
    const seq_parsed *settings = input->settings;
    const seq_field *tags = &input->schema->fields[input->schema->target];
    int rows = seq_graph_rows(graph, config, settings, seq_task_sequence(input));
    rows = seq_graph_letters(graph, config, settings, "letter", rows);
    rows = seq_graph_casing(graph, config, settings, "casing", rows);
    rows = seq_graph_input_dropout(graph, config, settings, rows);
    rows = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    seq_graph_tagger(graph, config, settings, rows, tags->name, allow(input, graph, tags),
                     seq_task_counts(input, graph, tags->name));
}

static const seq_option_group *const groups[] = {&seq_stack_options,
                                                 &seq_letters_options,
                                                 &seq_casing_options,
                                                 &seq_tagger_options,
                                                 &seq_classifier_options,
                                                 &seq_buckets_options,
                                                 NULL};
static const seq_metric *const metrics[] = {&seq_metric_entity_f1, &seq_metric_accuracy,
                                            &seq_metric_macro_f1, &seq_metric_segment_f1, NULL};

const seq_task seq_task_tag = {
    .name = "tag",
    .summary = "a tag a token",
    .unit = "token",
    .sampler = &seq_sampler_buckets,
    .target = {"tag", SEQ_FIELD_LABEL, SEQ_TARGET_ROWS, NULL},
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
