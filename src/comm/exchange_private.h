// What the files of the gradient exchange share. A word is a block of the vector: SEQ_BLOCK floats,
// 64 bits of its live map.
#ifndef SEQ_COMM_EXCHANGE_PRIVATE_H
#define SEQ_COMM_EXCHANGE_PRIVATE_H

#include "arrival_counter.h"
#include <seqtrain/base/background.h>
#include <seqtrain/comm/exchange.h>

// What a rank found in its slices.
typedef struct seq_slice_report {
    size_t clamped;   // elements
    int bad_rank;     // the node's rank whose gradient holds the first NaN or infinity, or -1
    size_t bad_index; // where
} seq_slice_report;

// M ranks on this node, W words, K buckets. While a round lasts, all but the gradient, its live
// words and what is said to be the main thread's belongs to the thread that exchanges.
struct seq_exchange {
    seq_comm *comm;
    const seq_kernels *kernels;
    size_t count, words;
    int node_size, node_rank;
    seq_wire wire;
    size_t bucket_count;
    seq_range *buckets;         // (K): words, the end of the vector first
    seq_range *slices;          // (K): floats, this rank's part of each
    float **gradients;          // (M): each rank's, in shared memory; then
    uint64_t **live_of;         // (M): its live words; and
    seq_slice_report **reports; // (M): what it says about its slices
    double *squares;            // (W), shared: of each block of the sum
    uint64_t *united; // (W), shared: live words of the sum, written by the node's first rank
    uint64_t *live;   // (W): the same, this rank's own
    seq_arrival_counters *tallies; // shared
    const float **leaves;          // (M), scratch: where the parts lie that are to be added
    float *sum;                    // a block
    float *scratch;                // of seq_tree_sum_into
    float *packed;                 // a segment, or NULL on one node
    seq_exchange_options options;
    seq_error error;
    seq_background *thread; // or NULL: the main thread exchanges
    // The main thread's.
    uint64_t round;
    size_t handed_in; // buckets of this round
};

// In `tallies`: ranks whose live words are there; the live words of the sum; the first of the
// buckets.
enum { SEQ_ARRIVAL_LIVE, SEQ_ARRIVAL_UNITED, SEQ_ARRIVAL_BUCKET };

static inline size_t seq_exchange_floats_before(const seq_exchange *exchange, size_t word) {
    return word * SEQ_BLOCK < exchange->count ? word * SEQ_BLOCK : exchange->count;
}

static inline size_t seq_exchange_block_floats(const seq_exchange *exchange, size_t word) {
    return seq_exchange_floats_before(exchange, word + 1) -
           seq_exchange_floats_before(exchange, word);
}

// exchange_block.c: a block that is live. Its sum over the node goes to exchange->sum, zeros
// included; returns the sum of squares.
double seq_exchange_sum_block(seq_exchange *exchange, size_t word);
// Between exchange->sum and this rank's gradient.
void seq_exchange_store_block(seq_exchange *exchange, size_t word);
void seq_exchange_load_block(seq_exchange *exchange, size_t word);
// Clamps the complete sum and notes its squares.
void seq_exchange_finish_block(seq_exchange *exchange, size_t word, double squares);

// exchange_bucket.c: plans buckets of at least `least` floats that begin where parts do (floats,
// descending, the last one 0). `out` holds count ranges of words; returns how many there are.
size_t seq_exchange_cut(const size_t *parts, size_t count, size_t floats, size_t least,
                        seq_range *out);
// This rank's part of the sum, once all ranks of the node have handed in theirs.
seq_status seq_exchange_bucket(seq_exchange *exchange, size_t bucket, seq_error *error);

#endif
