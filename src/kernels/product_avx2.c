// AVX2 with FMA: tiles of 4 x 24.
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 8, VECTORS = 3, ROWS = 4 };
typedef float vector __attribute__((vector_size(32)));
typedef int32_t words __attribute__((vector_size(32)));

#define FOR_ROWS(M)  M(1) M(2) M(3) M(4)
#define FMA(a, b, c) ((vector)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define BROADCAST(x) ((vector)_mm256_set1_ps(x))
#define WIDEN_INT8(bytes)                                                                          \
    ((vector)_mm256_cvtepi32_ps(                                                                   \
        _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(bytes)))))

// Four steps along K of a 4 x 3 tile, in assembler: the compilers reload and move registers when
// they unroll this loop (measured: 5 % of all products, 10 % of weight gradients).
#define ROW_OF_STEP(address, s0, s1, s2)                                                           \
    "vbroadcastss " address ", %%ymm15\n"                                                          \
    "vfmadd231ps %%ymm12, %%ymm15, %[" s0 "]\n"                                                    \
    "vfmadd231ps %%ymm13, %%ymm15, %[" s1 "]\n"                                                    \
    "vfmadd231ps %%ymm14, %%ymm15, %[" s2 "]\n"
#define STEP(k, a0, a1, a2, a3)                                                                    \
    "vmovups 96*" #k "(%[b]), %%ymm12\n"                                                           \
    "vmovups 96*" #k "+32(%[b]), %%ymm13\n"                                                        \
    "vmovups 96*" #k "+64(%[b]), %%ymm14\n" ROW_OF_STEP(a0, "s00", "s01", "s02")                   \
        ROW_OF_STEP(a1, "s10", "s11", "s12") ROW_OF_STEP(a2, "s20", "s21", "s22")                  \
            ROW_OF_STEP(a3, "s30", "s31", "s32")
#define STEP_IN_PLACE(k)                                                                           \
    STEP(k, "4*" #k "(%[a])", "4*" #k "(%[a],%[r])", "4*" #k "(%[a],%[r],2)",                      \
         "4*" #k "(%[a],%[r3])")
#define STEP_OF_COPY(k)                                                                            \
    STEP(k, "16*" #k "(%[a])", "16*" #k "+4(%[a])", "16*" #k "+8(%[a])", "16*" #k "+12(%[a])")
#define SUM(sums, name, i, v) [name] "+x"((sums)[i][v])
#define SUMS(sums)                                                                                 \
    SUM(sums, s00, 0, 0), SUM(sums, s01, 0, 1), SUM(sums, s02, 0, 2), SUM(sums, s10, 1, 0),        \
        SUM(sums, s11, 1, 1), SUM(sums, s12, 1, 2), SUM(sums, s20, 2, 0), SUM(sums, s21, 2, 1),    \
        SUM(sums, s22, 2, 2), SUM(sums, s30, 3, 0), SUM(sums, s31, 3, 1), SUM(sums, s32, 3, 2)
#define LEAST_ROWS ROWS
#define FOUR_STEPS(sums, x, row_stride, panel)                                                     \
    __asm__(STEP_IN_PLACE(0) STEP_IN_PLACE(1) STEP_IN_PLACE(2) STEP_IN_PLACE(3)                    \
            : SUMS(sums)                                                                           \
            : [a] "r"(x), [r] "r"(row_stride), [r3] "r"(3 * (row_stride)), [b] "r"(panel)          \
            : "xmm12", "xmm13", "xmm14", "xmm15", "memory")
#define FOUR_STEPS_OF_COPY(sums, x, panel)                                                         \
    __asm__(STEP_OF_COPY(0) STEP_OF_COPY(1) STEP_OF_COPY(2) STEP_OF_COPY(3)                        \
            : SUMS(sums)                                                                           \
            : [a] "r"(x), [b] "r"(panel)                                                           \
            : "xmm12", "xmm13", "xmm14", "xmm15", "memory")
#define NAME(function) function##_avx2
#include "product_body.h"
#else
typedef int seq_no_avx2;
#endif
