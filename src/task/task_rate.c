// One number for a sequence: a rating, a measurement. The network is that of
// classify with a head of its own; the loss is squared, absolute, Huber's or
// ordinal. Invariant: numbers are learned normalised and predicted in the units
// of the data. Tests: tests/fault/tasks.sh, tests/unit/model/test_builders.c.
#include <seqtrain/model/casing.h>
#include <seqtrain/model/pooling.h>
#include <seqtrain/model/regressor.h>
#include <seqtrain/task/task.h>

static void build(const seq_task_input *input, seq_graph *graph) {
    const seq_model_config *config = input->config;
    const seq_parsed *settings = input->settings;
    const seq_field *label = &input->schema->fields[input->schema->target];
    int rows = seq_graph_rows(graph, config, settings, seq_task_sequence(input));
    rows = seq_graph_casing(graph, config, settings, "casing", rows);
    rows = seq_graph_input_dropout(graph, config, settings, rows);
    int states = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    int summary = seq_graph_pooling(graph, settings, rows, states, 0);
    seq_graph_regressor(graph, config, settings, summary, "label", label->mean ? *label->mean : 0,
                        label->deviation ? *label->deviation : 1);
}

static const seq_option_group *const groups[] = {&seq_stack_options,   &seq_casing_options,
                                                 &seq_pooling_options, &seq_regressor_options,
                                                 &seq_buckets_options, NULL};
static const seq_metric *const metrics[] = {&seq_metric_mean_absolute_error,
                                            &seq_metric_root_mean_square, NULL};

const seq_task seq_task_rate = {
    .name = "rate",
    .summary = "one number a sequence",
    .unit = "item",
    .sampler = &seq_sampler_buckets,
    .target = {"label", SEQ_FIELD_NUMBER, SEQ_TARGET_ITEM, NULL},
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
