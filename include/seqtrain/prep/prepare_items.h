// seqprep's work for tasks whose data are items: labelled files -> data set.
#ifndef SEQTRAIN_PREP_PREPARE_ITEMS_H
#define SEQTRAIN_PREP_PREPARE_ITEMS_H

#include <seqtrain/data/join.h>
#include <seqtrain/prep/dataset_writer.h>
#include <seqtrain/prep/item_units.h>
#include <seqtrain/prep/merges.h>
#include <seqtrain/prep/tag_scheme.h>

typedef enum seq_item_task {
    SEQ_TASK_CLASSIFY,
    SEQ_TASK_RATE,
    SEQ_TASK_TAG,
    SEQ_TASK_TRANSCRIBE,
    SEQ_TASK_TRANSLATE,
    SEQ_TASK_GENERATE
} seq_item_task;

// Files of lines: line i of one is the translation of line i of the other.
typedef struct seq_pair_files {
    const char *source, *target; // NULL: none
} seq_pair_files;

typedef struct seq_prepare_items {
    seq_item_task task;
    seq_reader_settings reader; // reader NULL: told by names and task
    seq_item_rules rules;
    const char *output; // as in seq_prepare
    bool force;
    const char *const *inputs; // files, folders (read recursively in name order), "-"
    size_t input_count;
    const char *valid_file, *test_file;   // NULL: none
    double valid_fraction, test_fraction; // of the groups; 0 when a file or condition is given
    // Items of the inputs that are so, "index<10,speaker=ann"; test goes first. NULL: none.
    const char *valid_condition, *test_condition;
    int64_t folds, fold;               // 0: none; fold counts from 1 and is the test split
    bool all_folds;                    // as many folds as groups
    bool stratify;                     // classify: every class gets its share of each part
    uint64_t seed;                     // of the draw
    int64_t min_count, max_vocabulary; // as in seq_prepare; <unk> is always there
    // Data set or vocabulary.tsv whose units join those of the training part, which come first and
    // alone have counts: what a language model knows keeps a row of its own. NULL: none.
    const char *vocabulary_from;
    seq_merges_wish merges; // unit subword, not of tag and transcribe; with
                            // vocabulary_from its own merges
    // translate. Without files for training, the inputs are tables with both texts.
    seq_pair_files pairs[SEQ_SPLITS];
    bool joint;                                      // one vocabulary for both sides
    int64_t target_min_count, target_max_vocabulary; // 0: as the source's
    // Training pairs with more units on a side are left out; 0: none is.
    int64_t longest_pair;
    bool letters;                         // tag: an axis of each token's letters
    bool casing;                          // words: how each is written (prep/casing.h)
    bool detect_scheme;                   // tag: else `scheme` is what the tags are
    seq_tag_scheme scheme, stored_scheme; // stored none: as they were
    bool converts; // refuse tags without a scheme: the user has chosen stored_scheme
    seq_normalise normalise, unseen; // of frames, as in seq_field
    // tag, of frames: a CTM file with the intervals of all files, NULL: none; the tag elsewhere.
    const char *intervals, *background;
    const char *group_label; // a field that items keep as SEQ_GROUP_FIELD; NULL: none
    const char *tier;        // transcribe: of a TextGrid; NULL: it has one
    bool skips_infeasible; // transcribe: items with more labels than frames; else they are refused
    // Items of the validation and test parts are joined to strings, `string_count` of each part (0:
    // each item once), which also become files (NULL: none). strings.most 0: they are left alone.
    seq_join strings;
    int64_t string_count;
    const char *string_files;
    bool reverse_complement; // training items once more, the other strand read backwards
    // generate: fields that the text depends on, NAME,NAME; NULL: none.
    const char *labels, *numbers;
    bool
        bar_position; // of ABC: how far each symbol's bar is (seq_abc_place_text), as the field bar
    bool transposes;  // of ABC: training tunes once more in each other key that keeps the range
    int lowest, highest; // as in MIDI
    bool as_is;
    uint64_t memory; // bytes that unpacking may take
    seq_pipeline pipeline;
    bool (*stopped)(void);
} seq_prepare_items;

// Whether a text is a condition, and not a fraction or file.
bool seq_is_condition(const char *text);
// The reader that is given, or told by the first input, --label-pattern and the task.
const char *seq_prepare_items_reader(const seq_prepare_items *prepare);

// Fields: `text` (ids on the axis text); `label` (a class, or a number for rate)
// on the examples, or `tag` on text; `letter` on the axis letters; `casing`
// on text. Items of real vectors have `frames` (values on the axis frames) in
// place of `text`, and nothing of words; a transcript of them is `symbols` (labels
// on the axis labels, whose vocabulary has <blank> as 0). translate: `source` and
// `target`, ids on axes of their own, the latter with <eos> behind it; the text of
// valid and test is the source, a line end, the target. generate: `text` ends with <eos>, and
// the examples have a label (ids, SEQ_NO_ID: training has none such) or number of each name; `bar`
// (ids on text); SEQ_GIVEN_FIELD where items have a head, which training learns and the other
// parts do not count. Equal inputs (tunes: equal but for the key),
// windows of an item, and items with an equal --group field are one group. Of generate,
// items that equal one of a later part's file or condition are left out. The
// data set does not depend on anything but inputs and settings. Memory: distinct
// units, the longest item (some 10 bytes a letter), and some 200 bytes an item
// while groups are sorted. The disk holds 1 to 4 bytes a unit or value while it
// works.
// Progress and warnings go to the log. The target is made as by seq_prepare_run.
seq_status seq_prepare_items_run(const seq_prepare_items *prepare, seq_error *error);

#endif
