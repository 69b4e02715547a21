// Any CPU with fused multiply-adds: the bits of AVX2, AVX-512 and NEON.
#include "product.h"
#ifdef SEQ_PORTABLE_FUSED
#define FUSED
#include "isa_portable.h"
#define NAME(function) function##_portable
#include "product_body.h"
#if defined __x86_64__ && defined __clang__
#pragma clang attribute pop
#endif
#endif
