// The format of a data set, for its writers and its readers.
#ifndef SEQTRAIN_DATA_DATASET_FORMAT_H
#define SEQTRAIN_DATA_DATASET_FORMAT_H

#include <seqtrain/data/dataset.h>
#include <seqtrain/storage/vector_file.h>

enum {
    SEQ_DATASET_VERSION = 1,   // streams
    SEQ_ITEMS_VERSION = 2,     // items with a schema
    SEQ_TOKEN_CHUNK = 1 << 16, // chunk in tokens
    SEQ_ITEM_CHUNK = 1 << 16,  // chunk in bytes
    SEQ_SHARD_FILES_MOST = 10000,
};

void seq_shard_file_name(seq_split split, int64_t shard, char out[32]);
// The narrowest integer that holds every id. Columns of items hold one more: their number for
// SEQ_NO_ID is the vocabulary's size.
seq_element seq_token_element(int vocabulary);

// The vectors of a shard of items, in a fixed order: fields, then AXIS.ends of each axis but the
// first, then those of items. Which are there follows from the schema.
typedef struct seq_item_vector {
    char name[SEQ_FIELD_NAME + 8];
    seq_element element;
    int field;      // or -1
    int axis;       // that its rows lie on, or whose ends it holds (relative to the shard)
    int vocabulary; // its size, for ids; else 0
    int width;      // values a row
} seq_item_vector;
enum {
    SEQ_VECTORS = SEQ_COLUMNS + SEQ_AXES + 4,
};
typedef struct seq_item_layout {
    seq_item_vector vectors[SEQ_VECTORS];
    int count;
    int of_field[SEQ_COLUMNS], ends[SEQ_AXES]; // indices
    int group, counted, raw, raw_ends;         // -1: none
} seq_item_layout;
// `vocabularies`: by the schema's index.
void seq_item_layout_make(seq_item_layout *out, const seq_schema *schema,
                          const seq_vocabulary *const *vocabularies);

#endif
