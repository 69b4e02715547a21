// Both product libraries against a double reference: all operand forms, odd sizes, strides, beta.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/kernels/kernels.h>
#include <stdlib.h>
#include <string.h>

static float element(const float *values, size_t ld, seq_operand op, size_t row, size_t column) {
    return op == SEQ_TRANSPOSED ? values[column * ld + row] : values[row * ld + column];
}

static void check(const seq_kernels *kernels, seq_operand op_a, seq_operand op_b, size_t m,
                  size_t n, size_t k, float beta) {
    size_t lda = (op_a == SEQ_TRANSPOSED ? m : k) + 3, ldb = (op_b == SEQ_TRANSPOSED ? k : n) + 1,
           ldc = n + 2;
    size_t rows_a = op_a == SEQ_TRANSPOSED ? k : m, rows_b = op_b == SEQ_TRANSPOSED ? n : k;
    float *a = malloc((rows_a * lda + 1) * sizeof *a), *b = malloc((rows_b * ldb + 1) * sizeof *b);
    float *c = malloc((m * ldc + 1) * sizeof *c), *old = malloc((m * ldc + 1) * sizeof *old);
    seq_random_key key = {9, SEQ_RANDOM_TEST};
    seq_random_fill_uniform(key, 1, 1, a, rows_a * lda);
    seq_random_fill_uniform(key, 2, 1, b, rows_b * ldb);
    seq_random_fill_uniform(key, 3, 1, old, m * ldc);
    memcpy(c, old, m * ldc * sizeof *c);
    for (size_t i = 0; beta == 0 && i < m; i++)
        for (size_t j = 0; j < n; j++)
            c[i * ldc + j] = NAN; // must not be read
    kernels->gemm(op_a, op_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < ldc; j++) {
            double sum = beta == 0 ? 0 : (double)beta * old[i * ldc + j];
            for (size_t p = 0; p < k && j < n; p++)
                sum += (double)element(a, lda, op_a, i, p) * element(b, ldb, op_b, p, j);
            double expected = j < n ? sum : old[i * ldc + j];
            if (!(fabs(c[i * ldc + j] - expected) <= 1e-6 * (double)(k + 1)))
                fail_msg("%s %d%d m %zu n %zu k %zu beta %g: (%zu, %zu) is %g, expected %g",
                         kernels->name, op_a, op_b, m, n, k, beta, i, j, c[i * ldc + j], expected);
        }
    free(a), free(b), free(c), free(old);
}

static void products(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1},    {1, 17, 33},   {3, 5, 7},  {4, 16, 256},
                                      {5, 17, 300}, {20, 33, 650}, {13, 1, 4}, {2, 3, 0},
                                      {0, 3, 2},    {3, 0, 2}};
    static const float betas[] = {0, 1, 0.5f};
    for (const char *const *name = seq_kernels_names() + 1; *name; name++) {
        const seq_kernels *kernels;
        seq_error error = {0};
        assert_int_equal(seq_kernels_find(*name, &kernels, &error), SEQ_OK);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int form = 0; form < 12; form++)
                check(kernels, (seq_operand)(form & 1), (seq_operand)(form >> 1 & 1), sizes[s][0],
                      sizes[s][1], sizes[s][2], betas[form / 4]);
    }
}

static void unknown_name_is_refused(void **state) {
    (void)state;
    const seq_kernels *kernels;
    seq_error error = {0};
    assert_int_equal(seq_kernels_find("mkl", &kernels, &error), SEQ_BAD_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(products),
                                       cmocka_unit_test(unknown_name_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
