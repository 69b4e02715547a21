// Decoded chunks of items' vectors, 8 ways a set; the one that was used longest
// ago goes. Invariant: no id reaches a caller that its vocabulary does not have,
// and no value that is not finite. Tests: tests/unit/data/test_items.c,
// tests/fuzz/fuzz_items.c.
#include "items_private.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

seq_status seq_item_vector_length(seq_dataset *dataset, seq_item_place at, int index, size_t *out,
                                  seq_error *error) {
    const seq_item_vector *vector = &dataset->store->layout.vectors[index];
    seq_vector_file *file;
    seq_status status = seq_shard_files_open(&dataset->files, at.split, at.shard, &file, error);
    return status ? status : seq_vector_length(file, vector->name, vector->element, out, error);
}

static seq_status load_chunk(seq_dataset *dataset, seq_item_place at, int index, uint64_t number,
                             seq_item_chunk *chunk, seq_error *error) {
    const seq_item_vector *vector = &dataset->store->layout.vectors[index];
    size_t per = SEQ_ITEM_CHUNK / seq_element_size(vector->element), length = 0;
    seq_vector_file *file;
    chunk->key = 0;
    if (!chunk->bytes && seq_allocate(&chunk->bytes, SEQ_ITEM_CHUNK, 1, "a chunk of items", error))
        return error->status;
    seq_status status = seq_shard_files_open(&dataset->files, at.split, at.shard, &file, error);
    if (!status) status = seq_vector_length(file, vector->name, vector->element, &length, error);
    if (status) return status;
    size_t from = (size_t)number * per;
    chunk->count = from >= length ? 0 : length - from < per ? length - from : per;
    return seq_vector_read(file, vector->name, vector->element, from, chunk->count, chunk->bytes,
                           error);
}

static seq_status fetch_chunk(seq_dataset *dataset, seq_item_place at, int index, uint64_t number,
                              const seq_item_chunk **out, seq_error *error) {
    seq_item_store *store = dataset->store;
    uint64_t key = 1 + (uint64_t)at.split +
                   SEQ_SPLITS * ((uint64_t)at.shard +
                                 SEQ_SHARD_FILES_MOST * ((uint64_t)index + SEQ_VECTORS * number));
    seq_item_chunk *set = store->cache[(key * 0x9E3779B97F4A7C15u >> 32) % SEQ_CHUNK_SETS],
                   *oldest = set;
    seq_status status = SEQ_OK;
    for (int way = 0; way < SEQ_CHUNK_WAYS && oldest->key != key; way++)
        if (set[way].key == key || set[way].used < oldest->used) oldest = &set[way];
    oldest->used = ++store->clock;
    if (oldest->key != key) status = load_chunk(dataset, at, index, number, oldest, error);
    if (!status) oldest->key = key;
    *out = oldest;
    return status;
}

static uint32_t unsigned_at(const void *bytes, seq_element element, size_t i) {
    return element == SEQ_U8    ? ((const uint8_t *)bytes)[i]
           : element == SEQ_U16 ? ((const uint16_t *)bytes)[i]
                                : ((const uint32_t *)bytes)[i];
}

// Elements of a chunk as callers get them: ids as int32, all others as they are.
static const char *convert(const seq_item_vector *vector, const void *bytes, size_t from,
                           size_t count, void *out) {
    size_t size = seq_element_size(vector->element);
    if (!vector->vocabulary) {
        memcpy(out, (const char *)bytes + from * size, count * size);
        const float *values = out;
        for (size_t i = 0; vector->element == SEQ_F32 && i < count; i++)
            if (!isfinite(values[i])) return "a value that is not finite";
        return NULL;
    }
    int32_t *ids = out;
    uint32_t none = (uint32_t)vector->vocabulary;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = unsigned_at(bytes, vector->element, from + i);
        if (id > none) return "an id that its vocabulary does not have";
        ids[i] = id == none ? SEQ_NO_ID : (int32_t)id;
    }
    return NULL;
}

// Elements [from, from + count) of a vector of a shard.
seq_status seq_item_elements(seq_dataset *dataset, seq_item_place at, int index, uint64_t from,
                             size_t count, void *out, seq_error *error) {
    const seq_item_vector *vector = &dataset->store->layout.vectors[index];
    size_t size = seq_element_size(vector->element), per = SEQ_ITEM_CHUNK / size;
    char *to = out;
    while (count) {
        const seq_item_chunk *chunk;
        size_t within = from % per, some = count < per - within ? count : per - within;
        seq_status status = fetch_chunk(dataset, at, index, from / per, &chunk, error);
        if (status) return status;
        const char *why = within + some > chunk->count
                              ? "fewer elements than its items have"
                              : convert(vector, chunk->bytes, within, some, to);
        if (why)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "data set %s: shard %d of %s: %s holds %s: the data set is "
                                 "damaged",
                                 dataset->path, at.shard, seq_split_name(at.split), vector->name,
                                 why);
        to += some * (vector->vocabulary ? sizeof(int32_t) : size);
        from += some;
        count -= some;
    }
    return SEQ_OK;
}

void seq_item_chunks_free(seq_item_store *store) {
    for (int set = 0; set < SEQ_CHUNK_SETS; set++)
        for (int way = 0; way < SEQ_CHUNK_WAYS; way++)
            free(store->cache[set][way].bytes);
}
