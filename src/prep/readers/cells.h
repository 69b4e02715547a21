// Cells of a record (a line of a table), and how they become fields of an item.
#ifndef SEQ_PREP_CELLS_H
#define SEQ_PREP_CELLS_H

#include "reader_private.h"

typedef struct seq_cell {
    size_t offset, size; // in the pool
    int64_t line, column;
} seq_cell;

// Zero-initialise before use.
typedef struct seq_cells {
    seq_cell *items;
    size_t count, capacity;
    char *pool;
    size_t used, pool_capacity;
} seq_cells;

void seq_cells_restart(seq_cells *cells);
void seq_cells_clear(seq_cells *cells);
seq_status seq_cells_add(seq_cells *cells, int64_t line, int64_t column, seq_error *error);
// Onto the last cell.
seq_status seq_cells_append(seq_cells *cells, const char *bytes, size_t size, seq_error *error);
const char *seq_cell_text(const seq_cells *cells, size_t index);
bool seq_cell_is(const seq_cells *cells, size_t index, const char *text); // in any case

// Which columns make a field.
typedef struct seq_cell_field {
    const char *name;
    int first, count; // in seq_cell_map.order
} seq_cell_field;

// Zero-initialise before use.
typedef struct seq_cell_map {
    seq_cell_field fields[SEQ_ITEM_FIELDS];
    int count;
    int *order; // columns, from 0
    size_t order_count, order_capacity, width;
    const char *joint; // between the columns of a field
} seq_cell_map;

enum { SEQ_NO_LABEL = -2 }; // a table may have none

// Reads --columns, --ignore and --group for a table of `width` columns with
// these names (NULL: none). A field that nobody maps: "label" is the column of
// that name or `label` (from 0; -1: none, which is refused), "text" (the
// reader's input field) is all columns that are neither mapped nor ignored.
// Refuses a column that is not there.
seq_status seq_cell_map_begin(seq_cell_map *map, const seq_reader *reader, const seq_cells *names,
                              size_t width, int label, seq_error *error);
void seq_cell_map_end(seq_cell_map *map);
seq_status seq_cell_map_build(const seq_cell_map *map, seq_reader *reader, const seq_cells *cells,
                              seq_error *error);

#endif
