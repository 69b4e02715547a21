// What the files that read items share: the store of a data set, with the tables
// of its splits and the cache of decoded chunks.
#ifndef SEQ_DATA_ITEMS_PRIVATE_H
#define SEQ_DATA_ITEMS_PRIVATE_H

#include "dataset_private.h"
#include <pthread.h>
#include <seqtrain/data/items.h>

enum { SEQ_CHUNK_WAYS = 8, SEQ_CHUNK_SETS = SEQ_CHUNK_CACHE / SEQ_ITEM_CHUNK / SEQ_CHUNK_WAYS };

typedef struct seq_item_chunk {
    uint64_t key, used; // 0: empty
    size_t count;       // elements
    void *bytes;        // SEQ_ITEM_CHUNK
} seq_item_chunk;

typedef struct seq_item_split {
    seq_item_table table; // loaded: where `loaded` says so
    bool loaded;
    int shards;
    int64_t *first; // (shards + 1): the first item of each
    int *partial;   // (shards): 1: the shard holds item.counted
    uint32_t *at[SEQ_AXES];
    int32_t *counted;
    int64_t raw_bytes;
} seq_item_split;

struct seq_item_store {
    seq_item_layout layout;
    seq_item_split splits[SEQ_SPLITS];
    seq_item_chunk cache[SEQ_CHUNK_SETS][SEQ_CHUNK_WAYS];
    uint64_t clock;
    pthread_mutex_t lock; // of everything that is read after opening
};

// A shard of a split.
typedef struct seq_item_place {
    seq_split split;
    int shard;
} seq_item_place;

// item_chunks.c. Elements [from, from + count) of a vector of a shard: ids as
// int32, all others as they are. SEQ_BAD_INPUT: an id that its vocabulary does not
// have, a value that is not finite, or a vector that is too short.
seq_status seq_item_elements(seq_dataset *dataset, seq_item_place at, int index, uint64_t from,
                             size_t count, void *out, seq_error *error);
seq_status seq_item_vector_length(seq_dataset *dataset, seq_item_place at, int index, size_t *out,
                                  seq_error *error);
void seq_item_chunks_free(seq_item_store *store);

// item_tables.c. Once a split, and checked: where the rows of each item begin.
seq_status seq_item_table_load(seq_dataset *dataset, seq_split which, seq_error *error);
uint32_t seq_item_rows_before(const seq_item_split *split, int axis, int64_t first, int64_t i);
// "shard ... of ...: VECTOR WHY: the data set is damaged".
seq_status seq_item_damaged(const seq_dataset *dataset, seq_item_place at, const char *vector,
                            const char *why, seq_error *error);

#endif
