// Bytes -> float32: an element's bytes make one word, whatever their order, and
// the class says what it means. Invariant: every value that float32 has comes
// out as itself. Test: tests/unit/prep/test_frame_readers.c.
#include "array_type.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

bool seq_array_type_known(seq_array_type type) {
    bool power = type.size == 2 || type.size == 4 || type.size == 8;
    bool whole = type.class == SEQ_ARRAY_SIGNED || type.class == SEQ_ARRAY_UNSIGNED;
    return (power && (whole || type.class == SEQ_ARRAY_REAL)) || (whole && type.size == 1);
}

static float from_half(uint64_t word) {
    int exponent = (int)(word >> 10 & 31), fraction = (int)(word & 1023);
    float value = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? ldexpf((float)(fraction + 1024), exponent - 25)
                                 : ldexpf((float)fraction, -24);
    return word >> 15 & 1 ? -value : value;
}

static float from_real(uint64_t word, int size) {
    uint32_t narrow = (uint32_t)word;
    float single;
    double wide;
    if (size == 2) return from_half(word);
    memcpy(&single, &narrow, sizeof single);
    memcpy(&wide, &word, sizeof wide);
    return size == 4 ? single : (float)wide;
}

// Of two's complement.
static float from_signed(uint64_t word, int size) {
    uint64_t sign = (uint64_t)1 << (8 * size - 1);
    if (!(word & sign)) return (float)word;
    uint64_t size_of_it = (~word & (sign - 1)) + 1;
    return -(float)size_of_it;
}

void seq_array_convert(seq_array_type type, const unsigned char *bytes, size_t count, float *out) {
    for (size_t i = 0; i < count; i++, bytes += type.size) {
        uint64_t word = 0;
        for (int b = 0; b < type.size; b++)
            word |= (uint64_t)bytes[type.big ? type.size - 1 - b : b] << 8 * b;
        out[i] = type.class == SEQ_ARRAY_REAL     ? from_real(word, type.size)
                 : type.class == SEQ_ARRAY_SIGNED ? from_signed(word, type.size)
                                                  : (float)word;
    }
}
