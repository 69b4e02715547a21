// Shares a product among the threads of a team: whole panels of columns, or rows
// where there are few panels. Invariant: an element of C is computed by one
// thread, in the order of one thread, so their number changes no bit.
// Tests: tests/unit/kernels/test_product.c, tests/unit/model/test_compute.c.
#include "blas_library.h"
#include <seqtrain/kernels/compute.h>
#include <string.h>

seq_status seq_compute_find(const char *kernels, seq_precision precision, seq_team *team,
                            seq_compute *out, seq_error *error) {
    *out = (seq_compute){.precision = precision, .team = team};
    seq_status status = seq_kernels_find(kernels, precision, &out->kernels, error);
    return status ? status : seq_compute_reserve(out, seq_team_size(team), error);
}

seq_status seq_compute_reserve(const seq_compute *compute, int threads, seq_error *error) {
    bool openblas = strcmp(compute->kernels->name, "openblas") == 0;
    return openblas ? seq_blas_reserve(threads, error) : SEQ_OK;
}

typedef struct shared_product {
    const seq_kernels *kernels;
    seq_product product;
    bool by_rows;
} shared_product;

static void multiply_rows(const shared_product *shared, int part, int parts) {
    seq_product product = shared->product;
    size_t begin = seq_share_begin(product.m, part, parts),
           end = seq_share_begin(product.m, part + 1, parts);
    product.a += product.op_a == SEQ_TRANSPOSED ? begin : begin * product.lda;
    product.c += begin * product.ldc;
    product.m = end - begin;
    shared->kernels->multiply(&product);
}

static void multiply_columns(const shared_product *shared, int part, int parts) {
    seq_product product = shared->product;
    size_t width = shared->kernels->panel_columns(), panels = (product.n + width - 1) / width;
    size_t first = seq_share_begin(panels, part, parts), begin = first * width;
    size_t end = seq_share_begin(panels, part + 1, parts) * width;
    end = end < product.n ? end : product.n;
    if (begin >= end) return;
    product.b = (const char *)product.b +
                first * shared->kernels->panel_bytes(product.precision, product.k);
    product.bias += product.bias ? begin : 0;
    product.c += begin;
    product.n = end - begin;
    shared->kernels->multiply(&product);
}

static void multiply_part(void *context, int part, int parts) {
    const shared_product *shared = context;
    if (shared->by_rows)
        multiply_rows(shared, part, parts);
    else
        multiply_columns(shared, part, parts);
}

void seq_compute_multiply(const seq_compute *compute, seq_product product) {
    product.precision = compute->precision;
    size_t panels = product.n / compute->kernels->panel_columns();
    bool few_columns = panels < 4 * (size_t)seq_team_size(compute->team);
    shared_product shared = {compute->kernels, product,
                             product.op_a == SEQ_TRANSPOSED || (few_columns && product.m > panels)};
    seq_team_run(compute->team, multiply_part, &shared);
}

void seq_compute_rows(const seq_compute *compute, size_t rows, size_t k, size_t n, const float *x,
                      const void *packed, const float *bias, float *y) {
    seq_compute_multiply(compute, (seq_product){.m = rows,
                                                .n = n,
                                                .k = k,
                                                .a = x,
                                                .lda = k,
                                                .b = packed,
                                                .bias = bias,
                                                .c = y,
                                                .ldc = n});
}

void seq_compute_outer(const seq_compute *compute, size_t rows, size_t m, size_t n, const float *a,
                       size_t lda, const void *packed, bool accumulate, float *c, size_t ldc) {
    seq_compute_multiply(compute, (seq_product){.op_a = SEQ_TRANSPOSED,
                                                .m = m,
                                                .n = n,
                                                .k = rows,
                                                .a = a,
                                                .lda = lda,
                                                .b = packed,
                                                .accumulate = accumulate,
                                                .c = c,
                                                .ldc = ldc});
}

typedef struct shared_packing {
    const seq_kernels *kernels;
    seq_packing packing;
    size_t panels;
} shared_packing;

static void pack_part(void *context, int part, int parts) {
    const shared_packing *shared = context;
    seq_packing packing = shared->packing;
    packing.first_panel = seq_share_begin(shared->panels, part, parts);
    packing.last_panel = seq_share_begin(shared->panels, part + 1, parts);
    shared->kernels->pack(&packing);
}

static void pack(const seq_compute *compute, seq_packing packing) {
    size_t width = compute->kernels->panel_columns();
    packing.precision = compute->precision;
    shared_packing shared = {compute->kernels, packing, (packing.n + width - 1) / width};
    seq_team_run(compute->team, pack_part, &shared);
}

void seq_compute_pack(const seq_compute *compute, seq_operand op_b, size_t n, size_t k,
                      const float *b, size_t ldb, void *packed) {
    pack(compute,
         (seq_packing){.op_b = op_b, .n = n, .k = k, .b = b, .ldb = ldb, .packed = packed});
}

void seq_compute_pack_rows(const seq_compute *compute, size_t n, size_t k, const float *b,
                           size_t ldb, const int32_t *rows, void *packed) {
    pack(compute,
         (seq_packing){.n = n, .k = k, .b = b, .ldb = ldb, .rows = rows, .packed = packed});
}

size_t seq_compute_packed_bytes(const seq_compute *compute, size_t n, size_t k) {
    return seq_packed_bytes(compute->kernels, compute->precision, n, k);
}

typedef struct shared_sum {
    const seq_kernels *kernels;
    const float *c;
    size_t rows, columns, ld;
    float *bias;
} shared_sum;

static void sum_part(void *context, int part, int parts) {
    const shared_sum *shared = context;
    size_t begin = seq_share_begin(shared->columns, part, parts),
           end = seq_share_begin(shared->columns, part + 1, parts);
    memset(shared->bias + begin, 0, (end - begin) * sizeof(float));
    shared->kernels->sum_rows(shared->c + begin, shared->rows, end - begin, shared->ld,
                              shared->bias + begin);
}

void seq_compute_sum_rows(const seq_compute *compute, const float *c, size_t rows, size_t columns,
                          size_t ld, float *bias) {
    shared_sum shared = {compute->kernels, c, rows, columns, ld, bias};
    seq_team_run(compute->team, sum_part, &shared);
}

const char *seq_compute_arithmetic(const seq_compute *compute) {
    return seq_kernels_order(compute->kernels, compute->precision);
}
