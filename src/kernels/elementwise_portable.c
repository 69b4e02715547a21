// Any CPU with fused multiply-adds: 4 lanes.
#include "product.h"
#ifdef SEQ_PORTABLE_FUSED
#define FUSED
#include "isa_portable.h"
typedef words integers;
#define NAME(function) function##_portable
#include "elementwise_body.h"
#if defined __x86_64__ && defined __clang__
#pragma clang attribute pop
#endif
#endif
