#include <seqtrain/base/random.h>
#include <math.h>

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
        multiply(0xD2511F53u, x0, &high0, &low0);
        multiply(0xCD9E8D57u, x2, &high1, &low1);
        x0 = high1 ^ x1 ^ k0;
        x1 = low1;
        x2 = high0 ^ x3 ^ k1;
        x3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
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

void seq_random_fill_normal(seq_random_key key, uint32_t stream, float deviation, float *values,
                            size_t count) {
    const double turn = 6.283185307179586;
    uint32_t words[4];
    for (size_t i = 0; i < count; i++) {
        if (i % 4 == 0) seq_random_words(key, (uint32_t)(i / 4), stream, 0, words);
        const uint32_t *pair = words + (i % 4) / 2 * 2;
        double radius = sqrt(-2 * log((pair[0] + 0.5) * 0x1p-32)), angle = turn * pair[1] * 0x1p-32;
        values[i] = (float)(deviation * radius * (i % 2 ? sin(angle) : cos(angle)));
    }
}
