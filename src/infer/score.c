// Scores a sequence in windows of 256 tokens, whose state is carried: ln p of
// each token given all before it (chain rule). Invariant: memory is bounded,
// and the cut into windows does not matter, since every window begins with the
// state and the token before it. Tests: tests/unit/infer/test_score.c,
// tests/cli/scored_lines.sh.
#include <seqtrain/infer/score.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/data/subword.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256 }; // tokens at once

struct seq_scorer {
    const seq_model *model;
    const seq_weights *weights;
    bool carry;
    seq_workspace *workspace;
    float *state;
    size_t state_size;
    seq_rectangle rectangle; // one stream
    int32_t before;          // the token before the next one
};

seq_status seq_scorer_create(const seq_model *model, const seq_weights *weights, bool carry,
                             seq_scorer **out, seq_error *error) {
    seq_scorer *scorer = NULL;
    seq_status status = seq_allocate(&scorer, 1, sizeof *scorer, "a scorer", error);
    if (status) return status;
    scorer->model = model;
    scorer->weights = weights;
    scorer->carry = carry;
    scorer->before = SEQ_NO_ID;
    scorer->state_size = seq_model_state_size(model, 1);
    const seq_limits limits = seq_rectangle_limits(1, WINDOW);
    status = seq_workspace_create(model, &limits, 1, SEQ_USE_EVALUATION, &scorer->workspace, error);
    if (!status) status = seq_rectangle_create(1, WINDOW, &scorer->rectangle, error);
    if (!status)
        status = seq_allocate(&scorer->state, scorer->state_size, sizeof(float),
                              "the state of a scorer", error);
    if (status)
        seq_scorer_destroy(scorer);
    else
        *out = scorer;
    return status;
}

void seq_scorer_destroy(seq_scorer *scorer) {
    if (scorer) {
        seq_workspace_destroy(scorer->workspace);
        seq_rectangle_clear(&scorer->rectangle);
        free(scorer->state);
    }
    free(scorer);
}

static void run_window(seq_scorer *scorer, const int32_t *ids, int count,
                       float *log_probabilities) {
    seq_rectangle *rectangle = &scorer->rectangle;
    seq_rectangle_shape(rectangle, 1, count, 0);
    rectangle->inputs[0] = scorer->before;
    memcpy(rectangle->inputs + 1, ids, (size_t)(count - 1) * sizeof *ids);
    memcpy(rectangle->targets, ids, (size_t)count * sizeof *ids);
    scorer->before = ids[count - 1];
    const seq_feed feed = {.batch = &rectangle->batch, .state = scorer->state};
    seq_model_evaluate(scorer->model, scorer->workspace, scorer->weights, &feed,
                       &(seq_losses){.of_row = log_probabilities});
}

void seq_scorer_run(seq_scorer *scorer, const int32_t *ids, size_t count,
                    float *log_probabilities) {
    if (!scorer->carry) {
        memset(scorer->state, 0, scorer->state_size * sizeof(float));
        scorer->before = SEQ_NO_ID;
    }
    for (size_t start = 0; start < count; start += WINDOW)
        run_window(scorer, ids + start, count - start < WINDOW ? (int)(count - start) : WINDOW,
                   log_probabilities + start);
}

static bool ends_word(const seq_vocabulary *vocabulary, int id) {
    size_t size;
    const char *text = seq_vocabulary_text(vocabulary, id, &size);
    return seq_vocabulary_subword(vocabulary) && !seq_subword_continues(text, &size);
}

void seq_score_add(seq_score *score, const seq_vocabulary *vocabulary, const int32_t *ids,
                   const float *log_probabilities, size_t count) {
    int unk = seq_vocabulary_unk(vocabulary);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < 0) continue;
        score->nats -= log_probabilities[i];
        score->tokens++;
        score->characters += seq_vocabulary_characters(vocabulary, ids[i]);
        score->words += ends_word(vocabulary, ids[i]);
        if (ids[i] != unk) continue;
        score->nats_unk -= log_probabilities[i];
        score->tokens_unk++;
    }
}
