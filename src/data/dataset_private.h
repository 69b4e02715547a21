// The format of a data set, for its writers and its readers.
#ifndef SEQ_DATA_DATASET_PRIVATE_H
#define SEQ_DATA_DATASET_PRIVATE_H

#include "shard_files.h"
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
    char name[SEQ_NAME + 8];
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

typedef struct seq_item_store seq_item_store;
struct seq_dataset {
    char path[SEQ_PATH];
    seq_manifest manifest;
    seq_schema schema;
    seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    char vocabulary_hash[33], hash[33];
    seq_shard_files files;
    int64_t tokens[SEQ_SPLITS];
    // Streams.
    seq_element element;
    int64_t shard_tokens;
    void *piece; // tokens as stored
    // Items.
    seq_item_store *store;
};

// Reads the counts of a manifest with a schema; takes no memory that grows with what they promise.
seq_status seq_item_store_open(seq_dataset *dataset, seq_error *error);
// Checks the counts against the files' sizes.
seq_status seq_item_store_check(const seq_dataset *dataset, seq_error *error);
void seq_item_store_close(seq_item_store *store);
// Before memory is taken for `count` elements of `what` that the manifest promises: no file is so
// uniform that a byte of it holds more of them.
seq_status seq_dataset_check_size(const seq_dataset *dataset, seq_split split, const char *what,
                                  int64_t count, seq_error *error);
// Bytes that the columns have, before compression.
double seq_item_store_bytes(const seq_dataset *dataset);

// SEQ_BAD_INPUT for a data set of items.
seq_status seq_dataset_require_stream(const seq_dataset *dataset, seq_error *error);

#endif
