// Which parts of a flat vector may be nonzero: a bit for each granule of 64 floats, a word for each
// block of 4096. What is not live counts as zero and need not be written or read. Bit 0 of word 0
// is the beginning of the vector.
#ifndef SEQTRAIN_COMM_SPARSITY_MAP_H
#define SEQTRAIN_COMM_SPARSITY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEQ_GRANULE = 64, SEQ_BLOCK = 64 * SEQ_GRANULE }; // floats

// Words for a vector of `count` floats.
size_t seq_sparsity_words(size_t count);
// Makes the granules live that [begin, end) touches.
void seq_sparsity_add(uint64_t *live, size_t begin, size_t end);

typedef struct seq_range {
    size_t begin, end;
} seq_range;

// The first run of live floats in [range->end, limit) goes to *range; false when there is none.
// Ends of runs are cut at `limit`. Walk all runs of [from, limit): for (seq_range run = {from,
// from}; seq_sparsity_next(live, limit, &run);)
bool seq_sparsity_next(const uint64_t *live, size_t limit, seq_range *range);

#endif
