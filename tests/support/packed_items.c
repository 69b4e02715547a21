// Packs items as samplers do, by hand: rows longest first, sequences of length 0
// at the end. Invariant: `origins` says of each row where it comes from, so a test
// finds it again in another batch. Used by tests/unit/model/test_graph.c and
// test_builders.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "packed_items.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>

static void fill_axis(packed_items *out, const packed_rules *rules, int axis) {
    const int parent = rules->parents[axis];
    seq_axis *made = &out->batch.axes[axis];
    seq_axis_room *room = &out->rooms[axis];
    int32_t longest_first[PACKED_ROOM];
    int count = 0, rows = (int)out->batch.axes[parent].rows;
    for (int length = rules->longest; length >= 0; length--)
        for (int row = 0; row < rows; row++) {
            const packed_origin *from = &out->origins[parent][row];
            if (rules->length(axis, from) != length) continue;
            room->of[count] = row;
            room->at[row] = count;
            room->number[count] = from->item * 100 + from->word;
            longest_first[count++] = length;
        }
    seq_axis_shape(made, room, count, longest_first);
    made->parent = parent;
    for (int t = 0; t < made->steps; t++)
        for (int b = 0; b < made->rows_at[t]; b++) {
            const packed_origin *from = &out->origins[parent][made->of[b]];
            out->origins[axis][made->first_row[t] + (size_t)b] =
                (packed_origin){from->item, parent ? from->word : t, t};
        }
}

static void take(packed_items *out, int axes) {
    for (int axis = 0; axis < axes; axis++)
        seq_axis_take(&out->rooms[axis], &out->limits.axes[axis], PACKED_ROOM, &out->arena);
}

packed_items *packed_items_make(const packed_rules *rules, const int *items, int count) {
    packed_items *out = calloc(1, sizeof *out);
    int32_t ones[PACKED_ROOM];
    seq_error error = {0};
    assert_non_null(out);
    out->limits = rules->limits;
    take(out, rules->axes);
    assert_int_equal(seq_arena_commit(&out->arena, "test", &error), SEQ_OK);
    take(out, rules->axes);
    out->batch.axis_count = rules->axes;
    out->batch.divisor = 1;
    for (int i = 0; i < count; i++)
        ones[i] = 1;
    seq_axis_shape(&out->batch.axes[0], &out->rooms[0], count, ones);
    out->batch.axes[0].parent = -1;
    for (int i = 0; i < count; i++) {
        out->rooms[0].number[i] = items[i];
        out->origins[0][i] = (packed_origin){items[i], 0, 0};
    }
    for (int axis = 1; axis < rules->axes; axis++)
        fill_axis(out, rules, axis);
    rules->columns(out);
    return out;
}

void packed_items_drop(packed_items *packed) {
    seq_arena_clear(&packed->arena);
    free(packed);
}

void model_case_open(model_case *out, seq_model *model, const seq_limits *limits) {
    seq_error error = {0};
    *out = (model_case){.model = model, .table = seq_model_parameters(model)};
    seq_workspace_create(model, limits, 1, SEQ_USE_TRAINING, &out->workspace, &error);
    seq_allocate(&out->parameters, out->table->size, sizeof(float), "test", &error);
    seq_allocate(&out->gradient, out->table->size, sizeof(float), "test", &error);
    seq_allocate(&out->matrices, seq_model_packed_bytes(model, SEQ_USE_TRAINING), 1, "test",
                 &error);
    assert_int_equal(error.status, SEQ_OK);
    seq_model_initialise(model, 3, out->parameters);
    out->weights = (seq_weights){out->parameters, out->matrices, SEQ_USE_TRAINING};
}

void model_case_close(model_case *test) {
    seq_workspace_destroy(test->workspace);
    seq_model_destroy(test->model);
    free(test->parameters);
    free(test->gradient);
    free(test->matrices);
}
