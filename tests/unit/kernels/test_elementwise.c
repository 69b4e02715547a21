// Accuracy against the C library's double, at most 5 units of the last place
// over every 641st float; the same bits on every instruction set of one order;
// tails and limits. Sets that this CPU lacks are skipped with a word. Checks
// the element-wise functions of src/kernels/.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/kernels/kernels.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPAN = 1 << 16 };
static const char *const sets[] = {"portable", "avx2", "avx512", "neon", "unfused"};
enum { SETS = sizeof sets / sizeof *sets };

// The distance in units of the last place of the correctly rounded result.
static double ulps(float found, double expected) {
    float rounded = (float)expected;
    if (found == rounded) return 0;
    float next = nextafterf(fabsf(rounded), INFINITY) - fabsf(rounded);
    return fabs(found - expected) / next;
}

static double sigmoid_exact(double x) {
    return 1 / (1 + exp(-x));
}

typedef struct function {
    const char *name;
    double (*exact)(double);
    size_t offset; // in seq_kernels
    double limit;  // of |x| where the result is a normal number
} function;

static const function functions[] = {
    {"sigmoid", sigmoid_exact, offsetof(seq_kernels, sigmoid), 87.3},
    {"tanh", tanh, offsetof(seq_kernels, tanh), 3e38},
    {"exp", exp, offsetof(seq_kernels, exp), 87.3},
};

static void apply(const seq_kernels *kernels, const function *function, float *x, size_t count) {
    void (*call)(float *, size_t);
    memcpy(&call, (const char *)kernels + function->offset, sizeof call);
    call(x, count);
}

// Every 641st of all floats: each exponent, both signs.
static void accuracy(void **state) {
    (void)state;
    float *x = malloc(SPAN * sizeof *x), *y = malloc(SPAN * sizeof *y);
    const seq_kernels *tables[] = {seq_kernels_of("auto"), seq_kernels_of("unfused")};
    for (size_t f = 0; f < 6; f++) {
        const seq_kernels *kernels = tables[f / 3];
        const function *function = &functions[f % 3];
        double worst = 0;
        float where = 0;
        for (uint64_t bits = 0; bits < 0x100000000u;) {
            size_t count = 0;
            for (; count < SPAN && bits < 0x100000000u; bits += 641) {
                uint32_t word = (uint32_t)bits;
                float value;
                memcpy(&value, &word, sizeof value);
                if (fabsf(value) <= function->limit && (fabsf(value) > 1.2e-38f))
                    x[count++] = value;
            }
            memcpy(y, x, count * sizeof *y);
            apply(kernels, function, y, count);
            for (size_t i = 0; i < count; i++) {
                double error = ulps(y[i], function->exact(x[i]));
                if (error > worst) {
                    worst = error;
                    where = x[i];
                }
            }
        }
        print_message("%s %s: at most %.2f ULP, at %g\n", kernels->name, function->name, worst,
                      where);
        assert_true(worst <= 5);
    }
    free(x);
    free(y);
}

static void limits(void **state) {
    (void)state;
    for (size_t s = 0; s < SETS; s++) {
        const seq_kernels *kernels = seq_kernels_of(sets[s]);
        if (!kernels) {
            print_message("skipped: this CPU has no %s\n", sets[s]);
            continue;
        }
        float x[] = {INFINITY, -INFINITY, NAN, 0.0f, 100.0f, -100.0f, 88.73f, -87.34f};
        float sigmoid[8], tangent[8], exponential[8];
        memcpy(sigmoid, x, sizeof x), memcpy(tangent, x, sizeof x),
            memcpy(exponential, x, sizeof x);
        kernels->sigmoid(sigmoid, 8), kernels->tanh(tangent, 8), kernels->exp(exponential, 8);
        assert_true(sigmoid[0] == 1 && sigmoid[1] == 0 && isnan(sigmoid[2]) && sigmoid[3] == 0.5f &&
                    sigmoid[4] == 1 && sigmoid[5] == 0);
        assert_true(tangent[0] == 1 && tangent[1] == -1 && isnan(tangent[2]) && tangent[3] == 0 &&
                    tangent[4] == 1 && tangent[5] == -1);
        assert_true(isinf(exponential[0]) && exponential[1] == 0 && isnan(exponential[2]) &&
                    exponential[3] == 1);
        assert_true(isinf(exponential[6]) && exponential[7] == 0);
    }
}

static void fill(float *x, size_t count, float bound) {
    seq_random_fill_uniform((seq_random_key){1, SEQ_RANDOM_TEST}, 0, bound, x, count);
}

// All functions, all counts around the vector widths, unaligned.
static void same_bits_everywhere(void **state) {
    (void)state;
    enum { MOST = 70, ROWS = 3 };
    const seq_kernels *plain = seq_kernels_of("portable");
    for (size_t s = 1; s < SETS; s++) {
        const seq_kernels *other = seq_kernels_of(sets[s]);
        if (other && strcmp(other->order, plain->order) != 0) {
            print_message("skipped: %s is %s, %s %s\n", sets[s], other->order, plain->name,
                          plain->order);
            continue;
        }
        if (!other) {
            print_message("skipped: this CPU has no %s\n", sets[s]);
            continue;
        }
        for (size_t count = 0; count <= MOST; count++) {
            float a[ROWS * MOST + 1], b[ROWS * MOST + 1], sum_a[ROWS], sum_b[ROWS],
                bias_a[MOST] = {0}, bias_b[MOST] = {0};
            for (size_t f = 0; f < 3; f++) {
                fill(a, ROWS * MOST + 1, 20);
                memcpy(b, a, sizeof a);
                apply(plain, &functions[f], a + 1, count);
                apply(other, &functions[f], b + 1, count);
                assert_memory_equal(a, b, sizeof a);
            }
            fill(a, ROWS * MOST + 1, 20);
            memcpy(b, a, sizeof a);
            assert_true(plain->sum_squares(a + 1, count) == other->sum_squares(b + 1, count));
            plain->sum_rows(a, ROWS, count, MOST, bias_a),
                other->sum_rows(b, ROWS, count, MOST, bias_b);
            assert_memory_equal(bias_a, bias_b, sizeof bias_a);
            plain->add_rows(a, ROWS, count, MOST, bias_a),
                other->add_rows(b, ROWS, count, MOST, bias_b);
            assert_memory_equal(a, b, sizeof a);
            plain->dots(bias_a, a, ROWS, MOST, count, sum_a);
            other->dots(bias_a, a, ROWS, MOST, count, sum_b);
            assert_memory_equal(sum_a, sum_b, sizeof sum_a);
            plain->weigh(bias_a, sum_a, 1, a, ROWS, MOST, count);
            other->weigh(bias_b, sum_a, 1, a, ROWS, MOST, count);
            assert_memory_equal(bias_a, bias_b, sizeof bias_a);
            if (count == 0) continue;
            plain->softmax(a, ROWS, count, MOST, sum_a),
                other->softmax(b, ROWS, count, MOST, sum_b);
            assert_memory_equal(a, b, sizeof a);
            assert_memory_equal(sum_a, sum_b, sizeof sum_a);
        }
    }
}

static void softmax_rows(void **state) {
    (void)state;
    enum { ROWS = 4, COLUMNS = 37, LD = 40 };
    const seq_kernels *kernels;
    seq_error error = {0};
    float x[ROWS * LD], log_sum[ROWS];
    double expected[ROWS] = {0};
    assert_int_equal(seq_kernels_find("auto", SEQ_FP32, &kernels, &error), SEQ_OK);
    fill(x, ROWS * LD, 30);
    for (int j = 0; j < COLUMNS; j++) {
        x[2 * LD + j] = j == 5 ? 1e30f : -1e30f;
        x[3 * LD + j] = j == 7 ? NAN : 0;
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < COLUMNS; j++)
            expected[i] += exp(x[i * LD + j]);
        expected[i] = log(expected[i]);
    }
    kernels->softmax(x, ROWS, COLUMNS, LD, log_sum);
    for (int i = 0; i < 2; i++) {
        double sum = 0;
        for (int j = 0; j < COLUMNS; j++)
            sum += x[i * LD + j];
        assert_true(fabs(sum - 1) < 1e-6);
        assert_true(fabs(log_sum[i] - expected[i]) < 1e-6 * fabs(expected[i]));
    }
    assert_true(x[2 * LD + 5] == 1 && x[2 * LD + 6] == 0);
    assert_true(isnan(x[3 * LD]) && isnan(log_sum[3]));
}

// Against double; a row's result does not depend on the rows beside it.
static void rows_are_weighed(void **state) {
    (void)state;
    enum { ROWS = 7, WIDTH = 83, LD = 90 };
    const seq_kernels *kernels = seq_kernels_of("auto");
    float x[WIDTH], rows[ROWS * LD], sums[ROWS], one, y[WIDTH], before[WIDTH];
    fill(x, WIDTH, 1);
    fill(rows, ROWS * LD, 1);
    fill(before, WIDTH, 1);
    for (size_t width = 0; width <= WIDTH; width++) {
        kernels->dots(x, rows, ROWS, LD, width, sums);
        for (size_t i = 0; i < ROWS; i++) {
            double sum = 0;
            for (size_t j = 0; j < width; j++)
                sum += (double)x[j] * (double)rows[i * LD + j];
            assert_true(fabs((double)sums[i] - sum) < 1e-5);
            kernels->dots(x, rows + i * LD, 1, LD, width, &one);
            assert_true(one == sums[i]);
        }
        memcpy(y, before, sizeof y);
        kernels->weigh(y, x, 3, rows, ROWS, LD, width);
        for (size_t j = 0; j < WIDTH; j++) {
            double sum = (double)before[j];
            for (size_t i = 0; j < width && i < ROWS; i++)
                sum += (double)x[3 * i] * (double)rows[i * LD + j];
            assert_true(fabs((double)y[j] - sum) < 1e-5);
        }
    }
}

static void nonfinite_is_found(void **state) {
    (void)state;
    const seq_kernels *kernels;
    seq_error error = {0};
    assert_int_equal(seq_kernels_find("auto", SEQ_FP32, &kernels, &error), SEQ_OK);
    for (size_t count = 0; count < 50; count++)
        for (size_t at = 0; at <= count; at++) {
            float x[50];
            fill(x, 50, 1);
            if (at < count) x[at] = at % 2 ? NAN : -INFINITY;
            assert_int_equal(kernels->find_nonfinite(x, count), at);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(accuracy),
                                       cmocka_unit_test(limits),
                                       cmocka_unit_test(same_bits_everywhere),
                                       cmocka_unit_test(softmax_rows),
                                       cmocka_unit_test(rows_are_weighed),
                                       cmocka_unit_test(nonfinite_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
