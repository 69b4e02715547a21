// OpenBLAS, one thread: the ranks are the parallelism, and the order of sums must not depend on a
// thread count. "Packed" is B transposed, (n, k), a panel being a column; OpenBLAS packs it again
// at every call. Single precision only.
#include "product.h"
#include <cblas.h>
#include <stdio.h>
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
                out[row] = packing->b[row * packing->ldb + column];
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
    blasint m = (blasint)product->m, n = (blasint)product->n, k = (blasint)product->k;
    if (m == 0 || n == 0) return;
    if (!product->accumulate) start_rows(product);
    if (k == 0) return;
    if (m == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, n, k, 1.0F, product->b, k, product->a,
                    product->op_a == SEQ_TRANSPOSED ? (blasint)product->lda : 1, 1.0F, product->c,
                    1);
    else
        cblas_sgemm(CblasRowMajor, product->op_a == SEQ_TRANSPOSED ? CblasTrans : CblasNoTrans,
                    CblasTrans, m, n, k, 1.0F, product->a, (blasint)product->lda, product->b, k,
                    1.0F, product->c, (blasint)product->ldc);
}

void seq_openblas_prepare(void) {
    openblas_set_num_threads(1);
}

// openblas_get_config reads "OpenBLAS 0.3.21 DYNAMIC_ARCH ...".
void seq_openblas_describe(char *out, size_t size) {
    const char *config = openblas_get_config();
    const char *version = strchr(config, ' ');
    version = version ? version + 1 : config;
    snprintf(out, size, "openblas %.*s %s", (int)strcspn(version, " "), version,
             openblas_get_corename());
}
