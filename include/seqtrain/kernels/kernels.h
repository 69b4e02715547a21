// The numeric kernels: products with packed operands, activations, softmax rows, reductions. One
// table a product library and instruction set, one body an instruction set, chosen at run time.
// Kernels return void; every sum runs in an order that depends on the shape only. All matrices are
// row-major float; ld* are row strides in elements.
#ifndef SEQTRAIN_KERNELS_KERNELS_H
#define SEQTRAIN_KERNELS_KERNELS_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_operand { SEQ_PLAIN, SEQ_TRANSPOSED } seq_operand;

// In what the operands of a product are held. Sums are single precision always.
typedef enum seq_precision {
    SEQ_FP32,
    SEQ_BF16, // both operands, rounded to nearest even
    SEQ_INT8, // B only, with a scale for each column: for inference
} seq_precision;

// B (k, n) into the order in which the kernels read it: panels of some columns, the last one filled
// up with zeros.
typedef struct seq_packing {
    seq_precision precision;
    seq_operand op_b; // SEQ_TRANSPOSED: b is stored (n, k)
    size_t n, k;
    const float *b;
    size_t ldb;
    const int32_t *rows; // (k), of SEQ_PLAIN: the row of b that is row k of B; NULL: as they lie
    size_t first_panel, last_panel; // the panels to write, of ceil(n / panel columns)
    void *packed;                   // of the whole matrix
} seq_packing;

// C (m, n) = op(A) (m, k) B (k, n), the sums beginning at zero, at `bias` or, with `accumulate`, at
// C. An element's bits depend on its row of A, its column of B and where its sum begins, not on m,
// n or the other operands ("openblas": on all).
typedef struct seq_product {
    seq_precision precision; // of b
    seq_operand op_a;        // SEQ_TRANSPOSED: a is stored (k, m)
    size_t m, n, k;
    const float *a;
    size_t lda;
    const void *b; // packed; to begin at another column, a multiple of the panel's, add panels
    bool accumulate;
    const float *bias; // (n), or NULL; not with accumulate
    float *c;
    size_t ldc;
} seq_product;

typedef struct seq_kernels {
    const char *name;            // in the registry: see seq_kernels_names
    const char *instruction_set; // of the element-wise kernels: "avx512", "avx2", "neon",
                                 // "portable", "unfused"
    // How products and element-wise functions of fp32 and int8 add: "fused" (one rounding for a
    // multiply-add) or "unfused" (two). Tables of one order give the same bits on every CPU. Of
    // "openblas" it is that of the element-wise functions. See seq_kernels_order.
    const char *order;

    size_t (*panel_columns)(void);
    size_t (*panel_bytes)(seq_precision precision,
                          size_t k); // ceil(n / panel columns) of them make a packed matrix
    void (*pack)(const seq_packing *packing);
    void (*multiply)(const seq_product *product); // one thread

    // In place, at most 5 ULP, same polynomial; same bits on every instruction set of one order;
    // correct limits for +-inf, NaN stays NaN; never tanh = 2 sigmoid(2x) - 1. exp is 0 below
    // -87.33 (no denormals) and +inf above 88.72.
    void (*sigmoid)(float *x, size_t count);
    void (*tanh)(float *x, size_t count);
    void (*exp)(float *x, size_t count);

    // Rows of logits (rows, columns, stride ld) -> probabilities in place; log_sum_exp[row] = log
    // of the sum of exp(logit), computed from the row maximum. A row with a NaN gives NaN.
    void (*softmax)(float *logits, size_t rows, size_t columns, size_t ld, float *log_sum_exp);

    // Reductions in fixed lanes, combined in double.
    double (*sum_squares)(const float *x, size_t count);
    // Index of the first value that is NaN or infinite, or count.
    size_t (*find_nonfinite)(const float *x, size_t count);

    void (*add)(float *restrict y, const float *restrict x, size_t count); // y += x
    void (*scale)(float *x, float factor, size_t count);                   // x *= factor
    void (*add_rows)(float *c, size_t rows, size_t columns, size_t ld,
                     const float *bias); // c[r] += bias
    // bias[j] += sum over rows of c[., j], rows in ascending order.
    void (*sum_rows)(const float *c, size_t rows, size_t columns, size_t ld, float *bias);
    // Of `count` rows (., width; stride ld): out[i] = x . row i, and y += the sum over i, in
    // ascending order, of weights[i * stride] * row i.
    void (*dots)(const float *x, const float *rows, size_t count, size_t ld, size_t width,
                 float *out);
    void (*weigh)(float *y, const float *weights, size_t stride, const float *rows, size_t count,
                  size_t ld, size_t width);
} seq_kernels;

// "auto" is the best of our own that the CPU can run. SEQ_BAD_USAGE for an unknown name, for
// instructions that the CPU lacks, for a precision that the library lacks and for a library that
// cannot be loaded. Loads OpenBLAS for "openblas"; call it from one thread at a time.
seq_status seq_kernels_find(const char *name, seq_precision precision, const seq_kernels **out,
                            seq_error *error);
// NULL-terminated names of the registry, for option tables; the first entry is "auto".
const char *const *seq_kernels_names(void);
// "fp32", "bf16", "int8" in the order of seq_precision, then NULL.
const char *const *seq_precision_names(void);
// The table of a name, or NULL when the CPU lacks it. "portable" is the table "unfused" on a CPU
// without fused multiply-adds. That of "openblas" computes only after
// seq_kernels_find has loaded the library.
const seq_kernels *seq_kernels_of(const char *name);
// "avx2" or "openblas 0.3.21 Zen, avx2": for reports. `out` holds `size` bytes.
void seq_kernels_describe(const seq_kernels *kernels, char *out, size_t size);

// What decides the bits of a run, recorded in checkpoints: the table's `order`, or the name,
// version and kind of CPU of a loaded library ("openblas 0.3.21 Zen"). Where denormals are kept,
// bf16 on "avx512bf16" has an order of its own, for its instruction flushes them. Elsewhere that
// gives the bits of the others: two fused multiply-adds, the odd one of a pair first.
const char *seq_kernels_order(const seq_kernels *kernels, seq_precision precision);

// Loads what "openblas" computes with: a library with the C interface of BLAS and integers of 32
// bits, in `file` (a path, or a name that the system's loader finds), or OpenBLAS for NULL; NULL
// keeps what is loaded. SEQ_BAD_USAGE says what is wrong with it. For the whole process, and not
// while there are products.
seq_status seq_blas_load(const char *file, seq_error *error);

// "kernels: avx2; also here: portable, openblas (loaded when it is asked for)", for --version.
void seq_kernels_describe_all(char *out, size_t size);

// Bytes of a packed matrix (k, n), or of its first n columns when n is a multiple of the panel's
// columns.
size_t seq_packed_bytes(const seq_kernels *kernels, seq_precision precision, size_t n, size_t k);

#endif
