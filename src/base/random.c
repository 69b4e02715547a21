// Philox4x32-10, and what is drawn from its words. Normal numbers are quantiles of uniform ones
// (Wichura's AS 241) with a logarithm of our own, so the C library has no part in their bits. Test:
// tests/unit/base/test_random.c.
#include <seqtrain/base/random.h>
#include <math.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

static const uint32_t multipliers[2] = {0xD2511F53u, 0xCD9E8D57u},
                      weyl[2] = {0x9E3779B9u, 0xBB67AE85u};

static void multiply(uint32_t a, uint32_t b, uint32_t *high, uint32_t *low) {
    uint64_t product = (uint64_t)a * b;
    *high = (uint32_t)(product >> 32);
    *low = (uint32_t)product;
}

// Ten rounds; multipliers and Weyl constants as published.
void seq_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
    for (int round = 0; round < 10; round++) {
        uint32_t high0, low0, high1, low1;
        multiply(multipliers[0], x0, &high0, &low0);
        multiply(multipliers[1], x2, &high1, &low1);
        x0 = high1 ^ x1 ^ k0;
        x1 = low1;
        x2 = high0 ^ x3 ^ k1;
        x3 = low0;
        k0 += weyl[0];
        k1 += weyl[1];
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

void seq_random_words(seq_random_key key, uint32_t a, uint32_t b, uint32_t c, uint32_t out[4]) {
    const uint32_t words[2] = {(uint32_t)key.seed, (uint32_t)(key.seed >> 32)};
    const uint32_t counter[4] = {a, b, c, key.purpose};
    seq_philox(words, counter, out);
}

#ifdef __x86_64__
// Four draws to a vector, each word in the lower half of a lane; the upper halves hold what the
// multiplication does not read.
#define AVX2 __attribute__((target("avx2"))) static
enum { VECTORS = SEQ_RANDOM_BATCH / 4 };

AVX2 inline __m256i load_words(const uint32_t *words) {
    return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)words));
}

// The other word of the product joins the words `with` and the key.
AVX2 inline __m256i mix(__m256i product, __m256i with, uint32_t key) {
    __m256i other = _mm256_xor_si256(_mm256_srli_epi64(product, 32), with);
    return _mm256_xor_si256(other, _mm256_set1_epi64x(key));
}

AVX2 inline void store_draws(const __m256i x[4], uint32_t *out) {
    const __m256i low = _mm256_set1_epi64x(UINT32_MAX);
    __m256i front = _mm256_or_si256(_mm256_and_si256(x[0], low), _mm256_slli_epi64(x[1], 32)),
            back = _mm256_or_si256(_mm256_and_si256(x[2], low), _mm256_slli_epi64(x[3], 32));
    __m256i even = _mm256_unpacklo_epi64(front, back), odd = _mm256_unpackhi_epi64(front, back);
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(out + 8), _mm256_permute2x128_si256(even, odd, 0x31));
}

AVX2 void draw_batch(seq_random_key key, const seq_random_counters *counters, uint32_t *out) {
    const __m256i first = _mm256_set1_epi64x(multipliers[0]),
                  second = _mm256_set1_epi64x(multipliers[1]);
    uint32_t k0 = (uint32_t)key.seed, k1 = (uint32_t)(key.seed >> 32);
    __m256i x[VECTORS][4];
    for (int v = 0; v < VECTORS; v++) {
        x[v][0] = load_words(counters->a + 4 * v);
        x[v][1] = load_words(counters->b + 4 * v);
        x[v][2] = load_words(counters->c + 4 * v);
        x[v][3] = _mm256_set1_epi64x(key.purpose);
    }
    for (int round = 0; round < 10; round++, k0 += weyl[0], k1 += weyl[1])
        for (int v = 0; v < VECTORS; v++) {
            __m256i product0 = _mm256_mul_epu32(x[v][0], first),
                    product1 = _mm256_mul_epu32(x[v][2], second);
            x[v][0] = mix(product1, x[v][1], k0);
            x[v][1] = product1;
            x[v][2] = mix(product0, x[v][3], k1);
            x[v][3] = product0;
        }
    for (int v = 0; v < VECTORS; v++)
        store_draws(x[v], out + 16 * v);
}
#endif

void seq_random_batch(seq_random_key key, const seq_random_counters *counters,
                      uint32_t out[4 * SEQ_RANDOM_BATCH]) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        draw_batch(key, counters, out);
        return;
    }
#endif
    for (int i = 0; i < SEQ_RANDOM_BATCH; i++)
        seq_random_words(key, counters->a[i], counters->b[i], counters->c[i], out + 4 * i);
}

float seq_random_unit(uint32_t word) {
    return (float)(word >> 8) * 0x1p-24f;
}

double seq_random_unit_double(uint32_t high, uint32_t low) {
    uint64_t bits = ((uint64_t)high << 32 | low) >> 11;
    return (double)bits * 0x1p-53;
}

void seq_random_fill_uniform(seq_random_key key, uint32_t stream, float bound, float *values,
                             size_t count) {
    uint32_t words[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0) seq_random_words(key, (uint32_t)(i / 4), stream, 0, words);
        values[i] = (2 * seq_random_unit(words[i % 4]) - 1) * bound;
    }
}

// ln x for 0 < x < 1: x = m 2^e with m in [1/2, 1), ln m = 2 artanh((m - 1) / (m + 1)). The series
// in squares below 1/9 ends at 3^-34. Basic arithmetic only, so its bits are the same with any C
// library and processor.
static double natural_log(double x) {
    int exponent;
    double mantissa = frexp(x, &exponent), s = (mantissa - 1) / (mantissa + 1), sum = 0;
    for (int n = 33; n > 0; n -= 2)
        sum = sum * s * s + 1.0 / n;
    return 2 * s * sum + exponent * 0x1.62e42fefa39efp-1;
}

static double ratio(const double numerator[8], const double denominator[8], double x) {
    double above = 0, below = 0;
    for (int i = 7; i >= 0; i--) {
        above = above * x + numerator[i];
        below = below * x + denominator[i];
    }
    return above / below;
}

// The normal quantile of p to 1e-16: algorithm AS 241 (Wichura, "The percentage points of the
// normal distribution", Applied Statistics 37, 1988), for p and 1 - p above 1.4e-11: 2^-33 is.
static double quantile(double p) {
    static const double middle[2][8] = {
        {3.3871328727963666080, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
         1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
         3.3430575583588128105e+4, 2.5090809287301226727e+3},
        {1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
         2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
         5.2264952788528545610e+3}};
    static const double side[2][8] = {
        {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
         3.64784832476320460504, 1.27045825245236838258, 2.41780725177450611770e-1,
         2.27238449892691845833e-2, 7.74545014278341407640e-4},
        {1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9}};
    double q = p - 0.5;
    if (fabs(q) <= 0.425) return q * ratio(middle[0], middle[1], 0.180625 - q * q);
    double r = sqrt(-natural_log(q < 0 ? p : 1 - p));
    double z = ratio(side[0], side[1], r - 1.6);
    return q < 0 ? -z : z;
}

double seq_random_normal(uint32_t word) {
    return quantile((word + 0.5) * 0x1p-32);
}

void seq_random_fill_normal(seq_random_key key, uint32_t stream, float deviation, float *values,
                            size_t count) {
    uint32_t words[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0) seq_random_words(key, (uint32_t)(i / 4), stream, 0, words);
        values[i] = (float)(deviation * seq_random_normal(words[i % 4]));
    }
}
