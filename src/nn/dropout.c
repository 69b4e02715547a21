// Inverted dropout (Srivastava et al. 2014): a unit is zero with probability p,
// else divided by 1 - p. A Philox draw of 128 bits decides 8 units, 16 bits
// each against p 2^16. Invariant: the mask is a function of the counter alone,
// so backward draws it again instead of storing it. Locked dropout is that of time
// 0 at all times (Gal and Ghahramani 2016). Tests: tests/unit/nn/test_dropout.c,
// tests/unit/model/test_passes.c, tests/mpi/train_bytes.sh.
#include <seqtrain/nn/dropout.h>
#include <seqtrain/base/random.h>
#include <string.h>

enum { UNITS_A_DRAW = 8 }; // 16 bits each of the 128 of a draw

static seq_random_key key_of(const seq_dropout *dropout) {
    return (seq_random_key){dropout->seed, (uint32_t)SEQ_RANDOM_DROPOUT | dropout->place << 8};
}

static void draw(const seq_dropout *dropout, uint32_t number, uint32_t index,
                 uint16_t out[UNITS_A_DRAW]) {
    uint32_t words[4];
    seq_random_words(key_of(dropout), dropout->step, number, index, words);
    for (int i = 0; i < 4; i++) {
        out[2 * i] = (uint16_t)words[i];
        out[2 * i + 1] = (uint16_t)(words[i] >> 16);
    }
}

static void apply_row(const seq_dropout *dropout, uint32_t threshold, uint32_t number,
                      uint32_t first_draw, int units, const float *in, float *out) {
    float scale = 65536.0f / (float)(65536 - threshold);
    for (int start = 0; start < units; start += UNITS_A_DRAW) {
        uint16_t bits[UNITS_A_DRAW];
        int end = units - start < UNITS_A_DRAW ? units - start : UNITS_A_DRAW;
        draw(dropout, number, first_draw + (uint32_t)start / UNITS_A_DRAW, bits);
        for (int i = 0; i < end; i++)
            out[start + i] = bits[i] < threshold ? 0 : in[start + i] * scale;
    }
}

void seq_dropout_apply(const seq_dropout *dropout, const seq_axis *axis, int units, const float *in,
                       float *out) {
    uint32_t threshold = (uint32_t)(dropout->probability * 65536 + 0.5);
    uint32_t draws = ((uint32_t)units + UNITS_A_DRAW - 1) / UNITS_A_DRAW; // of a row
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = (axis->first_row[t] + (size_t)b) * (size_t)units;
            apply_row(dropout, threshold, (uint32_t)axis->number[b],
                      dropout->locked ? 0 : (uint32_t)t * draws, units, in + row, out + row);
        }
}
