// The gradient exchange: every rank's gradient lies in memory that its node can read; each rank sums one slice of the vector
// over all ranks, in the order of the fixed tree (tree.h), and is then to update this slice of the node's parameters. Between
// nodes the slices are summed by reduce-scatter and allgather. The sum, its norm and what is made of them are the same bits for
// any number of nodes and ranks that the tree allows: slices end at blocks (live.h), and the norm is the root of the blocks' sums
// of squares, added in double in the order of blocks.
#ifndef SEQTRAIN_COMM_EXCHANGE_H
#define SEQTRAIN_COMM_EXCHANGE_H

#include <seqtrain/comm/comm.h>
#include <seqtrain/comm/live.h>
#include <seqtrain/kernels/kernels.h>

typedef struct seq_exchange seq_exchange;

// Collective, agreed upon. `count` floats in a gradient. The memory that is shared stays comm's.
seq_status seq_exchange_create(seq_comm *comm, const seq_kernels *kernels, size_t count, seq_exchange **out, seq_error *error);
void seq_exchange_destroy(seq_exchange *exchange);

// This rank's gradient, and which parts of it may be nonzero (zero words at the start); the rest is never read. Both are filled
// before seq_exchange_sum, which puts the sum into its slice of the gradient.
float *seq_exchange_gradient(seq_exchange *exchange);
uint64_t *seq_exchange_live(seq_exchange *exchange);

typedef struct seq_exchange_options {
    double clip_element; // clamp the sum's elements to +- this; 0: off
    bool updates_all;    // what is not live is updated, too: slices are cut with that in mind
} seq_exchange_options;

typedef struct seq_exchanged {
    double norm;          // of the sum, after clamping: the same on all ranks
    size_t clamped;       // elements, the same on all ranks
    size_t begin, end;    // this rank's slice of the flat vector
    const uint64_t *live; // of the sum; valid until the next
    bool bad;             // this rank's gradient was found to hold a NaN or an infinity; the norm is NaN then, on all ranks
    size_t bad_index;     // where
} seq_exchanged;

// Collective. No rank may still write to its gradient of the last step's sum; afterwards every rank may.
seq_status seq_exchange_sum(seq_exchange *exchange, const seq_exchange_options *options, seq_exchanged *out, seq_error *error);

#endif
