// Units -> numbers of their types, for a block of text at a time: the sink of seqprep's tokenizers.
#ifndef SEQ_PREP_INTERNER_H
#define SEQ_PREP_INTERNER_H

#include <seqtrain/data/string_table.h>
#include <seqtrain/data/vocabulary.h>

enum {
    SEQ_DIRECT = 0x10000, // code points with an entry of their own
    SEQ_RECENT = 1 << 13, // words kept close at hand: a power of two
    SEQ_RECENT_SIZE = 16, // bytes of such a word at most
    SEQ_WAITING = 32,     // words looked up in the large table at once
};

typedef struct seq_recent_word {
    char text[SEQ_RECENT_SIZE]; // and zeros
    uint32_t size;              // 0: none
    uint32_t number;
} seq_recent_word;

// Zero-initialise before use.
typedef struct seq_interner {
    seq_string_table *types; // the caller's
    seq_unit unit;
    uint32_t *direct;        // byte or code point -> number + 1, or 0; NULL for words
    seq_recent_word *recent; // by hash; NULL for others than words
    uint32_t *units;         // of the block
    size_t count, capacity;
    // Words that are not recent: their texts one after another, and where in `units` they belong.
    seq_string_key waiting[SEQ_WAITING];
    size_t positions[SEQ_WAITING];
    size_t waiting_count;
    char *texts;
    size_t texts_used, texts_capacity;
} seq_interner;

seq_status seq_interner_begin(seq_interner *interner, seq_unit unit, seq_string_table *types,
                              seq_error *error);
void seq_interner_end(seq_interner *interner);
// A new block.
void seq_interner_restart(seq_interner *interner);
// A seq_unit_sink.
seq_status seq_interner_take(void *interner, const char *text, size_t size, size_t count,
                             seq_error *error);
// The block is complete: its units have their numbers now and are added to the counts of their
// types.
seq_status seq_interner_finish(seq_interner *interner, seq_error *error);

#endif
