// The product libraries; see gemm in seqtrain/kernels/kernels.h. To add one: write its file and a
// row in registry.c.
#ifndef SEQ_KERNELS_GEMM_H
#define SEQ_KERNELS_GEMM_H

#include <seqtrain/kernels/kernels.h>

void seq_gemm_openblas(seq_operand op_a, seq_operand op_b, size_t m, size_t n, size_t k,
                       const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                       size_t ldc);
void seq_gemm_openblas_prepare(void); // one thread
void seq_gemm_openblas_describe(char *out, size_t size);

void seq_gemm_portable(seq_operand op_a, seq_operand op_b, size_t m, size_t n, size_t k,
                       const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                       size_t ldc);

#endif
