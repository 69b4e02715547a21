// The schema of a data set: which columns an item has, on which axes, and what
// their numbers mean. An item is one example. Axes form a tree: axes[0] are the
// examples, words are sequences of an example, letters are sequences of a word.
// Today's data set of a language model has no schema in its manifest; it is
// that of one field `tokens` whose splits are streams.
#ifndef SEQTRAIN_DATA_SCHEMA_H
#define SEQTRAIN_DATA_SCHEMA_H

#include <seqtrain/base/record.h>
#include <seqtrain/batch/batch.h>
#include <seqtrain/storage/manifest.h>

enum {
    SEQ_FIELD_NAME = 32, // bytes of a name with its NUL: [a-z0-9-], 1 to 31 characters
    SEQ_VOCABULARIES = 8,
    SEQ_WIDTH_MOST = 1 << 16,      // values a row
    SEQ_STATISTICS_MOST = 1 << 20, // means of a field
};
#define SEQ_GROUP_FIELD "group" // a label of the examples: speaker, subject
// A number of the examples: how many symbols at the beginning of an item's text are input only.
// They are not targets and add nothing to the loss.
#define SEQ_GIVEN_FIELD "given"

typedef enum seq_field_kind {
    SEQ_FIELD_IDS,    // an id of the vocabulary a row: an input, or a text to be produced
    SEQ_FIELD_VALUES, // `width` real values a row: features
    SEQ_FIELD_LABEL,  // an id of a closed list a row: classes, tags
    SEQ_FIELD_NUMBER, // a real value a row: what `rate` predicts
    SEQ_FIELD_KINDS
} seq_field_kind;

// x becomes (x - mean) / deviation, a column of the width each for itself. A deviation of 0 counts
// as 1.
typedef enum seq_normalise {
    SEQ_NORMALISE_NONE,
    SEQ_NORMALISE_GLOBAL, // of all rows of the training part
    SEQ_NORMALISE_ITEM,   // of the item's own rows
    SEQ_NORMALISE_GROUP,  // of the training rows of its group, which SEQ_GROUP_FIELD tells; where
                          // they have none, as `unseen` says
    SEQ_NORMALISATIONS
} seq_normalise;
extern const char *const seq_normalise_names[SEQ_NORMALISATIONS + 1]; // NULL at the end

typedef struct seq_field {
    char name[SEQ_FIELD_NAME];
    seq_field_kind kind;
    int axis;
    int vocabulary; // ids and labels: index into the schema's list; else -1
    int width;      // values; else 1
    // Values and numbers (these: none or global). Stored values are as they came, seq_item_pack
    // normalises them.
    seq_normalise normalise;
    seq_normalise unseen;     // group: global or item
    int groups;               // group: of the vocabulary of SEQ_GROUP_FIELD; else 0
    double *mean, *deviation; // (1 + groups, width), of the training part: first of all its rows,
                              // then of each group's, where a deviation of 0 says that there are
                              // none. NULL: the data set's writer sets them, or there are none.
} seq_field;
size_t seq_field_statistics(const seq_field *field); // numbers in `mean`: (1 + groups) x width
// Takes over how `from` is normalised, with copies of its statistics. SEQ_NO_MEMORY.
seq_status seq_field_normalise_as(seq_field *field, const seq_field *from, seq_error *error);

typedef struct seq_schema_axis {
    char name[SEQ_FIELD_NAME];
    int parent; // a smaller index; -1 for axes[0]
} seq_schema_axis;

// seq_schema_begin before use, seq_schema_clear after it.
typedef struct seq_schema {
    char task[SEQ_FIELD_NAME]; // that the data were prepared for; "lm" where the manifest has no
                               // schema
    bool streams;              // a split is one stream without items
    seq_schema_axis axes[SEQ_AXES];
    int axis_count;
    char vocabularies[SEQ_VOCABULARIES][SEQ_FIELD_NAME];
    int vocabulary_count;
    seq_field fields[SEQ_COLUMNS];
    int field_count;
    int target;        // the field whose ids other than SEQ_NO_ID divide the loss; -1: none
    int length_axis;   // items are sorted and batched by their rows here
    bool groups;       // every item has a group
    bool raw;          // items of valid and test keep their text as it came
    seq_record reader; // how raw input becomes items: kept for predictions
} seq_schema;

// The axis "example" alone, no fields, task `task`.
void seq_schema_begin(seq_schema *schema, const char *task);
void seq_schema_clear(seq_schema *schema);
// Each gives the index, or -1 when there is no room for more (an error of ours:
// seq_schema_check cannot tell it later). Names are cut at SEQ_FIELD_NAME.
int seq_schema_add_axis(seq_schema *schema, const char *name, int parent);
int seq_schema_add_vocabulary(seq_schema *schema, const char *name);
// `kind`, axis, vocabulary and width as in seq_field.
int seq_schema_add_field(seq_schema *schema, const char *name, seq_field_kind kind, int axis,
                         int vocabulary, int width);
// -1: none of that name.
int seq_schema_find_field(const seq_schema *schema, const char *name);
// The field SEQ_GIVEN_FIELD where it is a number of examples whose target is a text of ids; else
// -1.
int seq_schema_find_given(const seq_schema *schema);
// The sequence of an item: the field `frames` of values, else `source`, else `text`; -1: none.
int seq_schema_find_input(const seq_schema *schema);
// The schema of a data set whose manifest has none: task lm, one field `tokens`
// on the axis `text`, one vocabulary, streams.
void seq_schema_set_tokens(seq_schema *schema);

// SEQ_BAD_INPUT names the first thing that is not as this header says: names,
// parents, vocabularies, widths, normalisations, target, length axis.
seq_status seq_schema_check(const seq_schema *schema, seq_error *error);
// Checks, then writes the sections "schema" and "reader".
seq_status seq_schema_write(const seq_schema *schema, seq_manifest *manifest, seq_error *error);
// seq_schema_set_tokens when the manifest has no such section. Every failure but
// a lack of memory is SEQ_BAD_INPUT; then `out` is empty.
seq_status seq_schema_read(seq_schema *out, const seq_manifest *manifest, seq_error *error);
// Hex XXH3-128 of what seq_schema_write would write, without the normalisations:
// a run and a data set fit together when these are equal. "" for streams.
seq_status seq_schema_hash(const seq_schema *schema, char out[33], seq_error *error);
// What that hash covers and the two have otherwise, as text for a message: "KEY VALUE of here, not
// VALUE of there; ...", cut at `size`; "" where nothing differs. SEQ_NO_MEMORY.
seq_status seq_schema_compare(const seq_schema *here, const seq_schema *there, char *out,
                              size_t size, seq_error *error);
// "vocabulary.tsv" for index 0, else "vocabulary-NAME.tsv".
enum { SEQ_VOCABULARY_FILE = 48 };
void seq_schema_vocabulary_file(const seq_schema *schema, int index, char out[SEQ_VOCABULARY_FILE]);
// "merges.txt" or "merges-NAME.txt", likewise: of a vocabulary of subwords.
void seq_schema_merges_file(const seq_schema *schema, int index, char out[SEQ_VOCABULARY_FILE]);

#endif
