// Two readers of lines side by side: line i of one is the translation of line i of the other.
#ifndef SEQ_PREP_ITEM_PAIRS_H
#define SEQ_PREP_ITEM_PAIRS_H

#include <seqtrain/prep/reader.h>

// Zero-initialise, then set readers (of `lines`, unlabelled, blank lines are items) and names.
typedef struct seq_pair_lines {
    seq_reader *readers[2]; // of sources and of targets; the caller's
    const char *names[2];   // of their files, for messages
    seq_item_field fields[2];
    int64_t lines[2]; // read so far
} seq_pair_lines;

// An item with the fields `source` and `target`, valid until the next call. *out_more false: both
// are at their end. SEQ_BAD_INPUT: one has more lines than the other; both counts are told.
seq_status seq_pair_lines_next(seq_pair_lines *pairs, seq_item *item, bool *out_more,
                               seq_error *error);

// The fields `source` and `target`, one text each. SEQ_BAD_INPUT names what is missing or a list.
seq_status seq_pair_find(const seq_item *item, const seq_item_field *out[2], seq_error *error);
// A text as it is cut and kept: escapes are resolved where that is wanted, line ends are blanks.
// Memory is the caller's, (capacity) bytes, and grows.
typedef struct seq_pair_text {
    char *bytes;
    size_t size, capacity;
} seq_pair_text;
seq_status seq_pair_text_take(seq_pair_text *out, const seq_value *value, bool unescape,
                              seq_error *error);
// Whether it holds nothing but white space of ASCII.
bool seq_pair_text_is_blank(const seq_pair_text *text);

#endif
