// NEON, which every 64-bit ARM has: tiles of 8 x 12. 24 sums, four vectors of B and four of A are
// the 32 registers. The compilers spill some of them and compute an address for each row and step,
// so the loop over K of fp32 is in assembler: of its instructions 78 % are multiply-adds (in
// place), or 85 % (of a copy), each of four lanes. Test: tests/unit/kernels/test_product.c.
#ifdef __aarch64__
#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 4, VECTORS = 3, ROWS = 8 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(16)));

static inline vector widen(const char *bytes) {
    uint32_t four;
    memcpy(&four, bytes, sizeof four);
    return (vector)vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vcreate_s8(four)))));
}

#define FOR_ROWS(M)       M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8)
#define FMA(a, b, c)      ((vector)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define BROADCAST(x)      ((vector)vdupq_n_f32(x))
#define WIDEN_INT8(bytes) widen(bytes)

// A string longer than the 4095 characters that every compiler of C must take.
#pragma GCC diagnostic ignored "-Woverlength-strings"

// Text for a tile that has row r: the assembler leaves out the others. The sums of row r are in
// three registers from v8 on, and in memory 192 bytes (a row of `tile`) apart.
#define IF_ROW(rows, r, text) ".if " rows ">" #r "\n" text ".endif\n"
#define MOVE_SUMS(rows, what)                                                                      \
    IF_ROW(rows, 0, what " {v8.4s-v10.4s}, [%[s]], %[w]\n")                                        \
    IF_ROW(rows, 1, what " {v11.4s-v13.4s}, [%[s]], %[w]\n")                                       \
    IF_ROW(rows, 2, what " {v14.4s-v16.4s}, [%[s]], %[w]\n")                                       \
    IF_ROW(rows, 3, what " {v17.4s-v19.4s}, [%[s]], %[w]\n")                                       \
    IF_ROW(rows, 4, what " {v20.4s-v22.4s}, [%[s]], %[w]\n")                                       \
    IF_ROW(rows, 5, what " {v23.4s-v25.4s}, [%[s]], %[w]\n")                                       \
    IF_ROW(rows, 6, what " {v26.4s-v28.4s}, [%[s]], %[w]\n")                                       \
    IF_ROW(rows, 7, what " {v29.4s-v31.4s}, [%[s]], %[w]\n")

// Sums of row r += lane of A times three vectors of B.
#define SUM_ROW(rows, r, s0, s1, s2, a, b0, b1, b2)                                                \
    IF_ROW(rows, r,                                                                                \
           "fmla v" #s0 ".4s,v" #b0 ".4s,v" a "]\n"                                                \
           "fmla v" #s1 ".4s,v" #b1 ".4s,v" a "]\n"                                                \
           "fmla v" #s2 ".4s,v" #b2 ".4s,v" a "]\n")
#define UPPER(rows, a0, a1, a2, a3, b0, b1, b2)                                                    \
    SUM_ROW(rows, 0, 8, 9, 10, a0, b0, b1, b2)                                                     \
    SUM_ROW(rows, 1, 11, 12, 13, a1, b0, b1, b2)                                                   \
    SUM_ROW(rows, 2, 14, 15, 16, a2, b0, b1, b2) SUM_ROW(rows, 3, 17, 18, 19, a3, b0, b1, b2)
#define LOWER(rows, a0, a1, a2, a3, b0, b1, b2)                                                    \
    SUM_ROW(rows, 4, 20, 21, 22, a0, b0, b1, b2)                                                   \
    SUM_ROW(rows, 5, 23, 24, 25, a1, b0, b1, b2)                                                   \
    SUM_ROW(rows, 6, 26, 27, 28, a2, b0, b1, b2) SUM_ROW(rows, 7, 29, 30, 31, a3, b0, b1, b2)

// Four steps along K; their twelve vectors of B are read in pairs into v0, v1 and v2, v7.
#define LOAD_B(b0, b1, at) "ldp q" #b0 ", q" #b1 ", [%[b], " #at "]\n"
#define FOUR(STEP, HALF, rows)                                                                     \
    LOAD_B(0, 1, 0)                                                                                \
    LOAD_B(2, 7, 32)                                                                               \
    STEP(HALF, rows, 0, 0, 1, 2)                                                                   \
    LOAD_B(0, 1, 64)                                                                               \
    STEP(HALF, rows, 1, 7, 0, 1) LOAD_B(2, 7, 96) LOAD_B(0, 1, 128) STEP(HALF, rows, 2, 2, 7, 0)   \
        LOAD_B(2, 7, 160) STEP(HALF, rows, 3, 1, 2, 7)

// A in place: a row's four of K are a vector. Four rows at a time, in v3 .. v6.
#define LOAD_A(rows, r, q) IF_ROW(rows, r, "ldr q" #q ", [%[a" #r "], %[at]]\n")
#define IN_PLACE(HALF, rows, k, b0, b1, b2)                                                        \
    HALF(rows, "3.s[" #k, "4.s[" #k, "5.s[" #k, "6.s[" #k, b0, b1, b2)
#define FOUR_IN_PLACE(rows)                                                                        \
    LOAD_A(rows, 0, 3)                                                                             \
    LOAD_A(rows, 1, 4)                                                                             \
    LOAD_A(rows, 2, 5)                                                                             \
    LOAD_A(rows, 3, 6)                                                                             \
    FOUR(IN_PLACE, UPPER, rows)                                                                    \
        IF_ROW(rows, 4,                                                                            \
               LOAD_A(rows, 4, 3) LOAD_A(rows, 5, 4) LOAD_A(rows, 6, 5) LOAD_A(rows, 7, 6)         \
                   FOUR(IN_PLACE, LOWER, rows)) "add %[at], %[at], 16\n"

// A copied: the eight rows of one K are v3 and v4.
#define OF_COPY(HALF, rows, k, b0, b1, b2)                                                         \
    "ldp q3, q4, [%[at], 32*" #k "]\n" UPPER(rows, "3.s[0", "3.s[1", "3.s[2", "3.s[3", b0, b1, b2) \
        LOWER(rows, "4.s[0", "4.s[1", "4.s[2", "4.s[3", b0, b1, b2)
#define FOUR_OF_COPY(rows) FOUR(OF_COPY, , rows) "add %[at], %[at], 128\n"

// All fours of a tile.
#define LOOP(rows, FOUR_STEPS)                                                                     \
    __asm__ volatile(                                                                              \
        MOVE_SUMS(rows, "ld1") "1:\n"                                                              \
                               "prfm pldl2keep, [%[next]]\n"                                       \
                               "prfm pldl2keep, [%[next], %[two]]\n" FOUR_STEPS(                   \
                                   rows) "add %[b], %[b], 192\n"                                   \
                                         "add %[next], %[next], %[two], lsl 1\n"                   \
                                         "subs %[fours], %[fours], 1\n"                            \
                                         "b.ne 1b\n"                                               \
                                         "mov %[s], %[sums]\n" MOVE_SUMS(rows, "st1")              \
        : [at] "+r"(at), [b] "+r"(b), [next] "+r"(next), [fours] "+r"(fours), [s] "+&r"(s)         \
        : [sums] "r"(sums), [w] "r"(w), [two] "r"(2 * fetch_stride), [a0] "r"(first),              \
          [a1] "r"(first + row_stride), [a2] "r"(first + 2 * row_stride),                          \
          [a3] "r"(first + 3 * row_stride), [a4] "r"(first + 4 * row_stride),                      \
          [a5] "r"(first + 5 * row_stride), [a6] "r"(first + 6 * row_stride),                      \
          [a7] "r"(first + 7 * row_stride)                                                         \
        : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",  \
          "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",      \
          "v26", "v27", "v28", "v29", "v30", "v31", "cc", "memory")
#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        if (copied)                                                                                \
            LOOP(#rows, FOUR_OF_COPY);                                                             \
        else                                                                                       \
            LOOP(#rows, FOUR_IN_PLACE);                                                            \
        break;

static inline __attribute__((always_inline)) void sum_fours(int rows, bool copied, size_t fours,
                                                            const float *a, size_t row_stride,
                                                            const char *b, const char *next,
                                                            size_t fetch_stride, vector *sums) {
    // Rows that the tile does not have are not read.
    uintptr_t first = (uintptr_t)a, at = copied ? first : 0;
    const size_t w = 192;
    vector *s = sums;
    switch (rows) { FOR_ROWS(CASE) }
}
#define SUM_FOURS      sum_fours
#define LEAST_ROWS     1
#define NAME(function) function##_neon
#include "product_body.h"
#else
typedef int seq_no_neon;
#endif
