// Draws tokens by inversion: the first candidate at which the cumulated weight
// passes u times the total. Weights are e^((logit - largest) / temperature), in
// double. --top-k (Fan et al. 2018) and --top-p (Holtzman et al. 2020) cut the
// sorted list first. Invariant: u comes from (seed, sequence, draw) alone, so
// sequences that are drawn side by side do not change each other. Tests:
// tests/unit/infer/test_sample.c, tests/cli/seqsample.sh.
#include <seqtrain/infer/sample.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/batch/rectangle.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_BY_SIDE = 64 }; // sequences drawn at once

typedef struct candidate {
    double weight; // e^((logit - maximum) / temperature)
    int id;
} candidate;

size_t seq_sample_scratch(int vocabulary) {
    return (size_t)vocabulary * sizeof(candidate);
}

static int best_of(const float *logits, int vocabulary, int excluded) {
    int best = excluded == 0 ? 1 : 0;
    for (int id = best + 1; id < vocabulary; id++)
        if (id != excluded && logits[id] > logits[best]) best = id;
    return best < vocabulary ? best : 0;
}

// Heaviest first, ties by id.
static int compare(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->weight != y->weight) return x->weight < y->weight ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static double total_weight(const candidate *candidates, int count) {
    double total = 0;
    for (int i = 0; i < count; i++)
        total += candidates[i].weight;
    return total;
}

// Candidates that --top-k and --top-p leave; they are sorted when either is on.
static int restrict_candidates(const seq_sample_config *config, candidate *candidates, int count) {
    bool by_count = config->top_k > 0 && config->top_k < count, by_mass = config->top_p < 1;
    if (!by_count && !by_mass) return count;
    qsort(candidates, (size_t)count, sizeof *candidates, compare);
    if (by_count) count = (int)config->top_k;
    if (!by_mass) return count;
    double wanted = config->top_p * total_weight(candidates, count), mass = 0;
    int kept = 0;
    while (kept < count && (kept == 0 || mass < wanted))
        mass += candidates[kept++].weight;
    return kept;
}

int seq_sample_draw(const seq_sample_config *config, const float *logits, int vocabulary,
                    int excluded, double unit, void *scratch) {
    candidate *candidates = scratch;
    int best = best_of(logits, vocabulary, excluded), count = 0;
    if (config->greedy || config->temperature == 0) return best;
    for (int id = 0; id < vocabulary; id++)
        if (id != excluded)
            candidates[count++] =
                (candidate){exp(((double)logits[id] - logits[best]) / config->temperature), id};
    count = restrict_candidates(config, candidates, count);
    double left = unit * total_weight(candidates, count);
    for (int i = 0; i < count; i++) {
        left -= candidates[i].weight;
        if (left < 0) return candidates[i].id;
    }
    return best; // rounding, or a vocabulary that is excluded as a whole
}

typedef struct sampler {
    const seq_model *model;
    const seq_weights *weights;
    const seq_sample_config *config;
    const seq_vocabulary *vocabulary;
    seq_workspace *workspace;
    int batch, first_sequence;
    seq_rectangle rectangle; // one step
    float *state, *logits;
    bool *ended;
    void *scratch;
} sampler;

static void clear(sampler *sampler) {
    seq_workspace_destroy(sampler->workspace);
    seq_rectangle_clear(&sampler->rectangle);
    free(sampler->state);
    free(sampler->logits);
    free(sampler->ended);
    free(sampler->scratch);
}

static seq_status allocate(sampler *sampler, seq_error *error) {
    size_t batch = (size_t)sampler->batch,
           vocabulary = (size_t)seq_model_get_config(sampler->model)->vocabulary;
    const seq_limits limits = seq_rectangle_limits(sampler->batch, 1);
    seq_status status = seq_workspace_create(sampler->model, &limits, 1, SEQ_USE_EVALUATION,
                                             &sampler->workspace, error);
    if (!status)
        status = seq_allocate(&sampler->state, seq_model_state_size(sampler->model, sampler->batch),
                              sizeof(float), "the state of the samples", error);
    if (!status)
        status = seq_allocate(&sampler->logits, batch * vocabulary, sizeof(float),
                              "the logits of the samples", error);
    if (!status) status = seq_rectangle_create(sampler->batch, 1, &sampler->rectangle, error);
    if (!status) seq_rectangle_shape(&sampler->rectangle, sampler->batch, 1, 0);
    if (!status) status = seq_allocate(&sampler->ended, batch, sizeof(bool), "the samples", error);
    return status ? status
                  : seq_allocate(&sampler->scratch, 1, seq_sample_scratch((int)vocabulary),
                                 "the candidates of a draw", error);
}

static void step(sampler *sampler) {
    const seq_feed feed = {.batch = &sampler->rectangle.batch, .state = sampler->state};
    seq_model_forward(sampler->model, sampler->workspace, sampler->weights, &feed);
    seq_model_scores(sampler->model, sampler->workspace, sampler->weights, &feed, 0,
                     (size_t)sampler->batch, sampler->logits);
}

static void feed_all(sampler *sampler, int32_t token) {
    for (int i = 0; i < sampler->batch; i++)
        sampler->rectangle.inputs[i] = token;
    step(sampler);
}

double seq_sample_unit(const seq_sample_config *config, int64_t draw, uint32_t sequence) {
    uint32_t words[4];
    seq_random_words((seq_random_key){config->seed, SEQ_RANDOM_SAMPLE}, (uint32_t)draw,
                     (uint32_t)(draw >> 32), sequence, words);
    return seq_random_unit_double(words[0], words[1]);
}

// Draws one token for each sequence that goes on; *out_left of them do after it.
static seq_status draw_all(sampler *sampler, int64_t draw, seq_token_sink sink, void *context,
                           int *out_left, seq_error *error) {
    const seq_sample_config *config = sampler->config;
    int vocabulary = seq_model_get_config(sampler->model)->vocabulary;
    int excluded = config->no_unk ? seq_vocabulary_unk(sampler->vocabulary) : SEQ_NO_ID;
    *out_left = 0;
    for (int i = 0; i < sampler->batch; i++) {
        if (sampler->ended[i]) continue;
        int sequence = sampler->first_sequence + i;
        int id = seq_sample_draw(
            config, sampler->logits + (size_t)i * (size_t)vocabulary, vocabulary, excluded,
            seq_sample_unit(config, draw, (uint32_t)sequence), sampler->scratch);
        bool last = (config->until_eos && id == seq_vocabulary_eos(sampler->vocabulary)) ||
                    (config->tokens > 0 && draw + 1 == config->tokens);
        seq_status status = sink(context, sequence, id, last, error);
        if (status) return status;
        sampler->rectangle.inputs[i] = id;
        sampler->ended[i] = last;
        *out_left += !last;
    }
    return SEQ_OK;
}

static seq_status draw_group(sampler *sampler, const int32_t *prime, size_t prime_count,
                             seq_token_sink sink, void *context, seq_error *error) {
    seq_status status = allocate(sampler, error);
    if (status) return status;
    feed_all(sampler, SEQ_NO_ID);
    for (size_t i = 0; i < prime_count; i++)
        feed_all(sampler, prime[i]);
    int left = sampler->batch;
    for (int64_t draw = 0; !status && left; draw++) {
        if (draw) step(sampler);
        status = draw_all(sampler, draw, sink, context, &left, error);
    }
    return status;
}

seq_status seq_sample_run(const seq_model *model, const seq_weights *weights,
                          const seq_vocabulary *vocabulary, const seq_sample_config *config,
                          const int32_t *prime, size_t prime_count, int count, seq_token_sink sink,
                          void *context, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int first = 0; !status && first < count; first += SIDE_BY_SIDE) {
        sampler sampler = {.model = model,
                           .weights = weights,
                           .config = config,
                           .vocabulary = vocabulary,
                           .first_sequence = first};
        sampler.batch = count - first < SIDE_BY_SIDE ? count - first : SIDE_BY_SIDE;
        status = draw_group(&sampler, prime, prime_count, sink, context, error);
        clear(&sampler);
    }
    return status;
}
