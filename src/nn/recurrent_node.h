// What nodes with a recurrent layer share: `recurrent` and `decoder`. Their
// options begin with seq_recurrent_options and their memory with
// seq_recurrent_memory, so who looks at all recurrent layers finds both. `start`:
// the input that says h<0>, if the node has it.
#ifndef SEQ_NN_RECURRENT_NODE_H
#define SEQ_NN_RECURRENT_NODE_H

#include <seqtrain/nn/layers.h>

typedef struct seq_recurrent_memory {
    seq_tape tape;
    seq_recurrent_scratch scratch;
    float *d_start; // (B, H), with a start
} seq_recurrent_memory;

// Of widths, axes and weight-drop.
seq_status seq_recurrent_check(const seq_node *node, int start, seq_error *error);
// The first parameters and packed matrices; `fed`: columns of weight_ih behind the inputs'.
void seq_recurrent_needs(const seq_node *node, int fed, seq_parameter_list *list);
// `widest`: of other rows that are packed in the scratch.
void seq_recurrent_plan(const seq_node *node, const seq_limits *limits, bool training, int widest,
                        bool starts, seq_recurrent_memory *memory, seq_arena *kept,
                        seq_arena *scratch);

seq_recurrent_weights seq_recurrent_weights_of(const seq_node *node, const seq_pass *pass);
// Loads the tape: from the batch before, from the start, or zeros.
void seq_recurrent_begin(const seq_node *node, seq_pass *pass, int start);
seq_recurrent_gradients seq_recurrent_gradients_of(const seq_node *node, seq_pass *pass,
                                                   float *outputs);
// After the backward pass: of weight-drop, and of the start from d_start.
void seq_recurrent_mask_gradient(const seq_node *node, const seq_pass *pass);
void seq_recurrent_add_start(const seq_node *node, seq_pass *pass, int input);

#endif
