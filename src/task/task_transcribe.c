// Symbols of a sequence of frames, as of speech; nobody says which frame has
// which. Frames go through the stack, and connectionist temporal classification
// (nn/ctc.h) sums over all places that the symbols may have. Validation takes
// best paths. Invariant: symbol 0 is the blank, in data set, loss and decoding.
// Tests: tests/fault/tasks.sh, tests/cli/transcribe.sh.
#include <seqtrain/data/transcript.h>
#include <seqtrain/model/stack.h>
#include <seqtrain/nn/ctc.h>
#include <seqtrain/task/task.h>
#include <string.h>

static void check_blank(const seq_task_input *input, seq_graph *graph) {
    const seq_field *target = &input->schema->fields[input->schema->target];
    const seq_vocabulary *symbols = input->vocabularies[target->vocabulary];
    if (seq_vocabulary_size(symbols) == 0 ||
        strcmp(seq_vocabulary_text(symbols, SEQ_CTC_BLANK, NULL), seq_blank_text) != 0)
        seq_error_set(seq_graph_error(graph), SEQ_BAD_INPUT,
                      "schema of the task transcribe: symbol 0 is not %s", seq_blank_text);
}

static void build(const seq_task_input *input, seq_graph *graph) {
    const seq_model_config *config = input->config;
    const seq_parsed *settings = input->settings;
    int rows = seq_graph_rows(graph, config, settings, "frames");
    rows = seq_graph_input_dropout(graph, config, settings, rows);
    rows = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    rows = seq_graph_output_dropout(graph, config, settings, rows);
    seq_graph_head(graph, &seq_head_ctc, NULL, "output", rows, seq_graph_column(graph, "symbols"),
                   false);
    check_blank(input, graph);
}

static const seq_option_group *const groups[] = {&seq_stack_options, &seq_buckets_options, NULL};
static const seq_metric *const metrics[] = {&seq_metric_label_error_rate,
                                            &seq_metric_sentence_error_rate, NULL};

const seq_task seq_task_transcribe = {
    .name = "transcribe",
    .summary = "symbols of a sequence of frames",
    .unit = "label",
    .sampler = &seq_sampler_buckets,
    .target = {"symbols", SEQ_FIELD_LABEL, SEQ_TARGET_ITSELF, "frames"},
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
