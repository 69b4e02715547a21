// Draws follow their distribution, by Pearson's chi-square test on 200,000 of
// them; what is cut off is never drawn. The same seed draws the same sequences
// alone or side by side. Checks src/infer/sample.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/infer/sample.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "small_model.h"
#include "temporary.h"

enum { V = 8, DRAWS = 200000 };
static const float logits[V] = {0.5F, -1, 2, 0.1F, 2, -3, 1, -30};

static void count_draws(const seq_sample_config *config, int excluded, int counts[V]) {
    void *scratch = malloc(seq_sample_scratch(V));
    memset(counts, 0, V * sizeof *counts);
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){1, SEQ_RANDOM_TEST}, i, 0, 0, words);
        counts[seq_sample_draw(config, logits, V, excluded,
                               seq_random_unit_double(words[0], words[1]), scratch)]++;
    }
    free(scratch);
}

// Chi-square of counts against softmax(logits / T) restricted to `allowed`; 27.9 is the 99.98 %
// point of 7 degrees of freedom.
static void check_distribution(double temperature, const int counts[V], unsigned allowed) {
    double total = 0, chi = 0;
    for (int i = 0; i < V; i++)
        if (allowed >> i & 1) total += exp(logits[i] / temperature);
    for (int i = 0; i < V; i++) {
        double expected = allowed >> i & 1 ? DRAWS * exp(logits[i] / temperature) / total : 0;
        if (!(allowed >> i & 1)) assert_int_equal(counts[i], 0);
        if (expected > 1e-3) chi += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    assert_true(chi < 27.9);
}

// No temperature, however small, divides by zero: all of them draw the first maximum.
static void temperature_zero_is_greedy(void **state) {
    (void)state;
    static const double small[] = {0, -0.0, 5e-324, 1e-300, 1e-30, 1e-3};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        seq_sample_config config = {.temperature = small[i], .top_p = 1};
        void *scratch = malloc(seq_sample_scratch(V));
        int drawn = seq_sample_draw(&config, logits, V, -1, 0.25, scratch);
        assert_int_equal(drawn, 2); // of two maxima; the other has the upper half
        free(scratch);
    }
}

static void distribution(void **state) {
    (void)state;
    int counts[V];
    seq_sample_config config = {.temperature = 1, .top_p = 1};
    count_draws(&config, -1, counts);
    check_distribution(1, counts, 0xFF);
    config.temperature = 0.5;
    count_draws(&config, -1, counts);
    check_distribution(0.5, counts, 0xFF);
    config.temperature = 3;
    count_draws(&config, 2, counts);
    check_distribution(3, counts, 0xFF & ~(1U << 2));
    config.temperature = 1;
    config.top_k = 3;
    count_draws(&config, -1, counts);
    check_distribution(1, counts, 1U << 2 | 1U << 4 | 1U << 6);
    config.top_k = 1; // ties: the lower id
    count_draws(&config, -1, counts);
    check_distribution(1, counts, 1U << 2);
    config.top_k = 0;
    config.top_p = 0.75; // 2 and 4 hold 0.715
    count_draws(&config, -1, counts);
    check_distribution(1, counts, 1U << 2 | 1U << 4 | 1U << 6);
    config.top_p = 0.6;
    count_draws(&config, -1, counts);
    check_distribution(1, counts, 1U << 2 | 1U << 4);
    config.top_p = 1e-6;
    count_draws(&config, -1, counts);
    check_distribution(1, counts, 1U << 2);
    config.greedy = true;
    count_draws(&config, 2, counts);
    check_distribution(1, counts, 1U << 4);
}

static void extremes(void **state) {
    (void)state;
    const float steep[3] = {1000, -1000, 999}, flat[3] = {-INFINITY, 0, -INFINITY};
    void *scratch = malloc(seq_sample_scratch(3));
    const seq_sample_config config = {.temperature = 0.001, .top_p = 1};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(seq_sample_draw(&config, steep, 3, -1, i / 100.0, scratch), 0);
        assert_int_equal(seq_sample_draw(&config, flat, 3, -1, i / 100.0, scratch), 1);
    }
    assert_int_equal(seq_sample_draw(&config, steep, 3, 0, 1 - 1e-16, scratch), 2);
    free(scratch);
}

typedef struct sequences {
    int32_t ids[70][12];
    int lengths[70];
    bool ended[70];
} sequences;

static seq_status collect(void *context, int sequence, int id, bool last, seq_error *error) {
    sequences *out = context;
    (void)error;
    assert_false(out->ended[sequence]);
    out->ids[sequence][out->lengths[sequence]++] = id;
    out->ended[sequence] = last;
    return SEQ_OK;
}

static void seeds_and_batches(void **state) {
    (void)state;
    static sequences one, many, other;
    const char file[] =
        "# seqtrain vocabulary "
        "1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=line\tinvalid=error\n"
        "0\t5\t<unk>\n1\t7\t<eos>\n2\t9\ta\n3\t9\tb\n4\t9\tc\n5\t1\td\n6\t1\te\n";
    temporary place;
    seq_vocabulary *vocabulary = NULL;
    seq_error error = {0};
    temporary_create(&place);
    write_bytes(temporary_path(&place, "v.tsv"), file, strlen(file));
    assert_int_equal(seq_vocabulary_read(place.path, SEQ_BAD_INPUT, &vocabulary, &error), SEQ_OK);
    temporary_destroy(&place);
    seq_model_config model_config = small_config("lstm", 0);
    model_config.vocabulary = 7;
    small_case test;
    small_case_create(&test, &model_config, 1, 1, 4);
    const int32_t prime[] = {2, 3};
    seq_sample_config config = {
        .temperature = 1, .top_p = 1, .no_unk = true, .until_eos = true, .tokens = 12, .seed = 5};
    assert_int_equal(seq_sample_run(test.model, &test.weights, vocabulary, &config, prime, 2, 70,
                                    collect, &many, &error),
                     SEQ_OK);
    assert_int_equal(seq_sample_run(test.model, &test.weights, vocabulary, &config, prime, 2, 1,
                                    collect, &one, &error),
                     SEQ_OK);
    assert_int_equal(one.lengths[0], many.lengths[0]);
    assert_memory_equal(one.ids[0], many.ids[0], sizeof one.ids[0]);
    config.seed = 6;
    assert_int_equal(seq_sample_run(test.model, &test.weights, vocabulary, &config, prime, 2, 70,
                                    collect, &other, &error),
                     SEQ_OK);
    assert_memory_not_equal(&many, &other, sizeof many);
    int ended_early = 0;
    for (int s = 0; s < 70; s++) {
        assert_true(many.ended[s]);
        ended_early += many.lengths[s] < 12;
        for (int i = 0; i < many.lengths[s]; i++) {
            assert_int_not_equal(many.ids[s][i], 0);
            assert_int_equal(many.ids[s][i] == 1, many.ids[s][i] == 1 && i == many.lengths[s] - 1);
        }
    }
    assert_true(ended_early > 0);
    assert_memory_not_equal(many.ids[1], many.ids[2], sizeof many.ids[1]);
    small_case_destroy(&test);
    seq_vocabulary_destroy(vocabulary);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distribution),
        cmocka_unit_test(temperature_zero_is_greedy),
        cmocka_unit_test(extremes),
        cmocka_unit_test(seeds_and_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
