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
    seq_precision precision;
    seq_operand op_a, op_b;
    size_t m, n, k;
    float *a, *b, *c;
    void *packed;
} product_case;

// C (m, n) = op(A) (m, k) op(B) (k, n)
static void multiply(void *context) {
    const product_case *p = context;
    seq_product product = {.precision = p->precision,
                           .op_a = p->op_a,
                           .m = p->m,
                           .n = p->n,
                           .k = p->k,
                           .a = p->a,
                           .lda = p->op_a == SEQ_TRANSPOSED ? p->m : p->k,
                           .b = p->packed,
                           .c = p->c,
                           .ldc = p->n};
    p->kernels->multiply(&product);
}

static float *random_matrix(size_t count) {
    float *values = bench_allocate(count * sizeof *values);
    seq_random_fill_uniform((seq_random_key){1, SEQ_RANDOM_TEST}, 0, 0.1F, values, count);
    return values;
}

static void *packed_matrix(const product_case *p) {
    seq_compute compute = {p->kernels, p->precision, NULL};
    void *packed = bench_allocate(seq_compute_packed_bytes(&compute, p->n, p->k));
    seq_compute_pack(&compute, p->op_b, p->n, p->k, p->b, p->op_b == SEQ_TRANSPOSED ? p->k : p->n,
                     packed);
    return packed;
}

static void measure(bench *bench, const seq_compute *compute, const struct selection *selection,
                    const struct shape *shape, const size_t extents[EXTENTS]) {
    char name[128], of[16];
    size_t m = extents[shape->m], n = extents[shape->n], k = extents[shape->k];
    product_case test = {.kernels = compute->kernels,
                         .precision = compute->precision,
                         .op_a = shape->op_a,
                         .op_b = shape->op_b,
                         .m = m,
                         .n = n,
                         .k = k,
                         .a = random_matrix(m * k),
                         .b = random_matrix(k * n),
                         .c = random_matrix(m * n)};
    test.packed = packed_matrix(&test);
    double flops = 2.0 * (double)m * (double)n * (double)k;
    bench_precision peak = bench_precision_of(compute->precision);
    bench_result result = bench_measure(bench, multiply, &test, flops / 1e9, 1e9, peak);
    snprintf(name, sizeof name, "%s %s %s %s%s %zux%zux%zu", compute->kernels->name,
             seq_precision_names()[compute->precision], selection->model, selection->what,
             shape->name, m, n, k);
    snprintf(of, sizeof of, "%s peak", bench_precision_name(peak));
    bench_report(bench, &(bench_row){"kernels", name, "GFLOP/s", result.rate, result.share, of,
                                     result.runs});
    free(test.packed);
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

static void measure_selection(bench *bench, const seq_compute *compute,
                              const struct selection *selection) {
    const bench_model *model = find_model(selection->model);
    if (!bench_wants(bench, model)) return;
    size_t batch = (size_t)(selection->batch ? selection->batch : model->batch),
           hidden = (size_t)model->hidden;
    const size_t extents[EXTENTS] = {batch, batch * (size_t)model->steps,
                                     (size_t)selection->gates * hidden, hidden,
                                     (size_t)model->vocabulary};
    for (int i = 0; i < selection->shapes; i++)
        measure(bench, compute, selection, &shapes[i], extents);
}

static void measure_kernels(bench *bench, const seq_compute *compute) {
    bool quick = strcmp(compute->kernels->name, "portable") != 0 &&
                 strcmp(compute->kernels->name, "unfused") != 0; // the slow ones: A alone
    for (size_t i = 0; i < sizeof selections / sizeof *selections; i++)
        if (quick || strcmp(selections[i].model, "A") == 0)
            measure_selection(bench, compute, &selections[i]);
}

void bench_kernels(bench *bench) {
    for (const char *const *name = seq_kernels_names() + 1; *name; name++)
        for (int precision = SEQ_FP32; precision <= SEQ_BF16; precision++) {
            seq_compute compute;
            seq_error lacking = {0};
            if (!seq_compute_find(*name, (seq_precision)precision, NULL, &compute, &lacking))
                measure_kernels(bench, &compute);
        }
}
