// Layer: the rows of each sequence become one row, that of the parent's axis
// which the sequence belongs to. A sequence of length 0 gives zeros.
#ifndef SEQTRAIN_NN_POOL_H
#define SEQTRAIN_NN_POOL_H

#include <seqtrain/nn/layer.h>

typedef enum seq_pooling {
    SEQ_POOL_LAST, // the last step
    SEQ_POOL_ENDS, // the first half of the units from the last step, the second half from the
                   // first step: the final states of both directions
    SEQ_POOL_MEAN,
    SEQ_POOL_MAX,      // of each unit
    SEQ_POOL_MAX_MEAN, // (2 W): max, then mean
} seq_pooling;

// NULL-terminated, by seq_pooling: "last", "ends", "mean", "max", "max-mean".
const char *const *seq_pooling_names(void);

typedef struct seq_pool_options {
    seq_pooling pooling;
    int axis; // of the result: the parent of the input's axis
} seq_pool_options;
extern const seq_layer_kind seq_layer_pool;

#endif
