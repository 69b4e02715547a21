// Tags in columns, as CoNLL-2000, CoNLL-2003, WNUT17 and CoNLL-U have them. A
// token is a line; a blank line ends a sentence, and several are as one. A line
// "#..." of a single column among lines with tabs is a comment; with tabs a
// token may begin with #. Of CoNLL-U, columns 2 and 4 (UPOS) are read unless
// others are named. Invariant: every line has as many columns as the
// first. Test: tests/unit/task/test_answers.c.
#include "answers_private.h"
#include <string.h>

typedef struct layout {
    bool tabs, conllu;
    size_t fields; // of the first line; 0: not yet seen
    int token, gold, prediction;
} layout;

static seq_status choose(const seq_answer_reader *reader, const char *wanted, const char *name,
                         size_t fields, size_t from_end, int *out, seq_error *error) {
    *out = (int)(fields - from_end);
    if (*wanted) *out = seq_answers_find_column(wanted, NULL, NULL, fields);
    if (*out >= 0 && (size_t)*out < fields) return SEQ_OK;
    return *wanted
               ? seq_answer_refuse(reader, error, "--columns %s=%s: the line has columns 1 to %zu",
                                   name, wanted, fields)
               : seq_answer_refuse(reader, error, "no column of %ss: the line has %zu", name,
                                   fields);
}

static seq_status begin(const seq_answer_reader *reader, const seq_text *fields, size_t count,
                        layout *out, seq_error *error) {
    const seq_answer_columns *columns = reader->columns;
    bool both = reader->gold && reader->predicted;
    out->fields = count;
    out->conllu = seq_answers_is_conllu(fields, count, out->tabs);
    const char *token = *columns->token ? columns->token : out->conllu ? "2" : "1";
    const char *tag = out->conllu && !both ? "4" : "";
    out->token = -1;
    if (count < (both ? 2 : 1) + (size_t)(*columns->token != 0) || count > SEQ_ANSWER_FIELDS)
        return seq_answer_refuse(reader, error, "%zu columns, expected %s", count,
                                 count > SEQ_ANSWER_FIELDS ? "256 at most"
                                 : both                    ? "token, gold tag, predicted tag"
                                                           : "token and tag");
    seq_status status = SEQ_OK;
    if (strcmp(columns->token, "0") != 0 && (count > (both ? 2 : 1) || *columns->token))
        status = choose(reader, token, "token", count, count, &out->token, error);
    if (!status && reader->gold)
        status = choose(reader, *columns->gold ? columns->gold : tag, "gold", count, both ? 2 : 1,
                        &out->gold, error);
    if (!status && reader->predicted)
        status = choose(reader, *columns->prediction ? columns->prediction : tag, "prediction",
                        count, 1, &out->prediction, error);
    return status;
}

// Words of several tokens (3-4) and empty nodes (8.1).
static bool is_no_token(const layout *layout, seq_text number) {
    return layout->conllu &&
           (memchr(number.bytes, '-', number.size) || memchr(number.bytes, '.', number.size));
}

static void pass_over(seq_answer_reader *reader) {
    if (reader->gold) reader->gold->passed_over++;
    if (reader->predicted) reader->predicted->passed_over++;
}

static seq_status add_token(seq_answer_reader *reader, const layout *layout, const seq_text *fields,
                            seq_error *error) {
    seq_answers *sides[] = {reader->gold, reader->predicted};
    int columns[] = {layout->gold, layout->prediction};
    seq_status status = SEQ_OK;
    for (int i = 0; i < 2 && !status; i++) {
        if (!sides[i]) continue;
        if (fields[columns[i]].size == 0)
            return seq_answer_refuse(reader, error, "no tag in column %d", columns[i] + 1);
        status = seq_answer_place(reader, sides[i], fields[columns[i]], error);
        if (!status && layout->token >= 0)
            status = seq_answer_word(reader, sides[i], fields[layout->token], error);
    }
    return status;
}

// Whether a sentence has begun; both sides have the same tokens.
static bool has_begun(const seq_answer_reader *reader) {
    const seq_answers *side = reader->gold ? reader->gold : reader->predicted;
    return side->places > side->first[side->items];
}

static seq_status end_sentence(seq_answer_reader *reader, seq_error *error) {
    if (!has_begun(reader)) return SEQ_OK;
    seq_status status = seq_answer_item(reader, reader->gold, error);
    return status ? status : seq_answer_item(reader, reader->predicted, error);
}

static seq_status read_token(seq_answer_reader *reader, layout *layout, seq_text line,
                             seq_error *error) {
    seq_text fields[SEQ_ANSWER_FIELDS];
    seq_status status = SEQ_OK;
    size_t count = seq_text_split(line, layout->tabs, fields);
    if (seq_answers_passes_over(line, fields, count, layout->tabs)) {
        pass_over(reader);
        return SEQ_OK;
    }
    if (!layout->fields) status = begin(reader, fields, count, layout, error);
    if (!status && count != layout->fields)
        status = seq_answer_refuse(reader, error,
                                   "%zu columns, expected %zu as on the first line (separated by "
                                   "%s)",
                                   count, layout->fields, layout->tabs ? "tabs" : "blanks");
    if (!status && is_no_token(layout, fields[0])) {
        pass_over(reader);
        return SEQ_OK;
    }
    return status ? status : add_token(reader, layout, fields, error);
}

seq_status seq_answers_read_columns(seq_answer_reader *reader, seq_error *error) {
    layout layout = {.tabs = seq_answers_has_tabs(reader->file)};
    seq_text line;
    seq_status status = SEQ_OK;
    while (!status && seq_answer_line(reader, &line))
        status = seq_text_is_blank(line) ? end_sentence(reader, error)
                                         : read_token(reader, &layout, line, error);
    return status ? status : end_sentence(reader, error);
}
