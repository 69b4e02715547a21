// The language model: the next token of a stream, from all tokens before it.
// Tests: tests/golden/unchanged, tests/unit/model/test_builders.c.
#include <seqtrain/model/stack.h>
#include <seqtrain/task/task.h>

static void build(const seq_task_input *input, seq_graph *graph) {
    seq_graph_language_model(graph, input->config, input->settings);
}

// What reads from both ends is refused: it would see the token that is predicted.
static const seq_option_group *const groups[] = {&seq_stack_options, NULL};
static const seq_metric *const metrics[] = {NULL};

const seq_task seq_task_lm = {
    .name = "lm",
    .summary = "the next token of a text",
    .unit = "token",
    .next_token = true,
    .ties = true,
    .sampler = &seq_sampler_streams,
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
