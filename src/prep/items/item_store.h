// All items of the inputs: a table in memory, units (or values of frames) and tags in a temporary
// file.
#ifndef SEQ_PREP_ITEM_STORE_H
#define SEQ_PREP_ITEM_STORE_H

#include "id_spool.h"
#include "item_context.h"
#include "input_file.h"
#include "item_condition.h"
#include "item_pairs.h"
#include "item_symbols.h"
#include "partition.h"
#include <seqtrain/data/string_table.h>
#include <seqtrain/data/textgrid.h>
#include <seqtrain/prep/prepare_items.h>

typedef struct seq_stored_item {
    int64_t at;       // in the spool: units or values, tags, symbols or context, then bytes of the
                      // text as it came
    uint32_t length;  // units or frames; tags as many
    uint32_t symbols; // of a transcript or translation
    uint32_t raw;     // bytes
    int32_t label;    // number in `labels`; -1: none
    int32_t name;     // number in `names`
    float number;     // rate
    unsigned char split; // seq_split; of the inputs: train until they are dealt, but for conditions
    bool twin;           // a reverse complement, or a tune in another key: training only
    bool left;           // left out: a pair with a side that is too long, an equal of another part
} seq_stored_item;

// Zero-initialise before use, but for spool.descriptor, which is -1.
typedef struct seq_item_store {
    const seq_prepare_items *prepare; // the caller's
    seq_reader_settings settings;     // with the reader that was chosen
    seq_item_cutter *cutter;
    seq_condition conditions[SEQ_SPLITS];
    int width;                            // values of a frame; 0: the items are texts
    double shift;                         // seconds from one frame to the next
    seq_string_table units, labels, tags; // counts are not kept
    seq_string_table names;               // of groups
    seq_tag_evidence evidence;
    char formless_at[SEQ_ERROR_TEXT / 4]; // FILE line N of the first tag without a prefix; or ""
    seq_ctm intervals;                    // by file and time
    bool makes_tags;                      // of intervals or labels
    seq_item_symbols symbols;             // of transcripts and translations
    seq_item_context context;             // generate
    int64_t infeasible[SEQ_SPLITS];       // items that were left out
    int64_t empty[SEQ_SPLITS];            // pairs with an empty side: of training passed over
    seq_pair_text sides[2];               // of the pair that is being taken
    const char *target_file;              // of the targets, where they have a file of their own
    seq_id_spool spool;
    seq_stored_item *items;
    size_t count, capacity;
    // Of each item: of its units or values; of the item that it is a window or twin of; of its
    // group field.
    seq_partition_key *keys[3];
    size_t key_capacity[3];
    int64_t skipped[SEQ_SKIPS], read[SEQ_SPLITS], windows, shorter, twins;
    bool keep_raw;
    // The item that is being taken: units, or the bits of values.
    uint32_t *ids, *tag_ids, *backwards;
    size_t id_count, id_capacity, tag_capacity, backwards_capacity;
    char *letters;
    size_t letter_capacity;
} seq_item_store;

seq_status seq_item_store_begin(seq_item_store *store, const seq_prepare_items *prepare,
                                const char *folder, seq_error *error);
// All items under these files and folders.
seq_status seq_item_store_read(seq_item_store *store, seq_split split, const char *const *paths,
                               size_t count, seq_error *error);
// item_pair_store.c: all pairs of two files; an item of translate, whose part is known.
seq_status seq_item_store_read_pairs(seq_item_store *store, seq_split split,
                                     const seq_pair_files *files, seq_error *error);
seq_status seq_item_take_pair(seq_item_store *store, const seq_item *item, seq_split split,
                              seq_error *error);
// Numbers that a unit of an item takes in the spool: 1, or the width of frames.
size_t seq_item_store_step(const seq_item_store *store);
// Moves items of the inputs that conditions have put into a part behind the others; gives the
// number of these.
seq_status seq_item_store_sort(seq_item_store *store, size_t *out_own, seq_error *error);
// item_context.c: an item of generate, whose part is known, with its copies in other keys.
seq_status seq_item_take_text(seq_item_store *store, const seq_item *item, seq_split split,
                              seq_error *error);
// Appends the units of store->ids and `more.symbols` symbols as an item. `raw` holds its original
// text or texts (NULL: none); `more` has label, number, split, symbols and twin.
seq_status seq_item_store_add(seq_item_store *store, const seq_item_field *raw,
                              seq_stored_item more, const seq_partition_key keys[3],
                              seq_error *error);
seq_partition_key seq_item_digest(const void *bytes, size_t size);
seq_partition_key seq_item_group_key(const seq_item_store *store, const seq_item *item);
// SEQ_STOPPED when the work is to end.
seq_status seq_item_store_stopped(const seq_item_store *store, seq_error *error);
void seq_item_store_end(seq_item_store *store);
// item_intervals.c: reads --intervals; makes store->tag_ids of an item with frames.
seq_status seq_item_intervals_begin(seq_item_store *store, seq_error *error);
seq_status seq_item_intervals_take(seq_item_store *store, const seq_item *item, seq_error *error);
// item_groups.c: the group label of an item that is being taken.
seq_status seq_item_take_group(seq_item_store *store, const seq_item *item, seq_stored_item *out,
                               seq_error *error);

#endif
