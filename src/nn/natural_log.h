// ln x of a normal positive float, to 1e-10, with the same bits on every CPU and C library, in
// loops that compilers make vectors of.
#ifndef SEQTRAIN_SRC_NN_NATURAL_LOG_H
#define SEQTRAIN_SRC_NN_NATURAL_LOG_H

#include <stdint.h>
#include <string.h>

// x = 2^n y with sqrt(1/2) <= y < sqrt(2); ln y = 2 artanh z, z = (y - 1) / (y + 1), by its series.
static inline double seq_natural_log(float x) {
    const int32_t root_half = 0x3f3504f3, one_more = 1 << 23; // sqrt(1/2); an exponent more
    int32_t bits;
    float y;
    memcpy(&bits, &x, sizeof bits);
    int32_t n = (bits - root_half) >> 23;
    bits -= n * one_more;
    memcpy(&y, &bits, sizeof y);
    double z = ((double)y - 1) / ((double)y + 1), w = z * z;
    double series = 1 + w * (1.0 / 3 + w * (1.0 / 5 + w * (1.0 / 7 + w * (1.0 / 9 + w / 11))));
    return n * 0.69314718055994530942 + 2 * z * series;
}

#endif
