// What the stages of seqprep for items share: parts, vocabularies, writing.
#ifndef SEQ_PREP_PREPARE_ITEMS_PRIVATE_H
#define SEQ_PREP_PREPARE_ITEMS_PRIVATE_H

#include "item_store.h"
#include <seqtrain/data/subword.h>
#include <seqtrain/data/vocabulary_builder.h>

enum { SEQ_TAG_BYTES = 1 << 10 }; // of a tag, with its NUL

typedef struct seq_item_work {
    const seq_prepare_items *prepare;
    seq_item_store store;
    size_t own; // items of the inputs; behind them those of --valid and --test files
    int64_t groups, folds, repeats, contradictions, strangers, broken, equals;
    // translate: pairs that are too long; units of each side that were written, and those of them
    // that are unknown.
    int64_t too_long, written[SEQ_SPLITS][2], unknown[SEQ_SPLITS][2];
    seq_tag_scheme scheme, stored; // of the tags as read, and as written
    seq_tag *tags;                 // by number in store.tags
    // Of units, by number in store.units and store.symbols.table; of subwords by number in what
    // these were cut into.
    int32_t *ids, *target_ids;
    seq_subword *subword;                // NULL: units are those of the store, else they are words:
    seq_subword_map words, target_words; // what they are cut into
    seq_vocabulary *units, *targets, *letters, *casings, *names;
    seq_vocabulary *contexts[SEQ_CONTEXT_LABELS], *bars; // generate
    seq_schema schema;
    int input_field, context_field, bar_field, given_field, target_field, letter_field,
        casing_field, group_field;
    // Of the item that is being written.
    uint32_t *numbers;
    int32_t *text, *tag, *letter, *letter_lengths, *casing;
    char *raw;
    seq_tag *item_tags;
    seq_tag_span *spans;
    float *values;
    int32_t context_ids[SEQ_CONTEXT_LABELS], *bar;
    float context_numbers[SEQ_CONTEXT_FIELDS], given;
    int32_t length, symbols, raw_size, label, name;
    int64_t group;
    size_t capacity[11];
} seq_item_work;

// Whether it becomes an item of the data set.
bool seq_item_is_used(const seq_stored_item *item);
// Numbers [skip, skip + count) of what the store has of an item -> work->numbers.
seq_status seq_item_load(seq_item_work *work, const seq_stored_item *item, size_t skip,
                         size_t count, seq_error *error);

seq_status seq_item_load_tags(seq_item_work *work, const seq_stored_item *item, seq_error *error);
seq_status seq_item_load_symbols(seq_item_work *work, const seq_stored_item *item,
                                 seq_error *error);

// prepare_items.c: translate: marks training pairs with a side of too many units as left. Of
// subwords once words have been cut.
seq_status seq_item_leave_long_pairs(seq_item_work *work, seq_error *error);

// item_vocabularies.c: units, letters, casings, and labels or tags; counts are those of training
// items.
seq_status seq_item_vocabularies(seq_item_work *work, seq_error *error);
// Appends a table to the vocabulary of targets: numbers by value, then words by bytes. Warns of
// `what` that does not occur in training.
seq_status seq_item_append_targets(seq_item_work *work, const seq_string_table *table,
                                   const char *what, seq_error *error);

// Appends the texts of a table that occur in training: numbers by value, then words by bytes.
seq_status seq_item_append_labels(seq_vocabulary *vocabulary, const seq_string_table *table,
                                  seq_error *error);

// item_tags.c: tells the scheme and fills work->targets.
seq_status seq_item_tags(seq_item_work *work, seq_error *error);
// work->item_tags from the numbers in work->numbers, in the scheme that is stored.
seq_status seq_item_convert(seq_item_work *work, size_t count, size_t *out_broken,
                            seq_error *error);
seq_status seq_item_tag_text(const seq_tag *tag, char out[SEQ_TAG_BYTES], size_t *out_size,
                             seq_error *error);

// item_groups.c: work->names, the groups of training items, and an item's id there (SEQ_NO_ID:
// none).
seq_status seq_item_name_groups(seq_item_work *work, seq_error *error);
int32_t seq_item_group_id(const seq_item_work *work, const seq_stored_item *item);

// item_texts.c, of generate: <eos>, labels and places in the bar as vocabularies, behind
// work->units; fields; the columns of an item.
seq_status seq_item_text_vocabularies(seq_item_work *work, seq_error *error);
void seq_item_text_schema(seq_item_work *work);
seq_status seq_item_text_build(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                               seq_error *error);

// item_strings.c: items of a part, joined; `group` by item of the store.
seq_status seq_item_write_strings(seq_item_work *work, seq_dataset_writer *writer, seq_split split,
                                  const int32_t *group, seq_error *error);

// item_writer.c: the ids of an item's text, of subwords those of its words' parts: work->text and
// work->length. There is room for an id behind them.
seq_status seq_item_fill_text(seq_item_work *work, const seq_stored_item *item, seq_items *out,
                              seq_error *error);
// Schema and parts. An item's columns are in the work until the next call.
seq_status seq_item_build(seq_item_work *work, const seq_stored_item *item, int64_t group,
                          seq_items *out, seq_error *error);
seq_status seq_item_write(seq_item_work *work, seq_dataset_writer *writer, seq_error *error);

#endif
