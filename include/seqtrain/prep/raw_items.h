// Raw input for predictions -> items in ids, or frames. Files are read, cut into units and numbered
// by the code that seqprep runs, with what the schema recorded: reader, rules, vocabularies.
#ifndef SEQTRAIN_PREP_RAW_ITEMS_H
#define SEQTRAIN_PREP_RAW_ITEMS_H

#include <seqtrain/data/schema.h>
#include <seqtrain/prep/item_units.h>

// All are the caller's and outlive the input.
typedef struct seq_raw_settings {
    const seq_schema *schema;
    const seq_vocabulary *const *vocabularies; // by the schema's index
    // Takes the place of the recorded one and of its settings; of readers of frames those of how
    // frames are made stay. NULL: the recorded one, or for a file beside a recorded table of files
    // the one that its name tells.
    const char *reader;
    const char *columns; // likewise of the reader's; NULL: as they are then
    // Of pairs of texts: a file of lines, one for each item of all inputs; or, with the reader tsv,
    // the items have both texts, without header and quoting. Neither: sources alone.
    const char *targets;
    bool has_targets;
    const char *const *inputs; // files, folders (read recursively in name order), "-"
    size_t input_count;
    bool as_is;
    uint64_t memory; // bytes that unpacking may take
    // Called before a wait for bytes, as of a pipe that stays open; an error of it ends the
    // reading.
    seq_status (*idle)(void *context, seq_error *error);
    void *idle_context;
} seq_raw_settings;

// An item is valid until the next call.
typedef struct seq_raw_item {
    bool is_item;                // false: lines behind the last item of a file, nothing else
    const seq_item *item;        // as it was read; CoNLL: with its lines
    const seq_item_field *input; // its sequence; of frames the name of its file, `path` or `file`
    seq_conll_layout layout;     // of these lines
    size_t length;               // units or frames
    const int32_t *ids;          // (length); SEQ_NO_ID: unknown, where there is no <unk>
    const float *values;         // (length, width of the schema's field), of frames; else NULL
    size_t unknown;              // of them, those that the vocabulary has not
    size_t cut;              // units or frames behind these that were left out: see seq_raw_most
    const int32_t *casings;  // (length), where the schema has casing
    const char *units;       // their texts, one after another; with the task tag
    const size_t *unit_ends; // (length): where each ends
    const int32_t *letter_lengths; // (length), where the schema has letters
    const int32_t *letters;        // of all units
    size_t letter_count;
    const char *target; // (target_size): its other text, where the settings want one; else NULL
    size_t target_size;
    int32_t group; // where the schema has SEQ_GROUP_FIELD; SEQ_NO_ID: none that training has
} seq_raw_item;

typedef struct seq_raw_input seq_raw_input;
// SEQ_NO_CHECKPOINT: the schema has other columns than texts or frames, or its reader's settings
// are none.
seq_status seq_raw_open(const seq_raw_settings *settings, seq_raw_input **out, seq_error *error);
void seq_raw_close(seq_raw_input *input);               // NULL is fine
const char *seq_raw_reader(const seq_raw_input *input); // its name
// Units (or frames) of an item that are read, where it has one target and --max-length of seqprep
// cut it into windows: those of the first window. 0: all.
int64_t seq_raw_most(const seq_raw_input *input);
// *out_more false at the end of all inputs. SEQ_BAD_INPUT names file and line, and tells where
// there are more items than targets, or fewer. Without `wanted` the item is passed over: it is
// read, but not cut into units.
seq_status seq_raw_next(seq_raw_input *input, bool wanted, seq_raw_item *out, bool *out_more,
                        seq_error *error);

#endif
