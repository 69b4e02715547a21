// Classes and ratings a line, and tables with a header. In a gold file the label
// ends at the first tab or, where the line has none, at the first blank; what
// follows is the text. In a file of predictions the label is the whole line, and
// may hold blanks only if a gold label does. A blank line is refused: it would
// shift all answers behind it. Test: tests/unit/task/test_answers.c.
#include "answers_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int seq_answers_find_column(const char *wanted, const char *const *usual, const seq_text *header,
                            size_t fields) {
    char *end;
    long number = strtol(wanted, &end, 10);
    if (*wanted && *end == '\0')
        return number >= 1 && (size_t)number <= fields ? (int)number - 1 : -1;
    if (fields > SEQ_ANSWER_FIELDS) fields = SEQ_ANSWER_FIELDS;
    for (size_t i = 0; *wanted && header && i < fields; i++)
        if (seq_text_is(header[i], wanted)) return (int)i;
    for (; !*wanted && usual && *usual; usual++)
        for (size_t i = 0; header && i < fields; i++)
            if (seq_text_is(header[i], *usual)) return (int)i;
    return -1;
}

// A header is a first line with a tab that names a usual column, or one that was asked for.
bool seq_answers_has_header(seq_text first, const seq_answer_columns *columns) {
    seq_text fields[SEQ_ANSWER_FIELDS];
    if (!memchr(first.bytes, '\t', first.size)) return false;
    size_t count = seq_text_split(first, true, fields);
    const char *const names[] = {columns->gold, columns->prediction};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*names[i] && strspn(names[i], "0123456789") < strlen(names[i])) return true;
    return seq_answers_find_column("", seq_gold_names, fields, count) >= 0 ||
           seq_answers_find_column("", seq_prediction_names, fields, count) >= 0;
}

static seq_status find(const seq_answer_reader *reader, const char *wanted, const char *option,
                       const char *const *usual, const seq_text *header, size_t count, int *out,
                       seq_error *error) {
    *out = seq_answers_find_column(wanted, usual, header, count);
    if (*out >= 0) return SEQ_OK;
    char names[100] = "";
    for (; usual && *usual; usual++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "",
                 *usual);
    return seq_answer_refuse(reader, error, "--columns %s: the header has no column '%s'", option,
                             *wanted ? wanted : names);
}

seq_status seq_answer_begin_table(const seq_answer_reader *reader, seq_text line,
                                  seq_answer_table *out, seq_error *error) {
    const seq_answer_columns *columns = reader->columns;
    seq_text header[SEQ_ANSWER_FIELDS];
    seq_status status = SEQ_OK;
    out->fields = seq_text_split(line, true, header);
    if (out->fields > SEQ_ANSWER_FIELDS)
        return seq_answer_refuse(reader, error, "%zu columns, expected %d at most", out->fields,
                                 SEQ_ANSWER_FIELDS);
    if (reader->gold)
        status = find(reader, columns->gold, "gold", seq_gold_names, header, out->fields,
                      &out->gold, error);
    if (!status && reader->predicted)
        status = find(reader, columns->prediction, "prediction", seq_prediction_names, header,
                      out->fields, &out->prediction, error);
    if (!status && reader->predicted && reader->gold && out->gold == out->prediction)
        return seq_answer_refuse(reader, error, "gold and prediction are the same column");
    if (!status && reader->texts && reader->gold)
        status = find(reader, columns->text, "text", seq_text_names, header, out->fields,
                      &out->text, error);
    return status;
}

static seq_status add_answer(seq_answer_reader *reader, seq_answers *side, seq_text answer,
                             seq_text text, seq_error *error) {
    if (!side) return SEQ_OK;
    if (answer.size == 0) return seq_answer_refuse(reader, error, "no label");
    seq_status status = seq_answer_place(reader, side, answer, error);
    if (!status && reader->texts)
        status = seq_answer_each(reader, side, text, seq_answer_word, error);
    return status ? status : seq_answer_item(reader, side, error);
}

seq_status seq_answer_row(const seq_answer_reader *reader, const seq_answer_table *table,
                          seq_text line, seq_text fields[SEQ_ANSWER_FIELDS], seq_error *error) {
    size_t count = seq_text_split(line, true, fields);
    return count == table->fields
               ? SEQ_OK
               : seq_answer_refuse(reader, error, "%zu columns, the header has %zu", count,
                                   table->fields);
}

static seq_status read_row(seq_answer_reader *reader, const seq_answer_table *table, seq_text line,
                           seq_error *error) {
    seq_text fields[SEQ_ANSWER_FIELDS];
    seq_status status = seq_answer_row(reader, table, line, fields, error);
    seq_text text = !status && reader->texts && reader->gold ? fields[table->text] : (seq_text){0};
    if (!status && reader->gold)
        status = add_answer(reader, reader->gold, fields[table->gold], text, error);
    return status || !reader->predicted
               ? status
               : add_answer(reader, reader->predicted, fields[table->prediction], (seq_text){0},
                            error);
}

static seq_status read_gold_line(seq_answer_reader *reader, seq_text line, seq_error *error) {
    const char *tab = memchr(line.bytes, '\t', line.size);
    const char *end = tab ? tab : memchr(line.bytes, ' ', line.size);
    size_t size = end ? (size_t)(end - line.bytes) : line.size;
    seq_text text = end ? (seq_text){end + 1, line.size - size - 1} : (seq_text){0};
    if (!end && reader->texts)
        return seq_answer_refuse(reader, error, "a label without text, expected LABEL TEXT");
    return add_answer(reader, reader->gold, (seq_text){line.bytes, size}, text, error);
}

static seq_status read_predicted_line(seq_answer_reader *reader, seq_text line, seq_error *error) {
    if ((memchr(line.bytes, ' ', line.size) || memchr(line.bytes, '\t', line.size)) &&
        seq_strings_find(&reader->tables->labels.names, line.bytes, line.size) < 0)
        return seq_answer_refuse(reader, error,
                                 "expected one label, found '%.*s' (a table needs a header that "
                                 "names a column output, transcripts need --task transcribe)",
                                 (int)(line.size < 100 ? line.size : 100), line.bytes);
    return add_answer(reader, reader->predicted, line, (seq_text){0}, error);
}

seq_status seq_answer_refuse_joint(const seq_answer_reader *reader, seq_error *error) {
    return seq_answer_refuse(reader, error,
                             "gold and prediction in one file: expected a table whose header "
                             "names both (--columns gold=NAME,prediction=NAME)");
}

static seq_status read_line(seq_answer_reader *reader, seq_text line, seq_error *error) {
    if (reader->gold && reader->predicted) return seq_answer_refuse_joint(reader, error);
    return reader->gold ? read_gold_line(reader, line, error)
                        : read_predicted_line(reader, line, error);
}

seq_status seq_answers_read_lines(seq_answer_reader *reader, seq_error *error) {
    seq_answer_table table = {0};
    seq_text line;
    seq_status status = SEQ_OK;
    while (!status && seq_answer_line(reader, &line)) {
        if (seq_text_is_blank(line))
            status = seq_answer_refuse(reader, error, "a blank line, expected a label");
        else if (table.fields)
            status = read_row(reader, &table, line, error);
        else if (reader->line == 1 && seq_answers_has_header(line, reader->columns))
            status = seq_answer_begin_table(reader, line, &table, error);
        else
            status = read_line(reader, line, error);
    }
    return status;
}
