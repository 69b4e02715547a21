// The mask of a matrix for a step. A Philox draw of 128 bits decides 8 elements,
// 16 bits each against p 2^16. Invariant: element i uses bits i % 8 of draw
// i / 8, so a share of the matrix gets the bits of the whole. Test:
// tests/unit/nn/test_weight_drop.c.
#include <seqtrain/nn/weight_drop.h>
#include <seqtrain/base/random.h>

enum { A_DRAW = 8 }; // elements, 16 bits each

static void draw(const seq_weight_drop *drop, uint64_t index, uint16_t out[A_DRAW]) {
    seq_random_key key = {drop->seed, (uint32_t)SEQ_RANDOM_WEIGHTS | drop->place << 8};
    uint32_t words[4];
    seq_random_words(key, drop->step, (uint32_t)index, (uint32_t)(index >> 32), words);
    for (int i = 0; i < 4; i++) {
        out[2 * i] = (uint16_t)words[i];
        out[2 * i + 1] = (uint16_t)(words[i] >> 16);
    }
}

void seq_weight_drop_apply(const seq_weight_drop *drop, size_t first, size_t count, const float *in,
                           float *out) {
    uint32_t threshold = (uint32_t)(drop->probability * 65536 + 0.5);
    float scale = 65536.0f / (float)(65536 - threshold);
    uint16_t bits[A_DRAW];
    for (size_t i = 0; i < count; i++) {
        size_t element = first + i;
        if (i == 0 || element % A_DRAW == 0) draw(drop, element / A_DRAW, bits);
        out[i] = bits[element % A_DRAW] < threshold ? 0 : in[i] * scale;
    }
}
