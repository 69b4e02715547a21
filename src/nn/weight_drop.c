// The mask of a matrix for a step (mask.c). Invariant: element i uses bits i % 8 of
// draw i / 8, so a share of the matrix gets the bits of the whole. Test:
// tests/unit/nn/test_dropout.c.
#include <seqtrain/nn/weight_drop.h>
#include "mask.h"

static void apply_batch(const seq_weight_drop *drop, uint64_t draw, size_t first, size_t count,
                        const float *in, float *out) {
    seq_random_key key = {drop->seed, (uint32_t)SEQ_RANDOM_WEIGHTS | drop->place << 8};
    seq_random_counters counters;
    for (int i = 0; i < SEQ_RANDOM_BATCH; i++, draw++) {
        counters.a[i] = drop->step;
        counters.b[i] = (uint32_t)draw;
        counters.c[i] = (uint32_t)(draw >> 32);
    }
    seq_mask_apply(key, &counters, drop->probability, first, count, in, out);
}

void seq_weight_drop_apply(const seq_weight_drop *drop, size_t first, size_t count, const float *in,
                           float *out) {
    while (count > 0) {
        size_t before = first % SEQ_MASK_DRAW, most = SEQ_MASK_BATCH - before;
        size_t now = count < most ? count : most;
        apply_batch(drop, first / SEQ_MASK_DRAW, before, now, in, out);
        first += now;
        count -= now;
        in += now;
        out += now;
    }
}
