// Any CPU: vectors that the compiler lowers to what there is, and the library's fused multiply-add.
#include <math.h>
#include <stdint.h>

enum { LANES = 4 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t integers __attribute__((vector_size(16)));

static inline vector fused(vector a, vector b, vector c) {
    for (int lane = 0; lane < LANES; lane++)
        c[lane] = fmaf(a[lane], b[lane], c[lane]);
    return c;
}

#define FMA(a, b, c)   fused(a, b, c)
#define NAME(function) function##_portable
#include "elementwise_body.h"
