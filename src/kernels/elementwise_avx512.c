// AVX-512: 16 lanes.
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 16 };
typedef float vector __attribute__((vector_size(64)));
typedef int32_t integers __attribute__((vector_size(64)));

#define FMA(a, b, c)   ((vector)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define NAME(function) function##_avx512
#include "elementwise_body.h"
#else
typedef int seq_no_avx512;
#endif
