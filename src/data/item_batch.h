// Makes packed batches of items: item-major rows to packed rows, longest sequence
// first.
#ifndef SEQ_DATA_ITEM_BATCH_H
#define SEQ_DATA_ITEM_BATCH_H

#include "sampler_private.h"

// Rows of an item on an axis.
static inline uint32_t seq_item_rows(const seq_item_table *table, int axis, int64_t item) {
    return axis ? table->at[axis][item + 1] - table->at[axis][item] : 1;
}

typedef struct seq_item_packer {
    const struct seq_sampler *sampler;
    const seq_schema *schema;
    const seq_item_table *table;
    // Scratch.
    uint32_t *packed[SEQ_AXES]; // (rows): the packed row of an item-major row
    int32_t *sequence;          // item-major number of the sequence of a parent's packed row
    int32_t *sorted;            // lengths, longest first
    uint32_t *starts;           // counting sort, by length
    uint64_t *digests;          // (items)
} seq_item_packer;

// For batches of up to `most` items within the sampler's limits, from an arena
// that plans or serves. The first three members are the caller's.
void seq_item_packer_take(seq_item_packer *packer, int64_t most, seq_arena *arena);
// Axes, columns and `read` of a batch of items, which have these numbers in the
// split and come in the order of dealing.
void seq_item_pack(const seq_item_packer *packer, const seq_items *items, const int64_t *numbers,
                   seq_batch_room *room, seq_batch *out);
// Words that are dropped, and words that occur once: <unk> takes their place, as
// the sampler's settings say. Letters and targets stay. Keyed by the step.
void seq_item_augment(const seq_item_packer *packer, uint32_t step, const seq_batch *batch,
                      seq_batch_room *room);

#endif
