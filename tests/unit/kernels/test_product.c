// Products of every library, instruction set and precision: against sums in
// double, against the one order of sums that the packed kernels promise, and
// the same bits for every way to cut them. The bound of an error is (k + 2)
// 2^-24 of the sum of magnitudes. Checks the products of src/kernels/.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/kernels/compute.h>
#include <stdlib.h>
#include <string.h>

typedef struct product_case {
    seq_compute compute;
    seq_operand op_a, op_b;
    size_t m, n, k, lda, ldb, ldc;
    bool accumulate, biased;
    float *a, *b, *c, *old, *bias;
    void *packed;
} product_case;

static float *random_floats(size_t count, uint32_t stream) {
    float *values = malloc((count + 1) * sizeof *values);
    seq_random_fill_uniform((seq_random_key){9, SEQ_RANDOM_TEST}, stream, 1, values, count);
    return values;
}

static void pack(product_case *test) {
    size_t bytes = seq_compute_packed_bytes(&test->compute, test->n, test->k);
    test->packed = aligned_alloc(64, (bytes + 64) / 64 * 64);
    seq_compute_pack(&test->compute, test->op_b, test->n, test->k, test->b, test->ldb,
                     test->packed);
}

static void create(product_case *test) {
    bool a_turned = test->op_a == SEQ_TRANSPOSED, b_turned = test->op_b == SEQ_TRANSPOSED;
    test->lda = (a_turned ? test->m : test->k) + 3;
    test->ldb = (b_turned ? test->k : test->n) + 1;
    test->ldc = test->n + 2;
    test->a = random_floats((a_turned ? test->k : test->m) * test->lda, 1);
    test->b = random_floats((b_turned ? test->n : test->k) * test->ldb, 2);
    test->old = random_floats(test->m * test->ldc, 3);
    test->bias = random_floats(test->n, 4);
    test->c = malloc((test->m * test->ldc + 1) * sizeof *test->c);
    pack(test);
}

static void destroy(product_case *test) {
    free(test->a), free(test->b), free(test->c), free(test->old), free(test->bias);
    free(test->packed);
}

static seq_product product_of(const product_case *test) {
    return (seq_product){.op_a = test->op_a,
                         .m = test->m,
                         .n = test->n,
                         .k = test->k,
                         .a = test->a,
                         .lda = test->lda,
                         .b = test->packed,
                         .accumulate = test->accumulate,
                         .bias = test->biased ? test->bias : NULL,
                         .c = test->c,
                         .ldc = test->ldc};
}

static void multiply(product_case *test) {
    memcpy(test->c, test->old, test->m * test->ldc * sizeof *test->c);
    for (size_t i = 0; !test->accumulate && i < test->m; i++)
        for (size_t j = 0; j < test->n; j++)
            test->c[i * test->ldc + j] = NAN; // must not be read
    seq_compute_multiply(&test->compute, product_of(test));
}

static float element(const float *values, size_t ld, seq_operand op, size_t row, size_t column) {
    return op == SEQ_TRANSPOSED ? values[column * ld + row] : values[row * ld + column];
}

static float start_of(const product_case *test, size_t i, size_t j) {
    return test->accumulate ? test->old[i * test->ldc + j] : test->biased ? test->bias[j] : 0;
}

static float to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t low = bits & 0xffff;
    bits &= 0xffff0000;
    if (low > 0x8000 || (low == 0x8000 && bits >> 16 & 1)) bits += 0x10000;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// The element in double, from operands as the precision holds them.
static double wide_element(const product_case *test, size_t i, size_t j, double *out_bound) {
    double sum = start_of(test, i, j), magnitude = fabs(sum), largest = 0;
    seq_precision precision = test->compute.precision;
    for (size_t p = 0; p < test->k; p++) {
        float a = element(test->a, test->lda, test->op_a, i, p),
              b = element(test->b, test->ldb, test->op_b, p, j);
        if (precision == SEQ_BF16) a = to_bf16(a), b = to_bf16(b);
        sum += (double)a * b;
        magnitude += fabs((double)a * b);
        largest = fabs(b) > largest ? fabs(b) : largest;
    }
    *out_bound = magnitude * (double)(test->k + 2) * 0x1p-24;
    if (precision == SEQ_INT8) *out_bound += (double)test->k * largest / 127 / 2; // |a| <= 1
    return sum;
}

static void check_sums(product_case *test) {
    multiply(test);
    for (size_t i = 0; i < test->m; i++)
        for (size_t j = 0; j < test->ldc; j++) {
            double bound = 0, expected = test->old[i * test->ldc + j];
            if (j < test->n) expected = wide_element(test, i, j, &bound);
            if (!(fabs(test->c[i * test->ldc + j] - expected) <= bound))
                fail_msg("%s %s %d%d m %zu n %zu k %zu: (%zu, %zu) is %g, expected %g +- %g",
                         test->compute.kernels->name,
                         seq_precision_names()[test->compute.precision], test->op_a, test->op_b,
                         test->m, test->n, test->k, i, j, test->c[i * test->ldc + j], expected,
                         bound);
        }
}

static const char *const sets[] = {"avx512bf16", "avx512",  "avx2",    "neon",
                                   "portable",   "unfused", "openblas"};
enum { SETS = sizeof sets / sizeof *sets, OUR_SETS = SETS - 1 };
static const size_t sizes[][3] = {{1, 1, 1},    {1, 17, 33},   {1, 200, 70},  {2, 70, 31},
                                  {3, 77, 9},   {4, 16, 256},  {5, 17, 771},  {6, 8, 5},
                                  {7, 9, 1900}, {20, 33, 650}, {125, 19, 37}, {13, 1, 4},
                                  {2, 3, 0},    {0, 3, 2},     {3, 0, 2}};

static void for_forms(const seq_compute *compute, const size_t size[3],
                      void (*check)(product_case *test)) {
    for (int form = 0; form < 12; form++) {
        product_case test = {.compute = *compute,
                             .op_a = (seq_operand)(form & 1),
                             .op_b = (seq_operand)(form >> 1 & 1),
                             .accumulate = form / 4 == 1,
                             .biased = form / 4 == 2,
                             .m = size[0],
                             .n = size[1],
                             .k = size[2]};
        create(&test);
        check(&test);
        destroy(&test);
    }
}

// Every table of this CPU, precision, size and form: calls `check` with the operands ready.
static void for_all(int count, void (*check)(product_case *test)) {
    for (int set = 0; set < count; set++)
        for (int precision = 0; seq_precision_names()[precision]; precision++) {
            seq_compute compute = {.precision = (seq_precision)precision};
            seq_error refused = {0};
            if (seq_kernels_find(sets[set], compute.precision, &compute.kernels, &refused))
                continue;
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                for_forms(&compute, sizes[s], check);
        }
}

static void sums_are_right(void **state) {
    (void)state;
    for_all(SETS, check_sums);
}

static float add_product(float a, float b, float sum, bool fused) {
    return fused ? fmaf(a, b, sum) : a * b + sum;
}

// One multiply-add after the other in ascending K, fused or not; of bf16 the odd one of a pair
// first.
static float chain(const product_case *test, size_t i, size_t j, bool fused) {
    float sum = start_of(test, i, j);
    bool pairs = test->compute.precision == SEQ_BF16;
    for (size_t at = 0; at < test->k + (pairs && test->k % 2); at++) {
        size_t p = pairs ? at ^ 1 : at;
        if (p >= test->k) continue;
        float a = element(test->a, test->lda, test->op_a, i, p),
              b = element(test->b, test->ldb, test->op_b, p, j);
        if (pairs) a = to_bf16(a), b = to_bf16(b);
        sum = add_product(a, b, sum, fused);
    }
    return sum;
}

// Equal parts of at most 768 of K, each summed from zero, scaled and added to what is there.
static float int8_chain(const product_case *test, size_t i, size_t j, bool fused) {
    float largest = 0, out = start_of(test, i, j);
    for (size_t p = 0; p < test->k; p++) {
        float size = fabsf(element(test->b, test->ldb, test->op_b, p, j));
        largest = size > largest ? size : largest;
    }
    float scale = largest / 127, factor = scale > 0 ? 1 / scale : 0;
    size_t parts = (test->k + 767) / 768,
           part = parts ? (test->k + 2 * parts - 1) / (2 * parts) * 2 : 1;
    for (size_t from = 0; from < test->k; from += part) {
        float sum = 0;
        for (size_t p = from; p < test->k && p < from + part; p++) {
            float b = element(test->b, test->ldb, test->op_b, p, j);
            sum = add_product(element(test->a, test->lda, test->op_a, i, p),
                              (float)lrintf(b * factor), sum, fused);
        }
        out = add_product(scale, sum, out, fused);
    }
    return out;
}

static void check_order(product_case *test) {
    const char *order = seq_kernels_order(test->compute.kernels, test->compute.precision);
    bool fused = strcmp(order, "fused") == 0;
    if (!fused && strcmp(order, "unfused") != 0) return; // the instruction's, with denormals kept
    multiply(test);
    for (size_t i = 0; i < test->m; i++)
        for (size_t j = 0; j < test->n; j++) {
            float expected = test->compute.precision == SEQ_INT8 ? int8_chain(test, i, j, fused)
                                                                 : chain(test, i, j, fused);
            assert_memory_equal(&test->c[i * test->ldc + j], &expected, sizeof expected);
        }
}

static void order_is_that_of_k(void **state) {
    (void)state;
    for_all(OUR_SETS, check_order);
}

static void expect_same(const product_case *test, const float *expected, const char *what) {
    for (size_t i = 0; i < test->m; i++)
        if (memcmp(test->c + i * test->ldc, expected + i * test->ldc, test->n * sizeof *expected))
            fail_msg("%s: other bits at m %zu n %zu k %zu, row %zu", what, test->m, test->n,
                     test->k, i);
}

// Row by row, in uneven pieces of columns, and by teams: the bits of the whole.
static void check_cuts(product_case *test) {
    size_t columns = test->compute.kernels->panel_columns(), bytes;
    multiply(test);
    float *whole = malloc((test->m * test->ldc + 1) * sizeof *whole);
    memcpy(whole, test->c, test->m * test->ldc * sizeof *whole);
    memcpy(test->c, test->old, test->m * test->ldc * sizeof *whole);
    for (size_t i = 0; i < test->m; i++) {
        seq_product row = product_of(test);
        row.m = 1;
        row.a += test->op_a == SEQ_TRANSPOSED ? i : i * test->lda;
        row.c += i * test->ldc;
        seq_compute_multiply(&test->compute, row);
    }
    expect_same(test, whole, "row by row");
    memcpy(test->c, test->old, test->m * test->ldc * sizeof *whole);
    for (size_t j = 0; j < test->n; j += columns) {
        seq_product part = product_of(test);
        bytes = seq_compute_packed_bytes(&test->compute, j, test->k);
        part.b = (const char *)part.b + bytes;
        part.bias += part.bias ? j : 0;
        part.c += j;
        part.n = test->n - j < columns ? test->n - j : columns;
        seq_compute_multiply(&test->compute, part);
    }
    expect_same(test, whole, "panel by panel");
    for (int threads = 2; threads <= 3; threads++) {
        seq_error error = {0};
        assert_int_equal(seq_team_create(threads, &test->compute.team, &error), SEQ_OK);
        free(test->packed);
        pack(test);
        multiply(test);
        seq_team_destroy(test->compute.team);
        test->compute.team = NULL;
        expect_same(test, whole, "a team");
    }
    free(whole);
}

static void cuts_change_no_bit(void **state) {
    (void)state;
    for_all(OUR_SETS, check_cuts);
}

// Not-a-number, infinities and ties survive the rounding to bf16.
static void bf16_rounds_to_nearest_even(void **state) {
    (void)state;
    const uint32_t from[] = {0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff, 0x7f800000,
                             0xff800000, 0x7f800001, 0x80000000, 0x7f7fffff};
    const uint32_t to[] = {0x3f800000, 0x3f820000, 0x3f810000, 0x3f800000, 0x7f800000,
                           0xff800000, 0x7fc00000, 0x80000000, 0x7f800000};
    for (size_t set = 0; set < OUR_SETS; set++)
        for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
            const float one = 1;
            float x, c;
            seq_compute compute = {seq_kernels_of(sets[set]), SEQ_BF16, NULL};
            if (!compute.kernels) continue;
            memcpy(&x, &from[i], sizeof x);
            char *packed = aligned_alloc(64, 4096);
            seq_compute_pack(&compute, SEQ_PLAIN, 1, 1, &x, 1, packed);
            seq_compute_multiply(
                &compute,
                (seq_product){
                    .m = 1, .n = 1, .k = 1, .a = &one, .lda = 1, .b = packed, .c = &c, .ldc = 1});
            uint32_t bits;
            memcpy(&bits, &c, sizeof bits);
            if (to[i] << 1 > 0xff000000u)
                assert_true(isnan(c));
            else
                assert_int_equal(bits << 1, to[i] << 1); // 0 + -0 is 0
            free(packed);
        }
}

// Packed through a list of rows is the packed copy of those rows.
static void listed_rows_are_packed(void **state) {
    (void)state;
    enum { ROWS = 90, N = 61, LD = 70, K = 131 };
    float *b = random_floats(ROWS * LD, 5), *copied = malloc(K * LD * sizeof *copied);
    int32_t rows[K];
    for (int i = 0; i < K; i++) {
        rows[i] = (i * 37 + 11) % ROWS;
        memcpy(copied + i * LD, b + rows[i] * LD, LD * sizeof *b);
    }
    for (size_t set = 0; set < SETS; set++) // packing for a library needs no library
        for (int precision = 0; precision < (set < OUR_SETS ? 3 : 1); precision++) {
            seq_compute compute = {seq_kernels_of(sets[set]), (seq_precision)precision, NULL};
            if (!compute.kernels) continue;
            size_t bytes = seq_compute_packed_bytes(&compute, N, K);
            char *expected = aligned_alloc(64, (bytes + 63) / 64 * 64),
                 *found = aligned_alloc(64, (bytes + 63) / 64 * 64);
            seq_compute_pack(&compute, SEQ_PLAIN, N, K, copied, LD, expected);
            seq_compute_pack_rows(&compute, N, K, b, LD, rows, found);
            assert_memory_equal(found, expected, bytes);
            seq_compute_pack_rows(&compute, N, ROWS, b, LD, NULL, found);
            seq_compute_pack(&compute, SEQ_PLAIN, N, ROWS, b, LD, expected);
            assert_memory_equal(found, expected, seq_compute_packed_bytes(&compute, N, ROWS));
            free(expected), free(found);
        }
    free(b), free(copied);
}

static void unknown_name_is_refused(void **state) {
    (void)state;
    const seq_kernels *kernels;
    seq_error error = {0}, other = {0};
    assert_int_equal(seq_kernels_find("mkl", SEQ_FP32, &kernels, &error), SEQ_BAD_USAGE);
    assert_int_equal(seq_kernels_find("openblas", SEQ_BF16, &kernels, &other), SEQ_BAD_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_right),         cmocka_unit_test(order_is_that_of_k),
        cmocka_unit_test(cuts_change_no_bit),     cmocka_unit_test(bf16_rounds_to_nearest_even),
        cmocka_unit_test(listed_rows_are_packed), cmocka_unit_test(unknown_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
