// What a text of generate depends on: labels and numbers of its item, and how much of it is given.
#ifndef SEQ_PREP_ITEM_CONTEXT_H
#define SEQ_PREP_ITEM_CONTEXT_H

#include <seqtrain/data/string_table.h>
#include <seqtrain/prep/prepare_items.h>

// A vocabulary each, beside those of text and bar; and a field each, beside text, bar and given.
enum { SEQ_CONTEXT_LABELS = SEQ_VOCABULARIES - 2, SEQ_CONTEXT_FIELDS = SEQ_COLUMNS - 4 };

// Zero-initialise.
typedef struct seq_item_context {
    char *text;        // what the names point to
    int labels, count; // labels come first, numbers behind them
    const char *names[SEQ_CONTEXT_FIELDS];
    seq_string_table tables[SEQ_CONTEXT_LABELS]; // counts are not kept
    bool heads;                                  // items may have a given head
    int64_t unkeyed;                             // tunes that have no copies in other keys
    // Of the item that is taken: numbers in the tables, bits of numbers, then given units.
    uint32_t values[SEQ_CONTEXT_FIELDS + 1];
    char *buffer; // a head
    size_t capacity;
} seq_item_context;

// SEQ_BAD_USAGE names --labels or --numbers.
seq_status seq_item_context_begin(seq_item_context *context, const seq_prepare_items *prepare,
                                  seq_error *error);
void seq_item_context_end(seq_item_context *context);
bool seq_item_context_has(const seq_item_context *context, const char *name);
size_t seq_item_context_size(const seq_item_context *context); // of `values`

#endif
