// AVX-512 with the dot product of bf16 pairs (vdpbf16ps): twice the multiplications of single
// precision.
#ifdef SEQ_AVX512BF16
#include "isa_avx512.h"
#define DOT_PAIRS(sums, a, b)                                                                      \
    ((vector)_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(a), (__m512bh)(b)))
#define NAME(function) function##_avx512bf16
#include "product_body.h"
#else
typedef int seq_no_avx512bf16;
#endif
