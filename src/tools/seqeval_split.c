// A split by a model: opens the data set and checks that it fits. Of a language
// model, loss and perplexity e^loss: windows of 256 tokens, all streams side by
// side, in one pass over the data. Bits are nats / ln 2; those per character
// divide by the characters that the tokens stand for. Invariant: every token
// counts once (SEQ_CUT_ALL), and streams carry their state from window to
// window. Test: tests/cli/seqeval.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/checkpoint/data_path.h>
#include <seqtrain/task/task.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 256 }; // tokens of a window, all streams together

typedef struct evaluation {
    const seq_loaded *loaded;
    seq_dataset *dataset;
    seq_eval_pass pass;
    int batch;
    seq_score score;
} evaluation;

// The same columns and vocabularies.
static seq_status check_fit(const seq_loaded *loaded, const seq_dataset *dataset,
                            seq_error *error) {
    const seq_record *data = seq_manifest_section_find(&loaded->manifest, "data");
    const char *vocabulary = seq_record_text(data, "vocabulary_hash"),
               *task = seq_dataset_schema(dataset)->task;
    char differences[SEQ_ERROR_TEXT / 2];
    if (strcmp(task, loaded->schema.task) != 0)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "data set %s was prepared for the task %s, the model is of %s",
                             seq_dataset_path(dataset), task, loaded->schema.task);
    if (!vocabulary || strcmp(vocabulary, seq_dataset_vocabulary_hash(dataset)) != 0)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "data set %s has another vocabulary (hash %s) than the model (hash "
                             "%s): prepare it with %s",
                             seq_dataset_path(dataset), seq_dataset_vocabulary_hash(dataset),
                             vocabulary ? vocabulary : "not recorded",
                             loaded->schema.streams ? "seqprep --vocab"
                                                    : "the training items of the model's");
    if (seq_schema_compare(seq_dataset_schema(dataset), &loaded->schema, differences,
                           sizeof differences, error))
        return error->status;
    if (!*differences) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "data set %s has other fields or reader settings than the model's: %s; "
                         "prepare it with the same options",
                         seq_dataset_path(dataset), differences);
}

seq_status seq_eval_open_dataset(const seq_eval_options *options, const seq_loaded *loaded,
                                 seq_dataset **out, seq_error *error) {
    char run[SEQ_PATH + 8], *found = NULL;
    snprintf(run, sizeof run, "%s/../..", loaded->directory);
    if (!options->data && seq_data_path_find(run, &loaded->manifest, &found, error))
        return error->status;
    if (!options->data && !found)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--data: missing: neither the checkpoint nor data-path.txt of its run "
                             "names the data set");
    seq_status status = options->data ? seq_dataset_open(options->data, out, error)
                                      : seq_data_path_open(loaded->directory, found, out, error);
    if (!status) status = check_fit(loaded, *out, error);
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

static seq_status begin(evaluation *evaluation, seq_split split, seq_error *error) {
    const seq_sampler_settings settings = {
        .split = split,
        .replicas = 1,
        .count = 1,
        .batch = evaluation->batch,
        .cut = SEQ_CUT_ALL,
        .window = evaluation->batch < ROWS ? ROWS / evaluation->batch : 1};
    return seq_eval_begin(
        &evaluation->pass, evaluation->loaded, evaluation->dataset, &settings,
        (seq_evaluator_config){.metrics = evaluation->loaded->task->metrics, .of_row = true},
        error);
}

static seq_status evaluate(evaluation *evaluation, seq_error *error) {
    int64_t steps = seq_sampler_steps(evaluation->pass.sampler),
            tokens = seq_sampler_units(evaluation->pass.sampler);
    seq_score *score = &evaluation->score;
    seq_loss loss;
    for (int64_t step = 0; step < steps; step++) {
        seq_status status = seq_eval_step(&evaluation->pass, step, &loss, error);
        if (status) return status;
        const seq_batch *batch = seq_evaluator_batch(evaluation->pass.evaluator);
        seq_score_add(score, evaluation->loaded->vocabulary, batch->columns[SEQ_LM_TARGETS].ids,
                      seq_evaluator_row_losses(evaluation->pass.evaluator),
                      batch->axes[SEQ_LM_AXIS].rows);
        seq_log_live(false, "%lld of %lld tokens, loss %.4f", (long long)score->tokens,
                     (long long)tokens, score->nats / (double)score->tokens);
    }
    score->correct = loss.correct;
    return SEQ_OK;
}

static void print_result(const evaluation *evaluation, const char *split, bool json,
                         double seconds) {
    const seq_score *score = &evaluation->score;
    double loss = score->nats / (double)score->tokens;
    double known = (score->nats - score->nats_unk) / (double)(score->tokens - score->tokens_unk);
    printf(json ? "{\"split\": \"%s\"" : "split                  %s\n", split);
    seq_eval_print_number("tokens", (double)score->tokens, json);
    seq_eval_print_number("loss", loss, json);
    seq_eval_print_number("perplexity", exp(loss), json);
    if (score->words)
        seq_eval_print_number("perplexity_per_word", exp(score->nats / (double)score->words), json);
    seq_eval_print_number("bits_per_token", loss / log(2.0), json);
    seq_eval_print_number("bits_per_character", score->nats / log(2.0) / (double)score->characters,
                          json);
    seq_eval_print_number("accuracy", (double)score->correct / (double)score->tokens, json);
    seq_eval_print_number("unk_rate", (double)score->tokens_unk / (double)score->tokens, json);
    seq_eval_print_number("loss_without_unk", known, json);
    seq_eval_print_number("perplexity_without_unk", exp(known), json);
    seq_eval_print_number("streams", evaluation->batch, json);
    seq_eval_print_number("seconds", seconds, json);
    if (json) puts("}");
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static seq_status evaluate_streams(const seq_eval_options *options, const seq_loaded *loaded,
                                   seq_dataset *dataset, seq_error *error) {
    evaluation evaluation = {
        .loaded = loaded, .dataset = dataset, .batch = options->batch ? (int)options->batch : 1};
    seq_split split = (seq_split)options->split;
    double begun = now();
    seq_status status = check_split(dataset, split, evaluation.batch, error);
    if (!status) status = begin(&evaluation, split, error);
    if (!status) status = evaluate(&evaluation, error);
    if (!status) print_result(&evaluation, seq_split_name(split), options->json, now() - begun);
    seq_eval_end(&evaluation.pass);
    return status;
}

// How probable the given texts are and, where the part keeps them as they came, how good those are
// that greedy search finds.
static seq_status evaluate_texts(const seq_eval_options *options, const seq_loaded *loaded,
                                 seq_dataset *dataset, seq_error *error) {
    const seq_metric *first = loaded->task->metrics[0];
    bool searches =
        first && first->of_texts && seq_dataset_schema(dataset)->raw && options->split != SEQ_TRAIN;
    seq_eval_options own = *options;
    own.per_item = NULL; // it has been written
    seq_status status = seq_eval_texts(options, loaded, dataset, !searches, error);
    if (status || !searches) return status;
    printf(options->json ? ", \"translations\": " : "\n");
    status = seq_eval_items(&own, loaded, dataset, error);
    if (options->json) printf("}\n");
    return status;
}

seq_status seq_eval_split(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error) {
    seq_dataset *dataset = NULL;
    bool texts = seq_schema_before_column(&loaded->schema) >= 0;
    seq_status status = seq_eval_open_dataset(options, loaded, &dataset, error);
    if (!status)
        status = loaded->schema.streams ? evaluate_streams(options, loaded, dataset, error)
                 : texts                ? evaluate_texts(options, loaded, dataset, error)
                                        : seq_eval_items(options, loaded, dataset, error);
    seq_dataset_close(dataset);
    return status;
}
