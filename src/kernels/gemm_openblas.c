// OpenBLAS, one thread: the ranks are the parallelism, and the order of sums must not depend on a
// thread count.
#include "gemm.h"
#include <cblas.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// One row: a matrix-vector product reads B once, where the general product would pack it first. y
// (n) = op(B)^T x (k) + beta y.
static void multiply_row(seq_operand op_b, size_t n, size_t k, const float *x, size_t incx,
                         const float *b, size_t ldb, float beta, float *y) {
    bool transposed = op_b == SEQ_TRANSPOSED; // B is stored (n, k)
    cblas_sgemv(CblasRowMajor, transposed ? CblasNoTrans : CblasTrans,
                (blasint)(transposed ? n : k), (blasint)(transposed ? k : n), 1.0f, b, (blasint)ldb,
                x, (blasint)incx, beta, y, 1);
}

void seq_gemm_openblas(seq_operand op_a, seq_operand op_b, size_t m, size_t n, size_t k,
                       const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                       size_t ldc) {
    if (m == 0 || n == 0) return;
    if (m == 1 && k > 0) {
        multiply_row(op_b, n, k, a, op_a == SEQ_TRANSPOSED ? lda : 1, b, ldb, beta, c);
        return;
    }
    cblas_sgemm(CblasRowMajor, op_a == SEQ_TRANSPOSED ? CblasTrans : CblasNoTrans,
                op_b == SEQ_TRANSPOSED ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n,
                (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

void seq_gemm_openblas_prepare(void) {
    openblas_set_num_threads(1);
}

// openblas_get_config reads "OpenBLAS 0.3.21 DYNAMIC_ARCH ...".
void seq_gemm_openblas_describe(char *out, size_t size) {
    const char *config = openblas_get_config();
    const char *version = strchr(config, ' ');
    version = version ? version + 1 : config;
    snprintf(out, size, "openblas %.*s %s", (int)strcspn(version, " "), version,
             openblas_get_corename());
}
