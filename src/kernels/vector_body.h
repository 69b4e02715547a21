// What the bodies of the products share: vectors of LANES floats as memory and numbers. The
// including file has defined LANES, PANEL and the types vector and words.
#include <stdint.h>
#include <string.h>

#ifdef __clang__
#define UNROLL                       _Pragma("unroll")
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else // gcc before 12 lacks __builtin_shufflevector
#define UNROLL                       _Pragma("GCC unroll 16")
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (four_words){i, j, k, l})
typedef int32_t four_words __attribute__((vector_size(16)));
#endif
#define INLINE     static inline __attribute__((always_inline))
#define UPPER_HALF ((int32_t)0xffff0000)

INLINE vector load(const void *from) {
    vector out;
    memcpy(&out, from, sizeof out);
    return out;
}

INLINE void store(float *to, vector value) {
    memcpy(to, &value, sizeof value);
}

INLINE words load_words(const void *from) {
    words out;
    memcpy(&out, from, sizeof out);
    return out;
}

// To the nearest number of bf16, ties to even, in the upper half of the word. NaN stays NaN.
static inline uint32_t nearest_bf16(uint32_t bits) {
    uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    uint32_t nan = (bits & 0x7fffffff) > 0x7f800000 ? 0x400000 | bits : rounded;
    return nan & 0xffff0000;
}

// Two numbers of bf16 in a word, `even` in the low half.
static inline uint32_t pair_bf16(const float *even, const float *odd) {
    uint32_t low, high;
    memcpy(&low, even, sizeof low);
    memcpy(&high, odd, sizeof high);
    return nearest_bf16(low) >> 16 | nearest_bf16(high);
}
