// Transcribes items in memory. The predictor runs the model; each of its threads
// searches the scores of its batch with a search of its own, and writes results to
// the items' places. Invariant: results do not depend on the order of work; of
// several failures that of the first item is reported.
// Tests: tests/cli/transcribe.sh, tests/unit/infer/test_ctc_search.c.
#include <seqtrain/infer/transcribe.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

// A thread's own.
typedef struct searcher {
    seq_ctc_search *search;
    seq_symbol_times times;
    int64_t failed; // the first item; -1: none
    seq_error error;
} searcher;

// Arrays that grow and stay.
typedef struct answer {
    seq_transcript *alternatives;
    int32_t *labels;
    seq_symbol_time *times;
    size_t capacity[3];
} answer;

struct seq_transcriber {
    seq_transcriber_config config;
    seq_predictor *predictor;
    int threads;
    searcher *searchers;
    answer *answers;
    size_t answer_capacity;
    seq_transcribed *out;
    size_t out_capacity;
    // Of the items at hand: where each one's given labels begin.
    const seq_items *items;
    const double *begins;
    size_t *first;
    size_t first_capacity;
};

// ---- One item.

static seq_status take_found(const seq_ctc_found *found, answer *answer, seq_transcribed *out,
                             seq_error *error) {
    size_t labels = 0;
    for (int i = 0; i < found->count; i++)
        labels += (size_t)found->sequences[i].length;
    seq_status status =
        seq_grow(&answer->alternatives, &answer->capacity[0], (size_t)found->count + 1,
                 sizeof *answer->alternatives, "transcripts", error);
    if (!status)
        status = seq_grow(&answer->labels, &answer->capacity[1], labels + 1, sizeof *answer->labels,
                          "transcripts", error);
    if (status) return status;
    labels = 0;
    for (int i = 0; i < found->count; i++) {
        const seq_ctc_sequence *from = &found->sequences[i];
        size_t length = (size_t)from->length;
        int32_t *to = answer->labels + labels;
        if (length) memcpy(to, from->labels, length * sizeof *to);
        answer->alternatives[i] = (seq_transcript){from->score, from->log_probability, length, to};
        labels += length;
    }
    out->found = found->count;
    out->alternatives = answer->alternatives;
    return SEQ_OK;
}

static seq_status find(const seq_transcriber *transcriber, searcher *searcher, int64_t item,
                       const float *scores, int frames, seq_ctc_found *out, seq_error *error) {
    size_t begin = transcriber->first[item], end = transcriber->first[item + 1];
    int field = transcriber->config.schema->target;
    switch (transcriber->config.how) {
    case SEQ_TRANSCRIBE_BEAM:
        return seq_ctc_search_beam(searcher->search, scores, frames, out, error);
    case SEQ_TRANSCRIBE_EXACT:
        return seq_ctc_search_exact(searcher->search, scores, frames, out, error);
    case SEQ_TRANSCRIBE_ALIGN:
        return seq_ctc_search_given(searcher->search, scores, frames,
                                    transcriber->items->ids[field] + begin, (int)(end - begin), out,
                                    error);
    case SEQ_TRANSCRIBE_BEST_PATH:
        break;
    }
    return seq_ctc_search_greedy(searcher->search, scores, frames, out, error);
}

static seq_status align(const seq_transcriber *transcriber, searcher *searcher, int64_t number,
                        const float *scores, answer *answer, seq_transcribed *out,
                        seq_error *error) {
    const seq_transcript *best = &answer->alternatives[0];
    const seq_ctc_item item = {.frames = out->frames,
                               .symbols = (size_t)transcriber->config.search.symbols,
                               .labels = best->length,
                               .logits = scores,
                               .ids = best->labels};
    double begin = transcriber->begins ? transcriber->begins[number] : 0;
    seq_status status = seq_symbol_times_find(&searcher->times, &item, begin,
                                              transcriber->config.frame_shift, error);
    if (!status)
        status = seq_grow(&answer->times, &answer->capacity[2], best->length + 1,
                          sizeof *answer->times, "an alignment", error);
    if (status) return status;
    if (best->length)
        memcpy(answer->times, searcher->times.list, best->length * sizeof *answer->times);
    out->times = answer->times;
    return SEQ_OK;
}

static seq_status search(const seq_transcriber *transcriber, searcher *searcher, int64_t item,
                         const float *scores, size_t frames, seq_error *error) {
    answer *answer = &transcriber->answers[item];
    seq_transcribed *out = &transcriber->out[item];
    seq_ctc_found found = {0};
    *out = (seq_transcribed){.frames = frames};
    seq_status status = find(transcriber, searcher, item, scores, (int)frames, &found, error);
    if (!status) status = take_found(&found, answer, out, error);
    out->not_a_number =
        !found.count && transcriber->config.how != SEQ_TRANSCRIBE_ALIGN && isnan(found.best_path);
    if (status || !out->found || !transcriber->config.times) return status;
    return align(transcriber, searcher, item, scores, answer, out, error);
}

static void take_item(void *context, int thread, int64_t item, const float *scores, size_t rows) {
    const seq_transcriber *transcriber = context;
    searcher *searcher = &transcriber->searchers[thread];
    seq_error error = {0};
    if (!search(transcriber, searcher, item, scores, rows, &error)) return;
    if (searcher->failed >= 0 && searcher->failed < item) return;
    searcher->failed = item;
    searcher->error = error;
}

// ---- All of it.

seq_status seq_transcriber_create(const seq_transcriber_config *config, seq_transcriber **out,
                                  seq_error *error) {
    seq_transcriber *transcriber = NULL;
    seq_status status = seq_allocate(&transcriber, 1, sizeof *transcriber, "transcripts", error);
    if (status) return status;
    const seq_predictor_config predictor = {.model = config->model,
                                            .weights = config->weights,
                                            .schema = config->schema,
                                            .classes = config->search.symbols,
                                            .best = 1,
                                            .batch = config->batch,
                                            .team = config->team,
                                            .search = take_item,
                                            .search_context = transcriber};
    transcriber->config = *config;
    transcriber->threads = seq_team_size(config->team);
    status = seq_allocate(&transcriber->searchers, (size_t)transcriber->threads,
                          sizeof *transcriber->searchers, "transcripts", error);
    for (int i = 0; !status && i < transcriber->threads; i++)
        status = seq_ctc_search_create(&config->search, &transcriber->searchers[i].search, error);
    if (!status) status = seq_predictor_create(&predictor, &transcriber->predictor, error);
    if (status)
        seq_transcriber_destroy(transcriber);
    else
        *out = transcriber;
    return status;
}

void seq_transcriber_destroy(seq_transcriber *transcriber) {
    if (!transcriber) return;
    seq_predictor_destroy(transcriber->predictor);
    for (int i = 0; transcriber->searchers && i < transcriber->threads; i++) {
        seq_ctc_search_destroy(transcriber->searchers[i].search);
        seq_symbol_times_clear(&transcriber->searchers[i].times);
    }
    for (size_t i = 0; i < transcriber->answer_capacity; i++) {
        free(transcriber->answers[i].alternatives);
        free(transcriber->answers[i].labels);
        free(transcriber->answers[i].times);
    }
    free(transcriber->searchers);
    free(transcriber->answers);
    free(transcriber->out);
    free(transcriber->first);
    free(transcriber);
}

static seq_status prepare(seq_transcriber *transcriber, const seq_items *items, seq_error *error) {
    const seq_schema *schema = transcriber->config.schema;
    const int32_t *lengths = items->lengths[schema->fields[schema->target].axis];
    size_t count = (size_t)items->count;
    seq_status status = seq_grow(&transcriber->answers, &transcriber->answer_capacity, count,
                                 sizeof *transcriber->answers, "transcripts", error);
    if (!status)
        status = seq_grow(&transcriber->out, &transcriber->out_capacity, count,
                          sizeof *transcriber->out, "transcripts", error);
    if (!status)
        status = seq_grow(&transcriber->first, &transcriber->first_capacity, count + 1,
                          sizeof *transcriber->first, "transcripts", error);
    for (size_t i = 0; !status && i < count; i++)
        transcriber->first[i + 1] = transcriber->first[i] + (size_t)lengths[i];
    for (int i = 0; i < transcriber->threads; i++)
        transcriber->searchers[i].failed = -1;
    transcriber->items = items;
    return status;
}

seq_status seq_transcribe(seq_transcriber *transcriber, const seq_items *items,
                          const double *begins, const seq_transcribed **out, int64_t *out_failed,
                          seq_error *error) {
    seq_predicted none;
    const searcher *first = NULL;
    seq_status status = prepare(transcriber, items, error);
    transcriber->begins = begins;
    if (!status) status = seq_predict(transcriber->predictor, items, &none, error);
    for (int i = 0; !status && i < transcriber->threads; i++) {
        const searcher *own = &transcriber->searchers[i];
        if (own->failed >= 0 && (!first || own->failed < first->failed)) first = own;
    }
    *out_failed = first ? first->failed : -1;
    if (first) status = seq_error_set(error, first->error.status, "%s", first->error.text);
    if (status) return status;
    *out = transcriber->out;
    return SEQ_OK;
}
