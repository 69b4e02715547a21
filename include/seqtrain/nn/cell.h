// Recurrent cells: facts and the element-wise mathematics of one time step. The matrix products and
// the loop over time are written once in src/nn/recurrent.c. To add a cell: copy the file of the
// nearest one (src/nn/cell_*.c) and add a row in cell.c. Gates are a dimension: pre-activations of
// a step are (B, G H), gate g of unit j in column g H + j.
#ifndef SEQTRAIN_NN_CELL_H
#define SEQTRAIN_NN_CELL_H

#include <seqtrain/kernels/compute.h>
#include <stdbool.h>

// How the last gate gets its recurrent product; the gates before it always get W_hh h<t-1> added in
// place.
typedef enum seq_last_gate {
    SEQ_LAST_LIKE_OTHERS,
    SEQ_LAST_APART, // W_hh h<t-1> + b_hh of the last gate goes to `auxiliary`, apart from its input
                    // product
    SEQ_LAST_GATED, // `prepare` writes r * h<t-1> to `auxiliary`, whose product is added to the
                    // last gate
} seq_last_gate;

// One time step of units first .. first + count - 1: a cell's functions touch these columns only,
// so that a block of units can go through them while it is in the cache, and threads can share the
// units. Blocks of (B, H) unless said otherwise.
typedef struct seq_cell_step {
    const seq_kernels *kernels;
    int batch, hidden;
    int first, count;
    float *gates; // (B, G H): forward: pre-activations in, activations out; backward: activations
                  // in, their gradients out
    float *auxiliary;                   // what the cell keeps for its backward step
    const float *hidden_before;         // h<t-1>
    const float *memory_before;         // c<t-1>
    float *hidden_after, *memory_after; // h<t>, c<t>
    const float *weight_ch;             // (3, H): peephole weights i, f, o
    // Backward only.
    float *d_weight_ch;     // (3, H), accumulated
    const float *d_hidden;  // dL/dh<t>, complete
    float *d_memory;        // dL/dc<t> in, dL/dc<t-1> out
    float *d_hidden_before; // out: the part of dL/dh<t-1> that does not go through a product
    float *d_gated;         // SEQ_LAST_GATED, in `finish`: dL/d(r * h<t-1>)
} seq_cell_step;

typedef struct seq_cell {
    const char *name;
    int gates;       // G
    bool memory;     // keeps c<t> besides h<t>
    bool peephole;   // has weight_ch
    bool auxiliary;  // keeps (B, H) more a step; with memory: tanh(c<t>)
    int forget_gate; // index, or -1
    int output_gate; // index, or -1: it scales what the unit shows and leaves what it holds alone
    seq_last_gate last_gate;
    void (*prepare)(const seq_cell_step *step); // SEQ_LAST_GATED
    void (*forward)(const seq_cell_step *step);
    void (*backward)(const seq_cell_step *step);
    void (*finish)(const seq_cell_step
                       *step); // SEQ_LAST_GATED: after the product with the last gate's gradient
} seq_cell;

// NULL-terminated: "lstm", "lstm-peephole", "lstm-peephole-current", "gru",
// "gru-reset-after", "gru-simple", "rnn".
const char *const *seq_cell_names(void);
// NULL for an unknown name.
const seq_cell *seq_cell_find(const char *name);

#endif
