// Packs items into batches: item-major rows to packed rows, longest sequence first. The sampler of
// items does it for a data set, infer for items that were just read.
#ifndef SEQTRAIN_DATA_ITEM_BATCH_H
#define SEQTRAIN_DATA_ITEM_BATCH_H

#include <seqtrain/data/items.h>

// Arrays of a batch within limits: its axes, and a column for each of the schema.
typedef struct seq_batch_room {
    seq_axis_room axes[SEQ_AXES];
    int32_t *ids[SEQ_COLUMNS];
    float *values[SEQ_COLUMNS];
} seq_batch_room;
// From an arena that plans or serves.
void seq_batch_room_take(seq_batch_room *out, const seq_schema *schema, const seq_limits *limits,
                         seq_arena *arena);
// Sets the columns of `out` to the room's arrays.
void seq_batch_set_columns(const seq_schema *schema, const seq_batch_room *room, seq_batch *out);

// Rows of an item on an axis.
static inline uint32_t seq_item_rows(const seq_item_table *table, int axis, int64_t item) {
    return axis ? table->at[axis][item + 1] - table->at[axis][item] : 1;
}

enum { SEQ_VALUE_MOMENTS = 3 }; // mean, deviation, and a row

typedef struct seq_item_packer {
    const seq_schema *schema;
    const seq_item_table *table; // whose items are packed
    // Scratch.
    uint32_t *packed[SEQ_AXES]; // (rows): the packed row of an item-major row
    int32_t *sequence;          // item-major number of the sequence of a parent's packed row
    int32_t *sorted;            // lengths, longest first
    uint32_t *starts;           // counting sort, by length
    uint64_t *digests;          // (items)
    double *moments;            // (SEQ_VALUE_MOMENTS, widest field)
} seq_item_packer;

// For batches of up to `most` items within the limits, from an arena that plans or serves. The
// first two members are the caller's.
void seq_item_packer_take(seq_item_packer *packer, int64_t most, const seq_limits *limits,
                          seq_arena *arena);
// Axes, columns and `read` of a batch of items, which have these numbers in the table and come in
// the order of dealing. Row i of axes[0] is item i.
void seq_item_pack(const seq_item_packer *packer, const seq_items *items, const int64_t *numbers,
                   seq_batch_room *room, seq_batch *out);

#endif
