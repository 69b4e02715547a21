// A field of an item -> units, as its rules say: for seqprep and for who reads
// raw input for a prediction. A text is cut into words, characters, bytes or
// k-mers; a list of tokens has a unit for each, normalised but never cut.
#ifndef SEQTRAIN_PREP_ITEM_UNITS_H
#define SEQTRAIN_PREP_ITEM_UNITS_H

#include <seqtrain/data/tokenizer.h>
#include <seqtrain/prep/reader.h>

// `text` goes into the vocabulary (eos is none); the rest is recorded beside the reader's settings.
typedef struct seq_item_rules {
    seq_text_rules text;
    int kmer, stride; // letters of a unit, and from one unit's start to the next; 0: no k-mers
    // Longer items are cut into windows of so many units that share `overlap`; 0: never.
    int64_t max_length, overlap;
    bool unescape; // references to characters (&amp; &#91;) are resolved before a text is cut
    // Units keep the case of the text as it came, whatever `text.lower` says: where letters stand
    // beside words. seq_item_word makes the word. Not recorded, the schema's fields say it.
    bool cased;
} seq_item_rules;
seq_status seq_item_rules_write(const seq_item_rules *rules, seq_record *record, seq_error *error);
// All but `text`, which the vocabulary has.
seq_status seq_item_rules_read(seq_item_rules *out, const seq_record *record, seq_error *error);

// Whether the reader's values need not be UTF-8.
bool seq_item_takes_any_bytes(const seq_item_rules *rules);
// The field with the sequence: `token`, `text` or `source`; NULL: the item has none.
const seq_item_field *seq_item_find_input(const seq_item *item);

typedef struct seq_item_cutter seq_item_cutter;
// The sink is called with the units in order, several at once where they have one size.
seq_status seq_item_cutter_create(const seq_item_rules *rules, seq_unit_sink sink, void *context,
                                  seq_item_cutter **out, seq_error *error);
// `file` is for messages. SEQ_BAD_INPUT names line and column.
seq_status seq_item_cut(seq_item_cutter *cutter, const char *file, const seq_item_field *field,
                        seq_error *error);
// The word of a unit: in lower case where units are cased and the rules want it, else the unit. It
// is valid until the next call. The sink may call this.
seq_status seq_item_word(seq_item_cutter *cutter, const char *unit, size_t size, const char **out,
                         size_t *out_size, seq_error *error);
void seq_item_cutter_destroy(seq_item_cutter *cutter); // NULL is fine

// Behind the letter at `at`.
const char *seq_item_next_letter(const char *at, const char *end);
// Appends the letters of a unit to an array as ids of their vocabulary.
seq_status seq_item_spell(const seq_vocabulary *letters, const char *unit, size_t size,
                          int32_t **ids, size_t *count, size_t *capacity, seq_error *error);

// Windows of an item of `length` units: their number, and the units [begin, end) of one. The last
// may be shorter. An item that is not too long has one.
int64_t seq_item_windows(const seq_item_rules *rules, int64_t length);
void seq_item_window(const seq_item_rules *rules, int64_t length, int64_t window,
                     int64_t *out_begin, int64_t *out_end);

#endif
