// How readers of answers see their file, and what they hand over.
#ifndef SEQ_TASK_ANSWERS_PRIVATE_H
#define SEQ_TASK_ANSWERS_PRIVATE_H

#include <seqtrain/task/answers.h>

enum { SEQ_ANSWER_FIELDS = 256 }; // columns of a line

typedef struct seq_text {
    const char *bytes;
    size_t size;
} seq_text;

typedef struct seq_answer_reader {
    const seq_answer_file *file;
    seq_answer_kind kind;
    const seq_answer_columns *columns;
    bool texts;
    seq_answer_tables *tables;
    seq_answers *gold, *predicted; // one may be NULL
    size_t at;
    int64_t line;
} seq_answer_reader;

// The next line without its end. False at the end of the file.
bool seq_answer_line(seq_answer_reader *reader, seq_text *out);
bool seq_text_is_blank(seq_text line);
// Fields of a line, at most SEQ_ANSWER_FIELDS; by each tab, or by runs of blanks. More are counted.
size_t seq_text_split(seq_text line, bool tabs, seq_text *out);
bool seq_text_is(seq_text text, const char *other);
bool seq_text_number(seq_text text, double *out); // finite
bool seq_text_is_tag(seq_text text);              // O, or PREFIX-TYPE

// "FILE line N: ..." as SEQ_BAD_INPUT.
seq_status seq_answer_refuse(const seq_answer_reader *reader, seq_error *error, const char *format,
                             ...) __attribute__((format(printf, 3, 4)));
// The answer of a place of the item that is being read; `answers` may be NULL.
seq_status seq_answer_place(seq_answer_reader *reader, seq_answers *answers, seq_text answer,
                            seq_error *error);
seq_status seq_answer_word(seq_answer_reader *reader, seq_answers *answers, seq_text word,
                           seq_error *error);
typedef seq_status seq_answer_take(seq_answer_reader *reader, seq_answers *answers, seq_text text,
                                   seq_error *error);
// Hands over each word of a text; blanks and tabs separate them.
seq_status seq_answer_each(seq_answer_reader *reader, seq_answers *answers, seq_text text,
                           seq_answer_take *take, seq_error *error);
seq_status seq_answer_probability(seq_answer_reader *reader, seq_answers *answers, seq_text label,
                                  double value, seq_error *error);
// Ends the item.
seq_status seq_answer_item(const seq_answer_reader *reader, seq_answers *answers, seq_error *error);

// The columns of a table that are read.
typedef struct seq_answer_table {
    size_t fields; // of the header; 0: there is none
    int gold, prediction, text;
} seq_answer_table;
// From its first line.
seq_status seq_answer_begin_table(const seq_answer_reader *reader, seq_text line,
                                  seq_answer_table *out, seq_error *error);
// Cuts a line into as many fields as the header has.
seq_status seq_answer_row(const seq_answer_reader *reader, const seq_answer_table *table,
                          seq_text line, seq_text fields[SEQ_ANSWER_FIELDS], seq_error *error);
// Both answers are wanted of a file that is no table.
seq_status seq_answer_refuse_joint(const seq_answer_reader *reader, seq_error *error);

seq_status seq_answers_read_columns(seq_answer_reader *reader, seq_error *error);
seq_status seq_answers_read_lines(seq_answer_reader *reader, seq_error *error);
seq_status seq_answers_read_json(seq_answer_reader *reader, seq_error *error);
seq_status seq_answers_read_transcripts(seq_answer_reader *reader, seq_error *error);
seq_status seq_answers_read_texts(seq_answer_reader *reader, seq_error *error);
// The number of a text, which is fit to be scored.
seq_status seq_answer_text(const seq_answer_reader *reader, seq_text text, int32_t *out,
                           seq_error *error);
// Cuts a transcript into places of the item that is being read; `answers` may be NULL.
seq_status seq_answer_symbols(seq_answer_reader *reader, seq_answers *answers, seq_text text,
                              seq_error *error);
// What the lines of a file allow.
enum { SEQ_LOOKS_TAGS = 1, SEQ_LOOKS_NUMBERS = 2, SEQ_LOOKS_FRACTIONS = 4 };
// By the first object.
unsigned seq_answers_look_at_json(seq_text line, const seq_answer_columns *columns);
// Whether columns are separated by tabs: as on the first line that is neither blank nor a comment.
bool seq_answers_has_tabs(const seq_answer_file *file);
// Whether a line is one of CoNLL-U: ten columns, the first a number, the seventh (HEAD) one or "_".
bool seq_answers_is_conllu(const seq_text *fields, size_t count, bool tabs);
// Whether a line stands for no token: -DOCSTART-, or a comment among lines with tabs.
bool seq_answers_passes_over(seq_text line, const seq_text *fields, size_t count, bool tabs);
bool seq_answers_is_json(const seq_answer_file *file);
// The same by the whole first line: a text may begin with a brace.
bool seq_answers_is_object(const seq_answer_file *file);
// Whether a table of this first line has a header.
bool seq_answers_has_header(seq_text first, const seq_answer_columns *columns);
// Of a header's field, or of a number from 1; -1: neither. `usual`: names to look for where
// `wanted` is "", NULL-terminated, the first that is there.
int seq_answers_find_column(const char *wanted, const char *const *usual, const seq_text *header,
                            size_t fields);
extern const char *const seq_gold_names[], *const seq_prediction_names[], *const seq_text_names[];

#endif
