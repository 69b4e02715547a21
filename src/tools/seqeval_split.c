// Loss and perplexity e^loss of a split: windows of 256 tokens, all streams
// side by side, in one pass over the data. Bits are nats / ln 2; those per
// character divide by the characters that the tokens stand for. Invariant:
// every token counts once (SEQ_CUT_ALL), and streams carry their state from
// window to window. Test: tests/cli/seqeval.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/checkpoint/data_path.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/sampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 256 }; // tokens of a window, all streams together

typedef struct evaluation {
    const seq_loaded *loaded;
    seq_dataset *dataset;
    seq_sampler *sampler;
    seq_workspace *workspace;
    int batch, steps;
    float *state, *log_probabilities;
    seq_score score;
} evaluation;

static seq_status open_dataset(const seq_eval_options *options, const seq_loaded *loaded,
                               seq_dataset **out, seq_error *error) {
    const seq_record *data = seq_manifest_section_find(&loaded->manifest, "data");
    const char *expected = seq_record_text(data, "vocabulary_hash");
    char run[SEQ_PATH + 8], *found = NULL;
    snprintf(run, sizeof run, "%s/../..", loaded->directory);
    if (!options->data && seq_data_path_find(run, &loaded->manifest, &found, error))
        return error->status;
    if (!options->data && !found)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--data: missing: neither the checkpoint nor data-path.txt of its run "
                             "names the data set");
    const char *path = options->data ? options->data : found;
    seq_status status = seq_dataset_open(path, out, error);
    if (!status && (!expected || strcmp(expected, seq_dataset_vocabulary_hash(*out)) != 0))
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "data set %s has another vocabulary (hash %s) than the model (hash "
                               "%s): prepare it with seqprep --vocab",
                               path, seq_dataset_vocabulary_hash(*out),
                               expected ? expected : "not recorded");
    free(found);
    return status;
}

static seq_status check_split(const seq_dataset *dataset, seq_split split, int batch,
                              seq_error *error) {
    char others[40] = "";
    int64_t tokens = seq_dataset_tokens(dataset, split);
    for (int other = 0; other < SEQ_SPLITS; other++)
        if (seq_dataset_tokens(dataset, (seq_split)other) > 0) {
            size_t used = strlen(others);
            snprintf(others + used, sizeof others - used, "%s%s", used ? ", " : "",
                     seq_split_name((seq_split)other));
        }
    if (tokens == 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "data set %s has no %s split; --split: %s",
                             seq_dataset_path(dataset), seq_split_name(split), others);
    if (tokens < batch)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "--batch %d: the %s split of %s has %lld tokens, one a stream is the "
                             "least",
                             batch, seq_split_name(split), seq_dataset_path(dataset),
                             (long long)tokens);
    return SEQ_OK;
}

static seq_status allocate(evaluation *evaluation, seq_error *error) {
    const seq_model *model = evaluation->loaded->model;
    const seq_limits *limits = seq_sampler_limits(evaluation->sampler);
    size_t rows = limits->axes[SEQ_LM_AXIS].rows;
    seq_status status =
        seq_workspace_create(model, limits, 1, SEQ_USE_EVALUATION, &evaluation->workspace, error);
    if (!status)
        status = seq_allocate(&evaluation->state, seq_model_state_size(model, evaluation->batch),
                              sizeof(float), "the state of the streams", error);
    return status ? status
                  : seq_allocate(&evaluation->log_probabilities, rows, sizeof(float),
                                 "log-probabilities", error);
}

static seq_status evaluate_window(evaluation *evaluation, int64_t step, seq_error *error) {
    seq_batch batch;
    seq_status status = seq_sampler_read(evaluation->sampler, 0, step, 0, &batch, error);
    if (status) return status;
    const seq_feed feed = {.batch = &batch, .state = evaluation->state};
    seq_loss loss = seq_model_evaluate(evaluation->loaded->model, evaluation->workspace,
                                       &evaluation->loaded->weights, &feed,
                                       &(seq_losses){.of_row = evaluation->log_probabilities});
    seq_score_add(&evaluation->score, evaluation->loaded->vocabulary,
                  batch.columns[SEQ_LM_TARGETS].ids, evaluation->log_probabilities,
                  batch.axes[SEQ_LM_AXIS].rows);
    evaluation->score.correct += loss.correct;
    return SEQ_OK;
}

static seq_status evaluate(evaluation *evaluation, seq_error *error) {
    int64_t steps = seq_sampler_steps(evaluation->sampler),
            tokens = seq_sampler_units(evaluation->sampler);
    seq_status status = SEQ_OK;
    for (int64_t step = 0; !status && step < steps; step++) {
        status = evaluate_window(evaluation, step, error);
        seq_log_live(false, "%lld of %lld tokens, loss %.4f", (long long)evaluation->score.tokens,
                     (long long)tokens, evaluation->score.nats / (double)evaluation->score.tokens);
    }
    return status;
}

static void clear(evaluation *evaluation) {
    seq_sampler_destroy(evaluation->sampler);
    seq_workspace_destroy(evaluation->workspace);
    seq_dataset_close(evaluation->dataset);
    free(evaluation->state);
    free(evaluation->log_probabilities);
}

static void print_number(const char *name, double value, bool json, bool last) {
    if (!json)
        printf("%-22s %.6g\n", name, value);
    else if (isfinite(value))
        printf("\"%s\": %.9g%s", name, value, last ? "}\n" : ", ");
    else
        printf("\"%s\": null%s", name, last ? "}\n" : ", ");
}

static void print_result(const evaluation *evaluation, const char *split, bool json,
                         double seconds) {
    const seq_score *score = &evaluation->score;
    double loss = score->nats / (double)score->tokens;
    double known = (score->nats - score->nats_unk) / (double)(score->tokens - score->tokens_unk);
    printf(json ? "{\"split\": \"%s\", " : "split                  %s\n", split);
    print_number("tokens", (double)score->tokens, json, false);
    print_number("loss", loss, json, false);
    print_number("perplexity", exp(loss), json, false);
    print_number("bits_per_token", loss / log(2.0), json, false);
    print_number("bits_per_character", score->nats / log(2.0) / (double)score->characters, json,
                 false);
    print_number("accuracy", (double)score->correct / (double)score->tokens, json, false);
    print_number("unk_rate", (double)score->tokens_unk / (double)score->tokens, json, false);
    print_number("loss_without_unk", known, json, false);
    print_number("perplexity_without_unk", exp(known), json, false);
    print_number("streams", evaluation->batch, json, false);
    print_number("seconds", seconds, json, true);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

seq_status seq_eval_split(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error) {
    evaluation evaluation = {.loaded = loaded,
                             .batch = (int)options->batch,
                             .steps = options->batch < ROWS ? ROWS / (int)options->batch : 1};
    seq_split split = (seq_split)options->split;
    double begun = now();
    seq_status status = open_dataset(options, loaded, &evaluation.dataset, error);
    if (!status) status = check_split(evaluation.dataset, split, evaluation.batch, error);
    const seq_sampler_settings settings = {.split = split,
                                           .replicas = 1,
                                           .count = 1,
                                           .batch = evaluation.batch,
                                           .cut = SEQ_CUT_ALL,
                                           .window = evaluation.steps};
    if (!status)
        status = seq_sampler_create(&seq_sampler_streams, evaluation.dataset, &settings,
                                    &evaluation.sampler, error);
    if (!status) status = allocate(&evaluation, error);
    if (!status) status = evaluate(&evaluation, error);
    if (!status) print_result(&evaluation, seq_split_name(split), options->json, now() - begun);
    clear(&evaluation);
    return status;
}
