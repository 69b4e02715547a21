// A model that writes texts (translate and others whose target is a sequence of
// tokens with its own end), on a split: how probable the given texts are. Loss is
// -ln p a token, <eos> included, without label smoothing; perplexity e^loss; bits
// are nats / ln 2. Intervals are those of resampled items. Invariant: an item's
// figures are sums in the order of its tokens, and the split's in the order of
// items, so no figure depends on --batch. Test: tests/cli/translate.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/clock.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/items.h>
#include <stdlib.h>
#include <string.h>

enum { SOME = 4096 }; // items read at once

typedef struct text_figures {
    double nats, nats_unk;
    int64_t tokens, unk;
} text_figures;

typedef struct texts {
    const seq_eval_options *options;
    const seq_loaded *loaded;
    seq_dataset *dataset;
    const seq_vocabulary *words; // of the target
    size_t items;
    text_figures *of_item; // (items)
    text_figures all;
    int64_t correct;
    seq_interval loss;
    double seconds;
} texts;

static void add(text_figures *to, const text_figures *from) {
    to->nats += from->nats;
    to->nats_unk += from->nats_unk;
    to->tokens += from->tokens;
    to->unk += from->unk;
}

// ---- The model's probabilities.

static void take_token(void *context, size_t item, int32_t id, double nats) {
    texts *texts = context;
    bool unk = id == seq_vocabulary_unk(texts->words);
    add(&texts->of_item[item], &(text_figures){nats, unk ? nats : 0, 1, unk});
}

static seq_status evaluate(texts *texts, seq_error *error) {
    seq_status status = seq_eval_count_items(texts->options, texts->dataset, &texts->items, error);
    if (!status)
        status = seq_allocate(&texts->of_item, texts->items, sizeof *texts->of_item,
                              "figures of items", error);
    if (!status)
        status = seq_eval_tokens(texts->options, texts->loaded, texts->dataset, take_token, texts,
                                 &texts->correct, error);
    for (size_t i = 0; !status && i < texts->items; i++)
        add(&texts->all, &texts->of_item[i]);
    return status;
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
    int resamples = (int)texts->options->resamples;
    double *samples = NULL;
    texts->loss = (seq_interval){NAN, NAN};
    if (!resamples) return SEQ_OK;
    seq_status status =
        seq_allocate(&samples, (size_t)resamples, sizeof *samples, "resamples", error);
    if (!status)
        status = seq_eval_resample(&statistic, 1, texts->items, resamples, texts->options->seed,
                                   samples, error);
    if (!status) texts->loss = seq_interval_find(samples, resamples);
    free(samples);
    return status;
}

// ---- Output.

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
    seq_eval_print_number("items", (double)texts->items, json);
    seq_eval_print_number("tokens", tokens, json);
    seq_eval_print_range("loss", loss, texts->loss, json);
    seq_eval_print_range("perplexity", exp(loss),
                         (seq_interval){exp(texts->loss.low), exp(texts->loss.high)}, json);
    seq_eval_print_number("bits_per_token", loss / log(2.0), json);
    seq_eval_print_number("accuracy", (double)texts->correct / tokens, json);
    seq_eval_print_number("unk_rate", (double)all->unk / tokens, json);
    seq_eval_print_number("loss_without_unk", known, json);
    seq_eval_print_number("perplexity_without_unk", exp(known), json);
    seq_eval_print_number("seconds", texts->seconds, json);
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

static seq_status write_lines(const void *context, FILE *stream, seq_error *error) {
    const texts *texts = context;
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

seq_status seq_eval_texts(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_dataset *dataset, bool ends, seq_error *error) {
    const seq_schema *schema = seq_dataset_schema(dataset);
    const seq_field *target = &schema->fields[schema->target];
    texts texts = {.options = options,
                   .loaded = loaded,
                   .dataset = dataset,
                   .words = seq_dataset_vocabulary_at(dataset, target->vocabulary)};
    double begun = seq_clock_seconds();
    if (options->baseline)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--baseline: of labels and numbers, and the answers of the task %s "
                             "are texts",
                             schema->task);
    seq_status status = evaluate(&texts, error);
    if (!status) status = find_interval(&texts, error);
    texts.seconds = seq_clock_seconds() - begun;
    if (!status && options->per_item)
        status = seq_eval_write_table(options->per_item, write_lines, &texts, error);
    if (!status) print_result(&texts, ends);
    free(texts.of_item);
    return status;
}
