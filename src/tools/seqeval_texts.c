// A model that writes texts (translate and others whose target is a sequence of
// tokens with its own end), on a split: how probable the given texts are. Loss is
// -ln p a token, <eos> included, without label smoothing; perplexity e^loss; bits
// are nats / ln 2. Intervals are those of resampled items. Invariant: an item's
// figures are sums in the order of its tokens, and the split's in the order of
// items, so no figure depends on --batch. Test: tests/cli/translate.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/clock.h>
#include <seqtrain/base/cores.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/items.h>
#include <seqtrain/infer/evaluate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS = 8192, // of the axis of lengths in a batch, without --batch
    SOME = 4096, // items read at once
};

typedef struct text_figures {
    double nats, nats_unk;
    int64_t tokens, unk;
} text_figures;

typedef struct texts {
    const seq_eval_options *options;
    const seq_loaded *loaded;
    seq_dataset *dataset;
    const seq_vocabulary *words; // of the target
    int axis;                    // of the target
    size_t items;
    text_figures *of_item; // (items)
    text_figures all;
    int64_t correct;
    seq_interval loss;
    seq_sampler *sampler;
    seq_workspace *workspace;
    seq_evaluator *evaluator;
    double seconds;
} texts;

static void add(text_figures *to, const text_figures *from) {
    to->nats += from->nats;
    to->nats_unk += from->nats_unk;
    to->tokens += from->tokens;
    to->unk += from->unk;
}

// ---- The model's probabilities.

static seq_status begin(texts *texts, seq_error *error) {
    const seq_eval_options *options = texts->options;
    seq_split split = (seq_split)options->split;
    const seq_model *model = texts->loaded->model;
    const seq_sampler_settings settings = {.split = split,
                                           .replicas = 1,
                                           .count = 1,
                                           .batch = (int)options->batch,
                                           .batch_tokens = options->batch ? 0 : ROWS};
    texts->items = (size_t)seq_dataset_items(texts->dataset, split);
    if (!texts->items)
        return seq_error_set(error, SEQ_BAD_INPUT, "data set %s has no %s split",
                             seq_dataset_path(texts->dataset), seq_split_name(split));
    seq_status status = seq_allocate(&texts->of_item, texts->items, sizeof *texts->of_item,
                                     "figures of items", error);
    if (!status)
        status = seq_sampler_create(texts->loaded->task->sampler, texts->dataset, &settings,
                                    &texts->sampler, error);
    if (!status)
        status = seq_workspace_create(model, seq_sampler_limits(texts->sampler), 1,
                                      SEQ_USE_EVALUATION, &texts->workspace, error);
    if (status) return status;
    static const seq_metric *const none[] = {NULL};
    const seq_evaluator_config config = {.model = model,
                                         .dataset = texts->dataset,
                                         .sampler = texts->sampler,
                                         .metrics = none,
                                         .of_row = true};
    return seq_evaluator_create(&config, &texts->evaluator, error);
}

static void take_batch(texts *texts) {
    const seq_batch *batch = seq_evaluator_batch(texts->evaluator);
    const float *losses = seq_evaluator_row_losses(texts->evaluator);
    const seq_axis *axis = &batch->axes[texts->axis];
    const int32_t *ids = batch->columns[seq_dataset_schema(texts->dataset)->target].ids;
    int unk = seq_vocabulary_unk(texts->words);
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = axis->first_row[t] + (size_t)b;
            text_figures *item = &texts->of_item[batch->axes[0].number[axis->of[b]]];
            double nats = -(double)losses[row];
            const text_figures own = {nats, ids[row] == unk ? nats : 0, 1, ids[row] == unk};
            add(item, &own);
        }
}

static seq_status evaluate(texts *texts, seq_error *error) {
    int64_t steps = seq_sampler_steps(texts->sampler);
    seq_loss loss = {0};
    for (int64_t step = 0; step < steps; step++) {
        seq_status status = seq_evaluator_step(texts->evaluator, texts->workspace,
                                               &texts->loaded->weights, step, 0, &loss, error);
        if (status) return status;
        take_batch(texts);
        seq_log_live(false, "%lld of %lld batches", (long long)step + 1, (long long)steps);
    }
    for (size_t i = 0; i < texts->items; i++)
        add(&texts->all, &texts->of_item[i]);
    texts->correct = loss.correct;
    return SEQ_OK;
}

// ---- Intervals.

static double mean_loss(const void *context, const int32_t *weights, int64_t *scratch) {
    const texts *texts = context;
    double nats = 0, tokens = 0;
    (void)scratch;
    for (size_t i = 0; i < texts->items; i++) {
        nats += weights[i] * texts->of_item[i].nats;
        tokens += weights[i] * (double)texts->of_item[i].tokens;
    }
    return nats / tokens;
}

static seq_status find_interval(texts *texts, seq_error *error) {
    const seq_statistic statistic = {.value = mean_loss, .context = texts};
    int resamples = (int)texts->options->resamples, cores = seq_cores_usable();
    double *samples = NULL;
    seq_team *team = NULL;
    texts->loss = (seq_interval){NAN, NAN};
    if (!resamples) return SEQ_OK;
    seq_status status =
        seq_allocate(&samples, (size_t)resamples, sizeof *samples, "resamples", error);
    if (!status) status = seq_team_create(cores < 8 ? cores : 8, &team, error);
    if (!status)
        status = seq_bootstrap(&statistic, 1, texts->items, resamples,
                               (uint64_t)texts->options->seed, team, samples, error);
    if (!status) texts->loss = seq_interval_find(samples, resamples);
    seq_team_destroy(team);
    free(samples);
    return status;
}

// ---- Output.

static void print_value(const char *name, double value, bool json) {
    if (!json)
        printf("%-22s %.6g\n", name, value);
    else if (isfinite(value))
        printf(", \"%s\": %.9g", name, value);
    else
        printf(", \"%s\": null", name);
}

static void print_range(const char *name, double value, seq_interval range, bool json) {
    if (json) {
        printf(", \"%s\": {\"value\": %.9g", name, value);
        if (isfinite(range.low)) printf(", \"low\": %.9g, \"high\": %.9g", range.low, range.high);
        putchar('}');
    } else if (isfinite(range.low)) {
        printf("%-22s %.6g  (95 %%: %.6g to %.6g)\n", name, value, range.low, range.high);
    } else {
        print_value(name, value, false);
    }
}

static void print_result(const texts *texts, bool ends) {
    const text_figures *all = &texts->all;
    const char *split = seq_split_name((seq_split)texts->options->split);
    bool json = texts->options->json;
    double tokens = (double)all->tokens, loss = all->nats / tokens,
           known = (all->nats - all->nats_unk) / (double)(all->tokens - all->unk);
    if (json)
        printf("{\"task\": \"%s\", \"split\": \"%s\"", texts->loaded->schema.task, split);
    else
        printf("%-22s %s\n", "split", split);
    print_value("items", (double)texts->items, json);
    print_value("tokens", tokens, json);
    print_range("loss", loss, texts->loss, json);
    print_range("perplexity", exp(loss),
                (seq_interval){exp(texts->loss.low), exp(texts->loss.high)}, json);
    print_value("bits_per_token", loss / log(2.0), json);
    print_value("accuracy", (double)texts->correct / tokens, json);
    print_value("unk_rate", (double)all->unk / tokens, json);
    print_value("loss_without_unk", known, json);
    print_value("perplexity_without_unk", exp(known), json);
    print_value("seconds", texts->seconds, json);
    if (json && ends) printf("}\n");
}

// The texts of an item as they came, where the part has them.
static void write_texts(FILE *stream, const seq_items *items, int64_t at, const char *raw) {
    size_t size = items->raw ? (size_t)items->raw_sizes[at] : 0;
    const char *cut = size ? memchr(raw, '\n', size) : NULL;
    size_t first = cut ? (size_t)(cut - raw) : size;
    fputc('\t', stream);
    seq_escape_print(stream, raw, first);
    fputc('\t', stream);
    if (cut) seq_escape_print(stream, cut + 1, size - first - 1);
    fputc('\n', stream);
}

static seq_status write_lines(const texts *texts, FILE *stream, seq_error *error) {
    seq_items_room room = {0};
    seq_status status = SEQ_OK;
    int64_t count = (int64_t)texts->items;
    fputs("index\tloss\ttokens\tunknown\tsource\ttarget\n", stream);
    for (int64_t first = 0; !status && first < count; first += SOME) {
        seq_items items = {0};
        int64_t some = count - first < SOME ? count - first : SOME;
        status = seq_dataset_read_items(texts->dataset, (seq_split)texts->options->split, first,
                                        some, &room, &items, error);
        const char *raw = items.raw;
        for (int64_t at = 0; !status && at < some; at++) {
            const text_figures *own = &texts->of_item[first + at];
            fprintf(stream, "%lld\t%.9g\t%lld\t%lld", (long long)(first + at), own->nats,
                    (long long)own->tokens, (long long)own->unk);
            write_texts(stream, &items, at, raw);
            if (raw) raw += items.raw_sizes[at];
        }
    }
    seq_items_room_clear(&room);
    return status;
}

static seq_status write_items(const texts *texts, const char *path, seq_error *error) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    seq_status status = stream ? write_lines(texts, stream, error) : SEQ_OK;
    seq_status closed = seq_memory_stream_close(stream, &text, error, "--per-item %s", path);
    if (!status) status = closed;
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status ? seq_error_add_context(error, "--per-item") : SEQ_OK;
}

seq_status seq_eval_texts(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_dataset *dataset, bool ends, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    const seq_field *target = &schema->fields[schema->target];
    texts texts = {.options = options,
                   .loaded = loaded,
                   .dataset = dataset,
                   .words = seq_dataset_vocabulary_at(dataset, target->vocabulary),
                   .axis = target->axis};
    double begun = seq_clock_seconds();
    if (options->baseline)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--baseline: of labels and numbers, and the answers of the task %s "
                             "are texts",
                             schema->task);
    seq_status status = begin(&texts, error);
    if (!status) status = evaluate(&texts, error);
    if (!status) status = find_interval(&texts, error);
    texts.seconds = seq_clock_seconds() - begun;
    if (!status && options->per_item) status = write_items(&texts, options->per_item, error);
    if (!status) print_result(&texts, ends);
    seq_evaluator_destroy(texts.evaluator);
    seq_workspace_destroy(texts.workspace);
    seq_sampler_destroy(texts.sampler);
    free(texts.of_item);
    return status;
}
