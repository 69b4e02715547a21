// A growing table of distinct strings with counts: string -> number in order of first appearance.
#ifndef SEQTRAIN_DATA_STRING_TABLE_H
#define SEQTRAIN_DATA_STRING_TABLE_H

#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_string {
    size_t offset, size; // of its text in the table's pool
    int64_t count;
} seq_string;

typedef struct seq_string_slot {
    uint32_t hash;   // the upper half of the text's: most strangers are told without their text
    uint32_t number; // + 1 of the type, or 0: free
} seq_string_slot;

// Zero-initialise before use.
typedef struct seq_string_table {
    seq_string *items;
    size_t count, capacity;
    char *pool;
    size_t pool_used, pool_capacity;
    seq_string_slot *slots; // open addressing
    size_t slot_count;      // a power of two, at most 2^32
} seq_string_table;

void seq_string_table_clear(seq_string_table *types);
// SIZE_MAX when absent.
size_t seq_string_table_find(const seq_string_table *types, const char *text, size_t size);
seq_status seq_string_table_add(seq_string_table *types, const char *text, size_t size,
                                size_t *out_number, seq_error *error);
// Several at once, which waits for memory once instead of once for each.
typedef struct seq_string_key {
    const char *text;
    size_t size;
    uint64_t hash; // seq_string_table_hash
} seq_string_key;
uint64_t seq_string_table_hash(const char *text, size_t size);
seq_status seq_string_table_add_many(seq_string_table *types, const seq_string_key *texts,
                                     size_t count, uint32_t *out_numbers, seq_error *error);
// Every text is followed by a NUL.
const char *seq_string_table_text(const seq_string_table *types, size_t number);

#endif
