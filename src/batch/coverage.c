// A digest of a set of tokens that does not depend on their order: a sum of
// mixed positions, modulo 2^64. A range adds mix(end) - mix(begin), so adjacent
// ranges cancel where they meet. Invariant: any division of the same ranges
// gives the same digest. Tests: tests/unit/batch/test_coverage.c,
// tests/fault/audit.sh.
#include <seqtrain/batch/coverage.h>

// The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014).
static uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

void seq_coverage_add(seq_coverage *sum, const seq_coverage *part) {
    sum->places += part->places;
    sum->content += part->content;
    sum->tokens += part->tokens;
}

void seq_coverage_add_range(seq_coverage *sum, int64_t begin, int64_t end) {
    sum->places += mix((uint64_t)end) - mix((uint64_t)begin);
    sum->tokens += end - begin;
}

void seq_coverage_add_token(seq_coverage *sum, int64_t position, int32_t token) {
    sum->content += mix(mix((uint64_t)position) + (uint32_t)token);
}

bool seq_coverage_same_places(const seq_coverage *a, const seq_coverage *b) {
    return a->places == b->places && a->tokens == b->tokens;
}
