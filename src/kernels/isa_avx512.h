// The vectors of the products on AVX-512.
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 16, VECTORS = 3, ROWS = 8 };
typedef float vector __attribute__((vector_size(64)));
typedef int32_t words __attribute__((vector_size(64)));

#define FOR_ROWS(M)  M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8)
#define FMA(a, b, c) ((vector)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define BROADCAST(x) ((vector)_mm512_set1_ps(x))
#define WIDEN_INT8(bytes)                                                                          \
    ((vector)_mm512_cvtepi32_ps(                                                                   \
        _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(bytes)))))
