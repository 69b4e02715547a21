// Inverted dropout with a mask that is a pure function of (seed, step, place, stream, time, unit):
// the same call on activations and on their gradients, nothing to store, the same mask on every
// rank layout.
#ifndef SEQTRAIN_NN_DROPOUT_H
#define SEQTRAIN_NN_DROPOUT_H

#include <stdint.h>

typedef struct seq_dropout {
    double probability; // of a zero, rounded to a multiple of 2^-16; 0: nothing happens
    uint64_t seed;
    uint32_t step;         // update number
    uint32_t first_stream; // global number of stream 0
    uint32_t place;        // which dropout of the model, below 2^16
} seq_dropout;

// out (T, B, units) = mask * in / (1 - probability); in place when out == in.
void seq_dropout_apply(const seq_dropout *dropout, int steps, int batch, int units, const float *in,
                       float *out);

#endif
