// Log-probabilities of sentences, one a line.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/standard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct scoring {
    const seq_eval_options *options;
    const seq_loaded *loaded;
    seq_scorer *scorer;
    double base; // natural logarithm of the base
    const char *name;
    int64_t line;
    float *log_probabilities;
    size_t capacity;
    seq_score total;
} scoring;

static void print_tokens(const scoring *scoring, const int32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *text = seq_vocabulary_text(scoring->loaded->vocabulary, ids[i], NULL);
        printf("  %.6f\t%s\n", scoring->log_probabilities[i] / scoring->base,
               strcmp(text, "\n") == 0 ? "\\n" : text);
    }
}

static seq_status score_ids(scoring *scoring, const int32_t *ids, size_t count, const char *text,
                            seq_error *error) {
    const seq_vocabulary *vocabulary = scoring->loaded->vocabulary;
    seq_score score = {0};
    seq_status status = seq_grow(&scoring->log_probabilities, &scoring->capacity, count + 1,
                                 sizeof(float), "log-probabilities", error);
    if (status) return status;
    seq_scorer_run(scoring->scorer, ids, count, scoring->log_probabilities);
    seq_score_add(&score, vocabulary, ids, scoring->log_probabilities, count);
    seq_score_add(&scoring->total, vocabulary, ids, scoring->log_probabilities, count);
    double log_probability = -score.nats / scoring->base;
    printf("%.6f\t%lld\t%lld\t%.6f\t%s\n", log_probability == 0 ? 0.0 : log_probability,
           (long long)score.tokens, (long long)score.tokens_unk,
           score.tokens ? log_probability / (double)score.tokens : 0.0, text);
    if (scoring->options->per_token) print_tokens(scoring, ids, count);
    return SEQ_OK;
}

static seq_status encode_line(const scoring *scoring, const char *text, size_t size,
                              int32_t **out_ids, size_t *out_count, seq_error *error) {
    char what[4096];
    snprintf(what, sizeof what, "%.4000s line %lld", scoring->name, (long long)scoring->line);
    return seq_vocabulary_encode(scoring->loaded->vocabulary, text, size, true, what, out_ids,
                                 out_count, error);
}

// In a running text the line end of characters and bytes counts, too; where the model has <eos>,
// that stands for it.
static bool counts_line_end(const scoring *scoring) {
    const seq_text_rules *rules = seq_vocabulary_rules(scoring->loaded->vocabulary);
    return scoring->options->carry && rules->eos == SEQ_EOS_NONE && rules->unit != SEQ_UNIT_WORD;
}

static size_t without_line_end(const char *text, size_t size) {
    while (size && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    return size;
}

static seq_status score_line(scoring *scoring, char *text, size_t size, seq_error *error) {
    int32_t *ids = NULL;
    size_t count = 0, bare = without_line_end(text, size);
    seq_status status =
        encode_line(scoring, text, counts_line_end(scoring) ? size : bare, &ids, &count, error);
    text[bare] = '\0';
    if (!status) status = score_ids(scoring, ids, count, text, error);
    free(ids);
    return status;
}

static seq_status score_lines(scoring *scoring, FILE *stream, seq_error *error) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    seq_status status = SEQ_OK;
    while (!status && (length = getline(&line, &capacity, stream)) >= 0) {
        scoring->line++;
        status = score_line(scoring, line, (size_t)length, error);
        if (!status && ferror(stdout)) status = seq_standard_flush("writing the scores", error);
    }
    if (!status && ferror(stream)) status = seq_error_set_errno(error, "reading %s", scoring->name);
    free(line);
    return status;
}

static void print_total(const scoring *scoring) {
    const seq_score *total = &scoring->total;
    if (total->tokens)
        seq_log_info("%lld lines, %lld tokens: log-probability %.4f, perplexity %.4f",
                     (long long)scoring->line, (long long)total->tokens,
                     -total->nats / scoring->base, exp(total->nats / (double)total->tokens));
}

seq_status seq_eval_score(const seq_eval_options *options, const seq_loaded *loaded,
                          seq_error *error) {
    const double bases[] = {1, log(10.0), log(2.0)};
    bool standard = strcmp(options->score, "-") == 0;
    scoring scoring = {.options = options,
                       .loaded = loaded,
                       .base = bases[options->log_base],
                       .name = standard ? "standard input" : options->score};
    FILE *stream = standard ? stdin : fopen(options->score, "re");
    if (!stream) return seq_error_set_errno(error, "--score: opening %s", options->score);
    seq_status status =
        seq_scorer_create(loaded->model, &loaded->weights, options->carry, &scoring.scorer, error);
    if (!status) status = score_lines(&scoring, stream, error);
    if (!status) print_total(&scoring);
    seq_scorer_destroy(scoring.scorer);
    free(scoring.log_probabilities);
    if (!standard) fclose(stream);
    return status;
}
