// Any CPU: vectors that the compiler lowers to what there is; fused where that is an instruction.
#include <math.h>
#include <stdint.h>

enum { LANES = 4, VECTORS = 3, ROWS = 4 };
typedef float vector __attribute__((vector_size(16)));
typedef int32_t words __attribute__((vector_size(16)));

static inline vector multiply_and_add(vector a, vector b, vector c) {
#ifdef FP_FAST_FMAF
    for (int lane = 0; lane < LANES; lane++)
        c[lane] = fmaf(a[lane], b[lane], c[lane]);
    return c;
#else
    return a * b + c;
#endif
}

static inline vector widen(const char *bytes) {
    const int8_t *x = (const int8_t *)bytes;
    return (vector){x[0], x[1], x[2], x[3]};
}

#define FOR_ROWS(M)       M(1) M(2) M(3) M(4)
#define FMA(a, b, c)      multiply_and_add(a, b, c)
#define BROADCAST(x)      ((vector){(x), (x), (x), (x)})
#define WIDEN_INT8(bytes) widen(bytes)
#define NAME(function)    function##_portable
#include "product_body.h"
