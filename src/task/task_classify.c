// One class for a sequence: sentiment, topic, the kind of a stretch of DNA.
// Words (or frames of features) go through the stack, one vector sums the
// sequence up, and a softmax chooses the class. Invariant: nothing here depends
// on other items of a batch. Tests: tests/fault/tasks.sh,
// tests/unit/model/test_builders.c.
//
// To add a task, copy this file, fill the row at its end and register it in
// task.c: a line in `tasks`, and its groups of options in `seq_task_groups`
// where no other task has them. seqprep's side is src/prep/items/item_store.c.
#include <seqtrain/model/casing.h>
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/pooling.h>
#include <seqtrain/task/task.h>

static void build(const seq_task_input *input, seq_graph *graph) {
    const seq_model_config *config = input->config;
    const seq_parsed *settings = input->settings;
    int rows = seq_graph_rows(graph, config, settings, seq_task_sequence(input));
    rows = seq_graph_casing(graph, config, settings, "casing", rows);
    rows = seq_graph_input_dropout(graph, config, settings, rows);
    int states = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    int summary = seq_graph_pooling(graph, settings, rows, states, 0);
    seq_graph_classifier(graph, config, settings, summary, "label",
                         seq_task_counts(input, graph, "label"));
}

static const seq_option_group *const groups[] = {&seq_stack_options,   &seq_casing_options,
                                                 &seq_pooling_options, &seq_classifier_options,
                                                 &seq_buckets_options, NULL};
static const seq_metric *const metrics[] = {&seq_metric_accuracy, &seq_metric_macro_f1, NULL};

const seq_task seq_task_classify = {
    .name = "classify",
    .summary = "one class a sequence",
    .unit = "item",
    .sampler = &seq_sampler_buckets,
    .target = {"label", SEQ_FIELD_LABEL, SEQ_TARGET_ITEM, NULL},
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
