// The gradient exchange: every rank's gradient lies in memory that its node can read; each rank
// sums slices of the vector over all ranks, in the order of the fixed tree (tree.h), and is then to
// update these slices of the node's parameters. Between nodes the slices are summed by
// reduce-scatter and allgather. The sum, its norm and what is made of them are the same bits for
// any number of nodes and ranks that the tree allows, and any division into buckets: slices end at
// blocks (sparsity_map.h), and the norm is the root of the blocks' sums of squares, added in double
// in the order of blocks. (Between nodes, SEQ_WIRE_BF16 rounds: the same bits on all nodes, but
// others for another division into nodes.)
//
// Buckets. Backward makes the gradient final from the end of the vector to its beginning. With
// `overlap`, the vector is exchanged in buckets, by a thread of the exchange's own, each as soon as
// all ranks of the node have handed it in.
#ifndef SEQTRAIN_COMM_EXCHANGE_H
#define SEQTRAIN_COMM_EXCHANGE_H

#include <seqtrain/comm/comm.h>
#include <seqtrain/comm/sparsity_map.h>
#include <seqtrain/kernels/kernels.h>

typedef struct seq_exchange seq_exchange;

typedef struct seq_exchange_config {
    size_t count;        // floats in a gradient
    bool overlap;        // on several nodes only if seq_comm_is_concurrent
    const size_t *parts; // where the parts begin that become final one after the other: descending,
                         // the last one 0
    size_t part_count;
    size_t bucket; // floats: smaller parts are merged with the next, but for the last
    seq_wire wire; // between nodes
} seq_exchange_config;

// Bytes of shared memory that an exchange takes, at most, for seq_comm_reserve.
void seq_exchange_memory(const seq_exchange_config *config, size_t *shared, size_t *each);
// Collective, agreed upon; the same configuration on all ranks. The memory that is shared stays
// comm's.
seq_status seq_exchange_create(seq_comm *comm, const seq_kernels *kernels,
                               const seq_exchange_config *config, seq_exchange **out,
                               seq_error *error);
// Joins the thread. (After the failure of a rank it may be caught in MPI: then it is given a few
// seconds, and left alone with its memory, as the process is about to be ended.)
void seq_exchange_destroy(seq_exchange *exchange);

// This rank's gradient, and which parts of it may be nonzero (zero words at the start); the rest is
// never read. The sum goes into this rank's slices of the gradient.
float *seq_exchange_gradient(seq_exchange *exchange);
uint64_t *seq_exchange_live(seq_exchange *exchange);

typedef struct seq_exchange_options {
    double clip_element; // clamp the sum's elements to +- this; 0: off
    bool updates_all;    // what is not live is updated, too: slices are cut with that in mind
} seq_exchange_options;

typedef struct seq_exchanged {
    double norm;             // of the sum, after clamping: the same on all ranks
    size_t clamped;          // elements, the same on all ranks
    const seq_range *slices; // this rank's parts of the flat vector, in the order in which they
                             // were summed; valid until the
    size_t slice_count;      // next round, as is:
    const uint64_t *live;    // of the sum
    bool bad; // this rank's gradient has the node's first NaN or infinity; the norm is NaN then, on
              // all ranks
    size_t bad_index; // where
} seq_exchanged;

// A round: begin, ready any number of times, then finish or abandon. Every rank begins each round
// and ends it in the same way, also when it has failed and nobody will use the sum: nobody may be
// left waiting.
//
// The live words are there; no rank still reads or writes the sum of the last round. The other
// ranks see them from now on.
void seq_exchange_begin(seq_exchange *exchange, const seq_exchange_options *options);
// The gradient from float `begin` to the end is final: it is not written any more, and its slices
// become sums at any moment.
void seq_exchange_ready(seq_exchange *exchange, size_t begin);
// Collective, not agreed upon (only MPI can fail here). All of the gradient is ready. Afterwards
// every rank may write to it again.
seq_status seq_exchange_finish(seq_exchange *exchange, seq_exchanged *out, seq_error *error);
// Collective: the same for a sum that nobody wants. Not after SEQ_RANK_FAILED.
seq_status seq_exchange_abandon(seq_exchange *exchange, seq_error *error);
// Collective: begin and finish.
seq_status seq_exchange_sum(seq_exchange *exchange, const seq_exchange_options *options,
                            seq_exchanged *out, seq_error *error);

#endif
