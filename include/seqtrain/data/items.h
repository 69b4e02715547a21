// Items of a data set with a schema: examples with a column of each field. A
// batch of items lies item by item; the sampler packs it into axes. Lengths are
// kept once an axis, so the columns of an axis cannot disagree.
#ifndef SEQTRAIN_DATA_ITEMS_H
#define SEQTRAIN_DATA_ITEMS_H

#include <seqtrain/data/dataset.h>

enum { SEQ_CHUNK_CACHE = 64 << 20 }; // bytes of decoded chunks that a data set keeps

// Rows of axes[0] are the items. An axis has a sequence for each row of its
// parent, and its rows are those of its sequences one after the other.
typedef struct seq_items {
    int64_t count;
    size_t rows[SEQ_AXES];            // of all items; set by reading, ignored by the writer
    const int32_t *lengths[SEQ_AXES]; // (rows of the parent); of axes[0]: not used
    const int32_t *ids[SEQ_COLUMNS];  // by field: (rows) ids and labels, SEQ_NO_ID: none
    const float *values[SEQ_COLUMNS]; // by field: (rows, width) values and numbers, as they came
    const int64_t *groups;            // (count), where the schema has groups; else NULL
    const int32_t *counted;           // (count): targets that are not SEQ_NO_ID; set by reading
    const char *raw;                  // texts one after the other, where valid and test have them
    const int32_t *raw_sizes;         // (count): bytes of each
} seq_items;

// What a split holds, item by item. Differences are modulo 2^32: item i has
// at[axis][i + 1] - at[axis][i] rows, and 1 row of axes[0].
typedef struct seq_item_table {
    int64_t items;
    int64_t rows[SEQ_AXES];       // of the split
    int32_t longest[SEQ_AXES];    // steps of the longest sequence
    const uint32_t *at[SEQ_AXES]; // (items + 1); at[0]: NULL
    const int32_t *counted;       // (items); NULL: all rows of the target's axis
    uint64_t bytes;               // of this table
} seq_item_table;

// Arrays that seq_dataset_read_items fills. Zero-initialise; one reading at a time.
typedef struct seq_items_room {
    void *blocks[2 * SEQ_AXES + SEQ_COLUMNS + 8];
    size_t capacity[2 * SEQ_AXES + SEQ_COLUMNS + 8];
} seq_items_room;
void seq_items_room_clear(seq_items_room *room);

// 0 for streams and for a split that is absent.
int64_t seq_dataset_items(const seq_dataset *dataset, seq_split split);
// Reads the lengths of a split at the first call and checks them: they end where
// the columns end, every row of an axis has its sequence on the axes below it.
// The table stays the data set's. SEQ_BAD_INPUT for streams, and for what does
// not fit together.
seq_status seq_dataset_table(seq_dataset *dataset, seq_split split, const seq_item_table **out,
                             seq_error *error);
// What reading keeps in memory: the tables that were loaded, and decoded chunks, at most.
uint64_t seq_dataset_item_bytes(const seq_dataset *dataset);
// Items [first, first + count) with all columns, in the room's arrays. Ids are
// checked against their vocabularies, values must be finite, shards are held to
// their hashes. Loads the table. May be called by several threads, each with its
// own room.
seq_status seq_dataset_read_items(seq_dataset *dataset, seq_split split, int64_t first,
                                  int64_t count, seq_items_room *room, seq_items *out,
                                  seq_error *error);
// The same for items in any order, one after the other.
seq_status seq_dataset_read_chosen(seq_dataset *dataset, seq_split split, const int64_t *numbers,
                                   int64_t count, seq_items_room *room, seq_items *out,
                                   seq_error *error);

// A field of labels of the examples, of all items of a split.
seq_status seq_dataset_read_labels(seq_dataset *dataset, seq_split split, int field, int32_t *out,
                                   seq_error *error);

#endif
