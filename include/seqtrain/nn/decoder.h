// Layer: a recurrent layer on the target's axis. In each step it attends to the
// source, and the context is an input of the next step (luong) or of this one
// (bahdanau). Legend: as in nn/recurrent.h, and W units
// of the source's values, A of its keys.
//   luong (Luong et al. 2015, with input feeding):
//     h<t> = cell([x<t>; o<t-1>], h<t-1>), c<t> = attend(h<t>),
//     o<t> = tanh(W_o [h<t>; c<t>]), o<0> = 0; result o<t> (N, H)
//   bahdanau (Bahdanau et al. 2015):
//     c<t> = attend(h<t-1>), h<t> = cell([x<t>; c<t>], h<t-1>);
//     result [h<t>; c<t>] (N, H + W)
// attend(q): the mean of the values, weighted by the softmax over the source's
// steps of score(q, key): q . key (A = H), or that / sqrt(H), or
// v . tanh(W_q q + key). A source of length 0 gives zeros. Without input
// feeding, Luong's order needs no such layer: it is seq_layer_attention above a
// recurrent layer.
#ifndef SEQTRAIN_NN_DECODER_H
#define SEQTRAIN_NN_DECODER_H

#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/layers.h>

typedef enum seq_decoder_order { SEQ_ORDER_LUONG, SEQ_ORDER_BAHDANAU } seq_decoder_order;

// Input 0: x (N, I); input 1: values (M, W) and input 2: keys (M, A), both on
// the source's axis, and they may be one node; input 3: h<0>, (rows of the
// parent, H). The parent of both axes is one. Parameters: those of a recurrent
// layer, with columns for o or c behind weight_ih's for x; luong "weight_out"
// (H, H + W); additive "weight_query" (A, H) and "v" (A). A sequence carries h,
// c of cells with memory, and o.
typedef struct seq_decoder_layer_options {
    seq_recurrent_options recurrent; // the first: see seq_layer_kind.recurs
    seq_attention_score score;
    seq_decoder_order order;
} seq_decoder_layer_options;
extern const seq_layer_kind seq_layer_decoder;

#endif
