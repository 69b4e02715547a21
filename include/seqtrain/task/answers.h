// Right answers and outputs of systems, as their files have them, item by item: tagged sentences in
// columns, classes, ratings or transcripts a line, tables with a header, JSON lines.
#ifndef SEQTRAIN_TASK_ANSWERS_H
#define SEQTRAIN_TASK_ANSWERS_H

#include <seqtrain/task/labels.h>

typedef enum seq_answer_kind {
    SEQ_ANSWERS_AUTO, // by the content, see seq_answers_find_kind
    SEQ_ANSWERS_TAGS, // several labels an item, one for each token
    SEQ_ANSWERS_CLASSES,
    SEQ_ANSWERS_RATINGS,     // a number an item
    SEQ_ANSWERS_TRANSCRIPTS, // symbols, their number is the system's own
    SEQ_ANSWERS_TEXTS,       // a line; gold: one place for each reference
} seq_answer_kind;
extern const char *const seq_answer_kind_names[]; // "auto", "tag", "classify", "rate",
                                                  // "transcribe", "translate"; then NULL

typedef struct seq_probability {
    int32_t label;
    double value;
} seq_probability;

// Zero-initialise before use. Item i has the places first[i] .. first[i+1]-1.
typedef struct seq_answers {
    const char *file; // the caller's
    seq_answer_kind kind;
    size_t items, places;
    size_t *first;       // (items + 1)
    int32_t *ids;        // (places): tags, classes, symbols; texts: of the tables' words
    double *values;      // (places): ratings; ids are 0 then
    int64_t *lines;      // (places): of the file, from 1
    int64_t *item_lines; // (items): of transcripts, which may have no place, and of texts
    // Words of item i: word_first[i] .. word_first[i+1]-1. With tags, one a place, or none where
    // the file has no tokens; otherwise the text beside a class, where it was asked for.
    size_t word_count;
    size_t *word_first;
    int32_t *words;
    // Probabilities of classes, where there are any: of item i, probability_first[i] ...
    size_t probability_count;
    size_t *probability_first;
    seq_probability *probabilities;
    seq_scheme scheme;   // of tags; the caller sets it
    int64_t passed_over; // comments, -DOCSTART- lines, ranges and empty nodes of CoNLL-U
    size_t first_capacity, ids_capacity, values_capacity, lines_capacity, item_lines_capacity,
        word_first_capacity, words_capacity, probability_first_capacity, probabilities_capacity;
} seq_answers;
void seq_answers_clear(seq_answers *answers);
// Room for the answers of items that are known by their places, first (items + 1): ids and lines
// are 0, values too, and there are no words or probabilities. After a failure, seq_answers_clear.
seq_status seq_answers_begin(const char *name, seq_answer_kind kind, size_t items,
                             const size_t *first, seq_answers *out, seq_error *error);

// What all files of a comparison share.
typedef struct seq_answer_tables {
    seq_labels labels;
    seq_strings words;
    seq_text_rules rules; // how transcripts are cut; the caller sets them
} seq_answer_tables;
void seq_answer_tables_clear(seq_answer_tables *tables);

// Columns by number, from 1, or by the name in a header or JSON object; "" stands for the usual
// one.
typedef struct seq_answer_columns {
    char token[64], gold[64], prediction[64], text[64];
} seq_answer_columns;
// "token=1,gold=2,prediction=3,text=4", each of them optional. SEQ_BAD_USAGE names what is wrong.
seq_status seq_answer_columns_parse(const char *text, seq_answer_columns *out, seq_error *error);

// A whole file, "-" for standard input. BOM and CR before LF are dropped. SEQ_BAD_INPUT: it cannot
// be read, is no text by its first bytes (packed, UTF-16), or holds a NUL.
typedef struct seq_answer_file {
    const char *name; // as messages have it
    char *bytes;
    size_t size;
} seq_answer_file;
seq_status seq_answer_file_read(const char *path, seq_answer_file *out, seq_error *error);
void seq_answer_file_clear(seq_answer_file *file);

// What the files of a comparison hold together. JSON lines: by the type of the answer. Columns
// whose last is O or PREFIX-TYPE on every line: tags. Numbers in all files, with a fraction in one:
// ratings. Else classes. Never SEQ_ANSWERS_AUTO, nor transcripts and texts, which look like
// classes.
seq_answer_kind seq_answers_find_kind(const seq_answer_file *files, size_t count,
                                      const seq_answer_columns *columns);

// Reads answers of `kind` (not AUTO) into `gold` or `predicted`, or both from one file. Labels and
// words are added to the tables. With `texts`, classes come with the words of their texts.
// SEQ_BAD_INPUT names file and line: too few columns, another number of columns than the first line
// has, no number, a JSON object without answer, an index out of order. Forms:
//   tags     columns separated by tabs, or by blanks where the first line has no tab; a blank line
//            ends a sentence. The answer is the last column, or the last two: gold, prediction.
//   classes  a label a line, up to the first tab or blank in gold files; or a table with a header
//            that has label (gold) or output, prediction, label (predicted).
//   ratings  likewise
//   transcripts  a line an item, which may be empty; or a table
//   texts    a line an item, which may be empty; no line holds marks of subwords
//   JSON     an object a line: output, index, labels[] with probabilities[]; label in gold files.
//            Of texts, gold may be a list of references.
seq_status seq_answers_read(const seq_answer_file *file, seq_answer_kind kind,
                            const seq_answer_columns *columns, bool texts,
                            seq_answer_tables *tables, seq_answers *gold, seq_answers *predicted,
                            seq_error *error);

// More references of the same texts. SEQ_BAD_INPUT: another number of items.
seq_status seq_answers_add_references(seq_answers *gold, const seq_answers *more, seq_error *error);

// SEQ_BAD_INPUT unless both have the same items: as many and, but for transcripts and texts,
// sentences of one length and the same tokens.
// Names the first line that differs. With gold tags of a scheme, tags of the other file are, too.
seq_status seq_answers_check(const seq_answers *gold, const seq_answers *predicted,
                             const seq_answer_tables *tables, seq_error *error);

#endif
