// Products by a library with the C interface of BLAS, single precision only; blas_library.c loads
// it. "Packed" is B transposed, (n, k), a panel being a column; the library packs it again at every
// call. Tests: tests/unit/kernels/test_openblas.c, test_product.c.
#include "blas_library.h"
#include "product.h"
#include <stdbool.h>
#include <string.h>

size_t seq_panel_columns_openblas(void) {
    return 1;
}

size_t seq_panel_bytes_openblas(seq_precision precision, size_t k) {
    (void)precision;
    return k * sizeof(float);
}

void seq_pack_openblas(const seq_packing *packing) {
    size_t k = packing->k;
    for (size_t column = packing->first_panel; column < packing->last_panel; column++) {
        float *out = (float *)packing->packed + column * k;
        if (packing->op_b == SEQ_TRANSPOSED)
            memcpy(out, packing->b + column * packing->ldb, k * sizeof *out);
        else
            for (size_t row = 0; row < k; row++)
                out[row] =
                    packing->b[(packing->rows ? (size_t)packing->rows[row] : row) * packing->ldb +
                               column];
    }
}

static void start_rows(const seq_product *product) {
    for (size_t row = 0; row < product->m; row++) {
        float *c = product->c + row * product->ldc;
        if (product->bias)
            memcpy(c, product->bias, product->n * sizeof *c);
        else
            memset(c, 0, product->n * sizeof *c);
    }
}

void seq_multiply_openblas(const seq_product *product) {
    const seq_blas *blas = seq_blas_loaded();
    int m = (int)product->m, n = (int)product->n, k = (int)product->k, lda = (int)product->lda;
    bool transposed = product->op_a == SEQ_TRANSPOSED;
    if (m == 0 || n == 0) return;
    if (!product->accumulate) start_rows(product);
    if (k == 0) return;
    if (m == 1)
        blas->sgemv(SEQ_BLAS_ROW_MAJOR, SEQ_BLAS_PLAIN, n, k, 1.0F, product->b, k, product->a,
                    transposed ? lda : 1, 1.0F, product->c, 1);
    else
        blas->sgemm(SEQ_BLAS_ROW_MAJOR, transposed ? SEQ_BLAS_TRANSPOSED : SEQ_BLAS_PLAIN,
                    SEQ_BLAS_TRANSPOSED, m, n, k, 1.0F, product->a, lda, product->b, k, 1.0F,
                    product->c, (int)product->ldc);
}
