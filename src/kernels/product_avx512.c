// AVX-512: tiles of 8 x 48.
#ifdef __x86_64__
#include "isa_avx512.h"
#define NAME(function) function##_avx512
#include "product_body.h"
#else
typedef int seq_no_avx512;
#endif
