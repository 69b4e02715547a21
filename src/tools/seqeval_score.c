// Log-probabilities of sentences, one a line. Each line of the input gives one line of the table,
// in order, so the table can be pasted beside the input. A line that cannot be scored has "-" in
// place of its figures and a warning with the reason; the others are scored as if it were not
// there, and the exit code is 3. Texts are escaped: a row is one line, whatever the text holds.
// Tested by tests/cli/scored_lines.sh.
#include "seqeval_private.h"
#include <math.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/standard.h>
#include <seqtrain/data/text_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_LIMIT = 1 << 26, // bytes
    SHOWN = 200,          // of a longer line
    TOLD = 10,            // failures, one by one
};

typedef struct scoring {
    const seq_eval_options *options;
    const seq_loaded *loaded;
    seq_scorer *scorer;
    double base; // natural logarithm of the base
    const char *name;
    char *text; // the line: `size` bytes, then `end_size` of its end
    size_t size, end_size, text_capacity;
    bool too_long;
    int64_t line, failed;
    float *log_probabilities;
    size_t capacity;
    seq_score total;
} scoring;

static void print_tokens(const scoring *scoring, const int32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *text = seq_vocabulary_text(scoring->loaded->vocabulary, ids[i], &size);
        printf("  %.6f\t", scoring->log_probabilities[i] / scoring->base);
        seq_escape_print(stdout, text, size);
        putchar('\n');
    }
}

static seq_status score_ids(scoring *scoring, const int32_t *ids, size_t count, seq_error *error) {
    const seq_vocabulary *vocabulary = scoring->loaded->vocabulary;
    seq_score score = {0};
    seq_status status = seq_grow(&scoring->log_probabilities, &scoring->capacity, count + 1,
                                 sizeof(float), "log-probabilities", error);
    if (status) return status;
    seq_scorer_run(scoring->scorer, ids, count, scoring->log_probabilities);
    seq_score_add(&score, vocabulary, ids, scoring->log_probabilities, count);
    seq_score_add(&scoring->total, vocabulary, ids, scoring->log_probabilities, count);
    double log_probability = -score.nats / scoring->base;
    printf("%.6f\t%lld\t%lld\t%.6f\t", log_probability == 0 ? 0.0 : log_probability,
           (long long)score.tokens, (long long)score.tokens_unk,
           score.tokens ? log_probability / (double)score.tokens : 0.0);
    seq_escape_print(stdout, scoring->text, scoring->size);
    putchar('\n');
    if (scoring->options->per_token) print_tokens(scoring, ids, count);
    return SEQ_OK;
}

// In a running text the line end of characters and bytes counts, too; where the model has <eos>,
// that stands for it.
static bool counts_line_end(const scoring *scoring) {
    const seq_text_rules *rules = seq_vocabulary_rules(scoring->loaded->vocabulary);
    return scoring->options->carry && rules->eos == SEQ_EOS_NONE && rules->unit < SEQ_UNIT_WORD;
}

static seq_status encode_line(const scoring *scoring, int32_t **out_ids, size_t *out_count,
                              seq_error *error) {
    char what[4096];
    snprintf(what, sizeof what, "%.4000s line %lld", scoring->name, (long long)scoring->line);
    if (scoring->too_long)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: more than %d bytes", what, LINE_LIMIT);
    bool whole = counts_line_end(scoring);
    return seq_vocabulary_encode(scoring->loaded->vocabulary, scoring->text,
                                 scoring->size + (whole ? scoring->end_size : 0), true, what,
                                 out_ids, out_count, error);
}

static void mark_line(scoring *scoring, const char *why) {
    if (++scoring->failed <= TOLD) seq_log_warning("%s", why);
    if (scoring->failed == TOLD)
        seq_log_warning("further lines that cannot be scored are marked -");
    printf("-\t-\t-\t-\t");
    seq_escape_print(stdout, scoring->text, scoring->too_long ? SHOWN : scoring->size);
    puts(scoring->too_long ? "..." : "");
}

static seq_status score_line(scoring *scoring, seq_error *error) {
    int32_t *ids = NULL;
    size_t count = 0;
    seq_error reason = {0};
    seq_status status = encode_line(scoring, &ids, &count, &reason);
    if (!status)
        status = score_ids(scoring, ids, count, error);
    else if (status == SEQ_BAD_INPUT) {
        mark_line(scoring, reason.text);
        status = SEQ_OK;
    } else
        seq_error_set(error, status, "%s", reason.text);
    free(ids);
    return status;
}

static bool is_line_end(char byte) {
    return byte == '\n' || byte == '\r';
}

// False at the end of the stream, or with an error. Line ends of a text are LF and CRLF; bytes
// beyond the limit are read and dropped.
static bool read_line(scoring *scoring, FILE *stream, seq_error *error) {
    size_t size = 0;
    int byte;
    scoring->too_long = false;
    while ((byte = getc_unlocked(stream)) != EOF) {
        if (size + 2 > scoring->text_capacity &&
            seq_grow(&scoring->text, &scoring->text_capacity, size + 4096, 1, "a line", error))
            return false;
        if (size < LINE_LIMIT)
            scoring->text[size++] = (char)byte;
        else
            scoring->too_long |= byte != '\n';
        if (byte == '\n') break;
    }
    if (ferror(stream)) seq_error_set_errno(error, "--score: reading %s", scoring->name);
    scoring->size = size;
    while (scoring->size && is_line_end(scoring->text[scoring->size - 1]))
        scoring->size--;
    scoring->end_size = size - scoring->size;
    scoring->line += size > 0;
    return size > 0 && !error->status;
}

// After the first line has been read: by the beginning of the file, or of a pipe by that line. A
// model of bytes reads any file.
static seq_status check_form(const scoring *scoring, FILE *stream, seq_error *error) {
    char head[4096];
    if (seq_vocabulary_rules(scoring->loaded->vocabulary)->unit == SEQ_UNIT_BYTE) return SEQ_OK;
    ssize_t got = pread(fileno(stream), head, sizeof head, 0);
    seq_status status = got > 0 ? seq_form_check_text(scoring->name, head, (size_t)got, error)
                                : seq_form_check_text(scoring->name, scoring->text,
                                                      scoring->size + scoring->end_size, error);
    return status ? seq_error_add_context(error, "--score") : SEQ_OK;
}

static seq_status score_lines(scoring *scoring, FILE *stream, seq_error *error) {
    seq_status status = SEQ_OK;
    while (!status && read_line(scoring, stream, error)) {
        if (scoring->line == 1) status = check_form(scoring, stream, error);
        if (!status) status = score_line(scoring, error);
        if (!status && ferror(stdout)) status = seq_standard_flush("writing the scores", error);
    }
    return error->status;
}

static void print_total(const scoring *scoring) {
    const seq_score *total = &scoring->total;
    if (total->tokens)
        seq_log_info("%lld lines, %lld tokens: log-probability %.4f, perplexity %.4f",
                     (long long)(scoring->line - scoring->failed), (long long)total->tokens,
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
    if (!status && scoring.failed)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "--score: %lld of the %lld lines of %s cannot be scored and are "
                               "marked -; the others are scored",
                               (long long)scoring.failed, (long long)scoring.line, scoring.name);
    seq_scorer_destroy(scoring.scorer);
    free(scoring.log_probabilities);
    free(scoring.text);
    if (!standard) fclose(stream);
    return status;
}
