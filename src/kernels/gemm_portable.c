// A product without a library: blocks of K, packed panels, a 4 x 16 tile of sums. The order of a
// sum depends on k only.
#include "gemm.h"
#include <string.h>

enum { TILE_M = 4, TILE_N = 16, BLOCK_K = 256 };

typedef struct operand {
    const float *values;
    size_t row_stride, column_stride;
} operand;

static operand view(const float *values, size_t ld, seq_operand op) {
    return op == SEQ_TRANSPOSED ? (operand){values, 1, ld} : (operand){values, ld, 1};
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

// panel[p * width + i] = A(first + i, start + p), zero beyond `rows`.
static void pack_rows(operand a, size_t first, size_t rows, size_t start, size_t depth,
                      float *panel) {
    memset(panel, 0, depth * TILE_M * sizeof *panel);
    for (size_t i = 0; i < rows; i++)
        for (size_t p = 0; p < depth; p++)
            panel[p * TILE_M + i] =
                a.values[(first + i) * a.row_stride + (start + p) * a.column_stride];
}

static void pack_columns(operand b, size_t first, size_t columns, size_t start, size_t depth,
                         float *panel) {
    memset(panel, 0, depth * TILE_N * sizeof *panel);
    for (size_t p = 0; p < depth; p++)
        for (size_t j = 0; j < columns; j++)
            panel[p * TILE_N + j] =
                b.values[(start + p) * b.row_stride + (first + j) * b.column_stride];
}

static void multiply_tile(const float *restrict rows, const float *restrict columns, size_t depth,
                          float sums[TILE_M][TILE_N]) {
    memset(sums, 0, TILE_M * sizeof sums[0]);
    for (size_t p = 0; p < depth; p++)
        for (size_t i = 0; i < TILE_M; i++)
            for (size_t j = 0; j < TILE_N; j++)
                sums[i][j] += rows[p * TILE_M + i] * columns[p * TILE_N + j];
}

static void store_tile(float sums[TILE_M][TILE_N], size_t rows, size_t columns, float beta,
                       float *c, size_t ldc) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            c[i * ldc + j] = sums[i][j] + (beta == 0 ? 0 : beta * c[i * ldc + j]);
}

static void scale_only(size_t m, size_t n, float beta, float *c, size_t ldc) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
}

void seq_gemm_portable(seq_operand op_a, seq_operand op_b, size_t m, size_t n, size_t k,
                       const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                       size_t ldc) {
    float row_panel[BLOCK_K * TILE_M], column_panel[BLOCK_K * TILE_N], sums[TILE_M][TILE_N];
    operand left = view(a, lda, op_a), right = view(b, ldb, op_b);
    if (k == 0) scale_only(m, n, beta, c, ldc);
    for (size_t start = 0; start < k; start += BLOCK_K) {
        size_t depth = least(BLOCK_K, k - start);
        float factor = start == 0 ? beta : 1;
        for (size_t j = 0; j < n; j += TILE_N) {
            pack_columns(right, j, least(TILE_N, n - j), start, depth, column_panel);
            for (size_t i = 0; i < m; i += TILE_M) {
                pack_rows(left, i, least(TILE_M, m - i), start, depth, row_panel);
                multiply_tile(row_panel, column_panel, depth, sums);
                store_tile(sums, least(TILE_M, m - i), least(TILE_N, n - j), factor,
                           c + i * ldc + j, ldc);
            }
        }
    }
}
