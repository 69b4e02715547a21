// One recurrent layer over a window: merged input products, the loop over time, merged weight
// gradients. Parameters in PyTorch's layout: weight_ih (G H, I), weight_hh (G H, H), bias_ih,
// bias_hh (G H), weight_ch (3, H).
#ifndef SEQTRAIN_NN_RECURRENT_H
#define SEQTRAIN_NN_RECURRENT_H

#include <seqtrain/base/memory.h>
#include <seqtrain/nn/cell.h>

typedef struct seq_recurrent {
    const seq_cell *cell;
    const seq_compute *compute;
    int inputs, hidden; // I, H
} seq_recurrent;

// Matrices are packed (kernels/compute.h), in the forms that the products want; the backward ones
// may be NULL without training.
typedef struct seq_recurrent_weights {
    const void *input;          // W_ih^T: (I, G H)
    const void *recurrent;      // gate by gate, W_hh^T of the gate: (H, H)
    const void *input_back;     // W_ih: (G H, I)
    const void *recurrent_back; // rows of W_hh whose gates get W_hh h<t-1> in place: (., H)
    const void *last_back;      // the last gate's rows where it stands apart: (H, H), or NULL
    const float *bias_ih, *bias_hh, *weight_ch; // weight_ch: NULL without peepholes
} seq_recurrent_weights;

// Rows of weight_hh behind `recurrent_back`.
int seq_recurrent_plain_rows(const seq_recurrent *layer);

typedef struct seq_recurrent_gradients {
    float *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_ch; // overwritten
} seq_recurrent_gradients;

// What a forward pass keeps. Row block 0 of hidden and memory is the state before the window, block
// T the state after it.
typedef struct seq_tape {
    float *hidden;    // (T + 1, B, H)
    float *memory;    // (T + 1, B, H), or NULL
    float *gates;     // (T, B, G H)
    float *auxiliary; // (T, B, H), or NULL
    float *bias;      // (G H), scratch
} seq_tape;

// Blocks for up to `steps` x `batch`, from an arena that plans or serves.
void seq_tape_take(seq_tape *out, const seq_recurrent *layer, int batch, int steps,
                   seq_arena *arena);

// Scratch of a backward pass; one may serve all layers in turn when it was taken for the largest
// `hidden` and `inputs`.
typedef struct seq_recurrent_scratch {
    float *d_hidden; // (B, H): what of dL/dh<t-1> does not go through a product
    float *d_memory; // (B, H)
    float *d_gated;  // (B, H)
    void *packed;    // rows of inputs or states (T B, widest), packed
} seq_recurrent_scratch;
void seq_recurrent_scratch_take(seq_recurrent_scratch *out, const seq_compute *compute, int hidden,
                                int widest, int batch, int steps, seq_arena *arena);

// inputs (T, B, I). The caller has written the state into row block 0 of the tape.
void seq_recurrent_forward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                           seq_tape *tape, int batch, int steps, const float *inputs);

// d_outputs (T, B, H): dL/dh<t> from above; overwritten with the complete dL/dh<t>. d_inputs (T, B,
// I) is overwritten, or NULL. Nothing flows in from beyond the window's end. The tape's gates and
// auxiliary blocks are used up. squares (T), or NULL: entry k receives the sum over streams and
// units of (dL/dh<T-k>)^2.
void seq_recurrent_backward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                            seq_tape *tape, int batch, int steps, const float *inputs,
                            float *d_outputs, float *d_inputs,
                            const seq_recurrent_gradients *gradients,
                            const seq_recurrent_scratch *scratch, double *squares);

#endif
