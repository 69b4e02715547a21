// A library with the C interface of BLAS, of the process; see seq_blas_load in kernels.h.
#ifndef SEQ_KERNELS_BLAS_LIBRARY_H
#define SEQ_KERNELS_BLAS_LIBRARY_H

#include <seqtrain/base/status.h>
#include <stdbool.h>

// Of cblas.h, where integers have 32 bits.
enum { SEQ_BLAS_ROW_MAJOR = 101, SEQ_BLAS_PLAIN = 111, SEQ_BLAS_TRANSPOSED = 112 };
typedef void seq_blas_sgemm(int order, int op_a, int op_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c,
                            int ldc);
typedef void seq_blas_sgemv(int order, int op_a, int m, int n, float alpha, const float *a, int lda,
                            const float *x, int step_x, float beta, float *y, int step_y);

typedef struct seq_blas {
    seq_blas_sgemm *sgemm; // NULL: none is loaded
    seq_blas_sgemv *sgemv;
    bool buffers;                   // OpenBLAS: 128 MB of address space for each thread
    void *(*take_buffer)(int kind); // of one product at a time; or NULL
    void (*return_buffer)(void *buffer);
    int reserved;   // buffers
    char *file;     // as it was asked for; NULL: OpenBLAS
    char name[160]; // with the version, and what else decides its bits
} seq_blas;

// What products use. seq_blas_load sets it; the thread that chooses the kernels calls that before
// there are products.
const seq_blas *seq_blas_loaded(void);
// For products of so many threads at the same time, or SEQ_NO_MEMORY.
seq_status seq_blas_reserve(int threads, seq_error *error);

#endif
