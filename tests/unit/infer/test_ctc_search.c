// CTC searches against all K^T paths, summed by their labels: exact search, and the beam when
// nothing is pruned, find the same sequences in the same order. Published tables: the answers of
// narrow and wide beams. Nothing is ever worse than the best path. Lengths 0 and 1, one symbol,
// probabilities of 0, ties. Checks src/infer/ctc_search.c and ctc_exact.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/infer/ctc_search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctc_forward.h"

enum { MOST = 400 };

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

// ln p (T, K): random, `peak` makes frames surer; one entry of `zeros` is 0, if it is not 0.
static void fill(float *table, int frames, int symbols, double peak, unsigned zeros,
                 uint32_t *state) {
    for (int t = 0; t < frames; t++, table += symbols) {
        double sum = 0, p[16];
        int sure = (int)(draw(state) % (unsigned)symbols);
        for (int k = 0; k < symbols; k++) {
            p[k] = exp(peak * draw(state) / 16777216.0);
            if (k != sure && zeros && draw(state) % zeros == 0) p[k] = 0;
            sum += p[k];
        }
        for (int k = 0; k < symbols; k++)
            table[k] = (float)log(p[k] / sum);
    }
}

static seq_ctc_search *open_search(int symbols, int width, int best) {
    const seq_ctc_search_config config = {
        .symbols = symbols, .width = width, .best = best, .margin = INFINITY, .work = SEQ_CTC_WORK};
    seq_error error = {0};
    seq_ctc_search *search = NULL;
    assert_int_equal(seq_ctc_search_create(&config, &search, &error), SEQ_OK);
    return search;
}

static seq_ctc_found run(seq_ctc_search *search, bool exact, const float *table, int frames) {
    seq_error error = {0};
    seq_ctc_found found;
    seq_status status = exact ? seq_ctc_search_exact(search, table, frames, &found, &error)
                              : seq_ctc_search_beam(search, table, frames, &found, &error);
    if (status) fail_msg("%s", error.text);
    return found;
}

// ---- Published tables.

static const char letters[] = "_' abcd"; // 0: the blank

// The tables and the greedy and width-20 answers are those of tests/test_decode.py in
// github.com/parlance/ctcdecode, whose blank is the last column; the other answers were computed
// from them.
static void read_table(const char *name, float *table) {
    golden *file = golden_open(GOLDEN_DIRECTORY "/ctc_search.txt");
    const double *p = golden_get(file, name, 42);
    for (int i = 0; i < 42; i++)
        table[i] = (float)log(p[i % 7 ? i - 1 : i + 6]);
    golden_close(file);
}

static void expect_text(const int32_t *labels, int length, const char *expected) {
    char text[16] = "";
    for (int u = 0; u < length; u++)
        text[u] = letters[labels[u]];
    assert_string_equal(text, expected);
}

static void expect_best(const float *table, int width, bool exact, const char *expected,
                        double log_probability, double score) {
    seq_ctc_search *search = open_search(7, width, 3);
    seq_ctc_found found = run(search, exact, table, 6);
    assert_true(found.count > 0);
    expect_text(found.sequences[0].labels, found.sequences[0].length, expected);
    assert_true(fabs(found.sequences[0].log_probability - log_probability) < 5e-6);
    if (!isnan(score)) assert_true(fabs(found.sequences[0].score - score) < 5e-6);
    seq_ctc_search_destroy(search);
}

static void published_tables(void **state) {
    (void)state;
    float table[42];
    int32_t labels[6];
    read_table("set1.probabilities", table);
    expect_text(labels, seq_ctc_best_path(table, 6, 7, labels), "ac'bdc");
    expect_best(table, 20, false, "acdc", -6.21379, -6.48028);
    expect_best(table, 50, false, "acb", -6.09890, -6.16119);
    expect_best(table, 2000, false, "acb", -6.09890, -6.09890);
    expect_best(table, 20, true, "acb", -6.09890, -6.09890);
    read_table("set2.probabilities", table);
    expect_text(labels, seq_ctc_best_path(table, 6, 7, labels), "b'da");
    for (int width = 4; width < 400; width += width / 3)
        expect_best(table, width, false, "b'a", -4.90318, NAN);
    expect_best(table, 20, false, "b'a", -4.90318, -4.98998);
    expect_best(table, 1, true, "b'a", -4.90318, -4.90318);
}

// ---- All sequences.

typedef struct sequence {
    int length;
    int32_t labels[6];
    double p;
} sequence;

static int by_score(const void *a, const void *b) {
    const sequence *x = a, *y = b;
    if (fabs(x->p - y->p) > 1e-9 * x->p) return x->p < y->p ? 1 : -1;
    for (int i = 0; i < x->length && i < y->length; i++)
        if (x->labels[i] != y->labels[i]) return x->labels[i] - y->labels[i];
    return x->length - y->length;
}

// Every label sequence with a probability, best first; returns their number.
static int brute_force(const float *table, int frames, int symbols, sequence *list) {
    int paths = 1, count = 0;
    for (int t = 0; t < frames; t++)
        paths *= symbols;
    for (int path = 0; path < paths; path++) {
        sequence sequence = {.p = 1};
        int before = 0, i = 0;
        for (int t = 0, code = path; t < frames; t++, code /= symbols) {
            int k = code % symbols;
            sequence.p *= exp((double)table[t * symbols + k]);
            if (k && k != before) sequence.labels[sequence.length++] = k;
            before = k;
        }
        if (sequence.p == 0) continue;
        while (i < count && (list[i].length != sequence.length ||
                             memcmp(list[i].labels, sequence.labels, sizeof sequence.labels) != 0))
            i++;
        if (i == count)
            list[count++] = sequence;
        else
            list[i].p += sequence.p;
        assert_true(count < MOST);
    }
    qsort(list, (size_t)count, sizeof *list, by_score);
    return count;
}

static void expect_same(const seq_ctc_found *found, const sequence *list, int count, int best,
                        bool ordered) {
    assert_int_equal(found->count, count < best ? count : best);
    for (int i = 0; i < found->count; i++) {
        const seq_ctc_sequence *sequence = &found->sequences[i];
        if (!(fabs(sequence->score - log(list[i].p)) < 1e-9))
            fail_msg("sequence %d of %d: score %.12f, expected %.12f", i, found->count,
                     sequence->score, log(list[i].p));
        assert_true(fabs(sequence->log_probability - log(list[i].p)) < 1e-9);
        if (!ordered) continue; // rounding may order ties
        assert_int_equal(sequence->length, list[i].length);
        for (int u = 0; u < sequence->length; u++)
            assert_int_equal(sequence->labels[u], list[i].labels[u]);
    }
}

static void all_sequences(void **state) {
    (void)state;
    static sequence list[MOST];
    float table[6 * 4];
    uint32_t random = 1;
    for (int trial = 0; trial < 60; trial++)
        for (int symbols = 1; symbols <= 4; symbols++) {
            int frames = (int)(draw(&random) % (symbols == 4 ? 5 : 6));
            fill(table, frames, symbols, trial % 4 * 2.0, (unsigned)trial % 3 * 2, &random);
            int count = brute_force(table, frames, symbols, list);
            for (int best = 1; best <= MOST; best = best * 3 + 1) {
                seq_ctc_search *search = open_search(symbols, MOST, best);
                bool ordered = trial % 4 != 0; // else all are equally likely
                seq_ctc_found found = run(search, false, table, frames);
                expect_same(&found, list, count, best, ordered);
                found = run(search, true, table, frames);
                expect_same(&found, list, count, best, ordered);
                seq_ctc_search_destroy(search);
            }
        }
}

// Lengths that are allowed; the others are as if they were not there.
static void lengths_are_bounded(void **state) {
    (void)state;
    static sequence list[MOST];
    float table[5 * 3];
    uint32_t random = 2;
    for (int trial = 0; trial < 20; trial++)
        for (int shortest = 0; shortest <= 3; shortest++)
            for (int longest = 0; longest <= 3; longest++) {
                seq_ctc_search_config config = {3,        MOST,    40,           INFINITY, 0,
                                                shortest, longest, SEQ_CTC_WORK, NULL,     0};
                seq_error error = {0};
                seq_ctc_search *search = NULL;
                int kept = 0;
                fill(table, 5, 3, 3, 0, &random);
                int count = brute_force(table, 5, 3, list);
                for (int i = 0; i < count; i++)
                    if (list[i].length >= shortest && (!longest || list[i].length <= longest))
                        list[kept++] = list[i];
                assert_int_equal(seq_ctc_search_create(&config, &search, &error), SEQ_OK);
                for (int exact = 0; exact < 2; exact++) {
                    seq_ctc_found found = run(search, exact, table, 5);
                    expect_same(&found, list, kept, 40, true);
                }
                seq_ctc_search_destroy(search);
            }
}

// ---- Larger tables.

// No beam is below the best path or above the truth, and a margin that prunes nothing changes
// nothing.
static void between_best_path_and_truth(void **state) {
    (void)state;
    enum { T = 14, K = 6 };
    float table[T * K];
    int32_t labels[T];
    uint32_t random = 3;
    int improved = 0;
    for (int trial = 0; trial < 12; trial++) {
        fill(table, T, K, 2 + trial % 3, (unsigned)trial % 2 * 4, &random);
        int count = seq_ctc_best_path(table, T, K, labels);
        double greedy = ctc_forward(table, T, K, labels, count);
        seq_ctc_search *exact = open_search(K, 60, 1);
        double truth = run(exact, true, table, T).sequences[0].score;
        for (int width = 1; width <= 16; width++) {
            seq_ctc_search *search = open_search(K, width, 5);
            seq_ctc_found found = run(search, false, table, T);
            assert_true(fabs(found.best_path - greedy) < 1e-9);
            assert_true(found.count > 0 && found.sequences[0].score >= found.best_path);
            assert_true(found.sequences[0].log_probability <= truth + 1e-9);
            for (int i = 0; i < found.count; i++)
                assert_true(found.sequences[i].score <= found.sequences[i].log_probability + 1e-9);
            for (int i = 1; i < found.count; i++)
                assert_true(found.sequences[i].score <= found.sequences[i - 1].score);
            improved += found.sequences[0].score > greedy + 1e-9;
            seq_ctc_search_destroy(search);
        }
        seq_ctc_search_destroy(exact);
    }
    assert_true(improved > 40);
}

static void a_margin_drops_prefixes(void **state) {
    (void)state;
    float table[42];
    seq_error error = {0};
    read_table("set1.probabilities", table);
    for (int i = 0; i < 3; i++) {
        const double margins[] = {50, 0.1, 0};
        seq_ctc_search_config config = {7, 50, 50, margins[i], 0, 0, 0, SEQ_CTC_WORK, NULL, 0};
        seq_ctc_search *search = NULL, *all = open_search(7, 50, 50);
        assert_int_equal(seq_ctc_search_create(&config, &search, &error), SEQ_OK);
        seq_ctc_found found = run(search, false, table, 6), expected = run(all, false, table, 6);
        if (i == 0) {
            assert_int_equal(found.count, expected.count);
            for (int n = 0; n < found.count; n++)
                assert_true(found.sequences[n].score == expected.sequences[n].score);
        } else {
            assert_true(found.count < expected.count);
            assert_true(i == 1 || found.count <= 2); // the beam's one, and the best path
        }
        seq_ctc_search_destroy(search);
        seq_ctc_search_destroy(all);
    }
}

// A search gives an item the bits that it has in a new one.
static void items_do_not_change_each_other(void **state) {
    (void)state;
    enum { T = 12, K = 5 };
    float first[T * K], second[T * K];
    uint32_t random = 4;
    fill(first, T, K, 2, 0, &random);
    fill(second, T, K, 2, 5, &random);
    for (int exact = 0; exact < 2; exact++) {
        seq_ctc_search *used = open_search(K, 8, 4), *new = open_search(K, 8, 4);
        run(used, exact, first, T);
        seq_ctc_found a = run(used, exact, second, 7), b = run(new, exact, second, 7);
        assert_int_equal(a.count, b.count);
        assert_true(a.best_path == b.best_path);
        for (int i = 0; i < a.count; i++) {
            assert_true(a.sequences[i].score == b.sequences[i].score);
            assert_int_equal(a.sequences[i].length, b.sequences[i].length);
            assert_memory_equal(a.sequences[i].labels, b.sequences[i].labels,
                                (size_t)a.sequences[i].length * sizeof(int32_t));
        }
        seq_ctc_search_destroy(used);
        seq_ctc_search_destroy(new);
    }
}

// Greedy, and each sequence that the exact search finds, given: the same scores.
static void greedy_and_given(void **state) {
    (void)state;
    enum { T = 9, K = 4 };
    float table[T * K];
    int32_t labels[T];
    const int32_t too_long[] = {1, 2, 2, 1, 2, 3, 1, 2, 3, 1, 1, 1}, impossible[] = {1, 1};
    uint32_t random = 7;
    seq_error error = {0};
    for (int trial = 0; trial < 10; trial++) {
        seq_ctc_found found, one;
        seq_ctc_search *search = open_search(K, 8, 6), *single = open_search(K, 1, 1);
        fill(table, T, K, 2, 0, &random);
        assert_int_equal(seq_ctc_search_greedy(search, table, T, &found, &error), SEQ_OK);
        int count = seq_ctc_best_path(table, T, K, labels);
        assert_int_equal(found.count, 1);
        assert_int_equal(found.sequences[0].length, count);
        assert_memory_equal(found.sequences[0].labels, labels, (size_t)count * sizeof *labels);
        assert_true(found.sequences[0].score == found.best_path);
        found = run(search, true, table, T);
        assert_int_equal(found.count, 6);
        for (int i = 0; i < 6; i++) {
            const seq_ctc_sequence *sequence = &found.sequences[i];
            assert_int_equal(seq_ctc_search_given(single, table, T, sequence->labels,
                                                  sequence->length, &one, &error),
                             SEQ_OK);
            assert_int_equal(one.count, 1);
            assert_true(isnan(one.best_path));
            assert_true(one.sequences[0].score == sequence->log_probability);
            assert_memory_equal(one.sequences[0].labels, sequence->labels,
                                (size_t)sequence->length * sizeof *labels);
        }
        assert_int_equal(seq_ctc_search_given(single, table, T, too_long, 12, &one, &error),
                         SEQ_OK);
        assert_int_equal(one.count, 0);
        assert_int_equal(seq_ctc_search_given(single, table, 2, impossible, 2, &one, &error),
                         SEQ_OK);
        assert_int_equal(one.count, 0);
        seq_ctc_search_destroy(search);
        seq_ctc_search_destroy(single);
    }
}

// ---- The edges.

static void smallest_problems(void **state) {
    (void)state;
    const float blank[] = {-0.5F, -0.25F};
    int32_t labels[2];
    for (int exact = 0; exact < 2; exact++) {
        seq_ctc_search *search = open_search(1, 3, 2), *none = open_search(4, 3, 2);
        seq_ctc_found found = run(search, exact, blank, 2);
        assert_int_equal(found.count, 1);
        assert_int_equal(found.sequences[0].length, 0);
        assert_true(fabs(found.sequences[0].score + 0.75) < 1e-12);
        found = run(none, exact, blank, 0);
        assert_int_equal(found.count, 1);
        assert_int_equal(found.sequences[0].length, 0);
        assert_true(found.sequences[0].score == 0 && found.best_path == 0);
        seq_ctc_search_destroy(search);
        seq_ctc_search_destroy(none);
    }
    assert_int_equal(seq_ctc_best_path(blank, 0, 2, labels), 0);
}

static void nothing_can_be_found(void **state) {
    (void)state;
    const float impossible[] = {-0.7F, -0.7F, -INFINITY, -INFINITY, -0.7F, -0.7F};
    const float no_number[] = {-0.7F, -0.7F, NAN, -1, -0.7F, -0.7F};
    const float infinite[] = {-0.7F, -0.7F, INFINITY, -1, -0.7F, -0.7F};
    const float *const tables[] = {impossible, no_number, infinite};
    seq_ctc_search *search = open_search(2, 4, 2);
    for (int i = 0; i < 3; i++)
        for (int exact = 0; exact < 2; exact++)
            assert_int_equal(run(search, exact, tables[i], 3).count, 0);
    seq_ctc_search_destroy(search);
}

// Of sequences with equal scores the first in the order of labels comes first; of equal prefixes
// the beam keeps those with the first parent, then the first symbol.
static void ties_have_one_answer(void **state) {
    (void)state;
    const float frame = -1.25F, frames[] = {frame, frame, frame, frame};
    seq_ctc_search *search = open_search(4, 2, 4);
    seq_ctc_found found = run(search, false, frames, 1);
    assert_int_equal(found.count, 2); // the empty prefix stays, 1 is added
    assert_int_equal(found.sequences[0].length, 0);
    assert_int_equal(found.sequences[1].length, 1);
    assert_int_equal(found.sequences[1].labels[0], 1);
    found = run(search, true, frames, 1);
    assert_int_equal(found.count, 4);
    for (int i = 1; i < 4; i++)
        assert_int_equal(found.sequences[i].labels[0], i);
    seq_ctc_search_destroy(search);
}

// A bonus is added for each label, in both searches.
static void a_bonus_prefers_longer_ones(void **state) {
    (void)state;
    float table[6 * 4];
    uint32_t random = 5;
    for (int trial = 0; trial < 20; trial++) {
        seq_error error = {0};
        double bonus = trial % 2 ? 1.5 : -1.5;
        seq_ctc_search_config config = {4, MOST, 9, INFINITY, bonus, 0, 0, SEQ_CTC_WORK, NULL, 0};
        seq_ctc_search *search = NULL;
        assert_int_equal(seq_ctc_search_create(&config, &search, &error), SEQ_OK);
        fill(table, 4, 4, 2, 0, &random);
        seq_ctc_sequence beam[9];
        int32_t labels[9][4];
        seq_ctc_found found = run(search, false, table, 4);
        assert_int_equal(found.count, 9);
        for (int i = 0; i < 9; i++) {
            beam[i] = found.sequences[i];
            memcpy(labels[i], beam[i].labels, (size_t)beam[i].length * sizeof(int32_t));
            double p = ctc_forward(table, 4, 4, labels[i], beam[i].length);
            assert_true(fabs(beam[i].score - (p + bonus * beam[i].length)) < 1e-9);
            assert_true(fabs(beam[i].log_probability - p) < 1e-9);
        }
        found = run(search, true, table, 4);
        assert_int_equal(found.count, 9);
        for (int i = 0; i < 9; i++) {
            assert_int_equal(found.sequences[i].length, beam[i].length);
            assert_memory_equal(found.sequences[i].labels, labels[i],
                                (size_t)beam[i].length * sizeof(int32_t));
        }
        seq_ctc_search_destroy(search);
    }
}

static void too_large_for_exact(void **state) {
    (void)state;
    enum { T = 60, K = 8 };
    static float table[T * K];
    uint32_t random = 6;
    seq_error error = {0};
    seq_ctc_found found;
    seq_ctc_search_config config = {K, 4, 1, INFINITY, 0, 0, 0, 1e5, NULL, 0};
    seq_ctc_search *search = NULL;
    fill(table, T, K, 1, 0, &random);
    assert_int_equal(seq_ctc_search_create(&config, &search, &error), SEQ_OK);
    assert_int_equal(seq_ctc_search_exact(search, table, T, &found, &error), SEQ_BAD_USAGE);
    double best = 0, bound = 0;
    const char *text = strstr(error.text, "the best score is ");
    assert_non_null(text);
    assert_int_equal(
        sscanf(text, "the best score is %lf, and sequences that were not tried have up to %lf",
               &best, &bound),
        2);
    assert_true(best < bound && bound < 0);
    found = run(search, false, table, T); // it goes on
    assert_int_equal(found.count, 1);
    seq_ctc_search_destroy(search);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tables),
        cmocka_unit_test(all_sequences),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(between_best_path_and_truth),
        cmocka_unit_test(a_margin_drops_prefixes),
        cmocka_unit_test(items_do_not_change_each_other),
        cmocka_unit_test(greedy_and_given),
        cmocka_unit_test(smallest_problems),
        cmocka_unit_test(nothing_can_be_found),
        cmocka_unit_test(ties_have_one_answer),
        cmocka_unit_test(a_bonus_prefers_longer_ones),
        cmocka_unit_test(too_large_for_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
