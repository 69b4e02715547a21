// Log-probabilities of given translations, a row for each pair, in order. What a row says is what
// seqpredict says of the same output as its score: the sum, in double, of ln p of its units and its
// end. Pairs are read, cut and numbered by the code that reads raw input for predictions.
// Invariant: a row depends on its pair alone. Test: tests/cli/translate_search.sh.
#include "seqeval_private.h"
#include <inttypes.h>
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/infer/produce.h>
#include <seqtrain/prep/raw_items.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOME = 1024, ROWS = 1 << 16, MEMORY = 1 << 30 }; // pairs and units that wait; of unpacking

// Arrays that grow.
typedef struct list {
    int32_t *ids;
    size_t count, capacity;
} list;

typedef struct pairs {
    const seq_eval_options *options;
    const seq_loaded *loaded;
    const seq_vocabulary *words; // of the target
    double base;                 // natural logarithm of the base
    int source, source_axis, target_axis;
    list source_ids, target_ids, source_lengths, target_lengths;
    FILE *texts; // of the pairs that wait: a line each, escaped
    char *text;
    size_t text_size;
    double *of_row, *of_item;
    size_t row_capacity, item_capacity;
    int64_t line, told, tokens; // read; scored
    double sum;
} pairs;

static seq_status append(list *to, const int32_t *ids, size_t count, seq_error *error) {
    seq_status status =
        seq_grow(&to->ids, &to->capacity, to->count + count + 1, sizeof *ids, "the pairs", error);
    if (!status && count) memcpy(to->ids + to->count, ids, count * sizeof *ids);
    if (!status) to->count += count;
    return status;
}

// ---- Scores.

static void print_row(const pairs *pairs, size_t item, size_t first, const char *text,
                      size_t size) {
    size_t count = (size_t)pairs->target_lengths.ids[item], unknown = 0;
    const int32_t *ids = pairs->target_ids.ids + first;
    double score = pairs->of_item[item] / pairs->base;
    for (size_t t = 0; t < count; t++)
        unknown += ids[t] == seq_vocabulary_unk(pairs->words);
    if (score == 0) score = 0; // no -0
    printf("%.9g\t%zu\t%zu\t%.6f\t", score, count, unknown, score / (double)count);
    fwrite(text, 1, size, stdout);
    putchar('\n');
    for (size_t t = 0; pairs->options->per_token && t < count; t++) {
        size_t length;
        const char *word = seq_vocabulary_text(pairs->words, ids[t], &length);
        printf("  %.6f\t", pairs->of_row[first + t] / pairs->base);
        seq_escape_print(stdout, word, length);
        putchar('\n');
    }
}

static seq_status print_rows(pairs *pairs, seq_error *error) {
    const char *text = pairs->text;
    size_t row = 0;
    for (size_t i = 0; i < pairs->target_lengths.count; i++) {
        size_t count = (size_t)pairs->target_lengths.ids[i];
        const char *end = strchr(text, '\n');
        int64_t line = ++pairs->told;
        if (isnan(pairs->of_item[i]))
            return seq_error_set(error, SEQ_BAD_NUMBER,
                                 "--score: pair %" PRId64 ": the model's answer is no number",
                                 line);
        print_row(pairs, i, row, text, (size_t)(end - text));
        pairs->tokens += (int64_t)count;
        pairs->sum += pairs->of_item[i];
        row += count;
        text = end + 1;
    }
    return seq_standard_flush("writing the scores", error);
}

static seq_status score(pairs *pairs, seq_error *error) {
    const seq_loaded *loaded = pairs->loaded;
    size_t items = pairs->target_lengths.count;
    const seq_producer_config config = {.model = loaded->model,
                                        .weights = &loaded->weights,
                                        .schema = &loaded->schema,
                                        .batch = 64,
                                        .search = {.symbols = seq_vocabulary_size(pairs->words)}};
    seq_items all = {.count = (int64_t)items};
    if (!items) return SEQ_OK;
    all.lengths[pairs->source_axis] = pairs->source_lengths.ids;
    all.lengths[pairs->target_axis] = pairs->target_lengths.ids;
    all.ids[pairs->source] = pairs->source_ids.ids;
    all.ids[loaded->schema.target] = pairs->target_ids.ids;
    seq_status status = seq_grow(&pairs->of_row, &pairs->row_capacity, pairs->target_ids.count,
                                 sizeof *pairs->of_row, "scores", error);
    if (!status)
        status = seq_grow(&pairs->of_item, &pairs->item_capacity, items, sizeof *pairs->of_item,
                          "scores", error);
    if (!status) status = seq_score_outputs(&config, &all, pairs->of_row, pairs->of_item, error);
    if (!status && (fflush(pairs->texts) || ferror(pairs->texts)))
        status = seq_error_set(error, SEQ_NO_MEMORY, "no memory for the texts of the pairs");
    if (!status) status = print_rows(pairs, error);
    rewind(pairs->texts);
    pairs->source_ids.count = pairs->target_ids.count = 0;
    pairs->source_lengths.count = pairs->target_lengths.count = 0;
    return status;
}

// ---- Pairs.

static seq_status take(pairs *pairs, const seq_raw_item *raw, seq_error *error) {
    char what[4200];
    int32_t *ids = NULL, lengths[2] = {(int32_t)raw->length, 0};
    size_t count = 0;
    const char *file = pairs->options->target ? pairs->options->target : raw->item->file;
    int64_t before = pairs->line++;
    snprintf(what, sizeof what, "%.4000s line %" PRId64, file, pairs->line);
    if (raw->item->line != before + 1)
        return seq_item_refuse(raw->item->file, before + 1, 0, error,
                               "no text and tab: expected SOURCE<tab>TARGET");
    seq_status status = seq_vocabulary_encode(pairs->words, raw->target, raw->target_size, true,
                                              what, &ids, &count, error);
    lengths[1] = (int32_t)count;
    if (!status) status = append(&pairs->source_ids, raw->ids, raw->length, error);
    if (!status) status = append(&pairs->target_ids, ids, count, error);
    if (!status) status = append(&pairs->source_lengths, &lengths[0], 1, error);
    if (!status) status = append(&pairs->target_lengths, &lengths[1], 1, error);
    free(ids);
    if (status) return status;
    if (raw->input && raw->input->count)
        seq_escape_print(pairs->texts, raw->input->values->bytes, raw->input->values->size);
    fputc('\t', pairs->texts);
    seq_escape_print(pairs->texts, raw->target, raw->target_size);
    fputc('\n', pairs->texts);
    bool full = pairs->target_lengths.count >= SOME || pairs->target_ids.count >= ROWS ||
                pairs->source_ids.count >= ROWS;
    return full ? score(pairs, error) : SEQ_OK;
}

static seq_status read_all(pairs *pairs, seq_error *error) {
    const seq_eval_options *options = pairs->options;
    const char *const inputs[] = {options->score};
    const seq_raw_settings settings = {
        .schema = &pairs->loaded->schema,
        .vocabularies = (const seq_vocabulary *const *)pairs->loaded->vocabularies,
        .reader = options->target ? "lines" : "tsv",
        .columns = options->target ? NULL : "source=1,target=2",
        .targets = options->target,
        .has_targets = !options->target,
        .inputs = inputs,
        .input_count = 1,
        .memory = MEMORY};
    seq_raw_input *input = NULL;
    seq_raw_item raw;
    bool more = true;
    seq_status status = seq_raw_open(&settings, &input, error);
    while (!status && more) {
        status = seq_raw_next(input, true, &raw, &more, error);
        if (!status && more && raw.is_item) status = take(pairs, &raw, error);
    }
    seq_raw_close(input);
    seq_error own = {0}; // what came before a bad line is scored
    if (score(pairs, &own) && !status) *error = own;
    return error->status;
}

seq_status seq_eval_pairs(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error) {
    const double bases[] = {1, log(10.0), log(2.0)};
    const seq_schema *schema = &loaded->schema;
    pairs pairs = {.options = options,
                   .loaded = loaded,
                   .words = loaded->vocabularies[schema->fields[schema->target].vocabulary],
                   .base = bases[options->log_base],
                   .source = seq_schema_find_input(schema),
                   .target_axis = schema->fields[schema->target].axis};
    pairs.source_axis = schema->fields[pairs.source].axis;
    pairs.texts = open_memstream(&pairs.text, &pairs.text_size);
    seq_status status = pairs.texts
                            ? read_all(&pairs, error)
                            : seq_error_set(error, SEQ_NO_MEMORY, "no memory for the texts");
    if (!status && pairs.tokens)
        seq_log_info("%" PRId64 " pairs, %" PRId64 " tokens: log-probability %.4f, perplexity %.4f",
                     pairs.told, pairs.tokens, pairs.sum / pairs.base,
                     exp(-pairs.sum / (double)pairs.tokens));
    if (pairs.texts) fclose(pairs.texts);
    void *const blocks[] = {pairs.text,
                            pairs.of_row,
                            pairs.of_item,
                            pairs.source_ids.ids,
                            pairs.target_ids.ids,
                            pairs.source_lengths.ids,
                            pairs.target_lengths.ids};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    return status ? seq_error_add_context(error, "--score") : SEQ_OK;
}
