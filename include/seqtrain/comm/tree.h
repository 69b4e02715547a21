// The fixed summation tree. `leaves` = 2^a * odd: pairs are added a times (0+1, 2+3, ...; then
// pairs of pairs), and the odd number of subtree sums that is left is added from left to right. A
// block of 2^k aligned leaves is a subtree, so any process count P = leaves / 2^k gives the same
// bits.
#ifndef SEQTRAIN_COMM_TREE_H
#define SEQTRAIN_COMM_TREE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Adds vectors that arrive leaf by leaf, holding at most log2(leaves) + 2 of them. A leaf may be
// added as it is produced. Only the floats that are live (seqtrain/comm/sparsity_map.h) are
// written, read and added.
typedef struct seq_tree seq_tree;
// `result` (count floats, the caller's) will hold the sum; with one leaf it is the only vector.
seq_status seq_tree_create(int leaves, size_t count, float *result, seq_tree **out,
                           seq_error *error);
void seq_tree_destroy(seq_tree *tree);
// `live` must stay the same until the last leaf was added.
void seq_tree_begin(seq_tree *tree, const uint64_t *live);
// A vector of `count` floats for the next leaf; fill what is live of it, then call seq_tree_add.
float *seq_tree_next(seq_tree *tree);
void seq_tree_add(seq_tree *tree);
// The same for a leaf that is filled part by part: what has been added of the last leaf is the sum,
// in `result`. The parts cover the vector; then the leaf is closed.
void seq_tree_add_part(seq_tree *tree, size_t begin, size_t end);
void seq_tree_close(seq_tree *tree);

// The same tree over `leaves` vectors that are all there: sums[i] = tree of vectors[leaf * stride +
// i]. The vectors are overwritten; the sum is in the first.
void seq_tree_sum(float *vectors, int leaves, size_t stride, size_t count);
// The same over vectors that stay as they are. `scratch` holds seq_tree_depth(leaves) * count
// floats.
void seq_tree_sum_into(float *sum, const float *const *vectors, int leaves, size_t count,
                       float *scratch);
int seq_tree_depth(int leaves);
double seq_tree_sum_double(const double *values, int leaves);

// True when `processes` divides `leaves` and the quotient is a power of two or processes is 1: same
// bits as one process.
bool seq_tree_same_bits(int leaves, int processes);

#endif
