// Models that generate, on a split: bits a character of each text, and of all.
// Several runs are told apart as files of answers are: the first --runs are one
// system, those behind them another, and both are compared text by text.
// Characters are those of the texts as they came and an end each, so models with
// other units are comparable; what is given of a text is not counted. Invariant:
// every figure is a sum in the order of the texts, so it does not depend on
// --batch. Test: tests/cli/generate.sh.
#include "seqeval_private.h"
#include "tool_model.h"
#include <inttypes.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/items.h>
#include <seqtrain/data/vocabulary_builder.h>
#include <seqtrain/task/task.h>
#include <stdlib.h>
#include <string.h>

enum { SOME = 1024 }; // texts read at once

// A run's texts.
typedef struct judged {
    const char *name;
    size_t items;
    double *nats;
    int64_t *characters, *tokens;
    int64_t unknown;
} judged;

typedef struct work {
    const seq_eval_options *options;
    judged runs[SEQ_EVAL_RUNS];
    int count, first; // runs; of the first system
    int64_t all_characters;
} work;

// ---- One run

typedef struct reading {
    const seq_loaded *loaded;
    seq_dataset *dataset;
    judged *out;
} reading;

static void take_token(void *context, size_t item, int32_t id, double nats) {
    const reading *reading = context;
    const seq_vocabulary *vocabulary = reading->loaded->vocabulary;
    judged *out = reading->out;
    out->nats[item] += nats;
    out->tokens[item]++;
    out->unknown += id == seq_vocabulary_unk(vocabulary);
    if (!reading->loaded->schema.raw)
        out->characters[item] += seq_vocabulary_characters(vocabulary, id);
}

// Of texts as they came.
static seq_status count_characters(const reading *reading, seq_split split, seq_error *error) {
    judged *out = reading->out;
    seq_items_room room = {0};
    seq_status status = SEQ_OK;
    for (size_t first = 0; !status && first < out->items; first += SOME) {
        seq_items items;
        int64_t some = out->items - first < SOME ? (int64_t)(out->items - first) : SOME;
        status = seq_dataset_read_items(reading->dataset, split, (int64_t)first, some, &room,
                                        &items, error);
        const char *at = status ? NULL : items.raw;
        for (int64_t i = 0; at && i < some; at += items.raw_sizes[i++])
            out->characters[first + (size_t)i] =
                1 + seq_count_points(at, (size_t)items.raw_sizes[i]);
    }
    seq_items_room_clear(&room);
    return status;
}

static seq_status read_run(work *work, const seq_loaded *loaded, const char *name,
                           seq_error *error) {
    seq_split split = (seq_split)work->options->split;
    judged *out = &work->runs[work->count++];
    reading reading = {.loaded = loaded, .out = out};
    int64_t correct;
    seq_status status = seq_eval_open_dataset(work->options, loaded, &reading.dataset, error);
    if (!status) status = seq_eval_count_items(work->options, reading.dataset, &out->items, error);
    out->name = name;
    if (!status) status = seq_allocate(&out->nats, out->items, sizeof *out->nats, "texts", error);
    if (!status)
        status =
            seq_allocate(&out->characters, out->items, sizeof *out->characters, "texts", error);
    if (!status)
        status = seq_allocate(&out->tokens, out->items, sizeof *out->tokens, "texts", error);
    if (!status)
        status = seq_eval_tokens(work->options, loaded, reading.dataset, take_token, &reading,
                                 &correct, error);
    if (!status && loaded->schema.raw && split != SEQ_TRAIN)
        status = count_characters(&reading, split, error);
    seq_dataset_close(reading.dataset);
    return status;
}

// ---- All runs

static seq_status check_texts(const work *work, seq_error *error) {
    const judged *one = &work->runs[0];
    for (int r = 1; r < work->count; r++) {
        const judged *other = &work->runs[r];
        if (other->items != one->items)
            return seq_error_set(error, SEQ_BAD_INPUT, "%s: %zu texts, and %s has %zu", other->name,
                                 other->items, one->name, one->items);
        for (size_t i = 0; i < one->items; i++)
            if (other->characters[i] != one->characters[i])
                return seq_error_set(
                    error, SEQ_BAD_INPUT,
                    "%s: text %zu has %" PRId64 " characters, and that of %s %" PRId64
                    ": these are other texts",
                    other->name, i, other->characters[i], one->name, one->characters[i]);
    }
    return SEQ_OK;
}

typedef struct mean_bits {
    const judged *runs;
    int count;
} mean_bits;

// Bits a character, the mean over runs.
static double bits_of(const void *context, const int32_t *weights, int64_t *scratch) {
    const mean_bits *mean = context;
    double nats = 0, characters = 0;
    (void)scratch;
    for (size_t i = 0; i < mean->runs->items; i++) {
        double weight = weights ? weights[i] : 1, own = 0;
        for (int r = 0; r < mean->count; r++)
            own += mean->runs[r].nats[i];
        nats += weight * own;
        characters += weight * (double)mean->runs->characters[i];
    }
    return nats / log(2.0) / mean->count / characters;
}

typedef struct results {
    double value[2], p;
    seq_interval interval[2], difference;
} results;

static seq_status compare(const work *work, results *out, seq_error *error) {
    const mean_bits systems[] = {{work->runs, work->first},
                                 {work->runs + work->first, work->count - work->first}};
    const seq_statistic statistics[] = {{bits_of, &systems[0], 0}, {bits_of, &systems[1], 0}};
    size_t count = work->count > work->first ? 2 : 1, resamples = (size_t)work->options->resamples;
    double *samples = NULL;
    for (size_t s = 0; s < count; s++)
        out->value[s] = bits_of(&systems[s], NULL, NULL);
    if (!resamples) return SEQ_OK;
    seq_status status =
        seq_allocate(&samples, (count + 1) * resamples, sizeof *samples, "resamples", error);
    if (!status)
        status = seq_eval_resample(statistics, count, work->runs->items, (int)resamples,
                                   work->options->seed, samples, error);
    double *differences = status ? NULL : samples + count * resamples;
    for (size_t r = 0; differences && count == 2 && r < resamples; r++)
        differences[r] = samples[resamples + r] - samples[r];
    if (differences && count == 2) {
        out->p = seq_interval_two_sided(differences, (int)resamples);
        out->difference = seq_interval_find(differences, (int)resamples);
    }
    for (size_t s = 0; differences && s < count; s++)
        out->interval[s] = seq_interval_find(samples + s * resamples, (int)resamples);
    free(samples);
    return status;
}

static seq_status write_items(const void *context, FILE *stream, seq_error *error) {
    const work *work = context;
    (void)error;
    fputs("index\tcharacters", stream);
    for (int r = 0; r < work->count; r++)
        fputs("\tbits", stream);
    fputc('\n', stream);
    for (size_t i = 0; i < work->runs->items; i++) {
        fprintf(stream, "%zu\t%" PRId64, i, work->runs->characters[i]);
        for (int r = 0; r < work->count; r++)
            fprintf(stream, "\t%.6f", work->runs[r].nats[i] / log(2.0));
        fputc('\n', stream);
    }
    return SEQ_OK;
}

static void print(const work *work, const results *results) {
    const judged *one = &work->runs[0];
    bool json = work->options->json;
    double nats = 0, tokens = 0, characters = 0;
    for (size_t i = 0; i < one->items; i++) {
        nats += one->nats[i];
        tokens += (double)one->tokens[i];
        characters += (double)one->characters[i];
    }
    printf(json ? "{\"split\": \"%s\"" : "split                  %s\n",
           seq_split_name((seq_split)work->options->split));
    seq_eval_print_number("texts", (double)one->items, json);
    seq_eval_print_number("characters", characters, json);
    seq_eval_print_number("tokens", tokens, json);
    seq_eval_print_number("loss", nats / tokens, json);
    seq_eval_print_number("perplexity", exp(nats / tokens), json);
    seq_eval_print_number("bits_per_token", nats / tokens / log(2.0), json);
    seq_eval_print_number("unk_rate", (double)one->unknown / tokens, json);
    seq_eval_print_range("bits_per_character", results->value[0], results->interval[0], json);
    for (int r = 0; work->count > 1 && !json && r < work->count; r++)
        printf("  %-40s %.5f\n", work->runs[r].name,
               bits_of(&(mean_bits){&work->runs[r], 1}, NULL, NULL));
    if (work->count > work->first) {
        seq_eval_print_range("second", results->value[1], results->interval[1], json);
        seq_eval_print_range("difference", results->value[1] - results->value[0],
                             results->difference, json);
        if (work->options->resamples) seq_eval_print_number("p", results->p, json);
    }
    if (json) printf(", \"runs\": %d}\n", work->count);
}

bool seq_eval_is_generated(const seq_loaded *loaded) {
    return !loaded->schema.streams && loaded->task->next_token;
}

seq_status seq_eval_generated(const seq_eval_options *options, const seq_loaded *loaded,
                              const char *const *runs, int count, seq_error *error) {
    work work = {.options = options, .first = (int)options->runs};
    const seq_interval none = {NAN, NAN};
    results results = {.p = NAN, .interval = {none, none}, .difference = none};
    const tool_model how = {options->newest, options->kernels, options->weights, 1,
                            options->average};
    if (work.first > count)
        return seq_error_set(error, SEQ_BAD_USAGE, "--runs %d: %d runs were given", work.first,
                             count);
    if (count > 1 && options->data)
        return seq_error_set(error, SEQ_BAD_USAGE, "--data: of one run; several have each its own");
    seq_status status = read_run(&work, loaded, runs[0], error);
    for (int r = 1; !status && r < count; r++) {
        seq_loaded other;
        status = tool_load_model(runs[r], &how, &other, error);
        if (status) break;
        status = seq_eval_is_generated(&other)
                     ? read_run(&work, &other, runs[r], error)
                     : seq_error_set(error, SEQ_BAD_USAGE, "%s: of the task %s, not of %s's",
                                     runs[r], other.schema.task, runs[0]);
        seq_loaded_clear(&other);
    }
    if (!status) status = check_texts(&work, error);
    if (!status) status = compare(&work, &results, error);
    if (!status && options->per_item)
        status = seq_eval_write_table(options->per_item, write_items, &work, error);
    if (!status) print(&work, &results);
    for (int r = 0; r < work.count; r++) {
        free(work.runs[r].nats);
        free(work.runs[r].characters);
        free(work.runs[r].tokens);
    }
    return status;
}
