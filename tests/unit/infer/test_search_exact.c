// Searches over random languages against all outputs by brute force, against a beam that never
// stops early, and against greedy search by itself. Checks src/infer/search.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "toy_language.h"

// ---- All outputs.

// Whether `symbol` may follow, by the definitions.
static bool is_allowed(const seq_search_config *config, const path *path, const int32_t *prefix,
                       int prefix_count, int longest, int32_t symbol) {
    int length = path->length, n = config->no_repeat;
    if (length < prefix_count) return symbol == prefix[length];
    if (symbol == END) return length >= config->shortest && length > 0;
    if (length >= longest || holds(config->forbidden, config->forbidden_count, symbol))
        return false;
    for (int i = 0; n && i + n <= length; i++) {
        bool same = path->symbols[i + n - 1] == symbol;
        for (int j = 0; same && j < n - 1; j++)
            same = path->symbols[i + j] == path->symbols[length - n + 1 + j];
        if (same) return false;
    }
    return true;
}

static double log_sum(const float *logits) {
    float scratch[SYMBOLS];
    return seq_log_sum(seq_kernels_of("portable"), logits, SYMBOLS, scratch);
}

static double judge(const seq_search_config *config, const path *path, double log_probability) {
    double penalty = 0;
    for (int i = 0; config->coverage > 0 && i < SOURCE; i++) {
        double sum = 0;
        for (int j = 0; j <= path->length; j++) {
            float weights[SOURCE];
            struct path part = *path;
            part.length = j;
            attend(&part, weights);
            sum += (double)weights[i];
        }
        penalty -= log(sum < 1 ? sum : 1);
    }
    return log_probability / seq_length_penalty(config->rule, config->alpha, path->length + 1) -
           config->coverage * penalty;
}

typedef struct all_outputs {
    output list[MOST_OUTPUTS];
    int count;
} all_outputs;

static void enumerate(const seq_search_config *config, language *says, path *path,
                      const int32_t *prefix, int prefix_count, double score, all_outputs *out) {
    float logits[SYMBOLS];
    says(path, logits);
    double sum = log_sum(logits);
    for (int32_t k = 0; k < SYMBOLS; k++) {
        if (!is_allowed(config, path, prefix, prefix_count, config->longest, k)) continue;
        double own = score + ((double)logits[k] - sum);
        if (k == END) {
            output *to = &out->list[out->count++];
            assert_true(out->count < MOST_OUTPUTS);
            *to = (output){judge(config, path, own), own, {0}, path->length, false, {{0}}};
            memcpy(to->symbols, path->symbols, sizeof to->symbols);
        } else {
            path->symbols[path->length++] = k;
            enumerate(config, says, path, prefix, prefix_count, own, out);
            path->length--;
        }
    }
}

static int by_symbols(const output *x, const output *y) {
    for (int j = 0; j < x->length && j < y->length; j++)
        if (x->symbols[j] != y->symbols[j]) return x->symbols[j] - y->symbols[j];
    return x->length - y->length;
}

static int by_score(const void *a, const void *b) {
    const output *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return by_symbols(x, y);
}

static seq_search_config draw_config(uint32_t *random) {
    static const int32_t forbidden[] = {2, 4};
    seq_search_config config = usual;
    config.rule = (seq_length_rule)draw_below(random, 3);
    config.alpha = 0.25 * draw_below(random, 6);
    config.coverage = draw_below(random, 2) ? 0 : 0.3 * draw_below(random, 4);
    config.longest = 1 + (int)draw_below(random, LONGEST);
    config.shortest = (int)draw_below(random, (unsigned)config.longest + 1);
    config.no_repeat = draw_below(random, 3) ? 0 : 1 + (int)draw_below(random, 3);
    config.forbidden = forbidden;
    config.forbidden_count = draw_below(random, 3) ? 0 : 1 + (int)draw_below(random, 2);
    config.best = 1 + (int)draw_below(random, 8);
    seed_of_language = mix(*random, 6);
    spread_of_language = draw_below(random, 2) ? 2 : 12;
    return config;
}

static void a_wide_beam_is_exact(void **state) {
    (void)state;
    static all_outputs all;
    toy toy = make(random_language, SYMBOLS, true);
    uint32_t random = 1;
    for (int trial = 0; trial < 150; trial++) {
        seq_search_config config = draw_config(&random);
        int32_t prefix[] = {(int32_t)draw_below(&random, SYMBOLS - 1) + 1,
                            (int32_t)draw_below(&random, SYMBOLS - 1) + 1};
        int prefix_count = draw_below(&random, 3) ? 0 : (int)draw_below(&random, 3);
        path path = {0};
        config.width = 1500; // 4^5 and more
        if (prefix_count > config.longest) config.longest = prefix_count;
        all.count = 0;
        enumerate(&config, random_language, &path, prefix, prefix_count, 0, &all);
        qsort(all.list, (size_t)all.count, sizeof *all.list, by_score);
        answer found = search_one(&config, &toy, prefix, prefix_count);
        assert_int_equal(found.count, all.count < config.best ? all.count : config.best);
        for (int k = 0; k < found.count; k++) {
            const output *own = &found.outputs[k], *right = &all.list[k];
            assert_true(own->log_probability == right->log_probability);
            assert_true(fabs(own->score - right->score) < 1e-12);
            assert_int_equal(by_symbols(own, right), 0);
        }
    }
    drop(&toy);
}

// ---- A beam that goes on to the longest output, and greedy search.

typedef struct open {
    path path;
    double score;
    int parent;
    int32_t symbol;
} open;

static int by_rank(const void *a, const void *b) {
    const open *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->parent != y->parent ? x->parent - y->parent : x->symbol - y->symbol;
}

// The score of greedy search's path; NaN: it comes to no end.
static double greedy_score(const seq_search_config *config, language *says, int32_t *out_symbols,
                           int *out_length) {
    path path = {0};
    double score = 0;
    for (;;) {
        float logits[SYMBOLS];
        int32_t best = -1;
        says(&path, logits);
        for (int32_t k = 0; k < SYMBOLS; k++)
            if (is_allowed(config, &path, NULL, 0, config->longest, k) &&
                (best < 0 || logits[k] > logits[best]))
                best = k;
        if (best < 0) return NAN;
        score += (double)logits[best] - log_sum(logits);
        if (best == END) break;
        path.symbols[path.length++] = best;
    }
    memcpy(out_symbols, path.symbols, sizeof path.symbols);
    *out_length = path.length;
    return judge(config, &path, score);
}

// Offers of the beam of the config's width, without greedy search's path; nothing is dropped early.
static void patient_beam(const seq_search_config *config, language *says, all_outputs *out) {
    static open now[64], next[64 * SYMBOLS];
    int count = 1;
    now[0] = (open){.score = 0};
    out->count = 0;
    for (int length = 0; length <= config->longest; length++) {
        int candidates = 0;
        for (int i = 0; i < count; i++) {
            float logits[SYMBOLS];
            path *path = &now[i].path;
            says(path, logits);
            double sum = log_sum(logits);
            for (int32_t k = 0; k < SYMBOLS; k++) {
                double own = now[i].score + ((double)logits[k] - sum);
                if (!is_allowed(config, path, NULL, 0, config->longest, k)) continue;
                if (k == END) {
                    output *to = &out->list[out->count++];
                    *to = (output){judge(config, path, own), own, {0}, path->length, false, {{0}}};
                    memcpy(to->symbols, path->symbols, sizeof to->symbols);
                } else {
                    next[candidates] = (open){*path, own, i, k};
                    next[candidates].path.symbols[next[candidates].path.length++] = k;
                    candidates++;
                }
            }
        }
        qsort(next, (size_t)candidates, sizeof *next, by_rank);
        count = candidates < config->width ? candidates : config->width;
        memcpy(now, next, (size_t)count * sizeof *now);
    }
    qsort(out->list, (size_t)out->count, sizeof *out->list, by_score);
}

// The bound that ends a search never loses an output, and greedy search's is never above.
static void nothing_that_could_win_is_lost(void **state) {
    (void)state;
    static all_outputs all;
    toy toy = make(random_language, SYMBOLS, true);
    uint32_t random = 2;
    int stopped = 0, saved = 0, ended = 0;
    for (int trial = 0; trial < 600; trial++) {
        seq_search_config config = draw_config(&random);
        int32_t symbols[40];
        int length = 0;
        config.width = 2 + (int)draw_below(&random, 4);
        config.longest += 8;
        double greedy = greedy_score(&config, random_language, symbols, &length);
        patient_beam(&config, random_language, &all);
        answer found = search_one(&config, &toy, NULL, 0);
        assert_true(isnan(greedy) ? isnan(found.greedy) : fabs(found.greedy - greedy) < 1e-12);
        assert_true(toy.most <= config.width + 1);
        if (found.count) ended++;
        stopped += toy.steps <= config.longest;
        // What is found is what the patient beam finds, and greedy search.
        if (!isnan(greedy)) {
            output *own = &all.list[all.count];
            saved += all.count == 0 || greedy > all.list[0].score;
            *own = (output){.score = greedy, .length = length};
            memcpy(own->symbols, symbols, sizeof symbols);
            for (int k = 0; k < all.count; k++)
                if (by_symbols(&all.list[k], own) == 0) own = NULL, k = all.count;
            all.count += own != NULL;
            qsort(all.list, (size_t)all.count, sizeof *all.list, by_score);
            assert_true(found.outputs[0].score >= found.greedy);
        }
        assert_int_equal(found.count, all.count < config.best ? all.count : config.best);
        for (int k = 0; k < found.count; k++) {
            assert_true(fabs(found.outputs[k].score - all.list[k].score) < 1e-12);
            assert_int_equal(by_symbols(&found.outputs[k], &all.list[k]), 0);
        }
        // And the answer is that of a search that does not ask for greedy search's score.
        config.greedy = false;
        answer again = search_one(&config, &toy, NULL, 0);
        assert_int_equal(again.count, found.count);
        for (int k = 0; k < found.count; k++) {
            assert_true(again.outputs[k].score == found.outputs[k].score);
            assert_memory_equal(again.outputs[k].symbols, found.outputs[k].symbols,
                                sizeof found.outputs[k].symbols);
        }
    }
    assert_true(stopped > 100 && ended > 400); // the cases occur
    assert_true(saved > 0);
    drop(&toy);
}

// Greedy search's path falls out of the beam at once: b's ways are many and a little better at
// first, all of them end badly.
static void trap(const path *path, float *logits) {
    bool own = path->length && path->symbols[0] == A;
    double table[SYMBOLS] = {1e-9, 0.4, 0.35, 0.25, 1e-9};
    if (path->length == 1) {
        for (int k = 0; k < SYMBOLS; k++)
            table[k] = own                ? (k == END ? 1e-9
                                             : k == 1 ? 0.28
                                                      : 0.24)
                       : k == 2 || k == 3 ? 0.5
                                          : 1e-9;
    } else if (path->length > 1)
        for (int k = 0; k < SYMBOLS; k++)
            table[k] =
                own && path->symbols[1] == 1 ? (k == END ? 1 : 1e-9) : (k == END ? 1e-6 : 0.25);
    for (int k = 0; k < SYMBOLS; k++)
        logits[k] = (float)log(table[k]);
}

static void greedy_search_keeps_its_place(void **state) {
    (void)state;
    static all_outputs all;
    toy toy = make(trap, SYMBOLS, false);
    seq_search_config config = usual;
    config.width = 2;
    config.best = 1;
    patient_beam(&config, trap, &all);
    answer found = search_one(&config, &toy, NULL, 0);
    assert_true(all.list[0].score < log(1e-4));
    expect(&found, 0, "aa", 0.4 * 0.28);
    assert_true(found.greedy == found.outputs[0].score);
    drop(&toy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_beam_is_exact),
        cmocka_unit_test(nothing_that_could_win_is_lost),
        cmocka_unit_test(greedy_search_keeps_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
