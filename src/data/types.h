// A growing table of distinct strings with counts: string -> number in order of first appearance.
#ifndef SEQ_DATA_TYPES_H
#define SEQ_DATA_TYPES_H

#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_type {
    size_t offset, size; // of its text in the table's pool
    int64_t count;
} seq_type;

typedef struct seq_type_slot {
    uint32_t hash;   // the upper half of the text's: most strangers are told without their text
    uint32_t number; // + 1 of the type, or 0: free
} seq_type_slot;

// Zero-initialise before use.
typedef struct seq_types {
    seq_type *items;
    size_t count, capacity;
    char *pool;
    size_t pool_used, pool_capacity;
    seq_type_slot *slots; // open addressing
    size_t slot_count;    // a power of two, at most 2^32
} seq_types;

void seq_types_clear(seq_types *types);
// SIZE_MAX when absent.
size_t seq_types_find(const seq_types *types, const char *text, size_t size);
seq_status seq_types_add(seq_types *types, const char *text, size_t size, size_t *out_number,
                         seq_error *error);
// Several at once, which waits for memory once instead of once for each.
typedef struct seq_type_text {
    const char *text;
    size_t size;
    uint64_t hash; // seq_types_hash
} seq_type_text;
uint64_t seq_types_hash(const char *text, size_t size);
seq_status seq_types_add_many(seq_types *types, const seq_type_text *texts, size_t count,
                              uint32_t *out_numbers, seq_error *error);
// Every text is followed by a NUL.
const char *seq_types_text(const seq_types *types, size_t number);

#endif
