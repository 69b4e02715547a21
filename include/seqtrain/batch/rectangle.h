// A batch of streams: B sequences of T steps each, as language models read them.
// Axis 0 holds the B streams, axis 1 their T steps; column 0 the targets and
// column 1 the inputs, ids at (t, b) in t B + b.
#ifndef SEQTRAIN_BATCH_RECTANGLE_H
#define SEQTRAIN_BATCH_RECTANGLE_H

#include <seqtrain/batch/batch.h>

typedef struct seq_rectangle {
    seq_batch batch;
    int32_t *targets, *inputs; // (T, B), the caller's to fill: its columns
    seq_axis_room rooms[2];
    int32_t *lengths; // (B), scratch
    seq_arena arena;
} seq_rectangle;

// Memory for up to `sequences` x `steps`; seq_rectangle_shape comes first.
seq_status seq_rectangle_create(int sequences, int steps, seq_rectangle *out, seq_error *error);
void seq_rectangle_clear(seq_rectangle *rectangle);
size_t seq_rectangle_bytes(const seq_rectangle *rectangle);
// B, T, and the global number of stream 0, which is the draw key, too.
void seq_rectangle_shape(seq_rectangle *rectangle, int sequences, int steps, int64_t first_number);
seq_limits seq_rectangle_limits(int sequences, int steps);

#endif
