// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011). A draw is a pure function of (seed, purpose, three coordinates): no state to
// save, same on every rank.
#ifndef SEQTRAIN_BASE_RANDOM_H
#define SEQTRAIN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

// What a draw is for; keeps the sequences of different uses apart.
typedef enum seq_random_purpose {
    SEQ_RANDOM_INIT = 1,
    SEQ_RANDOM_DROPOUT,
    SEQ_RANDOM_SAMPLE,
    SEQ_RANDOM_SHUFFLE,
    SEQ_RANDOM_TEST,
    SEQ_RANDOM_CANDIDATES,
    SEQ_RANDOM_BOOTSTRAP,
    SEQ_RANDOM_AUGMENT,    // changes of inputs; the field's number is added in the upper half
    SEQ_RANDOM_NOISE,      // likewise, of values
    SEQ_RANDOM_STRINGS,    // which recordings make a string, and its gaps
    SEQ_RANDOM_WORDS = 16, // embedding dropout
    SEQ_RANDOM_WEIGHTS,    // weight-drop
    SEQ_RANDOM_OWN_WORDS,  // scheduled sampling
} seq_random_purpose;

typedef struct seq_random_key {
    uint64_t seed;
    uint32_t purpose;
} seq_random_key;

// Four independent 32-bit words for counter (a, b, c): key words are the halves of the seed;
// counter words are a, b, c and the purpose, in this order. Published test vectors hold for the raw
// function below.
void seq_random_words(seq_random_key key, uint32_t a, uint32_t b, uint32_t c, uint32_t out[4]);
void seq_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

// As many draws at once, which is faster: out[4 i] .. out[4 i + 3] are the words of counter
// (a[i], b[i], c[i]).
enum { SEQ_RANDOM_BATCH = 16 };
typedef struct seq_random_counters {
    uint32_t a[SEQ_RANDOM_BATCH], b[SEQ_RANDOM_BATCH], c[SEQ_RANDOM_BATCH];
} seq_random_counters;
void seq_random_batch(seq_random_key key, const seq_random_counters *counters,
                      uint32_t out[4 * SEQ_RANDOM_BATCH]);

// Uniform in [0, 1) with 24 (float) or 53 (double) random bits.
float seq_random_unit(uint32_t word);
double seq_random_unit_double(uint32_t high, uint32_t low);

// The normal quantile of (word + 1/2) / 2^32. Same bits with any C library and processor.
double seq_random_normal(uint32_t word);

// Fills values[0..count) uniformly in [-bound, bound); element i uses counter (i / 4, stream, 0),
// word i % 4.
void seq_random_fill_uniform(seq_random_key key, uint32_t stream, float bound, float *values,
                             size_t count);

// The same counters, normally distributed with the given standard deviation, by seq_random_normal.
void seq_random_fill_normal(seq_random_key key, uint32_t stream, float deviation, float *values,
                            size_t count);

#endif
