// What the parts of array_file.h share. Functions give NULL, or why not.
#ifndef SEQ_STORAGE_ARRAY_PRIVATE_H
#define SEQ_STORAGE_ARRAY_PRIVATE_H

#include "chunk_decoder.h"
#include "object_header.h"
#include <seqtrain/storage/array_file.h>

typedef enum seq_array_index {
    SEQ_INDEX_NONE, // the values lie in one piece
    SEQ_INDEX_TREE,
    SEQ_INDEX_SINGLE,
    SEQ_INDEX_IMPLICIT,
    SEQ_INDEX_FIXED,
    SEQ_INDEX_EXTENSIBLE
} seq_array_index;

// A data set as its object header describes it.
typedef struct seq_array_layout {
    seq_array_type type;
    int axes;
    uint64_t sizes[SEQ_ARRAY_AXES], most[SEQ_ARRAY_AXES]; // now, and ever; all bits set: no limit
    seq_array_index index;
    uint64_t address;   // of the values or of the index; all bits set: none were written
    uint64_t bytes;     // of the values that lie in one piece, or of the only chunk as encoded
    uint64_t only_mask; // of the filters that the only chunk lacks
    uint64_t chunk[SEQ_ARRAY_AXES];
    unsigned page_bits; // of a fixed array
    seq_object_filters filters;
    bool has_space, has_type, has_layout, far_attributes;
    unsigned char *compact; // values inside of the header, `bytes` of them; free()
} seq_array_layout;

typedef struct seq_array_chunk {
    uint64_t address, size, mask;
    uint64_t at[SEQ_ARRAY_AXES]; // its first element
} seq_array_chunk;
typedef const char *(*seq_array_take_chunk)(void *context, const seq_array_chunk *chunk);

// array_header.c
const char *seq_array_layout_read(const seq_layout_file *file, uint64_t address,
                                  seq_array_layout *out);
// Elements of it; UINT64_MAX: more than that many.
uint64_t seq_array_elements(int axes, const uint64_t *sizes);
// The attribute's value: type, and up to `capacity` bytes of one element.
const char *seq_array_attribute_read(const seq_layout_file *file, uint64_t address,
                                     const char *name, seq_array_type *out_type, unsigned char *out,
                                     size_t capacity, bool *out_found);
// array_chunks.c: the chunks of which rows [first, end) of axis 0 have a part, one after another.
const char *seq_array_chunks(const seq_layout_file *file, const seq_array_layout *layout,
                             uint64_t first, uint64_t end, seq_array_take_chunk take,
                             void *context);

#endif
