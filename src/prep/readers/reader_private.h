// What reader files share: the table's row, the open reader, and how an item is built.
#ifndef SEQ_PREP_READER_PRIVATE_H
#define SEQ_PREP_READER_PRIVATE_H

#include "line_reader.h"
#include "items/name_fields.h"

// Settings that a reader uses; any other is refused.
enum {
    SEQ_USES_COLUMNS = 1,
    SEQ_USES_IGNORE = 2,
    SEQ_USES_HEADER = 4,
    SEQ_USES_SEPARATOR = 8,
    SEQ_USES_DELIMITER = 16,
    SEQ_USES_QUOTES = 32,
    SEQ_USES_COMMENT = 64,
    SEQ_USES_PATTERN = 128,
    SEQ_USES_TABLE = 256,
    SEQ_USES_MISSING = 512,
    // A file is an item, and `next` calls seq_build_class.
    SEQ_USES_NAME = 1024,
    SEQ_USES_SOUND = 4096,
    SEQ_USES_FILES = 2048, // --columns path=...: see table_files.c
};

typedef struct seq_reader_kind {
    const char *name, *summary;
    const char *input, *target; // fields; input is "frames" where items are real vectors
    const char *only;           // in folders, files of this name; NULL: all
    const char *suffixes;       // of file names, each with a blank behind it; NULL: none
    unsigned uses;
    bool binary;  // any_bytes is heeded; other readers take UTF-8 only
    bool bytes;   // the file is no text: the reader looks at the stream itself, not at lines
    size_t state; // bytes of reader->state, zeroed before open
    // NULL: nothing to do. `close` is called after a failed open, too.
    seq_status (*open)(seq_reader *reader, seq_error *error);
    seq_status (*next)(seq_reader *reader, bool *out_more, seq_error *error);
    void (*close)(seq_reader *reader);
} seq_reader_kind;

// One entry of --columns or --ignore: by name, or by numbers from 1.
typedef struct seq_column_choice {
    const char *field; // NULL: ignored
    const char *name;  // NULL: by number
    int from, to;
} seq_column_choice;

struct seq_reader {
    const seq_reader_kind *kind;
    const seq_reader_settings *settings;
    const char *name;
    const seq_byte_stream *stream;
    seq_line_reader lines;
    void *state;
    char *choice_text; // what the choices point to
    seq_column_choice choices[2 * SEQ_ITEM_FIELDS];
    int choice_count;
    seq_name_pattern pattern; // SEQ_USES_NAME
    bool names_files;         // SEQ_USES_FILES, and its items have a path
    int64_t skipped[SEQ_SKIPS];
    // The item: values lie one behind another in the pool, each with a NUL.
    int64_t line;
    seq_frames frames; // readers of real vectors fill these and say so
    bool has_frames;
    seq_item_field fields[SEQ_ITEM_FIELDS];
    int field_count;
    seq_value *values;
    size_t value_count, value_capacity;
    char *pool;
    size_t pool_used, pool_capacity;
    seq_item_line *kept; // likewise in a pool of their own
    size_t kept_count, kept_capacity;
    char *kept_pool;
    size_t kept_used, kept_size;
};

// Building: fields one after another, values into the last field, bytes onto the last value.
void seq_build_item(seq_reader *reader, int64_t line);
seq_status seq_build_field(seq_reader *reader, const char *name, bool list, seq_error *error);
seq_status seq_build_value(seq_reader *reader, const char *bytes, size_t size, int64_t line,
                           int64_t column, seq_error *error);
seq_status seq_build_more(seq_reader *reader, const char *bytes, size_t size, seq_error *error);
// A field of one value.
seq_status seq_build_text(seq_reader *reader, const char *field, const char *bytes, size_t size,
                          int64_t line, int64_t column, seq_error *error);
// For readers with SEQ_USES_NAME: the fields of --label-pattern, else the field `label` when the
// file lies in a class folder, the first one below the input. *out_found: there was something.
seq_status seq_build_class(seq_reader *reader, bool *out_found, seq_error *error);
seq_status seq_build_line(seq_reader *reader, const char *bytes, size_t size, int64_t token,
                          seq_error *error);

// Frames, in reader->frames: none yet, then one after another. *out is the new one, `width` values.
void seq_build_frames(seq_reader *reader, int width);
seq_status seq_build_frame(seq_reader *reader, float **out, seq_error *error);
// A decimal number of the current line as float32, blanks around it passed over. A missing value
// (`?`, NaN, NA in any case, or nothing) is NaN where the settings interpolate it. Refuses other
// text, numbers beyond float32, and missing values otherwise.
seq_status seq_build_number(seq_reader *reader, const char *at, size_t size, int64_t column,
                            float *out, seq_error *error);
// Whether seq_build_number takes it, missing values apart.
bool seq_is_number(const char *at, size_t size);
// table_files.c: frames and fields from the file that the field `path` names.
seq_status seq_build_table_file(seq_reader *reader, seq_error *error);
// Those for that file: without what the table's reader has used.
seq_reader_settings seq_reader_settings_of_file(const seq_reader *reader);

// The fields of sequence and target: those of the kind, or source and target.
const char *seq_reader_input(const seq_reader *reader);
const char *seq_reader_target(const seq_reader *reader);
// The choice of a field, or NULL.
const seq_column_choice *seq_reader_choice(const seq_reader *reader, const char *field);
// The table's row.
const seq_reader_kind *seq_reader_kind_find(const char *name);

// A word of text that blanks (and tabs) end: trims both sides in place.
void seq_trim(const char **bytes, size_t *size);

#endif
