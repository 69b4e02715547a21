// Inverted dropout (Srivastava et al. 2014): a unit is zero with probability p,
// else divided by 1 - p (mask.c). Invariant: the mask is a function of the counter
// alone, so backward draws it again instead of storing it. Locked dropout is that
// of time 0 at all times (Gal and Ghahramani 2016). Tests:
// tests/unit/nn/test_dropout.c, tests/unit/model/test_passes.c,
// tests/mpi/train_bytes.sh.
#include <seqtrain/nn/dropout.h>
#include "mask.h"

// A row's draws begin at `first_draw`; its counters have all but c.
static void apply_row(const seq_dropout *dropout, seq_random_counters *counters,
                      uint32_t first_draw, size_t units, const float *in, float *out) {
    seq_random_key key = {dropout->seed, (uint32_t)SEQ_RANDOM_DROPOUT | dropout->place << 8};
    for (size_t start = 0; start < units; start += SEQ_MASK_BATCH) {
        size_t count = units - start < SEQ_MASK_BATCH ? units - start : SEQ_MASK_BATCH;
        for (uint32_t i = 0; i < SEQ_RANDOM_BATCH; i++)
            counters->c[i] = first_draw + (uint32_t)start / SEQ_MASK_DRAW + i;
        seq_mask_apply(key, counters, dropout->probability, 0, count, in + start, out + start);
    }
}

void seq_dropout_apply(const seq_dropout *dropout, const seq_axis *axis, int units, const float *in,
                       float *out) {
    uint32_t draws = ((uint32_t)units + SEQ_MASK_DRAW - 1) / SEQ_MASK_DRAW; // of a row
    seq_random_counters counters;
    for (int i = 0; i < SEQ_RANDOM_BATCH; i++)
        counters.a[i] = dropout->step;
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = (axis->first_row[t] + (size_t)b) * (size_t)units;
            for (int i = 0; i < SEQ_RANDOM_BATCH; i++)
                counters.b[i] = (uint32_t)axis->number[b];
            apply_row(dropout, &counters, dropout->locked ? 0 : (uint32_t)t * draws, (size_t)units,
                      in + row, out + row);
        }
}
