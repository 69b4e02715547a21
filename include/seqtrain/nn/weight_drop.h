// Weight-drop (Merity et al. 2018): dropout on the elements of a recurrent matrix,
// one mask a step for all replicas. The products read packed matrices, so the
// mask is applied when the matrix is packed. Its gradient gets the same factor
// before it is told ready.
#ifndef SEQTRAIN_NN_WEIGHT_DROP_H
#define SEQTRAIN_NN_WEIGHT_DROP_H

#include <stddef.h>
#include <stdint.h>

typedef struct seq_weight_drop {
    double probability; // of a zero, rounded to a multiple of 2^-16
    uint64_t seed;
    uint32_t step;  // update number
    uint32_t place; // which matrix of the model, below 2^16
} seq_weight_drop;

// Elements first .. first + count - 1 of a matrix: out[i] = mask * in[i] / (1 -
// probability), in and out beginning at element `first`; in place when out == in.
// The mask is a function of (seed, step, place, element) alone, so any division
// of a matrix among threads and ranks gives the same bits.
void seq_weight_drop_apply(const seq_weight_drop *drop, size_t first, size_t count, const float *in,
                           float *out);

#endif
