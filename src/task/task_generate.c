// A sequence from labels, numbers or nothing: a tune of a type and key, a name.
// The symbols before go through the stack, with embeddings of the labels beside
// them, and the head says the next one; the last is <eos>. Invariant: no row reads a
// later symbol. Tests: tests/fault/tasks.sh,
// tests/unit/model/test_builders.c, tests/cli/generate.sh.
#include <seqtrain/model/condition.h>
#include <seqtrain/task/task.h>
#include <string.h>

// Beside the text there are labels and numbers of the examples, and places in the bar.
static int find_conditions(const seq_schema *schema, const char *fields[SEQ_CONDITIONS],
                           seq_error *error) {
    int count = 0;
    for (int f = 0; f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        bool own = field->kind == SEQ_FIELD_LABEL || field->kind == SEQ_FIELD_NUMBER,
             bar = strcmp(field->name, "bar") == 0 && field->kind == SEQ_FIELD_IDS;
        if (f == schema->target || strcmp(field->name, SEQ_GIVEN_FIELD) == 0) continue;
        if (field->axis == 0 && own)
            fields[count++] = field->name;
        else if (!bar || field->axis != schema->fields[schema->target].axis)
            seq_error_set(error, SEQ_BAD_INPUT,
                          "schema of the task generate: the field %s is none of its own",
                          field->name);
    }
    return count;
}

static void build(const seq_task_input *input, seq_graph *graph) {
    const seq_model_config *config = input->config;
    const seq_parsed *settings = input->settings;
    const char *fields[SEQ_CONDITIONS];
    int count = find_conditions(input->schema, fields, seq_graph_error(graph));
    int embedding = seq_graph_rows(graph, config, settings, "text.before");
    int rows = seq_graph_input_dropout(graph, config, settings, embedding);
    rows = seq_graph_bar(graph, config, settings, "bar", rows);
    rows = seq_graph_condition(graph, config, settings, fields, count, rows);
    rows = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    rows = seq_graph_output_dropout(graph, config, settings, rows);
    int head = seq_graph_words(graph, config, rows, "text");
    seq_graph_tie(graph, config, head, embedding);
}

static const seq_option_group *const groups[] = {&seq_stack_options, &seq_condition_options,
                                                 &seq_buckets_options, NULL};
static const seq_metric *const metrics[] = {NULL};

const seq_task seq_task_generate = {
    .name = "generate",
    .summary = "a sequence from labels, numbers or nothing",
    .unit = "token",
    .next_token = true,
    .ties = true,
    .sampler = &seq_sampler_buckets,
    .target = {"text", SEQ_FIELD_IDS, SEQ_TARGET_ROWS, "text"},
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
