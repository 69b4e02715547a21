// Packs sequences, lengths 0 and 1 among them, and checks each place against a
// search through all (t, b). Checks src/batch/axis.c.
#include <seqtrain/batch/batch.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MOST = 8, STEPS = 9, ROWS = 64 };

static void make_room(seq_axis_room *room, seq_arena *arena) {
    seq_error error = {0};
    seq_axis_limit limit = {MOST, STEPS, ROWS};
    seq_axis_take(room, &limit, MOST, arena);
    assert_int_equal(seq_arena_commit(arena, "an axis", &error), SEQ_OK);
    seq_axis_take(room, &limit, MOST, arena);
}

// The row of (t, b) by counting all rows before it.
static int32_t row_of(const int32_t *lengths, int sequences, int32_t step, int sequence) {
    int32_t row = 0;
    for (int32_t t = 0; t <= step; t++)
        for (int b = 0; b < sequences && !(t == step && b == sequence); b++)
            row += lengths[b] > t;
    return row;
}

static void check(const int32_t *lengths, int sequences) {
    seq_arena arena = {0};
    seq_axis_room room;
    seq_axis axis;
    make_room(&room, &arena);
    seq_axis_shape(&axis, &room, sequences, lengths);
    size_t rows = 0;
    for (int b = 0; b < sequences; b++) {
        rows += (size_t)lengths[b];
        assert_int_equal(axis.last_row[b],
                         lengths[b] ? row_of(lengths, sequences, lengths[b] - 1, b) : -1);
        for (int32_t t = 0; t < lengths[b]; t++) {
            int32_t row = row_of(lengths, sequences, t, b);
            assert_true(b < axis.rows_at[t]);
            assert_int_equal(axis.first_row[t] + (size_t)b, row);
            assert_int_equal(axis.reversed[row], row_of(lengths, sequences, lengths[b] - 1 - t, b));
        }
    }
    assert_int_equal(axis.rows, rows);
    assert_int_equal(axis.first_row[axis.steps], rows);
    seq_arena_clear(&arena);
}

static void packed_places(void **state) {
    (void)state;
    check((int32_t[]){5, 5, 3, 1, 1, 0}, 6);
    check((int32_t[]){4, 4, 4}, 3); // streams of a window
    check((int32_t[]){1, 1}, 2);    // one value a sequence
    check((int32_t[]){0, 0}, 2);
    check((int32_t[]){9}, 1);
}

static void nothing(void **state) {
    (void)state;
    check((int32_t[]){0}, 0);
}

static void limits_are_widened(void **state) {
    (void)state;
    seq_limits wide = {.axes = {[1] = {4, 9, 20}}, .pairs = {[1] = {[2] = 30}}};
    const seq_limits others = {.axes = {[1] = {5, 3, 20}, [2] = {1, 2, 2}},
                               .pairs = {[1] = {[2] = 29}},
                               .longest_pair = {[1] = {[2] = 7}}};
    seq_limits_include(&wide, &others);
    const seq_axis_limit expected[2] = {{5, 9, 20}, {1, 2, 2}};
    assert_memory_equal(&wide.axes[1], expected, sizeof expected);
    assert_true(wide.pairs[1][2] == 30 && wide.longest_pair[1][2] == 7 && !wide.pairs[2][1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(packed_places), cmocka_unit_test(nothing),
                                       cmocka_unit_test(limits_are_widened)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
