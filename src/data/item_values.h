// Values of one item on their way into a batch.
#ifndef SEQ_DATA_ITEM_VALUES_H
#define SEQ_DATA_ITEM_VALUES_H

#include "sampler_private.h"

// Turns the other two columns of triples around the vertical one.
typedef struct seq_turn {
    int vertical; // of a triple x y z: 0 y, 1 z, 2 x
    double cosine, sine;
} seq_turn;

// Items of a batch, one after the other: zero-initialise, and see seq_item_next_values.
typedef struct seq_item_values {
    const seq_field *field;
    int64_t item;           // of the batch
    size_t rows;            // of the item
    const float *from;      // (rows, width), as stored
    float *to;              // of the batch: (its rows, width)
    const uint32_t *packed; // (rows): which of them
    int32_t group;          // SEQ_NO_ID: none
    double *moments;        // scratch: mean, deviation, a row
} seq_item_values;
// Field f of the next item; false behind the last one.
bool seq_item_next_values(const seq_packed_items *packed, int f, seq_item_values *at);

// Writes the item's rows, turned (NULL: as they are) and then normalised.
void seq_item_values_put(const seq_item_values *values, const seq_turn *turn);
// Means of the item's own stored rows, into values->moments.
void seq_item_values_average(const seq_item_values *values);
// Exact to 1e-15 up to 180 degrees, by basic arithmetic only: the same bits everywhere.
seq_turn seq_turn_make(int vertical, double degrees);

#endif
