// The parts of searches: a prefix is one node however often it is made; the candidates that are
// kept, and the best sequences, do not depend on the order of the offers. Checks src/infer/beam.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/infer/beam.h>
#include <seqtrain/nn/softmax.h>
#include <stdlib.h>
#include <string.h>

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void a_prefix_is_one_node(void **state) {
    (void)state;
    enum { COUNT = 500, SYMBOLS = 3, LONGEST = 6 };
    seq_prefixes prefixes = {0};
    seq_error error = {0};
    uint32_t random = 1;
    for (int again = 0; again < 2; again++) {
        static int32_t node_of[4096];
        memset(node_of, -1, sizeof node_of);
        assert_int_equal(seq_prefixes_reset(&prefixes, &error), SEQ_OK);
        for (int i = 0; i < COUNT; i++) {
            int32_t symbols[LONGEST], read[LONGEST], node = 0, code = 1;
            int length = (int)(draw(&random) % (LONGEST + 1));
            for (int u = 0; u < length; u++) {
                symbols[u] = (int32_t)(draw(&random) % SYMBOLS);
                code = code * SYMBOLS + symbols[u];
                assert_int_equal(seq_prefixes_extend(&prefixes, node, symbols[u], &node, &error),
                                 SEQ_OK);
            }
            assert_int_equal(prefixes.nodes[node].length, length);
            assert_int_equal(prefixes.nodes[node].place, -1);
            seq_prefixes_symbols(&prefixes, node, read);
            assert_memory_equal(read, symbols, (size_t)length * sizeof *read);
            if (node_of[code] >= 0) assert_int_equal(node, node_of[code]);
            node_of[code] = node;
        }
        assert_true(prefixes.count > 100 && prefixes.count <= 1093); // (3^7 - 1) / 2
    }
    seq_prefixes_clear(&prefixes);
}

static int in_order(const void *a, const void *b) {
    const seq_candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->parent != y->parent ? x->parent - y->parent : x->symbol - y->symbol;
}

static void the_best_candidates_are_kept(void **state) {
    (void)state;
    enum { MOST = 40 };
    uint32_t random = 2;
    for (int trial = 0; trial < 300; trial++) {
        seq_candidate all[MOST], kept[MOST];
        int count = (int)(draw(&random) % MOST) + 1, width = (int)(draw(&random) % MOST) + 1;
        seq_candidates candidates = {kept, width, 0};
        for (int i = 0; i < count; i++)
            all[i] = (seq_candidate){-0.5 * (draw(&random) % 5), (int32_t)(draw(&random) % 3), i};
        for (int i = count - 1; i > 0; i--) {
            int other = (int)(draw(&random) % (unsigned)(i + 1));
            seq_candidate swap = all[i];
            all[i] = all[other];
            all[other] = swap;
        }
        for (int i = 0; i < count; i++) {
            seq_candidates_offer(&candidates, all[i]);
            seq_candidates_offer(&candidates, (seq_candidate){-INFINITY, 0, -1});
            seq_candidates_offer(&candidates, (seq_candidate){NAN, 0, -1});
        }
        qsort(all, (size_t)count, sizeof *all, in_order);
        int expected = count < width ? count : width;
        assert_true(seq_candidates_bar(&candidates) ==
                    (count < width ? -INFINITY : all[expected - 1].score));
        double margin = trial % 2 ? 1 : INFINITY;
        seq_candidates_sort(&candidates, margin);
        while (all[expected - 1].score < all[0].score - margin)
            expected--;
        assert_int_equal(candidates.count, expected);
        for (int i = 0; i < expected; i++)
            assert_int_equal(in_order(&kept[i], &all[i]), 0);
    }
}

// Offers of a few sequences, each several times with other scores.
static void the_best_sequences_are_kept(void **state) {
    (void)state;
    enum { KINDS = 12, OFFERS = 30 };
    uint32_t random = 3;
    for (int trial = 0; trial < 300; trial++) {
        seq_error error = {0};
        seq_best best;
        double largest[KINDS];
        int most = (int)(draw(&random) % 5) + 1, rank = 0;
        for (int i = 0; i < KINDS; i++)
            largest[i] = -INFINITY;
        assert_int_equal(seq_best_create(most, &best, &error), SEQ_OK);
        for (int i = 0; i < OFFERS; i++) { // kind n: n in digits of base 3, so in their order
            int kind = (int)(draw(&random) % KINDS);
            int32_t symbols[] = {kind / 9, kind / 3 % 3, kind % 3};
            double score = -0.25 * (draw(&random) % 40);
            assert_int_equal(seq_best_offer(&best, score, symbols, 3, &error), SEQ_OK);
            assert_int_equal(seq_best_offer(&best, NAN, symbols, 2, &error), SEQ_OK);
            if (score > largest[kind]) largest[kind] = score;
        }
        for (; rank < best.count; rank++) {
            int first = 0;
            for (int i = 1; i < KINDS; i++)
                if (largest[i] > largest[first]) first = i;
            const int32_t expected[] = {first / 9, first / 3 % 3, first % 3};
            assert_true(best.list[rank].score == largest[first]);
            assert_int_equal(best.list[rank].length, 3);
            assert_memory_equal(best.list[rank].symbols, expected, sizeof expected);
            largest[first] = -INFINITY;
        }
        assert_int_equal(rank, most); // far more kinds were offered
        assert_true(seq_best_bar(&best) == best.list[most - 1].score);
        seq_best_clear(&best);
    }
}

static void shorter_sequences_come_first(void **state) {
    (void)state;
    const int32_t symbols[] = {2, 1, 2};
    seq_error error = {0};
    seq_best best;
    assert_int_equal(seq_best_create(4, &best, &error), SEQ_OK);
    for (int length = 3; length >= 0; length--)
        assert_int_equal(seq_best_offer(&best, -1, symbols, length, &error), SEQ_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(best.list[i].length, i);
    seq_best_clear(&best);
}

static void sums_of_logarithms(void **state) {
    (void)state;
    assert_true(seq_log_add(-INFINITY, -INFINITY) == -INFINITY);
    assert_true(seq_log_add(-3, -INFINITY) == -3 && seq_log_add(-INFINITY, -3) == -3);
    assert_true(fabs(seq_log_add(log(0.25), log(0.5)) - log(0.75)) < 1e-15);
    assert_true(fabs(seq_log_add(-2000, -2001) - (-2000 + log1p(exp(-1)))) < 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_is_one_node),
        cmocka_unit_test(the_best_candidates_are_kept),
        cmocka_unit_test(the_best_sequences_are_kept),
        cmocka_unit_test(shorter_sequences_come_first),
        cmocka_unit_test(sums_of_logarithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
