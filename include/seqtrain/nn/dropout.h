// Inverted dropout with a mask that is a pure function of (seed, step, place,
// number of the sequence, time, unit): the same call on activations and on their
// gradients, nothing to store, the same mask on every rank layout and in any
// batch.
#ifndef SEQTRAIN_NN_DROPOUT_H
#define SEQTRAIN_NN_DROPOUT_H

#include <seqtrain/batch/batch.h>

typedef struct seq_dropout {
    double probability; // of a zero, rounded to a multiple of 2^-16; 0: nothing happens
    uint64_t seed;
    uint32_t step;  // update number
    uint32_t place; // which dropout of the model, below 2^16
    bool locked;    // one mask for all times of a sequence: that of time 0
} seq_dropout;

// Rows of the axis: out (N, units) = mask * in / (1 - probability); in place when
// out == in.
void seq_dropout_apply(const seq_dropout *dropout, const seq_axis *axis, int units, const float *in,
                       float *out);

#endif
