// Saturated cells, and units without gradient: signs of a layer that learns no more.
//
// A cell value is saturated where |tanh(c<t>)| > 0.999 (|h<t>| in cells
// without memory): less than 0.2 % of a gradient passes there.
// A unit is idle in a batch when no row of it changes what the unit holds:
// in every gate but the output gate, |dL/d(pre-activation)| stays below a
// millionth of the mean over the layer's units.
#ifndef SEQTRAIN_NN_SATURATION_H
#define SEQTRAIN_NN_SATURATION_H

#include <seqtrain/nn/recurrent.h>
#include <stdint.h>

// Sums over batches; integers, so they are the same in any order.
typedef struct seq_saturation {
    int64_t saturated, values; // (row, unit)
    int64_t idle, units;       // (batch, unit)
} seq_saturation;

// Adds the values of all rows of an axis after seq_recurrent_forward, before the
// backward pass uses the tape up.
void seq_saturation_add_values(seq_saturation *sum, const seq_recurrent *layer,
                               const seq_tape *tape, int sequences, size_t rows);
// Adds `count` values that a layer carries from a window to the next: c<t>, or
// h<t> in cells without memory.
void seq_saturation_add_carried(seq_saturation *sum, const seq_recurrent *layer,
                                const float *values, size_t count);
// Adds the units of a batch after seq_recurrent_backward. `scratch` holds H
// floats.
void seq_saturation_add_units(seq_saturation *sum, const seq_recurrent *layer, const seq_tape *tape,
                              size_t rows, float *scratch);

#endif
