// Shallow fusion: a language model's ln p of prefixes. Each place of a reader holds the state
// behind one prefix and ln p of its next symbols. A read gathers states into a batch of one time
// step, runs the model and scatters the new states. Invariant: a row of a batch has the same bits
// alone, so results do not depend on the other prefixes. Test: tests/unit/infer/test_language.c
// (against seq_scorer).
#include <seqtrain/infer/language.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/batch/rectangle.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_BY_SIDE = 64, NAMED = 10 }; // rows of a batch; symbols that a message names

static seq_status refuse(const seq_vocabulary *tokens, const seq_vocabulary *symbols,
                         const int32_t *ids, int count, const char *what, seq_error *error) {
    char names[NAMED * 32] = "";
    int unknown = 0;
    for (int k = 1; k < count; k++)
        if (ids[k] == SEQ_NO_ID && unknown++ < NAMED) {
            size_t used = strlen(names);
            snprintf(names + used, sizeof names - used, " '%.20s'",
                     seq_vocabulary_text(symbols, k, NULL));
        }
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%s: the language model does not know %d of the %d symbols:%s%s%s", what,
                         unknown, count - 1, names, unknown > NAMED ? " ..." : "",
                         seq_vocabulary_unk(tokens) == SEQ_NO_ID ? ", and has no <unk>" : "");
}

seq_status seq_language_create(const seq_model *model, const seq_weights *weights,
                               const seq_vocabulary *tokens, const seq_vocabulary *symbols,
                               bool unknown, const char *what, seq_language *out, int *out_unknown,
                               seq_error *error) {
    int count = seq_vocabulary_size(symbols), unk = seq_vocabulary_unk(tokens);
    bool missing = false;
    *out = (seq_language){.model = model, .weights = weights, .symbols = count};
    *out_unknown = 0;
    seq_status status = seq_allocate(&out->ids, (size_t)count, sizeof *out->ids, what, error);
    if (status) return status;
    out->ids[0] = seq_vocabulary_eos(tokens);
    for (int k = 1; k < count; k++) {
        size_t size = 0;
        const char *text = seq_vocabulary_text(symbols, k, &size);
        out->ids[k] = seq_vocabulary_find(tokens, text, size);
        if (out->ids[k] == SEQ_NO_ID && unknown) {
            out->ids[k] = unk;
            ++*out_unknown;
        }
        missing = missing || out->ids[k] == SEQ_NO_ID;
    }
    if (missing) {
        status = refuse(tokens, symbols, out->ids, count, what, error);
        seq_language_clear(out);
    }
    return status;
}

void seq_language_clear(seq_language *language) {
    free(language->ids);
    *language = (seq_language){0};
}

struct seq_language_reader {
    const seq_language *language;
    seq_workspace *workspace;
    seq_rectangle rectangle;
    float *state, *scores; // of a batch
    size_t state_size;     // of one sequence
    float *states, *next;  // (places, state_size), (places, K)
    size_t state_capacity, next_capacity;
};

seq_status seq_language_reader_create(const seq_language *language, seq_language_reader **out,
                                      seq_error *error) {
    const char *what = "reading with a language model";
    const seq_limits limits = seq_rectangle_limits(SIDE_BY_SIDE, 1);
    size_t vocabulary = (size_t)seq_model_get_config(language->model)->vocabulary;
    seq_language_reader *reader = NULL;
    seq_status status = seq_allocate(&reader, 1, sizeof *reader, what, error);
    if (status) return status;
    reader->language = language;
    reader->state_size = seq_model_state_size(language->model, 1);
    status = seq_workspace_create(language->model, &limits, 1, SEQ_USE_EVALUATION,
                                  &reader->workspace, error);
    if (!status) status = seq_rectangle_create(SIDE_BY_SIDE, 1, &reader->rectangle, error);
    if (!status)
        status = seq_allocate(&reader->state, SIDE_BY_SIDE * reader->state_size, sizeof(float),
                              what, error);
    if (!status)
        status =
            seq_allocate(&reader->scores, SIDE_BY_SIDE * vocabulary, sizeof(float), what, error);
    if (status)
        seq_language_reader_destroy(reader);
    else
        *out = reader;
    return status;
}

void seq_language_reader_destroy(seq_language_reader *reader) {
    if (!reader) return;
    seq_workspace_destroy(reader->workspace);
    seq_rectangle_clear(&reader->rectangle);
    free(reader->state);
    free(reader->scores);
    free(reader->states);
    free(reader->next);
    free(reader);
}

seq_status seq_language_reserve(seq_language_reader *reader, int places, seq_error *error) {
    const char *what = "the states of a language model";
    seq_status status = seq_grow(&reader->states, &reader->state_capacity,
                                 (size_t)places * reader->state_size, sizeof(float), what, error);
    return status ? status
                  : seq_grow(&reader->next, &reader->next_capacity,
                             (size_t)places * (size_t)reader->language->symbols, sizeof(float),
                             what, error);
}

// ln p of the symbols, from scores (V) up to a constant.
static void keep_next(const seq_language *language, const float *scores, float *next) {
    int vocabulary = seq_model_get_config(language->model)->vocabulary;
    double sum = 0;
    float largest = -INFINITY;
    for (int v = 0; v < vocabulary; v++)
        if (scores[v] > largest) largest = scores[v];
    for (int v = 0; v < vocabulary; v++)
        sum += exp((double)(scores[v] - largest));
    double log_sum = (double)largest + log(sum);
    for (int k = 0; k < language->symbols; k++)
        next[k] =
            language->ids[k] == SEQ_NO_ID ? 0 : (float)((double)scores[language->ids[k]] - log_sum);
}

static void read_batch(seq_language_reader *reader, int count, const int32_t *from,
                       const int32_t *to, const int32_t *symbols) {
    const seq_language *language = reader->language;
    size_t vocabulary = (size_t)seq_model_get_config(language->model)->vocabulary,
           size = reader->state_size;
    seq_rectangle_shape(&reader->rectangle, count, 1, 0);
    memset(reader->state, 0, (size_t)count * size * sizeof(float));
    for (int i = 0; i < count; i++) {
        reader->rectangle.inputs[i] = symbols[i] ? language->ids[symbols[i]] : SEQ_NO_ID;
        reader->rectangle.targets[i] = SEQ_NO_ID;
        if (symbols[i])
            seq_model_state_copy(language->model, reader->states + (size_t)from[i] * size, 1, 0,
                                 reader->state, count, i);
    }
    const seq_feed feed = {.batch = &reader->rectangle.batch, .state = reader->state};
    seq_model_forward(language->model, reader->workspace, language->weights, &feed);
    seq_model_scores(language->model, reader->workspace, language->weights, &feed, 0, (size_t)count,
                     reader->scores);
    for (int i = 0; i < count; i++) {
        seq_model_state_copy(language->model, reader->state, count, i,
                             reader->states + (size_t)to[i] * size, 1, 0);
        keep_next(language, reader->scores + (size_t)i * vocabulary,
                  reader->next + (size_t)to[i] * (size_t)language->symbols);
    }
}

void seq_language_read(seq_language_reader *reader, int count, const int32_t *from,
                       const int32_t *to, const int32_t *symbols) {
    for (int first = 0; first < count; first += SIDE_BY_SIDE)
        read_batch(reader, count - first < SIDE_BY_SIDE ? count - first : SIDE_BY_SIDE,
                   from + first, to + first, symbols + first);
}

const float *seq_language_next(const seq_language_reader *reader, int32_t place) {
    return reader->next + (size_t)place * (size_t)reader->language->symbols;
}
