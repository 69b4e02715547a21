// Philox against the known answers of Random123 (Salmon et al. 2011), moments
// of the fills, and normal numbers as quantiles: erfc of each must give back
// the word that it was drawn from. Checks src/base/random.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/random.h>

// Known answers of Philox4x32-10 (Salmon et al., Random123, kat_vectors).
static void known_answers(void **state) {
    (void)state;
    static const uint32_t cases[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        seq_philox(cases[i], cases[i] + 2, out);
        assert_memory_equal(out, cases[i] + 6, sizeof out);
    }
}

static void batches_are_draws(void **state) {
    (void)state;
    const seq_random_key key = {0xfedcba9876543210, 0x80000105};
    seq_random_counters counters;
    uint32_t batch[4 * SEQ_RANDOM_BATCH], one[4];
    for (uint32_t i = 0; i < SEQ_RANDOM_BATCH; i++) {
        counters.a[i] = i * 0x9e3779b9;
        counters.b[i] = ~i;
        counters.c[i] = i + 0x7ffffff8;
    }
    seq_random_batch(key, &counters, batch);
    for (int i = 0; i < SEQ_RANDOM_BATCH; i++) {
        seq_random_words(key, counters.a[i], counters.b[i], counters.c[i], one);
        assert_memory_equal(one, batch + 4 * i, sizeof one);
    }
}

static void fills_have_their_moments(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    static float x[COUNT];
    double sum = 0, squares = 0;
    seq_random_key key = {5, SEQ_RANDOM_TEST};
    seq_random_fill_uniform(key, 1, 2, x, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(x[i] >= -2 && x[i] < 2);
        sum += x[i], squares += x[i] * x[i];
    }
    assert_true(fabs(sum / COUNT) < 0.02 && fabs(squares / COUNT - 4.0 / 3) < 0.02);
    seq_random_fill_normal(key, 1, 3, x, COUNT);
    sum = squares = 0;
    for (int i = 0; i < COUNT; i++)
        sum += x[i], squares += x[i] * x[i];
    assert_true(fabs(sum / COUNT) < 0.05 && fabs(squares / COUNT - 9) < 0.2);
}

// Against the C library's error function, one Newton step away from the value at most.
static void normals_are_quantiles(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    static float x[COUNT];
    uint32_t words[4];
    seq_random_key key = {7, SEQ_RANDOM_TEST};
    seq_random_fill_normal(key, 2, 1, x, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i % 4 == 0) seq_random_words(key, i / 4, 2, 0, words);
        double z = -fabs(x[i]), p = (words[i % 4] + 0.5) * 0x1p-32, below = p < 0.5 ? p : 1 - p;
        double slope = exp(-z * z / 2) / 2.5066282746310002;
        assert_true((x[i] < 0) == (p < 0.5));
        assert_true(fabs(0.5 * erfc(-z * 0.70710678118654752) - below) / slope < 3e-7 - 3e-8 * z);
    }
}

static void units_are_below_one(void **state) {
    (void)state;
    assert_true(seq_random_unit(0xffffffff) < 1 && seq_random_unit(0) == 0);
    assert_true(seq_random_unit_double(0xffffffff, 0xffffffff) < 1 &&
                seq_random_unit_double(0, 0) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers), cmocka_unit_test(batches_are_draws),
        cmocka_unit_test(fills_have_their_moments), cmocka_unit_test(normals_are_quantiles),
        cmocka_unit_test(units_are_below_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
