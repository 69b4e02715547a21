// Vectors of four that the compiler lowers to what there is. With FUSED, multiply-adds are fused:
// on x86 by an attribute of all functions that follow (registry.c asks the CPU), elsewhere fmaf is
// an instruction. Without, they are two operations, with the same bits on every CPU.
#include <math.h>
#include <stdint.h>

enum { LANES = 4, VECTORS = 3, ROWS = 4 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(16)));

#ifndef FUSED
#define FMA(a, b, c) ((a) * (b) + (c))
#elif defined __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("fma"))), apply_to = function)
#else
#pragma GCC target("fma")
#endif
#include <immintrin.h>
#define FMA(a, b, c) ((vector)_mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c)))
#else
static inline vector fused(vector a, vector b, vector c) {
    for (int lane = 0; lane < LANES; lane++)
        c[lane] = fmaf(a[lane], b[lane], c[lane]);
    return c;
}
#define FMA(a, b, c) fused(a, b, c)
#endif

static inline vector widen(const char *bytes) {
    const int8_t *x = (const int8_t *)bytes;
    return (vector){x[0], x[1], x[2], x[3]};
}

#define FOR_ROWS(M)       M(1) M(2) M(3) M(4)
#define BROADCAST(x)      ((vector){(x), (x), (x), (x)})
#define WIDEN_INT8(bytes) widen(bytes)
