// Packs streams of equal length: row (t, b) is t B + b. Invariant: a rectangle
// continues the one before it, so states go on. Test:
// tests/unit/batch/test_axis.c.
#include <seqtrain/batch/rectangle.h>

static void take(seq_rectangle *rectangle, const seq_limits *limits) {
    seq_arena *arena = &rectangle->arena;
    size_t sequences = (size_t)limits->axes[1].sequences, rows = limits->axes[1].rows;
    seq_axis_take(&rectangle->rooms[0], &limits->axes[0], 0, arena);
    seq_axis_take(&rectangle->rooms[1], &limits->axes[1], sequences, arena);
    rectangle->lengths = seq_arena_take(arena, sequences, sizeof(int32_t));
    rectangle->targets = seq_arena_take(arena, rows, sizeof(int32_t));
    rectangle->inputs = seq_arena_take(arena, rows, sizeof(int32_t));
}

seq_limits seq_rectangle_limits(int sequences, int steps) {
    return (seq_limits){
        .axes = {{sequences, 1, (size_t)sequences},
                 {sequences, steps, (size_t)sequences * (size_t)steps}},
    };
}

seq_status seq_rectangle_create(int sequences, int steps, seq_rectangle *out, seq_error *error) {
    seq_limits limits = seq_rectangle_limits(sequences, steps);
    *out = (seq_rectangle){0};
    take(out, &limits);
    seq_status status = seq_arena_commit(&out->arena, "a batch of streams", error);
    if (!status) take(out, &limits);
    return status;
}

void seq_rectangle_clear(seq_rectangle *rectangle) {
    seq_arena_clear(&rectangle->arena);
}

size_t seq_rectangle_bytes(const seq_rectangle *rectangle) {
    return rectangle->arena.size;
}

void seq_rectangle_shape(seq_rectangle *rectangle, int sequences, int steps, int64_t first_number) {
    seq_batch *batch = &rectangle->batch;
    *batch = (seq_batch){.axis_count = 2, .column_count = 2, .draw_key = (uint32_t)first_number};
    for (int axis = 0; axis < 2; axis++) {
        const seq_axis_room *room = &rectangle->rooms[axis];
        for (int b = 0; b < sequences; b++)
            rectangle->lengths[b] = axis ? steps : 1;
        seq_axis_shape(&batch->axes[axis], room, sequences, rectangle->lengths);
        batch->axes[axis].parent = axis - 1;
        batch->axes[axis].continues = true;
        for (int b = 0; b < sequences; b++) {
            room->number[b] = first_number + b;
            room->of[b] = b;
            if (axis) room->at[b] = b;
        }
    }
    batch->columns[0] = (seq_column){.axis = 1, .ids = rectangle->targets};
    batch->columns[1] = (seq_column){.axis = 1, .ids = rectangle->inputs};
}
