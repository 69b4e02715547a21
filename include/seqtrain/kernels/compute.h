// What a model computes with: a kernel table, the precision of its products, and a team of threads
// that shares the large ones.
#ifndef SEQTRAIN_KERNELS_COMPUTE_H
#define SEQTRAIN_KERNELS_COMPUTE_H

#include <seqtrain/base/team.h>
#include <seqtrain/kernels/kernels.h>

typedef struct seq_compute {
    const seq_kernels *kernels;
    seq_precision precision;
    seq_team *team; // the caller's, or NULL: one thread
} seq_compute;

// The kernel table by its registry name; see seq_kernels_find.
seq_status seq_compute_find(const char *kernels, seq_precision precision, seq_team *team,
                            seq_compute *out, seq_error *error);

// For callers with several teams: what the library needs for products of so many threads at the
// same time, or SEQ_NO_MEMORY. seq_compute_find has done it for one team.
seq_status seq_compute_reserve(const seq_compute *compute, int threads, seq_error *error);

// The precision is the compute's. The team divides the columns of C, or its rows where A is
// transposed or columns are few: the same bits for any number of threads.
void seq_compute_multiply(const seq_compute *compute, seq_product product);
// Rows without gaps: Y (rows, n) = X (rows, k) B + bias (NULL: 0), B packed (k, n).
void seq_compute_rows(const seq_compute *compute, size_t rows, size_t k, size_t n, const float *x,
                      const void *packed, const float *bias, float *y);
// Outer products of rows: C (m, n; stride ldc) = A (rows, m; stride lda)^T B, B packed (rows, n);
// with `accumulate`, C += that.
void seq_compute_outer(const seq_compute *compute, size_t rows, size_t m, size_t n, const float *a,
                       size_t lda, const void *packed, bool accumulate, float *c, size_t ldc);
// All panels of a matrix.
void seq_compute_pack(const seq_compute *compute, seq_operand op_b, size_t n, size_t k,
                      const float *b, size_t ldb, void *packed);
// The same of B (k, n) whose row i is row rows[i] of b (NULL: row i).
void seq_compute_pack_rows(const seq_compute *compute, size_t n, size_t k, const float *b,
                           size_t ldb, const int32_t *rows, void *packed);
size_t seq_compute_packed_bytes(const seq_compute *compute, size_t n, size_t k);

// bias[j] = sum over rows of c[., j], rows in ascending order; the team divides the columns.
void seq_compute_sum_rows(const seq_compute *compute, const float *c, size_t rows, size_t columns,
                          size_t ld, float *bias);

// What decides the bits, for records and comparisons; see seq_kernels_order.
const char *seq_compute_arithmetic(const seq_compute *compute);

#endif
