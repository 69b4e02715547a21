// The second sequence of an item. A transcript of frames: where it stands, its symbols, and whether
// the frames can hold them. Or a translation, which is handed over.
#ifndef SEQ_PREP_ITEM_SYMBOLS_H
#define SEQ_PREP_ITEM_SYMBOLS_H

#include "byte_reader.h"
#include <seqtrain/base/file.h>
#include <seqtrain/data/string_table.h>
#include <seqtrain/data/vocabulary_builder.h>
#include <seqtrain/prep/item_units.h>

// Where a symbol came first, among the items that were kept.
typedef struct seq_symbol_place {
    char *file; // NULL: in no kept item
    int64_t line;
} seq_symbol_place;

// Zero-initialise before use.
typedef struct seq_item_symbols {
    const seq_byte_reader_rules *files; // how those beside an item's file are opened; the caller's
    const char *tier;                   // of NAME.TextGrid; NULL: it has one
    seq_item_cutter *cutter;
    seq_string_table table; // of all symbols; counts are the caller's
    seq_symbol_place *places;
    size_t place_capacity;
    // Of the item that was taken last: numbers of the table.
    uint32_t *ids;
    size_t count, capacity;
    char *text;
    size_t size, text_capacity;
    char *file; // that the transcript stands in
    size_t file_capacity;
    int64_t line;
} seq_item_symbols;

// Whether a file in a folder is the transcript of another: NAME.txt or NAME.TextGrid, and this
// reader's files do not end so.
bool seq_is_transcript(const char *path, const char *reader);

// Bytes of a path without the ending of its name, and that of a packing.
size_t seq_stem_of(const char *path);
// The item's file: of a table the one that it names.
void seq_item_find_file(const seq_item *item, char out[SEQ_PATH]);

seq_status seq_item_symbols_begin(seq_item_symbols *symbols, const seq_item_rules *rules,
                                  seq_error *error);
void seq_item_symbols_end(seq_item_symbols *symbols);
// The transcript is the field `text`; where the item has none, NAME.txt or the intervals of
// NAME.TextGrid beside its file. SEQ_BAD_INPUT: there is none, or it is no text.
seq_status seq_item_symbols_take(seq_item_symbols *symbols, const seq_item *item, seq_error *error);
// The symbols of a text that is at hand.
seq_status seq_item_symbols_cut(seq_item_symbols *symbols, const char *file,
                                const seq_item_field *text, seq_error *error);
// Frames that its labels need at least: a label each, and a blank between equal ones.
size_t seq_item_symbols_need(const seq_item_symbols *symbols);
// SEQ_BAD_INPUT with file and line: they need more than `frames`.
seq_status seq_item_symbols_check(const seq_item_symbols *symbols, size_t frames, seq_error *error);
// The item is kept: its symbols have a place.
seq_status seq_item_symbols_keep(seq_item_symbols *symbols, seq_error *error);
// <blank>, then the symbols that have a count, numbers by value before others by bytes.
// SEQ_BAD_INPUT names a symbol that was kept and has none, with its code point, file and line.
seq_status seq_item_symbols_vocabulary(const seq_item_symbols *symbols, const seq_text_rules *rules,
                                       seq_vocabulary **out, seq_error *error);

#endif
