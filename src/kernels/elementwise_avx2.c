// AVX2 with FMA: 8 lanes.
#ifdef __x86_64__
#include <immintrin.h>
#include <stdint.h>

enum { LANES = 8 };
typedef float vector __attribute__((vector_size(32)));
typedef int32_t integers __attribute__((vector_size(32)));

#define FMA(a, b, c)   ((vector)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define NAME(function) function##_avx2
#include "elementwise_body.h"
#else
typedef int seq_no_avx2;
#endif
