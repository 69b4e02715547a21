// NEON: 4 lanes.
#ifdef __aarch64__
#include <arm_neon.h>
#include <stdint.h>

enum { LANES = 4 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t integers __attribute__((vector_size(16)));

#define FMA(a, b, c)   ((vector)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define NAME(function) function##_neon
#include "elementwise_body.h"
#else
typedef int seq_no_neon;
#endif
