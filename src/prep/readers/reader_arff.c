// Reader `arff`: attributes in a header, then a record a line. The label is the
// attribute `class` (or `label`, or the last one), the text all others that are
// not ignored: one after another when each is a single letter, as in a
// sequence; a mixture is refused, since a name among letters may give the class
// away. Values may stand in quotes of either kind, with \ before a quote in
// them; % begins a comment. Nominal values are held to the declaration. Sparse
// records and missing labels are refused. Tests: tests/unit/prep/test_readers.c.
#include "cells.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct arff_attribute {
    size_t first, count; // nominal values in `values`; count 0: any
} arff_attribute;

typedef struct arff_state {
    bool begun;
    seq_cells names, values, cells; // of the attributes; of all nominal ones; of a record
    arff_attribute *attributes;
    size_t attribute_count, attribute_capacity;
    seq_cell_map map;
} arff_state;

static seq_status refuse(const seq_reader *reader, const char *at, seq_error *error,
                         const char *what) {
    return seq_item_refuse(reader->name, reader->lines.number, at - reader->lines.line + 1, error,
                           "%s", what);
}

// One value: in quotes, or up to a byte of `ends`. *at ends behind it.
static seq_status take_value(seq_reader *reader, seq_cells *cells, const char **at,
                             const char *ends, seq_error *error) {
    const char *opened = *at;
    char quote = *opened == '\'' || *opened == '"' ? *opened : '\0';
    seq_status status =
        seq_cells_add(cells, reader->lines.number, opened - reader->lines.line + 1, error);
    if (!quote) {
        const char *bytes = *at;
        size_t size = strcspn(*at, ends);
        *at += size;
        seq_trim(&bytes, &size);
        return status ? status : seq_cells_append(cells, bytes, size, error);
    }
    for (++*at; !status && **at && **at != quote; ++*at) {
        if (**at == '\\' && (*at)[1]) ++*at;
        status = seq_cells_append(cells, *at, 1, error);
    }
    if (status) return status;
    if (!**at) return refuse(reader, opened, error, "the quote that opens here is never closed");
    ++*at;
    return SEQ_OK;
}

// Values between commas, up to a byte of `ends`.
static seq_status take_values(seq_reader *reader, seq_cells *cells, const char **at,
                              const char *ends, seq_error *error) {
    char stops[8];
    snprintf(stops, sizeof stops, ",%s", ends);
    for (;;) {
        *at += strspn(*at, " \t");
        if (take_value(reader, cells, at, stops, error)) return error->status;
        *at += strspn(*at, " \t");
        if (**at != ',') return SEQ_OK;
        ++*at;
    }
}

// Behind "@attribute".
static seq_status take_attribute(seq_reader *reader, const char *at, seq_error *error) {
    arff_state *state = reader->state;
    seq_status status =
        seq_grow(&state->attributes, &state->attribute_capacity, state->attribute_count + 1,
                 sizeof *state->attributes, "the attributes", error);
    if (status) return status;
    arff_attribute *attribute = &state->attributes[state->attribute_count++];
    *attribute = (arff_attribute){.first = state->values.count};
    at += strspn(at, " \t");
    if (!*at) return refuse(reader, at, error, "expected the attribute's name");
    status = take_value(reader, &state->names, &at, " \t{", error);
    at += strspn(at, " \t");
    if (status || *at != '{') return status;
    at++;
    status = take_values(reader, &state->values, &at, "}", error);
    if (!status && *at != '}') status = refuse(reader, at, error, "expected , or }");
    attribute->count = state->values.count - attribute->first;
    return status;
}

static bool is_single(const arff_state *state, size_t index) {
    const arff_attribute *attribute = &state->attributes[index];
    for (size_t i = 0; i < attribute->count; i++)
        if (state->values.items[attribute->first + i].size != 1) return false;
    return attribute->count > 0;
}

// How the columns of the text are joined; a mixture of letters and others is refused.
static seq_status choose_joint(seq_reader *reader, seq_error *error) {
    arff_state *state = reader->state;
    const seq_cell_field *text = NULL;
    int single = 0, other = -1;
    for (int i = 0; i < state->map.count; i++)
        if (strcmp(state->map.fields[i].name, "text") == 0) text = &state->map.fields[i];
    for (int i = 0; i < text->count; i++) {
        int column = state->map.order[text->first + i];
        if (is_single(state, (size_t)column))
            single++;
        else
            other = column;
    }
    state->map.joint = other < 0 ? "" : " ";
    if (!single || other < 0) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%s: attribute '%s' is no single letter as %d others are, and may give "
                         "the class away: leave it out with --ignore, or name the text with "
                         "--columns text=FROM-TO",
                         reader->name, seq_cell_text(&state->names, (size_t)other), single);
}

static seq_status begin_data(seq_reader *reader, seq_error *error) {
    arff_state *state = reader->state;
    int label = (int)state->names.count - 1;
    if (label < 0)
        return seq_item_refuse(reader->name, reader->lines.number, 1, error,
                               "@data, and there is no @attribute before it");
    for (size_t i = 0; i < state->names.count; i++)
        if (seq_cell_is(&state->names, i, "class")) label = (int)i;
    state->begun = true;
    seq_status status =
        seq_cell_map_begin(&state->map, reader, &state->names, state->names.count, label, error);
    return status ? status : choose_joint(reader, error);
}

// The next line that is neither blank nor a comment.
static seq_status next_line(seq_reader *reader, bool *out_more, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        const char *at = lines->line + strspn(lines->line, " \t");
        if (*at && *at != '%') return SEQ_OK;
        reader->skipped[*at ? SEQ_SKIP_COMMENT : SEQ_SKIP_BLANK]++;
    }
}

static bool is_word(const char *text, const char *word, const char **behind) {
    size_t size = strlen(word);
    *behind = text + size;
    return strncasecmp(text, word, size) == 0 && (!text[size] || strchr(" \t", text[size]));
}

static seq_status read_header(seq_reader *reader, bool *out_more, seq_error *error) {
    arff_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    const char *behind;
    while (!state->begun) {
        if (next_line(reader, out_more, error)) return error->status;
        if (!*out_more)
            return seq_item_refuse(reader->name, lines->number, 0, error,
                                   "the file ends before @data; is this ARFF?");
        const char *at = lines->line + strspn(lines->line, " \t");
        seq_status status = SEQ_OK;
        if (is_word(at, "@attribute", &behind))
            status = take_attribute(reader, behind, error);
        else if (is_word(at, "@data", &behind))
            status = begin_data(reader, error);
        else if (!is_word(at, "@relation", &behind))
            status = refuse(reader, at, error, "expected @relation, @attribute or @data");
        if (status) return status;
    }
    return SEQ_OK;
}

static seq_status check_nominal(const seq_reader *reader, size_t index, seq_error *error) {
    const arff_state *state = reader->state;
    const arff_attribute *attribute = &state->attributes[index];
    const seq_cell *cell = &state->cells.items[index];
    const char *text = seq_cell_text(&state->cells, index);
    char shown[80];
    for (size_t i = 0; i < attribute->count; i++)
        if (strcmp(seq_cell_text(&state->values, attribute->first + i), text) == 0) return SEQ_OK;
    if (!attribute->count) return SEQ_OK;
    seq_escape(text, cell->size, false, shown, sizeof shown);
    return seq_item_refuse(reader->name, cell->line, cell->column, error,
                           "'%s' is none of the values that attribute '%s' declares", shown,
                           seq_cell_text(&state->names, index));
}

// Only what is read: a long list of names that is ignored is not searched.
static seq_status check_values(const seq_reader *reader, seq_error *error) {
    const arff_state *state = reader->state;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < state->map.order_count; i++)
        status = check_nominal(reader, (size_t)state->map.order[i], error);
    return status;
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    arff_state *state = reader->state;
    *out_more = true;
    if (!state->begun && read_header(reader, out_more, error)) return error->status;
    if (next_line(reader, out_more, error) || !*out_more) return error->status;
    const char *at = reader->lines.line + strspn(reader->lines.line, " \t");
    seq_build_item(reader, reader->lines.number);
    if (*at == '{') return refuse(reader, at, error, "sparse records are not read");
    seq_cells_restart(&state->cells);
    if (take_values(reader, &state->cells, &at, "", error)) return error->status;
    if (*at) return refuse(reader, at, error, "expected a comma");
    if (state->cells.count != state->map.width)
        return seq_item_refuse(reader->name, reader->line, 0, error,
                               "the record has %zu values, and there are %zu attributes",
                               state->cells.count, state->map.width);
    if (check_values(reader, error)) return error->status;
    return seq_cell_map_build(&state->map, reader, &state->cells, error);
}

static void close_arff(seq_reader *reader) {
    arff_state *state = reader->state;
    seq_cells_clear(&state->names);
    seq_cells_clear(&state->values);
    seq_cells_clear(&state->cells);
    free(state->attributes);
    seq_cell_map_end(&state->map);
}

const seq_reader_kind seq_reader_arff = {
    .name = "arff",
    .summary = "attributes of Weka's form; --ignore ATTRIBUTE",
    .input = "text",
    .target = "label",
    .suffixes = ".arff ",
    .uses = SEQ_USES_COLUMNS | SEQ_USES_IGNORE,
    .state = sizeof(arff_state),
    .next = next,
    .close = close_arff,
};
