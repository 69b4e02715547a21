// Products of the shapes that a training step of the models in bench_steps.c has, and the
// element-wise kernels.
#include "bench.h"
#include <seqtrain/base/random.h>
#include <seqtrain/kernels/compute.h>
#include <stdlib.h>

typedef struct product {
    const char *name;
    seq_operand op_a, op_b;
    size_t m, n, k;
} product;

// LSTM 2 x 650, V = 10,000, B = 20, T = 35 unless told otherwise.
static const product products[] = {
    {"recurrent forward 20 x 2600 x 650", SEQ_PLAIN, SEQ_TRANSPOSED, 20, 2600, 650},
    {"recurrent backward 20 x 650 x 2600", SEQ_PLAIN, SEQ_PLAIN, 20, 650, 2600},
    {"input forward 700 x 2600 x 650", SEQ_PLAIN, SEQ_TRANSPOSED, 700, 2600, 650},
    {"input backward 700 x 650 x 2600", SEQ_PLAIN, SEQ_PLAIN, 700, 650, 2600},
    {"weight gradient 2600 x 650 x 700", SEQ_TRANSPOSED, SEQ_PLAIN, 2600, 650, 700},
    {"output forward 700 x 10000 x 650", SEQ_PLAIN, SEQ_TRANSPOSED, 700, 10000, 650},
    {"output backward 700 x 650 x 10000", SEQ_PLAIN, SEQ_PLAIN, 700, 650, 10000},
    {"output gradient 10000 x 650 x 700", SEQ_TRANSPOSED, SEQ_PLAIN, 10000, 650, 700},
    {"char recurrent 64 x 2048 x 512", SEQ_PLAIN, SEQ_TRANSPOSED, 64, 2048, 512},
    {"sampling 1 x 2600 x 650", SEQ_PLAIN, SEQ_TRANSPOSED, 1, 2600, 650},
};

typedef struct product_case {
    const seq_kernels *kernels;
    const product *product;
    float *a, *b, *c;
    void *packed;
} product_case;

static void multiply(void *context) {
    const product_case *test = context;
    const product *p = test->product;
    seq_product product = {.op_a = p->op_a,
                           .m = p->m,
                           .n = p->n,
                           .k = p->k,
                           .a = test->a,
                           .lda = p->op_a == SEQ_TRANSPOSED ? p->m : p->k,
                           .b = test->packed,
                           .c = test->c,
                           .ldc = p->n};
    test->kernels->multiply(&product);
}

static float *random_matrix(size_t count) {
    float *values = aligned_alloc(64, (count * sizeof *values + 63) / 64 * 64);
    if (!values) abort();
    seq_random_fill_uniform((seq_random_key){1, SEQ_RANDOM_TEST}, 0, 0.1F, values, count);
    return values;
}

static void measure_products(bench *bench, const seq_kernels *kernels) {
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const product *p = &products[i];
        char name[80];
        product_case test = {kernels,
                             p,
                             random_matrix(p->m * p->k),
                             random_matrix(p->k * p->n),
                             random_matrix(p->m * p->n),
                             random_matrix(seq_packed_bytes(kernels, SEQ_FP32, p->n, p->k) / 4)};
        seq_compute compute = {kernels, SEQ_FP32, NULL};
        seq_compute_pack(&compute, p->op_b, p->n, p->k, test.b,
                         p->op_b == SEQ_TRANSPOSED ? p->k : p->n, test.packed);
        double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
        bench_result result = bench_measure(bench, multiply, &test, flops / 1e9, 1e9);
        snprintf(name, sizeof name, "%s: %s", kernels->name, p->name);
        bench_report(bench, "kernels", name, result, "GFLOP/s");
        free(test.packed);
        free(test.a);
        free(test.b);
        free(test.c);
    }
}

enum { ELEMENTS = 1 << 15 };
typedef struct element_case {
    void (*function)(float *x, size_t count);
    const float *from;
    float *x;
} element_case;

static void apply(void *context) {
    const element_case *test = context;
    for (size_t i = 0; i < ELEMENTS; i++)
        test->x[i] = test->from[i];
    test->function(test->x, ELEMENTS);
}

static void measure_elements(bench *bench, const seq_kernels *kernels) {
    float *from = random_matrix(ELEMENTS), *x = random_matrix(ELEMENTS);
    const struct {
        const char *name;
        void (*function)(float *x, size_t count);
    } functions[] = {{"sigmoid", kernels->sigmoid}, {"tanh", kernels->tanh}, {"exp", kernels->exp}};
    kernels->scale(from, 50, ELEMENTS);
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        char name[64];
        element_case test = {functions[i].function, from, x};
        bench_result result = bench_measure(bench, apply, &test, ELEMENTS / 1e9, 0);
        snprintf(name, sizeof name, "%s: %s", kernels->instruction_set, functions[i].name);
        bench_report(bench, "kernels", name, result, "Gvalue/s");
    }
    free(from);
    free(x);
}

void bench_kernels(bench *bench) {
    static const char *const sets[] = {"portable", "avx2", "avx512"};
    const seq_kernels *kernels;
    seq_error error = {0};
    for (const char *const *name = seq_kernels_names() + 1; *name; name++)
        if (!seq_kernels_find(*name, SEQ_FP32, &kernels, &error)) measure_products(bench, kernels);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        kernels = seq_kernels_of(sets[i]);
        if (kernels) measure_elements(bench, kernels);
    }
}
