// Reader `csv-frames`: a file an item, a frame a line, numbers split by tabs,
// semicolons, commas or blanks (the first of these that the first line holds,
// or --delimiter). A first line without any number is a header. --columns makes
// other fields: `tag` has a value a frame; every other field, such as `label`,
// must be the same in all lines. Without a label the class folder is it. Lines
// that begin with # are comments. Invariant: frames have the width of the first.
// Test: tests/unit/prep/test_frame_readers.c.
#include "cells.h"
#include <seqtrain/base/escape.h>
#include <stdlib.h>
#include <string.h>

typedef struct csv_state {
    char delimiter; // 0: not known yet; a blank stands for blanks and tabs
    bool done;
    seq_cells first, cells; // records: whose fields count for all, and the current one
    seq_cell_map map;
    seq_cell_map whole; // of the fields that are the same in all lines; shares the map's columns
    const seq_cell_field *frames, *tag;
} csv_state;

static char find_delimiter(const char *line) {
    for (const char *at = "\t;,"; *at; at++)
        if (strchr(line, *at)) return *at;
    return ' ';
}

static seq_status add_cell(seq_reader *reader, seq_cells *cells, const char *at, size_t size,
                           seq_error *error) {
    int64_t column = at - reader->lines.line + 1;
    if (size > 1 && *at == '"' && at[size - 1] == '"') {
        at++;
        size -= 2;
    }
    seq_status status = seq_cells_add(cells, reader->lines.number, column, error);
    return status ? status : seq_cells_append(cells, at, size, error);
}

static seq_status split(seq_reader *reader, char delimiter, seq_cells *cells, seq_error *error) {
    const char *at = reader->lines.line, *end = at + reader->lines.size;
    bool blanks = delimiter == ' ';
    const char ends[3] = {delimiter, blanks ? '\t' : '\0'};
    seq_status status = SEQ_OK;
    seq_cells_restart(cells);
    for (;;) {
        if (blanks) at += strspn(at, ends);
        if (blanks && at == end) return SEQ_OK;
        size_t size = strcspn(at, ends);
        status = add_cell(reader, cells, at, size, error);
        at += size;
        if (status || at == end) return status;
        at++;
    }
}

static seq_status take_record(seq_reader *reader, csv_state *state, seq_cells *cells,
                              bool *out_more, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        if (*lines->line == '#')
            reader->skipped[SEQ_SKIP_COMMENT]++;
        else if (lines->line[strspn(lines->line, " \t")])
            break;
        else
            reader->skipped[SEQ_SKIP_BLANK]++;
    }
    if (!state->delimiter) state->delimiter = find_delimiter(lines->line);
    return split(reader, state->delimiter, cells, error);
}

static bool is_header(const seq_reader *reader, const seq_cells *cells) {
    if (reader->settings->header) return reader->settings->header == SEQ_HEADER_YES;
    for (int i = 0; i < reader->choice_count; i++)
        if (reader->choices[i].name) return true;
    for (size_t i = 0; i < cells->count; i++)
        if (seq_is_number(seq_cell_text(cells, i), cells->items[i].size)) return false;
    return true;
}

// Which columns are frames, which are tags, and which must not change.
static seq_status map_columns(seq_reader *reader, csv_state *state, const seq_cells *names,
                              size_t width, seq_error *error) {
    seq_cell_map *map = &state->map;
    map->joint = " ";
    seq_status status = seq_cell_map_begin(map, reader, names, width, SEQ_NO_LABEL, error);
    if (status) return status;
    state->whole = *map;
    state->whole.count = 0;
    for (int i = 0; i < map->count; i++) {
        const seq_cell_field *field = &map->fields[i];
        if (strcmp(field->name, reader->kind->input) == 0)
            state->frames = field;
        else if (strcmp(field->name, "tag") == 0)
            state->tag = field;
        else
            state->whole.fields[state->whole.count++] = *field;
    }
    if (state->tag && state->tag->count > 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "--columns tag=...: expected one column");
    return SEQ_OK;
}

static seq_status check_whole(const seq_reader *reader, const csv_state *state, seq_error *error) {
    const seq_cell_map *whole = &state->whole;
    for (int f = 0; f < whole->count; f++)
        for (int k = 0; k < whole->fields[f].count; k++) {
            size_t i = (size_t)whole->order[whole->fields[f].first + k];
            const char *first = seq_cell_text(&state->first, i),
                       *text = seq_cell_text(&state->cells, i);
            char shown[60], expected[60];
            if (strcmp(first, text) == 0) continue;
            seq_escape(text, state->cells.items[i].size, false, shown, sizeof shown);
            seq_escape(first, state->first.items[i].size, false, expected, sizeof expected);
            return seq_item_refuse(reader->name, reader->lines.number, state->cells.items[i].column,
                                   error,
                                   "field '%s' is '%s' here and was '%s': a file is one item",
                                   whole->fields[f].name, shown, expected);
        }
    return SEQ_OK;
}

static seq_status take_frame(seq_reader *reader, csv_state *state, const seq_cells *cells,
                             seq_error *error) {
    float *values;
    if (cells->count != state->map.width)
        return seq_item_refuse(reader->name, reader->lines.number, 0, error,
                               "the line has %zu columns, the first one has %zu", cells->count,
                               state->map.width);
    seq_status status = seq_build_frame(reader, &values, error);
    for (int k = 0; !status && k < state->frames->count; k++) {
        size_t i = (size_t)state->map.order[state->frames->first + k];
        status = seq_build_number(reader, seq_cell_text(cells, i), cells->items[i].size,
                                  cells->items[i].column, &values[k], error);
    }
    if (status || !state->tag) return status;
    const seq_cell *tag = &cells->items[state->map.order[state->tag->first]];
    return seq_build_value(reader, cells->pool + tag->offset, tag->size, tag->line, tag->column,
                           error);
}

// The header, or the first frame.
static seq_status begin(seq_reader *reader, csv_state *state, bool *out_more, seq_error *error) {
    seq_cells *first = &state->first;
    if (take_record(reader, state, first, out_more, error)) return error->status;
    if (!*out_more)
        return seq_item_refuse(reader->name, 0, 0, error,
                               "the file is empty, so that the width of a frame is not known");
    bool header = is_header(reader, first);
    seq_build_item(reader, reader->lines.number);
    seq_status status = map_columns(reader, state, header ? first : NULL, first->count, error);
    if (status) return status;
    seq_build_frames(reader, state->frames->count);
    if (state->tag) status = seq_build_field(reader, "tag", true, error);
    return status || !header ? status : take_record(reader, state, first, out_more, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    csv_state *state = reader->state;
    bool more = true, found;
    *out_more = false;
    if (state->done) return SEQ_OK;
    state->done = true;
    if (begin(reader, state, &more, error)) return error->status;
    const seq_cells *cells = &state->first;
    seq_status status = SEQ_OK;
    for (; !status && more; cells = &state->cells) {
        status = take_frame(reader, state, cells, error);
        if (!status && cells == &state->cells) status = check_whole(reader, state, error);
        if (!status) status = take_record(reader, state, &state->cells, &more, error);
    }
    if (!status && reader->frames.rows)
        status = seq_cell_map_build(&state->whole, reader, &state->first, error);
    bool labelled = false;
    for (int i = 0; i < reader->field_count; i++)
        labelled = labelled || strcmp(reader->fields[i].name, reader->kind->target) == 0;
    if (!status && (!labelled || reader->pattern.count))
        status = seq_build_class(reader, &found, error);
    *out_more = !status;
    return status;
}

static seq_status open_csv(seq_reader *reader, seq_error *error) {
    csv_state *state = reader->state;
    const char *delimiter = reader->settings->delimiter;
    if (delimiter && (strlen(delimiter) != 1 || strchr("\"\r\n#", *delimiter)))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--delimiter '%s': expected one character, and no quote", delimiter);
    state->delimiter = delimiter ? *delimiter : '\0';
    return SEQ_OK;
}

static void close_csv(seq_reader *reader) {
    csv_state *state = reader->state;
    seq_cells_clear(&state->first);
    seq_cells_clear(&state->cells);
    seq_cell_map_end(&state->map);
}

const seq_reader_kind seq_reader_csv_frames = {
    .name = "csv-frames",
    .summary = "a file an item, a frame a line: numbers split by tabs, ; , or blanks",
    .input = "frames",
    .target = "label",
    .uses = SEQ_USES_COLUMNS | SEQ_USES_IGNORE | SEQ_USES_HEADER | SEQ_USES_DELIMITER |
            SEQ_USES_MISSING | SEQ_USES_NAME,
    .state = sizeof(csv_state),
    .open = open_csv,
    .next = next,
    .close = close_csv,
};
