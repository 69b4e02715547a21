// What the parts of seqpredict share: items that wait for their answers, and how these are printed.
#ifndef SEQ_TOOLS_SEQPREDICT_PRIVATE_H
#define SEQ_TOOLS_SEQPREDICT_PRIVATE_H

#include <seqtrain/data/items.h>
#include <seqtrain/infer/predict.h>
#include <seqtrain/prep/raw_items.h>

typedef enum seqpredict_format {
    SEQPREDICT_TEXT,
    SEQPREDICT_TSV,
    SEQPREDICT_JSON
} seqpredict_format;

typedef struct seqpredict_text {
    size_t at, size; // in the window's bytes
} seqpredict_text;

// An item as it waits, or lines behind the last item of a file.
typedef struct seqpredict_entry {
    bool is_item;
    int64_t index, line; // of all items from 0; of the file
    size_t file;         // its name: in the window's bytes, with a NUL
    size_t length, unknown, cut;
    bool list;
    size_t first_text, text_count; // the input: tokens, or one text
    size_t first_line, line_count; // CoNLL
    seq_conll_layout layout;
} seqpredict_entry;

// What was read and is not printed yet.
typedef struct seqpredict_window {
    const seq_schema *schema;
    size_t width; // of frames; 0: ids
    bool keeps_texts, keeps_lines;
    size_t most_items;
    seqpredict_entry *entries;
    size_t count, items, rows;
    char *bytes;
    size_t size;
    seqpredict_text *texts;
    size_t text_count;
    seq_item_line *lines; // `bytes` is set when they are printed: they lie one behind another
    size_t *line_at;
    size_t line_count;
    int32_t *lengths, *ids, *letter_lengths, *letters, *casings, *groups;
    float *values;         // of frames
    bool transcribes;      // the target has a length of its own:
    int32_t *labels;       // (labels): given ones, of all items
    int32_t *label_counts; // (items): their numbers, 0 without
    double *begins;        // (items): seconds, of the first frame
    size_t label_count;
    size_t letter_count;
    size_t capacity[15];
} seqpredict_window;

seq_status seqpredict_window_add(seqpredict_window *window, const seq_raw_item *raw, int64_t index,
                                 seq_error *error);
// Labels of the item that was added last.
seq_status seqpredict_window_give(seqpredict_window *window, const int32_t *labels, size_t count,
                                  seq_error *error);
bool seqpredict_window_full(const seqpredict_window *window);
// The items for a prediction: item i is the i-th entry that is one.
seq_items seqpredict_window_items(seqpredict_window *window);
void seqpredict_window_empty(seqpredict_window *window);
void seqpredict_window_clear(seqpredict_window *window);

typedef struct seqpredict_printer {
    seqpredict_format format;
    bool tags, columns; // a label for each unit; CoNLL goes out as it came in,
    bool behind;        // with a column more, so nothing of it is lost
    int best;
    bool open; // the last line was a token's: a blank line must follow before the next item
    const seq_vocabulary *labels;    // NULL: numbers
    struct seqpredict_tags *tagging; // of tags: their schemes
    // Of the item that is printed.
    char *text;
    const char **words;
    size_t capacity[2];
} seqpredict_printer;

// `best`, `format` and `columns` are set. SEQ_NO_CHECKPOINT: the schema's tag scheme is none.
seq_status seqpredict_printer_begin(seqpredict_printer *printer, const seq_schema *schema,
                                    const seq_vocabulary *labels, seq_error *error);
void seqpredict_printer_end(seqpredict_printer *printer);
void seqpredict_print_header(const seqpredict_printer *printer);
// Prints all entries. SEQ_BAD_NUMBER names an item whose answer is no number.
seq_status seqpredict_print(seqpredict_printer *printer, const seqpredict_window *window,
                            const seq_predicted *predicted, seq_error *error);

// The input of an item: a column of a table, and a JSON value.
void seqpredict_print_input(const seqpredict_window *window, const seqpredict_entry *entry);
void seqpredict_print_json_input(const seqpredict_window *window, const seqpredict_entry *entry);

#endif
