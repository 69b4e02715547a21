// Task translate: an encoder reads the source, and a decoder with attention
// predicts the target token by token. Any pairs of texts will do. Training uses
// teacher forcing; validation decodes greedily. Invariant: an item's values do not
// depend on other items of its batch. Tests: tests/unit/model/test_decoder.c,
// tests/fault/tasks.sh.
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/decoder.h>
#include <seqtrain/task/task.h>

static void build(const seq_task_input *input, seq_graph *graph) {
    const seq_model_config *config = input->config;
    const seq_parsed *settings = input->settings;
    seq_decoder_ends ends = {.target = "target"};
    ends.source = seq_graph_rows(graph, config, settings, "source");
    int rows = seq_graph_input_dropout(graph, config, settings, ends.source);
    ends.encoded = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    rows = seq_graph_decoder(graph, config, settings, &ends);
    int head = seq_graph_classifier(graph, config, settings, rows, "target",
                                    seq_task_counts(input, graph, "target"));
    seq_graph_tie(graph, config, head, ends.embedding);
}

static const seq_option_group *const groups[] = {
    &seq_stack_options, &seq_decoder_options, &seq_classifier_options, &seq_buckets_options, NULL};
static const seq_metric *const metrics[] = {&seq_metric_bleu, &seq_metric_chrf, NULL};

const seq_task seq_task_translate = {
    .name = "translate",
    .summary = "a sequence for a sequence",
    .unit = "token",
    .ties = true,
    .sampler = &seq_sampler_buckets,
    .target = {"target", SEQ_FIELD_IDS, SEQ_TARGET_ITSELF, "source"},
    .groups = groups,
    .build = build,
    .metrics = metrics,
};
