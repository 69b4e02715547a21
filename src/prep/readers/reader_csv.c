// Readers `csv` and `tsv`. A record is a line; a cell in quotes may hold the
// delimiter, line ends, and a quote written twice (RFC 4180). A header names
// the columns: it is there when --columns, --ignore or --group uses names or
// nothing is said about columns, and --header decides otherwise. All records
// have as many cells as the first. Blank lines are skipped and counted. Tests:
// tests/unit/prep/test_readers.c.
#include "cells.h"
#include <ctype.h>
#include <string.h>

typedef struct csv_state {
    char delimiter;
    bool begun;
    seq_cells cells;
    seq_cell_map map;
} csv_state;

// Inside quotes, from behind the opening one. *at ends behind the closing quote.
static seq_status take_quoted(seq_reader *reader, seq_cells *cells, const char **at,
                              seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    seq_cell opened = cells->items[cells->count - 1];
    for (;;) {
        const char *end = lines->line + lines->size, *quote = memchr(*at, '"', (size_t)(end - *at));
        const char *stop = quote ? quote : end;
        seq_status status = seq_cells_append(cells, *at, (size_t)(stop - *at), error);
        if (status) return status;
        bool more = true;
        if (!quote) {
            if (seq_line_reader_next(lines, &more, error)) return error->status;
            if (!more || cells->used > SEQ_ITEM_BYTES)
                return seq_item_refuse(
                    reader->name, opened.line, opened.column, error,
                    "the quote that opens here is never closed (--quotes no: quotes are characters "
                    "like others)");
            status = seq_cells_append(cells, "\n", 1, error);
            *at = lines->line;
        } else if (quote + 1 < end && quote[1] == '"') {
            status = seq_cells_append(cells, "\"", 1, error);
            *at = quote + 2;
        } else {
            *at = quote + 1;
            return SEQ_OK;
        }
        if (status) return status;
    }
}

static seq_status take_cell(seq_reader *reader, csv_state *state, const char **at,
                            seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    bool quoted = **at == '"' && !reader->settings->raw_quotes;
    seq_status status = seq_cells_add(&state->cells, lines->number, *at - lines->line + 1, error);
    if (status) return status;
    if (quoted) {
        ++*at;
        status = take_quoted(reader, &state->cells, at, error);
        const char *end = lines->line + lines->size;
        if (status || *at == end || **at == state->delimiter) return status;
        return seq_item_refuse(reader->name, lines->number, *at - lines->line + 1, error,
                               "a delimiter must follow the closing quote; a quote inside of "
                               "quotes is written twice (--quotes no: quotes are characters like "
                               "others)");
    }
    size_t rest = lines->size - (size_t)(*at - lines->line);
    const char *end = memchr(*at, state->delimiter, rest);
    size_t size = end ? (size_t)(end - *at) : rest;
    status = seq_cells_append(&state->cells, *at, size, error);
    *at += size;
    return status;
}

// *out_more false: the end of the file.
static seq_status take_record(seq_reader *reader, csv_state *state, bool *out_more,
                              seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    seq_cells_restart(&state->cells);
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        if (lines->size) break;
        reader->skipped[SEQ_SKIP_BLANK]++;
    }
    seq_build_item(reader, lines->number);
    for (const char *at = lines->line;; at++) {
        if (take_cell(reader, state, &at, error)) return error->status;
        if (at == lines->line + lines->size) return SEQ_OK;
    }
}

static bool wants_header(const seq_reader *reader) {
    const seq_reader_settings *settings = reader->settings;
    if (settings->header) return settings->header == SEQ_HEADER_YES;
    for (int i = 0; i < reader->choice_count; i++)
        if (reader->choices[i].name) return true;
    bool group = settings->group && !isdigit((unsigned char)*settings->group) &&
                 strcmp(settings->group, "file") != 0 &&
                 !seq_reader_choice(reader, settings->group);
    return group || (!reader->names_files && !seq_reader_choice(reader, seq_reader_target(reader)));
}

// The first record makes the map; *out_more as in `next`.
static seq_status begin(seq_reader *reader, csv_state *state, bool *out_more, seq_error *error) {
    bool header = wants_header(reader);
    seq_status status = take_record(reader, state, out_more, error);
    if (status || !*out_more) return status;
    state->begun = true;
    state->map.joint = " ";
    status = seq_cell_map_begin(&state->map, reader, header ? &state->cells : NULL,
                                state->cells.count, -1, error);
    return status || !header ? status : take_record(reader, state, out_more, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    csv_state *state = reader->state;
    seq_status status = state->begun ? take_record(reader, state, out_more, error)
                                     : begin(reader, state, out_more, error);
    if (status || !*out_more) return status;
    if (state->cells.count != state->map.width)
        return seq_item_refuse(reader->name, reader->line, 0, error,
                               "the record has %zu columns, the first one has %zu",
                               state->cells.count, state->map.width);
    return seq_cell_map_build(&state->map, reader, &state->cells, error);
}

static seq_status open_csv(seq_reader *reader, seq_error *error) {
    csv_state *state = reader->state;
    const char *delimiter = reader->settings->delimiter;
    state->delimiter = delimiter ? *delimiter : ',';
    if (delimiter && (strlen(delimiter) != 1 || strchr("\"\r\n", *delimiter)))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--delimiter '%s': expected one character, and no quote", delimiter);
    return SEQ_OK;
}

static seq_status open_tsv(seq_reader *reader, seq_error *error) {
    csv_state *state = reader->state;
    (void)error;
    state->delimiter = '\t';
    return SEQ_OK;
}

static void close_csv(seq_reader *reader) {
    csv_state *state = reader->state;
    seq_cells_clear(&state->cells);
    seq_cell_map_end(&state->map);
}

enum {
    USES = SEQ_USES_COLUMNS | SEQ_USES_IGNORE | SEQ_USES_HEADER | SEQ_USES_QUOTES | SEQ_USES_FILES
};

const seq_reader_kind seq_reader_csv = {
    .name = "csv",
    .summary = "a record an item, commas (--delimiter) between the columns",
    .input = "text",
    .target = "label",
    .suffixes = ".csv ",
    .uses = USES | SEQ_USES_DELIMITER,
    .state = sizeof(csv_state),
    .open = open_csv,
    .next = next,
    .close = close_csv,
};

const seq_reader_kind seq_reader_tsv = {
    .name = "tsv",
    .summary = "a record an item, tabs between the columns",
    .input = "text",
    .target = "label",
    .suffixes = ".tsv ",
    .uses = USES,
    .state = sizeof(csv_state),
    .open = open_tsv,
    .next = next,
    .close = close_csv,
};
