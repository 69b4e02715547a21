// Attention: weighted means of the rows of a sequence. The weights are the
// softmax of scores over the sequence's steps. A sequence of length 0 gives
// zeros. Keys are what is scored; values are what is averaged.
#ifndef SEQTRAIN_NN_ATTENTION_H
#define SEQTRAIN_NN_ATTENTION_H

#include <seqtrain/nn/layer.h>

// Pooling with a learned query q (A): score = q . key. Input 0: values (N, W);
// input 1: keys (N, A) on the same axis, or none: the values are the keys.
// Result (rows of the parent, W). With keys = tanh(W h + b), a dense layer, it
// is the attention of Yang et al. 2016. Parameter 0: "query" (A).
typedef struct seq_attention_pool_options {
    int axis; // of the result: the parent of the input's axis
} seq_attention_pool_options;
extern const seq_layer_kind seq_layer_attention_pool;

// Every row of a target sequence attends to the source sequence of the same row
// of the parent. Input 0: queries (N, A) on the target axis; input 1: values
// (M, W) on the source axis; input 2: keys (M, A), or none: the values. Result
// (N, W). Both axes are children of one axis.
typedef enum seq_attention_score {
    SEQ_ATTENTION_DOT,      // query . key
    SEQ_ATTENTION_SCALED,   // query . key / sqrt(A)
    SEQ_ATTENTION_ADDITIVE, // v . tanh(query + key); parameter 0: "v" (A)
} seq_attention_score;

// NULL-terminated, by seq_attention_score: "dot", "scaled", "additive".
const char *const *seq_attention_score_names(void);

typedef struct seq_attention_options {
    seq_attention_score score;
} seq_attention_options;
extern const seq_layer_kind seq_layer_attention;

#endif
