// The body of every instruction set. The including file defines LANES (4, 8 or 16), NAME(function)
// and FMA(a, b, c) on vectors; everything else is plain vector arithmetic, so each lane computes
// the same bits on every instruction set. Tails are copied into a full vector. No include guard:
// each instruction set includes it once.
#include "elementwise.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 16, PARTS = BLOCK / LANES }; // reductions run in 16 lanes everywhere

typedef uint32_t naturals __attribute__((vector_size(sizeof(integers))));
typedef struct block {
    vector part[PARTS];
} block;

static inline vector broadcast(float value) {
    vector out = {0}; // for compilers that do not unroll the loop
    for (int lane = 0; lane < LANES; lane++)
        out[lane] = value;
    return out;
}

static inline vector load(const float *x) {
    vector out;
    memcpy(&out, x, sizeof out);
    return out;
}

static inline void store(float *x, vector value) {
    memcpy(x, &value, sizeof value);
}

static inline vector choose(integers mask, vector yes, vector no) {
    return (vector)((mask & (integers)yes) | (~mask & (integers)no));
}

// e^x = 2^n e^r with n = round(x / ln 2), r = x - n ln 2 in two pieces (Cody and Waite), |r| <= ln
// 2 / 2, where the Taylor polynomial of degree 7 is exact to 6e-9.
static inline vector exp_vector(vector x) {
    const vector shifter = broadcast(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
    vector shifted = FMA(x, broadcast(1.44269504f), shifter);
    vector n = shifted - shifter;
    vector r = FMA(n, broadcast(-0.693359375f), x);
    r = FMA(n, broadcast(2.12194440e-4f), r);
    vector p = broadcast(1.0f / 5040);
    p = FMA(p, r, broadcast(1.0f / 720));
    p = FMA(p, r, broadcast(1.0f / 120));
    p = FMA(p, r, broadcast(1.0f / 24));
    p = FMA(p, r, broadcast(1.0f / 6));
    p = FMA(p, r, broadcast(0.5f));
    p = FMA(p, r, broadcast(1.0f));
    p = FMA(p, r, broadcast(1.0f));
    // Without a sign: it may wrap where x is out of range, and another value is chosen below.
    integers exponent = (integers)((naturals)shifted - (naturals)shifter);
    integers half = exponent >> 1; // 2^128 is no float: two factors
    p = p * (vector)((naturals)(half + 127) << 23) *
        (vector)((naturals)(exponent - half + 127) << 23);
    p = choose(x < broadcast(-87.33f), broadcast(0.0f), p);
    p = choose(x > broadcast(88.72f), broadcast(INFINITY), p);
    return choose(x != x, x, p);
}

static inline vector magnitude(vector x) {
    return (vector)((integers)x & 0x7fffffff);
}

static inline vector with_sign_of(vector value, vector x) {
    return (vector)(((integers)value & 0x7fffffff) | ((integers)x & (int32_t)0x80000000));
}

// 1 / (1 + e^-x) for x >= 0, e^x / (1 + e^x) below: no cancellation on either side.
static inline vector sigmoid_vector(vector x) {
    vector e = exp_vector(-magnitude(x));
    vector numerator = choose(x < broadcast(0.0f), e, broadcast(1.0f));
    return choose(x != x, x, numerator / (broadcast(1.0f) + e));
}

// Below 0.625 an odd polynomial (coefficients: Moshier, Cephes, tanhf), beyond 1 - 2 / (e^2|x| +
// 1).
static inline vector tanh_vector(vector x) {
    vector size = magnitude(x), z = x * x;
    vector p = broadcast(-5.70498872745e-3f);
    p = FMA(p, z, broadcast(2.06390887954e-2f));
    p = FMA(p, z, broadcast(-5.37397155531e-2f));
    p = FMA(p, z, broadcast(1.33314422036e-1f));
    p = FMA(p, z, broadcast(-3.33332819422e-1f));
    vector small = FMA(p * z, x, x);
    vector large = broadcast(1.0f) - broadcast(2.0f) / (exp_vector(size + size) + broadcast(1.0f));
    vector out = choose(size < broadcast(0.625f), small, with_sign_of(large, x));
    return choose(x != x, x, out);
}

// The last vector overlaps the one before it: its elements are read before any is written.
#define APPLY(function)                                                                            \
    if (count < LANES) {                                                                           \
        float few[LANES] = {0};                                                                    \
        memcpy(few, x, count * sizeof(float));                                                     \
        store(few, function(load(few)));                                                           \
        memcpy(x, few, count * sizeof(float));                                                     \
        return;                                                                                    \
    }                                                                                              \
    vector last = load(x + count - LANES);                                                         \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= count; i += LANES)                                                         \
        store(x + i, function(load(x + i)));                                                       \
    if (i < count) store(x + count - LANES, function(last));

void NAME(seq_sigmoid)(float *x, size_t count) {
    APPLY(sigmoid_vector)
}

void NAME(seq_tanh)(float *x, size_t count) {
    APPLY(tanh_vector)
}

void NAME(seq_exp)(float *x, size_t count) {
    APPLY(exp_vector)
}

static inline block load_block(const float *x, size_t count, float filler) {
    block out;
    float lanes[BLOCK];
    if (count < BLOCK) {
        for (int lane = 0; lane < BLOCK; lane++)
            lanes[lane] = filler;
        memcpy(lanes, x, count * sizeof(float));
        x = lanes;
    }
    for (int part = 0; part < PARTS; part++)
        out.part[part] = load(x + part * LANES);
    return out;
}

static inline void store_block(float *x, size_t count, const block *value) {
    if (count < BLOCK)
        memcpy(x, value, count * sizeof(float));
    else
        memcpy(x, value, sizeof *value);
}

static inline block broadcast_block(float value) {
    block out;
    for (int part = 0; part < PARTS; part++)
        out.part[part] = broadcast(value);
    return out;
}

// The lanes in ascending order, in double.
static double sum_lanes(const block *sums) {
    float lanes[BLOCK];
    double total = 0;
    memcpy(lanes, sums, sizeof lanes);
    for (int lane = 0; lane < BLOCK; lane++)
        total += lanes[lane];
    return total;
}

static float row_maximum(const float *x, size_t count) {
    block most = broadcast_block(-INFINITY);
    for (size_t i = 0; i < count; i += BLOCK) {
        block values = load_block(x + i, count - i, -INFINITY);
        for (int part = 0; part < PARTS; part++)
            most.part[part] =
                choose(values.part[part] > most.part[part], values.part[part], most.part[part]);
    }
    float lanes[BLOCK], maximum = -INFINITY;
    memcpy(lanes, &most, sizeof lanes);
    for (int lane = 0; lane < BLOCK; lane++)
        maximum = lanes[lane] > maximum ? lanes[lane] : maximum;
    return maximum;
}

// x <- e^(x - maximum); returns the sum.
static double exponentiate(float *x, size_t count, float maximum) {
    block sums = broadcast_block(0);
    for (size_t i = 0; i < count; i += BLOCK) {
        block values = load_block(x + i, count - i, -INFINITY);
        for (int part = 0; part < PARTS; part++) {
            values.part[part] = exp_vector(values.part[part] - broadcast(maximum));
            sums.part[part] = sums.part[part] + values.part[part];
        }
        store_block(x + i, count - i, &values);
    }
    return sum_lanes(&sums);
}

void NAME(seq_softmax)(float *logits, size_t rows, size_t columns, size_t ld, float *log_sum_exp) {
    for (size_t row = 0; row < rows; row++) {
        float *x = logits + row * ld;
        float maximum = row_maximum(x, columns);
        double sum = exponentiate(x, columns, maximum);
        log_sum_exp[row] = (float)(maximum + log(sum));
        NAME(seq_scale)(x, (float)(1 / sum), columns);
    }
}

double NAME(seq_sum_squares)(const float *x, size_t count) {
    enum { CHUNK = 4096 }; // elements summed in single precision before they join the double
    double total = 0;
    for (size_t start = 0; start < count; start += CHUNK) {
        size_t end = count - start < CHUNK ? count : start + CHUNK;
        block sums = broadcast_block(0);
        for (size_t i = start; i < end; i += BLOCK) {
            block values = load_block(x + i, end - i, 0);
            for (int part = 0; part < PARTS; part++)
                sums.part[part] = FMA(values.part[part], values.part[part], sums.part[part]);
        }
        total += sum_lanes(&sums);
    }
    return total;
}

static int has_nonfinite(const block *values) {
    int32_t bits[BLOCK], found = 0;
    memcpy(bits, values, sizeof bits);
    for (int lane = 0; lane < BLOCK; lane++)
        found |= (bits[lane] & 0x7f800000) == 0x7f800000;
    return found;
}

size_t NAME(seq_find_nonfinite)(const float *x, size_t count) {
    for (size_t i = 0; i < count; i += BLOCK) {
        block values = load_block(x + i, count - i, 0);
        if (!has_nonfinite(&values)) continue;
        while (isfinite(x[i]))
            i++;
        return i;
    }
    return count;
}

void NAME(seq_add)(float *restrict y, const float *restrict x, size_t count) {
    for (size_t i = 0; i < count; i++)
        y[i] += x[i];
}

void NAME(seq_scale)(float *x, float factor, size_t count) {
    for (size_t i = 0; i < count; i++)
        x[i] *= factor;
}

void NAME(seq_add_rows)(float *c, size_t rows, size_t columns, size_t ld, const float *bias) {
    for (size_t row = 0; row < rows; row++)
        NAME(seq_add)(c + row * ld, bias, columns);
}

void NAME(seq_sum_rows)(const float *c, size_t rows, size_t columns, size_t ld, float *bias) {
    for (size_t row = 0; row < rows; row++)
        NAME(seq_add)(bias, c + row * ld, columns);
}

// Lanes join in halves: the order does not depend on the instruction set.
static float join_lanes(const block *sums) {
    float lanes[BLOCK];
    memcpy(lanes, sums, sizeof lanes);
    for (int half = BLOCK / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++)
            lanes[lane] += lanes[lane + half];
    return lanes[0];
}

static inline void add_product(block *sum, const block *a, const block *b) {
    for (int part = 0; part < PARTS; part++)
        sum->part[part] = FMA(a->part[part], b->part[part], sum->part[part]);
}

// Some rows at once: enough sums that do not wait for each other.
static inline void dots_of(const float *x, const float *rows, int count, size_t ld, size_t width,
                           float *out) {
    enum { MOST = 4 };
    block sums[MOST];
    for (int i = 0; i < count; i++)
        sums[i] = broadcast_block(0);
    for (size_t j = 0; j < width; j += BLOCK) {
        block own = load_block(x + j, width - j, 0);
        for (int i = 0; i < count; i++) {
            block other = load_block(rows + (size_t)i * ld + j, width - j, 0);
            add_product(&sums[i], &own, &other);
        }
    }
    for (int i = 0; i < count; i++)
        out[i] = join_lanes(&sums[i]);
}

void NAME(seq_dots)(const float *x, const float *rows, size_t count, size_t ld, size_t width,
                    float *out) {
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        dots_of(x, rows + i * ld, 4, ld, width, out + i);
    for (; i < count; i++)
        dots_of(x, rows + i * ld, 1, ld, width, out + i);
}

void NAME(seq_weigh)(float *y, const float *weights, size_t stride, const float *rows, size_t count,
                     size_t ld, size_t width) {
    for (size_t j = 0; j < width; j += BLOCK) {
        block sum = load_block(y + j, width - j, 0);
        for (size_t i = 0; i < count; i++) {
            block weight = broadcast_block(weights[i * stride]),
                  row = load_block(rows + i * ld + j, width - j, 0);
            add_product(&sum, &weight, &row);
        }
        store_block(y + j, width - j, &sum);
    }
}
