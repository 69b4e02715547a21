// Small languages whose probabilities are a table or drawn, as steppers of a search: what tests of
// infer/search.h share. Include it behind cmocka.h.
#ifndef SEQ_TESTS_TOY_LANGUAGE_H
#define SEQ_TESTS_TOY_LANGUAGE_H

#include <math.h>
#include <seqtrain/infer/search.h>
#include <stdlib.h>
#include <string.h>

enum { SYMBOLS = 5, LONGEST = 5, SOURCE = 3, MOST_ROWS = 4096, MOST_OUTPUTS = 4096 };
enum { END = 0, A, B, C };

typedef struct path {
    int32_t symbols[40];
    int length, item;
} path;

// A language: ln p of what follows a path, up to a constant; and the attention there.
typedef void language(const path *path, float *logits);

typedef struct toy {
    language *says;
    int symbols;
    bool attends;
    path *rows, *before;
    int count, steps, most;
    float weights[SOURCE];
} toy;

static inline uint32_t mix(uint32_t a, uint32_t b) {
    uint32_t x = a * 0x9E3779B9u ^ (b + 0x7F4A7C15u);
    x ^= x >> 15;
    x *= 0x85EBCA6Bu;
    return x ^ x >> 13;
}

static inline uint32_t hash(const path *path, uint32_t seed) {
    uint32_t x = mix(seed, (uint32_t)path->item);
    for (int j = 0; j < path->length; j++)
        x = mix(x, (uint32_t)path->symbols[j]);
    return x;
}

static inline uint32_t draw_below(uint32_t *state, uint32_t most) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % most;
}

static inline float unit(uint32_t x) {
    return (float)(mix(x, 77) >> 8) * 0x1p-24F;
}

static inline void attend(const path *path, float weights[SOURCE]) {
    float sum = 0;
    for (int i = 0; i < SOURCE; i++)
        sum += weights[i] = unit(hash(path, 1000 + (uint32_t)i)) + 0.01F;
    for (int i = 0; i < SOURCE; i++)
        weights[i] /= sum;
}

static inline void toy_step(void *context, int count, const int32_t *item, const int32_t *from,
                            const int32_t *before) {
    toy *toy = context;
    path *old = toy->rows;
    assert_true(count <= MOST_ROWS);
    for (int i = 0; i < count; i++) {
        path *to = &toy->before[i];
        assert_true(!from || (from[i] >= 0 && from[i] < toy->count));
        *to = from ? old[from[i]] : (path){.item = item[i]};
        assert_int_equal(to->item, item[i]);
        if (from)
            to->symbols[to->length++] = before[i];
        else
            assert_int_equal(before[i], SEQ_NO_ID);
    }
    toy->rows = toy->before;
    toy->before = old;
    toy->count = count;
    toy->steps++;
    if (count > toy->most) toy->most = count;
}

static inline void toy_scores(void *context, int first, int rows, float *scores) {
    const toy *toy = context;
    assert_true(first + rows <= toy->count);
    for (int i = 0; i < rows; i++)
        toy->says(&toy->rows[first + i], scores + i * toy->symbols);
}

static const float *toy_attention(void *context, int sequence, int *out_length) {
    toy *toy = context;
    if (!toy->attends) return NULL;
    attend(&toy->rows[sequence], toy->weights);
    *out_length = SOURCE;
    return toy->weights;
}

static inline toy make(language *says, int symbols, bool attends) {
    return (toy){.says = says,
                 .symbols = symbols,
                 .attends = attends,
                 .rows = malloc(MOST_ROWS * sizeof(path)),
                 .before = malloc(MOST_ROWS * sizeof(path))};
}

static inline void drop(toy *toy) {
    free(toy->rows);
    free(toy->before);
}

// ---- What searches find, kept.

typedef struct output {
    double score, log_probability;
    int32_t symbols[40];
    int length;
    bool truncated;
    float attention[40][SOURCE];
} output;

typedef struct answer {
    output outputs[16];
    int count, told;
    double greedy;
    bool not_a_number;
} answer;

static inline seq_status keep(void *context, int item, const seq_found *found, seq_error *error) {
    answer *to = (answer *)context + item;
    (void)error;
    to->told++;
    to->count = found->count;
    to->greedy = found->greedy;
    to->not_a_number = found->not_a_number;
    for (int k = 0; k < found->count; k++) {
        const seq_output *from = &found->outputs[k];
        output *own = &to->outputs[k];
        memset(own, 0, sizeof *own);
        own->score = from->score;
        own->log_probability = from->log_probability;
        own->length = from->length;
        own->truncated = from->truncated;
        if (from->length)
            memcpy(own->symbols, from->symbols, (size_t)from->length * sizeof(int32_t));
        if (from->attention)
            memcpy(own->attention, from->attention,
                   ((size_t)from->length + 1) * sizeof *own->attention);
    }
    return SEQ_OK;
}

static const seq_search_config usual = {.symbols = SYMBOLS,
                                        .end = END,
                                        .width = 4,
                                        .best = 4,
                                        .margin = INFINITY,
                                        .rule = SEQ_LENGTH_NONE,
                                        .longest = LONGEST,
                                        .greedy = true};

static inline void search_all(const seq_search_config *config, toy *toy,
                              const seq_search_item *items, int count, answer *answers) {
    seq_search_config own = *config;
    const seq_stepper stepper = {toy, toy_step, toy_scores, toy_attention};
    seq_search *search;
    seq_error error = {0};
    own.kernels = seq_kernels_of("portable");
    toy->steps = toy->most = 0;
    memset(answers, 0, (size_t)count * sizeof *answers);
    assert_int_equal(seq_search_create(&own, &search, &error), SEQ_OK);
    assert_int_equal(seq_search_run(search, &stepper, items, count, keep, answers, &error), SEQ_OK);
    seq_search_destroy(search);
    for (int i = 0; i < count; i++)
        assert_int_equal(answers[i].told, 1);
}

static inline answer search_one(const seq_search_config *config, toy *toy, const int32_t *prefix,
                                int prefix_count) {
    const seq_search_item item = {.source = SOURCE, .prefix = prefix, .prefix_count = prefix_count};
    static answer out; // large
    search_all(config, toy, &item, 1, &out);
    return out;
}

static inline void expect(const answer *answer, int k, const char *symbols, double probability) {
    const output *output = &answer->outputs[k];
    assert_true(k < answer->count);
    assert_int_equal(output->length, strlen(symbols));
    for (int j = 0; j < output->length; j++)
        assert_int_equal(output->symbols[j], symbols[j] - 'a' + A);
    assert_true(fabs(output->log_probability - log(probability)) < 1e-6);
}

// ---- Random languages.

static uint32_t seed_of_language;
static float spread_of_language;

static inline void random_language(const path *path, float *logits) {
    uint32_t x = hash(path, seed_of_language);
    for (int k = 0; k < SYMBOLS; k++)
        logits[k] = spread_of_language * unit(mix(x, (uint32_t)k)) + 40 * unit(x);
}

static inline bool holds(const int32_t *list, int count, int32_t symbol) {
    for (int i = 0; i < count; i++)
        if (list[i] == symbol) return true;
    return false;
}

#endif
