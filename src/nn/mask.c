// The mask of a batch of draws. Unit i gets bits 16 (i % 2) and up of word i / 2, and is zero where
// they are below p 2^16. Units pass through a block of their own, for a loop without branches.
// Invariant: a unit depends on its bits alone. Test: tests/unit/nn/test_dropout.c.
#include "mask.h"
#include <seqtrain/base/wide.h>
#include <string.h>

SEQ_WIDE_BODY choose_body(uint32_t threshold, float scale, const uint16_t *restrict bits,
                          float *restrict x) {
    for (int i = 0; i < SEQ_MASK_BATCH; i++) {
        const float scaled = x[i] * scale;
        uint32_t pattern;
        memcpy(&pattern, &scaled, sizeof pattern);
        pattern &= 0 - (uint32_t)(bits[i] >= threshold);
        memcpy(&x[i], &pattern, sizeof pattern);
    }
}
SEQ_WIDE(choose, (uint32_t threshold, float scale, const uint16_t *bits, float *x),
         (threshold, scale, bits, x), choose_body)

void seq_mask_apply(seq_random_key key, const seq_random_counters *counters, double probability,
                    size_t first, size_t count, const float *in, float *out) {
    uint32_t threshold = (uint32_t)(probability * 65536 + 0.5), words[SEQ_MASK_BATCH / 2];
    float scale = 65536.0f / (float)(65536 - threshold), units[SEQ_MASK_BATCH] = {0};
    uint16_t bits[SEQ_MASK_BATCH];
    seq_random_batch(key, counters, words);
    for (int i = 0; i < SEQ_MASK_BATCH / 2; i++) {
        bits[2 * i] = (uint16_t)words[i];
        bits[2 * i + 1] = (uint16_t)(words[i] >> 16);
    }
    memcpy(units + first, in, count * sizeof *units);
    choose(threshold, scale, bits, units);
    memcpy(out, units + first, count * sizeof *units);
}
