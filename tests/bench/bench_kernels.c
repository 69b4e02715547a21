// Matrix products of the shapes that a training step of the models has, for every product library.
#include "bench.h"
#include <seqtrain/base/random.h>
#include <seqtrain/kernels/kernels.h>
#include <stdlib.h>
#include <string.h>

typedef enum extent { BATCH, ROWS, GATES, HIDDEN, VOCABULARY, EXTENTS } extent; // B, B T, G H, H, V

static const struct shape {
    const char *name;
    seq_operand op_a, op_b;
    extent m, n, k;
} shapes[] = {
    {"recurrent forward", SEQ_PLAIN, SEQ_TRANSPOSED, BATCH, GATES, HIDDEN},
    {"recurrent backward", SEQ_PLAIN, SEQ_PLAIN, BATCH, HIDDEN, GATES},
    {"input forward", SEQ_PLAIN, SEQ_TRANSPOSED, ROWS, GATES, HIDDEN},
    {"input backward", SEQ_PLAIN, SEQ_PLAIN, ROWS, HIDDEN, GATES},
    {"weight gradient", SEQ_TRANSPOSED, SEQ_PLAIN, GATES, HIDDEN, ROWS},
    {"output forward", SEQ_PLAIN, SEQ_TRANSPOSED, ROWS, VOCABULARY, HIDDEN},
    {"output backward", SEQ_PLAIN, SEQ_PLAIN, ROWS, HIDDEN, VOCABULARY},
    {"output gradient", SEQ_TRANSPOSED, SEQ_PLAIN, VOCABULARY, HIDDEN, ROWS},
};

// The first `shapes` of the list with G = `gates` and, where it is not 0, another batch. Gradients
// of recurrent weights have the shape of those of input weights, E being H.
static const struct selection {
    const char *model, *what;
    int gates, batch, shapes;
} selections[] = {
    {"A", "", 4, 0, 8},
    {"B", "", 4, 0, 8},
    {"B", "sampling 1, ", 4, 1, 1},
    {"B", "sampling 8, ", 4, 8, 1},
    {"C", "", 4, 0, 8},
    {"D", "", 4, 0, 8},
    {"D-gru", "gates, ", 2, 0, 2},
    {"D-gru", "candidate, ", 1, 0, 2},
    {"D-gru-reset-after", "", 3, 0, 5},
    {"E", "", 4, 0, 8},
};

typedef struct product_case {
    const seq_kernels *kernels;
    seq_operand op_a, op_b;
    size_t m, n, k;
    float *a, *b, *c;
} product_case;

// C (m, n) = op(A) (m, k) op(B) (k, n)
static void multiply(void *context) {
    const product_case *p = context;
    size_t lda = p->op_a == SEQ_TRANSPOSED ? p->m : p->k,
           ldb = p->op_b == SEQ_TRANSPOSED ? p->k : p->n;
    p->kernels->gemm(p->op_a, p->op_b, p->m, p->n, p->k, p->a, lda, p->b, ldb, 0, p->c, p->n);
}

static float *random_matrix(size_t count) {
    float *values = bench_allocate(count * sizeof *values);
    seq_random_fill_uniform((seq_random_key){1, SEQ_RANDOM_TEST}, 0, 0.1F, values, count);
    return values;
}

static void measure(bench *bench, const seq_kernels *kernels, const struct selection *selection,
                    const struct shape *shape, const size_t extents[EXTENTS]) {
    char name[128];
    size_t m = extents[shape->m], n = extents[shape->n], k = extents[shape->k];
    product_case test = {kernels,
                         shape->op_a,
                         shape->op_b,
                         m,
                         n,
                         k,
                         random_matrix(m * k),
                         random_matrix(k * n),
                         random_matrix(m * n)};
    double flops = 2.0 * (double)m * (double)n * (double)k;
    bench_result result = bench_measure(bench, multiply, &test, flops / 1e9, 1e9, BENCH_FP32);
    snprintf(name, sizeof name, "%s %s %s%s %zux%zux%zu", kernels->name, selection->model,
             selection->what, shape->name, m, n, k);
    bench_report(bench, &(bench_row){"kernels", name, "GFLOP/s", result.rate, result.share,
                                     "fp32 peak", result.runs});
    free(test.a);
    free(test.b);
    free(test.c);
}

static const bench_model *find_model(const char *name) {
    const bench_model *model = bench_models;
    while (strcmp(model->name, name) != 0)
        model++;
    return model;
}

static void measure_selection(bench *bench, const seq_kernels *kernels,
                              const struct selection *selection) {
    const bench_model *model = find_model(selection->model);
    if (!bench_wants(bench, model)) return;
    size_t batch = (size_t)(selection->batch ? selection->batch : model->batch),
           hidden = (size_t)model->hidden;
    const size_t extents[EXTENTS] = {batch, batch * (size_t)model->steps,
                                     (size_t)selection->gates * hidden, hidden,
                                     (size_t)model->vocabulary};
    for (int i = 0; i < selection->shapes; i++)
        measure(bench, kernels, selection, &shapes[i], extents);
}

void bench_kernels(bench *bench) {
    const seq_kernels *kernels;
    seq_error error = {0};
    for (const char *const *name = seq_kernels_names() + 1; *name; name++) {
        if (seq_kernels_find(*name, &kernels, &error)) continue;
        bool quick = strcmp(*name, "portable") != 0; // the slow one: A alone
        for (size_t i = 0; i < sizeof selections / sizeof *selections; i++)
            if (quick || strcmp(selections[i].model, "A") == 0)
                measure_selection(bench, kernels, &selections[i]);
    }
}
