// Packs sequences of known lengths: rows step by step, longest sequence first.
// The row of (t, b) is first_row[t] + b, so all other places follow from the
// lengths by counting. Invariant: `reversed` is its own inverse, and every row
// belongs to one (t, b). Test: tests/unit/batch/test_axis.c.
#include <seqtrain/batch/batch.h>

void seq_axis_take(seq_axis_room *out, const seq_axis_limit *limit, size_t parent_rows,
                   seq_arena *arena) {
    size_t sequences = (size_t)limit->sequences, steps = (size_t)limit->steps;
    *out = (seq_axis_room){
        .limit = *limit,
        .parent_rows = parent_rows,
        .rows_at = seq_arena_take(arena, steps, sizeof(int)),
        .first_row = seq_arena_take(arena, steps + 1, sizeof(size_t)),
        .reversed = seq_arena_take(arena, limit->rows, sizeof(int32_t)),
        .last_row = seq_arena_take(arena, sequences, sizeof(int32_t)),
        .of = seq_arena_take(arena, sequences, sizeof(int32_t)),
        .at = seq_arena_take(arena, parent_rows, sizeof(int32_t)),
        .number = seq_arena_take(arena, sequences, sizeof(int64_t)),
    };
}

void seq_axis_shape(seq_axis *out, const seq_axis_room *room, int sequences,
                    const int32_t *lengths) {
    int steps = sequences ? (int)lengths[0] : 0, live = sequences;
    size_t row = 0;
    for (int t = 0; t < steps; t++) {
        while (lengths[live - 1] <= t)
            live--;
        room->rows_at[t] = live;
        room->first_row[t] = row;
        row += (size_t)live;
    }
    room->first_row[steps] = row;
    for (int b = 0; b < sequences; b++) {
        int32_t length = lengths[b];
        room->last_row[b] = length ? (int32_t)room->first_row[length - 1] + b : -1;
        for (int32_t t = 0; t < length; t++)
            room->reversed[room->first_row[t] + (size_t)b] =
                (int32_t)room->first_row[length - 1 - t] + b;
    }
    *out = (seq_axis){
        .sequences = sequences,
        .steps = steps,
        .rows = row,
        .rows_at = room->rows_at,
        .first_row = room->first_row,
        .reversed = room->reversed,
        .last_row = room->last_row,
        .number = room->number,
        .of = room->of,
        .at = room->at,
    };
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

void seq_limits_include(seq_limits *limits, const seq_limits *others) {
    for (int a = 0; a < SEQ_AXES; a++) {
        seq_axis_limit *axis = &limits->axes[a];
        const seq_axis_limit *other = &others->axes[a];
        if (other->sequences > axis->sequences) axis->sequences = other->sequences;
        if (other->steps > axis->steps) axis->steps = other->steps;
        axis->rows = larger(axis->rows, other->rows);
        for (int b = 0; b < SEQ_AXES; b++) {
            limits->pairs[a][b] = larger(limits->pairs[a][b], others->pairs[a][b]);
            limits->longest_pair[a][b] =
                larger(limits->longest_pair[a][b], others->longest_pair[a][b]);
        }
    }
}
