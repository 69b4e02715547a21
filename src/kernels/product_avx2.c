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
#define NAME(function) function##_avx2
#include "product_body.h"
#else
typedef int seq_no_avx2;
#endif
