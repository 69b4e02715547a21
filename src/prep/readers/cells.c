// Records of tables. A record's cells lie one behind another in a pool; a map,
// made once a file, says which columns make which field. Invariant: every
// column belongs to one field, is ignored, or (with --columns for all fields)
// is not read; a column that was asked for and is missing is an error. Tests:
// tests/unit/prep/test_readers.c.
#include "cells.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void seq_cells_restart(seq_cells *cells) {
    cells->count = cells->used = 0;
}

void seq_cells_clear(seq_cells *cells) {
    free(cells->items);
    free(cells->pool);
    *cells = (seq_cells){0};
}

seq_status seq_cells_add(seq_cells *cells, int64_t line, int64_t column, seq_error *error) {
    seq_status status = seq_grow(&cells->items, &cells->capacity, cells->count + 1,
                                 sizeof *cells->items, "a record", error);
    if (status) return status;
    cells->used += cells->count > 0; // the NUL of the cell before
    cells->items[cells->count++] = (seq_cell){cells->used, 0, line, column};
    return seq_cells_append(cells, "", 0, error);
}

seq_status seq_cells_append(seq_cells *cells, const char *bytes, size_t size, seq_error *error) {
    seq_status status =
        seq_grow(&cells->pool, &cells->pool_capacity, cells->used + size + 1, 1, "a record", error);
    if (status) return status;
    memcpy(cells->pool + cells->used, bytes, size);
    cells->used += size;
    cells->pool[cells->used] = '\0';
    cells->items[cells->count - 1].size += size;
    return SEQ_OK;
}

const char *seq_cell_text(const seq_cells *cells, size_t index) {
    return cells->pool + cells->items[index].offset;
}

bool seq_cell_is(const seq_cells *cells, size_t index, const char *text) {
    return strcasecmp(seq_cell_text(cells, index), text) == 0;
}

// --- the map ---------------------------------------------------------------------

static seq_status refuse_name(const seq_reader *reader, const char *option, const char *name,
                              const seq_cells *names, seq_error *error) {
    char list[300] = "", shown[80];
    if (!names)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--%s: column '%s' is given by name, and %s has no header", option,
                             name, reader->name);
    for (size_t i = 0; i < names->count && strlen(list) < 200; i++) {
        seq_escape(seq_cell_text(names, i), names->items[i].size, false, shown, sizeof shown);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", shown);
    }
    return seq_item_refuse(reader->name, names->count ? names->items[0].line : 0, 0, error,
                           "--%s: there is no column '%s' among these: %s", option, name, list);
}

// Columns of a choice, from 0 and the one behind them; what may be missing and is gives none.
static seq_status locate(const seq_reader *reader, const seq_column_choice *choice,
                         const seq_cells *names, size_t width, bool optional, int *out_from,
                         int *out_to, seq_error *error) {
    const char *option = choice->field ? "columns" : "ignore";
    *out_from = choice->from - 1;
    *out_to = choice->to;
    bool beyond = !choice->name && (size_t)choice->to > width;
    if (beyond && !optional)
        return seq_item_refuse(reader->name, 0, 0, error,
                               "--%s: there is no column %d, there are %zu", option, choice->to,
                               width);
    if (!choice->name && !beyond) return SEQ_OK;
    *out_from = *out_to = 0;
    if (beyond) return SEQ_OK;
    for (size_t i = 0; names && i < names->count; i++)
        if (strcmp(seq_cell_text(names, i), choice->name) == 0) {
            *out_from = (int)i;
            *out_to = (int)i + 1;
            return SEQ_OK;
        }
    return optional ? SEQ_OK : refuse_name(reader, option, choice->name, names, error);
}

static bool has_field(const seq_cell_map *map, const char *name) {
    for (int i = 0; i < map->count; i++)
        if (strcmp(map->fields[i].name, name) == 0) return true;
    return false;
}

static seq_status add_column(seq_cell_map *map, int column, bool *taken, seq_error *error) {
    seq_status status = seq_grow(&map->order, &map->order_capacity, map->order_count + 1,
                                 sizeof *map->order, "a map of columns", error);
    if (status) return status;
    map->order[map->order_count++] = column;
    map->fields[map->count - 1].count++;
    taken[column] = true;
    return SEQ_OK;
}

static seq_status add_range(seq_cell_map *map, const char *name, int from, int to, bool *taken,
                            seq_error *error) {
    seq_status status = SEQ_OK;
    if (from == to) return SEQ_OK;
    map->fields[map->count++] = (seq_cell_field){name, (int)map->order_count, 0};
    for (int column = from; !status && column < to; column++)
        status = add_column(map, column, taken, error);
    return status;
}

static seq_status add_rest(seq_cell_map *map, const seq_reader *reader, bool *taken,
                           seq_error *error) {
    seq_status status = SEQ_OK;
    map->fields[map->count++] =
        (seq_cell_field){seq_reader_input(reader), (int)map->order_count, 0};
    for (size_t column = 0; !status && column < map->width; column++)
        if (!taken[column]) status = add_column(map, (int)column, taken, error);
    if (!status && map->fields[map->count - 1].count == 0)
        status = seq_item_refuse(reader->name, 0, 0, error,
                                 "no column is left for the %s: --columns %s=NAME names it",
                                 seq_reader_input(reader), seq_reader_input(reader));
    return status;
}

static int find_name(const seq_cells *names, const char *name) {
    for (size_t i = 0; names && i < names->count; i++)
        if (seq_cell_is(names, i, name)) return (int)i;
    return -1;
}

static seq_status map_label(seq_cell_map *map, const seq_reader *reader, const seq_cells *names,
                            int label, bool *taken, seq_error *error) {
    if (has_field(map, seq_reader_target(reader))) return SEQ_OK;
    int named = find_name(names, seq_reader_target(reader));
    if (named >= 0 && !taken[named]) label = named;
    if (label >= 0)
        return add_range(map, seq_reader_target(reader), label, label + 1, taken, error);
    if (reader->settings->unlabelled || reader->names_files || label == SEQ_NO_LABEL) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%s: no column is named %s: --columns %s=NAME, or a number from 1",
                         reader->name, seq_reader_target(reader), seq_reader_target(reader));
}

// The column that a header calls source, where texts are pairs: others are no part of it.
static seq_status map_source(seq_cell_map *map, const seq_reader *reader, const seq_cells *names,
                             bool *taken, seq_error *error) {
    int named = find_name(names, "source");
    if (!reader->settings->pairs || has_field(map, "source") || named < 0 || taken[named])
        return SEQ_OK;
    return add_range(map, "source", named, named + 1, taken, error);
}

// --group names a field, or a column by name or number.
static seq_status map_group(seq_cell_map *map, const seq_reader *reader, const seq_cells *names,
                            size_t width, bool *taken, seq_error *error) {
    const char *group = reader->settings->group;
    int column = names && group ? find_name(names, group) : -1;
    if (!group || has_field(map, group) || strcmp(group, "file") == 0) return SEQ_OK;
    long number = strtol(group, NULL, 10);
    if (column < 0 && number >= 1 && (size_t)number <= width) column = (int)number - 1;
    if (column < 0 && reader->names_files) return SEQ_OK; // the file may have it
    if (column < 0) return refuse_name(reader, "group", group, names, error);
    return add_range(map, group, column, column + 1, taken, error);
}

static seq_status fill_map(seq_cell_map *map, const seq_reader *reader, const seq_cells *names,
                           int label, bool *taken, seq_error *error) {
    seq_status status = SEQ_OK;
    int from, to;
    for (int i = 0; !status && i < reader->choice_count; i++) {
        const seq_column_choice *choice = &reader->choices[i];
        bool optional = choice->field && reader->settings->unlabelled &&
                        strcmp(choice->field, seq_reader_input(reader)) != 0 &&
                        strcmp(choice->field, "path") != 0;
        status = locate(reader, choice, names, map->width, optional, &from, &to, error);
        if (!status && choice->field)
            status = add_range(map, choice->field, from, to, taken, error);
        for (int column = from; !status && !choice->field && column < to; column++)
            taken[column] = true;
    }
    if (!status) status = map_label(map, reader, names, label, taken, error);
    if (!status) status = map_source(map, reader, names, taken, error);
    if (!status) status = map_group(map, reader, names, map->width, taken, error);
    if (!status && !has_field(map, seq_reader_input(reader)) && !reader->names_files)
        status = add_rest(map, reader, taken, error);
    return status;
}

seq_status seq_cell_map_begin(seq_cell_map *map, const seq_reader *reader, const seq_cells *names,
                              size_t width, int label, seq_error *error) {
    bool *taken = NULL;
    map->width = width;
    seq_status status = seq_allocate(&taken, width, sizeof *taken, "a map of columns", error);
    if (!status) status = fill_map(map, reader, names, label, taken, error);
    free(taken);
    return status;
}

void seq_cell_map_end(seq_cell_map *map) {
    free(map->order);
    *map = (seq_cell_map){0};
}

seq_status seq_cell_map_build(const seq_cell_map *map, seq_reader *reader, const seq_cells *cells,
                              seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < map->count; i++) {
        const seq_cell_field *field = &map->fields[i];
        const seq_cell *first = &cells->items[map->order[field->first]];
        status = seq_build_text(reader, field->name, cells->pool + first->offset, first->size,
                                first->line, first->column, error);
        for (int k = 1; !status && k < field->count; k++) {
            const seq_cell *cell = &cells->items[map->order[field->first + k]];
            status = seq_build_more(reader, map->joint, strlen(map->joint), error);
            if (!status)
                status = seq_build_more(reader, cells->pool + cell->offset, cell->size, error);
        }
    }
    return status;
}
