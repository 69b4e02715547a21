// Readers: bytes of a file -> labelled items, one at a time, in the order of the file.
//
// An item is a list of named fields; a field is a list of values, and each value
// knows its line and column. What a reader refuses it names by file, line and
// column. What it leaves out it counts. Memory is that of one item, which is
// at most SEQ_ITEM_BYTES, plus the label table if there is one.
//
// A new reader is a file src/prep/reader_NAME.c and a line in reader.c; the
// how-to is at the top of reader_lines.c.
#ifndef SEQTRAIN_PREP_READER_H
#define SEQTRAIN_PREP_READER_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>
#include <seqtrain/prep/frame_transforms.h>
#include <seqtrain/prep/frames.h>
#include <seqtrain/prep/sound_settings.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    SEQ_ITEM_BYTES = 1 << 28, // of an item at most: a chromosome fits
    SEQ_ITEM_FIELDS = 16,
};

// Where bytes come from. Reads up to `capacity` bytes; 0 at the end.
typedef struct seq_byte_stream {
    seq_status (*read)(void *context, char *out, size_t capacity, size_t *out_size,
                       seq_error *error);
    void *context;
} seq_byte_stream;

typedef struct seq_value {
    const char *bytes; // followed by a NUL
    size_t size;
    int64_t line, column; // where it begins: from 1, columns in bytes
} seq_value;

typedef struct seq_item_field {
    const char *name;
    const seq_value *values;
    size_t count;
    bool list; // tokens or tags; otherwise count is 1
} seq_item_field;

// A line of the input as it stood there.
typedef struct seq_item_line {
    const char *bytes;
    size_t size;
    int64_t token; // which token of the item it is; -1: passed over (comment, range, blank line)
} seq_item_line;

typedef struct seq_item {
    const seq_item_field *fields;
    int field_count;
    const char *file;
    int64_t line; // of its first byte
    // Readers of real vectors: the sequence, the field `frames`; it has no values. Else NULL.
    const seq_frames *frames;
    // CoNLL readers with `keep_lines`: all lines since the item before, up to
    // the blank line that ends this one.
    const seq_item_line *lines;
    size_t line_count;
} seq_item;

// NULL when the item has no such field.
const seq_item_field *seq_item_find(const seq_item *item, const char *name);

typedef enum seq_header { SEQ_HEADER_AUTO, SEQ_HEADER_YES, SEQ_HEADER_NO } seq_header;
typedef enum seq_separator {
    SEQ_SEPARATOR_AUTO,
    SEQ_SEPARATOR_TAB,
    SEQ_SEPARATOR_BLANK
} seq_separator;

// A missing value of a frame: `?`, `NaN`, `NA` or nothing in a text, NaN in an array.
typedef enum seq_missing_values {
    SEQ_MISSING_REFUSE,
    SEQ_MISSING_INTERPOLATE, // by seq_frames_fill; counted
} seq_missing_values;

// Texts belong to the caller and outlive the reader. Zero or NULL: the reader's
// default. An option that a reader does not know must not be set.
typedef struct seq_reader_settings {
    // Recorded in a data set (seq_reader_settings_write):
    const char *reader;      // its name
    const char *columns;     // "label=1,text=3-4": FIELD=NUMBER, FIELD=FROM-TO, FIELD=NAME
    const char *ignore;      // "NAME,2": columns that are no part of the text
    seq_header header;       // csv, tsv, csv-frames; auto: when a column is given by name
    seq_separator separator; // lines, conll; auto: as the first line has it
    const char *delimiter;   // csv, csv-frames: one byte; ",", or as the first line has it
    bool raw_quotes;         // csv, tsv: a quote is a character like others
    const char *comment;     // conll: a line that begins so is a comment
    // fasta: POSIX extended expression; its first group is the label. Readers of a file an item:
    // fields of the file's name, {label}_{group}_{index}.wav.
    const char *label_pattern;
    seq_missing_values missing; // readers of frames
    seq_frame_settings frames;  // readers of frames: what they hand on is prepared
    seq_sound_settings sound;   // sound; mel_bins 0: the defaults
    // Not recorded:
    const char *label_table; // fasta: a file of ID<TAB>LABEL lines
    const char *group;       // a field that items must have, beside those of `columns`
    int file;         // descriptor of a file that holds the stream's bytes as they are; 0: none
    const char *root; // folder: the input under which the class folders lie
    bool unlabelled;  // columns but the sequence may be missing (raw input)
    bool pairs;       // items are pairs of texts: the fields of tables are source and target
    bool blank_items; // a blank line is an item of length 0; otherwise skipped and counted
    bool any_bytes;   // values need not be UTF-8
    bool keep_lines;  // fill seq_item.lines
    // How files that a table names are opened; NULL: unpacked with up to 4 GB.
    const struct seq_byte_reader_rules *files;
} seq_reader_settings;
seq_status seq_reader_settings_write(const seq_reader_settings *settings, seq_record *record,
                                     seq_error *error);
// Texts point into the record. What is not recorded stays zero.
seq_status seq_reader_settings_read(seq_reader_settings *out, const seq_record *record,
                                    seq_error *error);

// Settings for another reader of the same frames: what it knows of them, or what a table does not
// know and its files' readers may.
seq_reader_settings seq_reader_settings_for(const seq_reader_settings *from, const char *reader);

typedef enum seq_skip {
    SEQ_SKIP_BLANK,      // blank lines that are neither items nor ends of one
    SEQ_SKIP_COMMENT,    // comment lines
    SEQ_SKIP_DOCUMENT,   // -DOCSTART- lines
    SEQ_SKIP_RANGE,      // words of several tokens in CoNLL-U (3-4)
    SEQ_SKIP_EMPTY_NODE, // empty nodes in CoNLL-U (8.1)
    SEQ_SKIP_MISSING,    // values of frames that were missing and are interpolated
    SEQ_SKIP_UNUSED,     // items that the file itself leaves out
    SEQ_SKIP_SHORT,      // sounds shorter than a frame, which were filled up with zeros
    SEQ_SKIP_DATA,       // data sets of HDF5 that are no frames
    SEQ_SKIP_LOST,       // frames that were lost and are interpolated
    SEQ_SKIP_UNSCALED,   // items that --scale leaves as they are
    SEQ_SKIP_OUTSIDE,    // lines of ABC that belong to no tune
    SEQ_SKIP_SILENT,     // tunes without a line of notes
    SEQ_SKIPS
} seq_skip;
extern const char *const seq_skip_names[SEQ_SKIPS]; // "blank lines"; plural

// NULL-terminated. The choices of --reader are auto and the names.
const char *const *seq_reader_choices(void);
const char *const *seq_reader_names(void);
// The reader that the end of a file's name tells (a packing's ending is passed over); NULL: none.
const char *seq_reader_of_file(const char *path);
// Whether its items have frames: with `columns` (NULL: none) that name a `path`, those of a table
// have the frames of the files that it names.
bool seq_reader_makes_frames(const char *reader, const char *columns);
bool seq_reader_names_files(const char *reader); // whether its items may do that
// Whether a file in a folder is one of the reader's: of kaldi, wav.scp.
bool seq_reader_takes(const char *reader, const char *path);
// The reader of frames for a file that is one item, of which .csv and .tsv are tables of numbers;
// NULL: the end of its name tells none.
const char *seq_reader_of_item(const char *path);
// Whether its files are no text: their bytes are taken whatever they look like.
bool seq_reader_takes_bytes(const char *reader);
// The field that holds the sequence: "text", "token" or "frames" (then it is seq_item.frames).
const char *seq_reader_input_field(const char *reader);
const char *seq_reader_summary(const char *reader); // one line

typedef struct seq_reader seq_reader;
// Settings, stream and name outlive the reader. SEQ_BAD_USAGE: a setting that is
// wrong or of other readers; names the option.
seq_status seq_reader_open(const seq_reader_settings *settings, const seq_byte_stream *stream,
                           const char *name, seq_reader **out, seq_error *error);
// *out_more is false at the end; then only item->lines is set. The item is the
// reader's until the next call.
seq_status seq_reader_next(seq_reader *reader, seq_item *item, bool *out_more, seq_error *error);
const int64_t *seq_reader_skipped(const seq_reader *reader); // [SEQ_SKIPS] so far
void seq_reader_close(seq_reader *reader);                   // NULL is fine

// How the lines of a CoNLL file are cut, known with its first token.
typedef struct seq_conll_layout {
    bool tabs; // between the columns; otherwise blanks
    int tag;   // column of the field `tag`, from 0; -1: behind the last one
} seq_conll_layout;
seq_conll_layout seq_conll_layout_of(const seq_reader *reader); // of any reader
// CoNLL readers with keep_lines: writes lines of an item back with `tags`, one a token, in the
// column of the field `tag`, or behind the last column of a line that has none. Everything else is
// written as it was read.
void seq_conll_print(FILE *stream, seq_conll_layout layout, const seq_item_line *lines,
                     size_t count, const char *const *tags);

// "FILE line 3, column 7: ..." as SEQ_BAD_INPUT: for who finds a value wrong. Line or column 0 is
// left out.
seq_status seq_item_refuse(const char *file, int64_t line, int64_t column, seq_error *error,
                           const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
