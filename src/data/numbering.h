// Units -> numbers of their types, for a block of text at a time: the sink of seqprep's tokenizers.
#ifndef SEQ_DATA_NUMBERING_H
#define SEQ_DATA_NUMBERING_H

#include "types.h"
#include <seqtrain/data/vocabulary.h>

// Zero-initialise before use.
typedef struct seq_numbering {
    seq_types *types; // the caller's
    seq_unit unit;
    uint32_t *direct; // byte or code point below SEQ_DIRECT -> number + 1, or 0; NULL for words
    uint32_t *units;  // of the block
    size_t count, capacity;
} seq_numbering;
enum { SEQ_DIRECT = 0x10000 };

seq_status seq_numbering_begin(seq_numbering *numbering, seq_unit unit, seq_types *types,
                               seq_error *error);
void seq_numbering_end(seq_numbering *numbering);
// A seq_unit_sink.
seq_status seq_numbering_take(void *numbering, const char *text, size_t size, size_t count,
                              seq_error *error);
// Adds the block's units to the counts of their types.
void seq_numbering_count(seq_numbering *numbering);

#endif
