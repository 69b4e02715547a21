// One recurrent layer over the rows of an axis: merged input products, the loop over time, merged
// weight gradients. Legend: B sequences, N rows, T steps of the axis; I inputs, H units, G gates.
// A sequence's results do not depend on the other sequences of its axis. Parameters in PyTorch's
// layout: weight_ih (G H, I), weight_hh (G H, H), bias_ih, bias_hh (G H), weight_ch (3, H).
#ifndef SEQTRAIN_NN_RECURRENT_H
#define SEQTRAIN_NN_RECURRENT_H

#include <seqtrain/batch/batch.h>
#include <seqtrain/nn/cell.h>

// What is fed into each step besides the inputs, since it depends on the steps before: rows (., F),
// times columns I .. I + F - 1 of weight_ih (G H, I + F). Functions are called by the calling
// thread, between what the units do, and may run the team.
typedef struct seq_recurrent_feed {
    void *context;
    size_t width;       // F
    const void *packed; // gate by gate, of the gate's F columns, transposed: (F, H)
    // Forward: the fed rows of step t's sequences, with their stride; then, with h<t> there.
    const float *(*before)(void *context, int t, size_t *out_stride);
    void (*after)(void *context, int t); // or NULL
    // Backward, the last step first: dL/dh<t> that comes from above may still be added to; then,
    // with the gradients of step t's gates there.
    void (*after_back)(void *context, int t); // or NULL
    void (*before_back)(void *context, int t);
} seq_recurrent_feed;

typedef struct seq_recurrent {
    const seq_cell *cell;
    const seq_compute *compute;
    int inputs, hidden;             // I, H
    const seq_recurrent_feed *feed; // or NULL
} seq_recurrent;

// Matrices are packed (kernels/compute.h), in the forms that the products want; the backward ones
// may be NULL without training.
typedef struct seq_recurrent_weights {
    const void *input;          // of the first I columns, W_ih^T: (I, G H)
    const void *recurrent;      // gate by gate, W_hh^T of the gate: (H, H)
    const void *input_back;     // W_ih: (G H, I)
    const void *recurrent_back; // rows of W_hh whose gates get W_hh h<t-1> in place: (., H)
    const void *last_back;      // the last gate's rows where it stands apart: (H, H), or NULL
    const float *bias_ih, *bias_hh, *weight_ch; // weight_ch: NULL without peepholes
} seq_recurrent_weights;

// Rows of weight_hh behind `recurrent_back`.
int seq_recurrent_plain_rows(const seq_recurrent *layer);

// Parameters in the order of PyTorch, for seq_recurrent_gradients.
enum {
    SEQ_WEIGHT_IH,
    SEQ_WEIGHT_HH,
    SEQ_BIAS_IH,
    SEQ_BIAS_HH,
    SEQ_WEIGHT_CH,
    SEQ_RECURRENT_PARAMETERS
};

// Where gradients go. NULL: not wanted, but of `outputs`.
typedef struct seq_recurrent_gradients {
    float *outputs;         // (N, H): dL/dh<t> from above in, the complete dL/dh<t> out
    float *inputs;          // (N, I)
    float *hidden, *memory; // (B, H): dL/dh<0> and dL/dc<0>, overwritten
    float *parameters[SEQ_RECURRENT_PARAMETERS];
    bool adds_inputs;        // else `inputs` is overwritten
    unsigned adds_parameter; // bit i: the same of parameters[i]
} seq_recurrent_gradients;

// What a forward pass keeps. The first B rows of hidden and memory are the states before the first
// step; row B + r is the state after row r of the axis.
typedef struct seq_tape {
    float *hidden;    // (B + N, H)
    float *memory;    // (B + N, H), or NULL
    float *gates;     // (N, G H)
    float *auxiliary; // (N, H), or NULL
    float *bias;      // (G H), scratch
} seq_tape;

// Blocks for axes within the limit, from an arena that plans or serves.
void seq_tape_take(seq_tape *out, const seq_recurrent *layer, const seq_axis_limit *limit,
                   seq_arena *arena);

// The tape's row of the first sequence's state before step t (those of the others follow), and of a
// sequence's state after its last step.
size_t seq_tape_row_before(const seq_axis *axis, int t);
size_t seq_tape_last_row(const seq_axis *axis, int sequence);
// The tape's rows of the states before each row of the axis, into `out` (N). NULL: as they lie,
// which is so where all sequences are of one length.
const int32_t *seq_tape_rows_before(const seq_axis *axis, int32_t *out);

// Scratch of a backward pass; one may serve all layers in turn when it was taken for the largest
// `hidden` and `inputs`.
typedef struct seq_recurrent_scratch {
    float *d_hidden; // (B, H): what of dL/dh<t-1> does not go through a product
    float *d_memory; // (B, H)
    float *d_gated;  // (B, H)
    int32_t *before; // (N): the tape's row of the state before each row
    void *packed;    // rows of inputs or states (N, widest), packed
} seq_recurrent_scratch;
void seq_recurrent_scratch_take(seq_recurrent_scratch *out, const seq_compute *compute, int hidden,
                                int widest, const seq_axis_limit *limit, seq_arena *arena);

// The states of all sequences, h (B, H), then c (B, H) for cells with memory: into the tape before
// the first step (NULL: zeros), and out of it after each sequence's last step.
void seq_recurrent_load(const seq_recurrent *layer, seq_tape *tape, const seq_axis *axis,
                        const float *state);
void seq_recurrent_store(const seq_recurrent *layer, const seq_tape *tape, const seq_axis *axis,
                         float *state);

// inputs (N, I). The tape has been loaded.
void seq_recurrent_forward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                           seq_tape *tape, const seq_axis *axis, const float *inputs);

// After seq_recurrent_forward, with the same arguments. Nothing flows in from beyond a sequence's
// last step. The tape's gates and auxiliary blocks are used up. squares (T), or NULL: entry k
// receives the sum over sequences and units of (dL/dh<T-k>)^2.
void seq_recurrent_backward(const seq_recurrent *layer, const seq_recurrent_weights *weights,
                            seq_tape *tape, const seq_axis *axis, const float *inputs,
                            const seq_recurrent_gradients *gradients,
                            const seq_recurrent_scratch *scratch, double *squares);

#endif
