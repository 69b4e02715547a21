// The numeric kernels: dense products, activations, softmax rows, reductions. One table a product library, one body
// an instruction set, chosen at run time. Kernels return void; every sum runs in an order that depends on the shape only.
// All matrices are row-major float; ld* are row strides in elements.
#ifndef SEQTRAIN_KERNELS_KERNELS_H
#define SEQTRAIN_KERNELS_KERNELS_H

#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_operand { SEQ_PLAIN, SEQ_TRANSPOSED } seq_operand;

typedef struct seq_kernels {
    const char *name;            // registry name: "openblas", "portable"
    const char *instruction_set; // of the element-wise kernels: "avx512", "avx2", "portable"; all give the same bits

    // C (m, n) = op(A) (m, k) op(B) (k, n) + beta C. One thread.
    void (*gemm)(seq_operand op_a, seq_operand op_b, size_t m, size_t n, size_t k, const float *a, size_t lda,
                 const float *b, size_t ldb, float beta, float *c, size_t ldc);

    // In place, at most 5 ULP, same polynomial and same bits on every instruction set; correct limits for +-inf,
    // NaN stays NaN; never tanh = 2 sigmoid(2x) - 1. exp is 0 below -87.33 (no denormals) and +inf above 88.72.
    void (*sigmoid)(float *x, size_t count);
    void (*tanh)(float *x, size_t count);
    void (*exp)(float *x, size_t count);

    // Rows of logits (rows, columns, stride ld) -> probabilities in place; log_sum_exp[row] = log of the sum of
    // exp(logit), computed from the row maximum. A row with a NaN gives NaN.
    void (*softmax)(float *logits, size_t rows, size_t columns, size_t ld, float *log_sum_exp);

    // Reductions in fixed lanes, combined in double.
    double (*sum_squares)(const float *x, size_t count);
    // Index of the first value that is NaN or infinite, or count.
    size_t (*find_nonfinite)(const float *x, size_t count);

    void (*add)(float *restrict y, const float *restrict x, size_t count);              // y += x
    void (*scale)(float *x, float factor, size_t count);                                 // x *= factor
    void (*add_rows)(float *c, size_t rows, size_t columns, size_t ld, const float *bias); // c[r] += bias
    // bias[j] += sum over rows of c[., j], rows in ascending order.
    void (*sum_rows)(const float *c, size_t rows, size_t columns, size_t ld, float *bias);
} seq_kernels;

// "auto" is the first of the list. SEQ_BAD_USAGE for an unknown name. The instruction set is the best of the CPU.
seq_status seq_kernels_find(const char *name, const seq_kernels **out, seq_error *error);
// NULL-terminated names of the registry, for option tables; the first entry is "auto".
const char *const *seq_kernels_names(void);
// The table with another instruction set of this CPU ("avx512", "avx2", "portable"), or NULL: for tests and benches.
const seq_kernels *seq_kernels_with_instruction_set(const char *name, const char *instruction_set);
// "openblas 0.3.21 Zen, avx2": what decides the bits of a run, recorded in checkpoints. `out` holds `size` bytes.
void seq_kernels_describe(const seq_kernels *kernels, char *out, size_t size);

#endif
