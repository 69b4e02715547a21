// Rows of a table (V, E) by token; a token of -1 is the zero vector x<1>.
#ifndef SEQTRAIN_NN_EMBEDDING_H
#define SEQTRAIN_NN_EMBEDDING_H

#include <seqtrain/nn/layer.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_embedding_initialisation {
    SEQ_EMBEDDING_UNIFORM, // +-0.1, or the user's bound for all parameters
    SEQ_EMBEDDING_SCALED,  // +-1/sqrt(E)
    SEQ_EMBEDDING_NORMAL,  // N(0, 1)
} seq_embedding_initialisation;

// Layer: a column of ids -> (N, E). Parameter 0: "weight" (V, E), sparse.
typedef struct seq_embedding_options {
    int units; // E
    seq_embedding_initialisation initialisation;
    double dropout; // of whole words in training, keyed by (seed, step, node, id)
} seq_embedding_options;
extern const seq_layer_kind seq_layer_embedding;

void seq_embedding_forward(const float *table, size_t units, const int32_t *tokens, size_t count,
                           float *out);
// Zeroes the rows of d_table that seq_embedding_backward will add to.
void seq_embedding_clear(size_t units, const int32_t *tokens, size_t count, float *d_table);
// Adds row i of d_out (count, E) to row tokens[i] of d_table, in ascending i.
void seq_embedding_backward(const float *d_out, size_t units, const int32_t *tokens, size_t count,
                            float *d_table);

#endif
