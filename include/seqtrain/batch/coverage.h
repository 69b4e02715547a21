// Which tokens of a split were read, as a digest that does not depend on the order or on who read
// them: digests of parts are added. Each range [begin, end) of positions contributes
// F(end) - F(begin), F being a 64-bit mixing function. A sum equal to F(n) - F(0) says (but for a
// chance of 2^-64) that the ranges' ends cancel as those of [0, n) do, and a count of readings that
// rises and falls at the same places is the same count: every token of [0, n) once, no other.
#ifndef SEQTRAIN_BATCH_COVERAGE_H
#define SEQTRAIN_BATCH_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

// Plain data: may be sent between ranks as bytes.
typedef struct seq_coverage {
    uint64_t places;  // digest of the ranges
    uint64_t content; // digest of (position, token) pairs
    int64_t tokens;
} seq_coverage;

void seq_coverage_add(seq_coverage *sum, const seq_coverage *part);
// Tokens at positions [begin, end); without `content`.
void seq_coverage_add_range(seq_coverage *sum, int64_t begin, int64_t end);
void seq_coverage_add_token(seq_coverage *sum, int64_t position, int32_t token);
// The same places, as often; contents are not compared.
bool seq_coverage_same_places(const seq_coverage *a, const seq_coverage *b);

#endif
