// Zeroes units with a probability and scales the others up: dropout and weight-drop.
#ifndef SEQ_NN_MASK_H
#define SEQ_NN_MASK_H

#include <seqtrain/base/random.h>
#include <stddef.h>

// A draw of 128 bits decides SEQ_MASK_DRAW units, 16 bits each.
enum { SEQ_MASK_DRAW = 8, SEQ_MASK_BATCH = SEQ_MASK_DRAW * SEQ_RANDOM_BATCH };

// Units first .. first + count - 1 of the SEQ_MASK_BATCH that these counters decide: out[i] = 0 or
// in[i] / (1 - probability), in[0] being unit `first`. The probability of a zero is rounded to a
// multiple of 2^-16. In place when out == in.
void seq_mask_apply(seq_random_key key, const seq_random_counters *counters, double probability,
                    size_t first, size_t count, const float *in, float *out);

#endif
