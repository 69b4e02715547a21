// The language model: the next token of a stream, from all tokens before it.
// Test: tests/unit/task/test_task.c.
#include <seqtrain/model/stack.h>
#include <seqtrain/task/task.h>

static void build(const seq_task_input *input, seq_graph *graph) {
    seq_graph_language_model(graph, input->config, input->settings);
}

static const seq_metric *const metrics[] = {NULL};

const seq_task seq_task_lm = {
    .name = "lm",
    .summary = "the next token of a text",
    .unit = "token",
    .sampler = &seq_sampler_streams,
    .build = build,
    .metrics = metrics,
};
