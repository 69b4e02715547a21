// What the readers of a data set share.
#ifndef SEQ_DATA_DATASET_PRIVATE_H
#define SEQ_DATA_DATASET_PRIVATE_H

#include "shard_files.h"
#include <seqtrain/data/dataset_format.h>

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

#endif
