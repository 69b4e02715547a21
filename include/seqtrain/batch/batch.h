// A batch: columns of numbers on axes.
//
// An axis is the time steps of B sequences, packed without padding: longest
// sequence first, step by step. Step t holds the first rows_at[t] sequences, so
// a recurrent layer works on a prefix of rows. No layer sees padding or a mask.
// B streams of a window are the case rows_at[t] == B. One value a sequence is
// the case of one step. A sequence may have length 0; it has no row.
//
// Axes form a tree. axes[0] are the examples: one step, a row for each example,
// parent -1. Words are sequences of the examples' rows; letters are sequences
// of the rows of the words' axis. Plain data; who fills a batch owns its arrays.
#ifndef SEQTRAIN_BATCH_BATCH_H
#define SEQTRAIN_BATCH_BATCH_H

#include <seqtrain/base/memory.h>
#include <seqtrain/batch/coverage.h>

enum {
    SEQ_AXES = 6,
    SEQ_COLUMNS = 16,
    SEQ_NO_ID = -1, // as an input: the zero vector; as a target: not counted
};

// Legend: B sequences, T steps of the longest one, N rows.
typedef struct seq_axis {
    int sequences, steps;    // B, T
    size_t rows;             // N
    const int *rows_at;      // (T), never increasing
    const size_t *first_row; // (T + 1): the row of (t, b) is first_row[t] + b; first_row[T] = N
    const int32_t *reversed; // (N): the row of (length - 1 - t, b); its own inverse
    const int32_t *last_row; // (B): the row of a sequence's last step; -1 for length 0
    const int64_t *number;   // (B): global number of a sequence; keys its random numbers
    int parent;              // a smaller index; -1 for axes[0]
    const int32_t *of;       // (B): the row of the parent that a sequence belongs to
    const int32_t *at;       // (rows of the parent): its sequence; NULL where several share a row
    bool continues;          // states go on from the batch before (streams)
} seq_axis;

typedef struct seq_column {
    int axis;
    const int32_t *ids;  // (N), or NULL
    const float *values; // (N, width), or NULL
} seq_column;

typedef struct seq_batch {
    seq_axis axes[SEQ_AXES];
    int axis_count;
    seq_column columns[SEQ_COLUMNS]; // in the order of the task's fields
    int column_count;
    double divisor;    // of the loss: counted targets of the step over all replicas, at least 1
    uint32_t draw_key; // what a batch draws as a whole (words of a sampled output) is keyed by it
    seq_coverage read; // what was really put into the columns
} seq_batch;

// Upper bounds over all batches, each by itself: what memory is planned for.
typedef struct seq_axis_limit {
    int sequences, steps;
    size_t rows;
} seq_axis_limit;
typedef struct seq_limits {
    seq_axis_limit axes[SEQ_AXES];
    size_t pairs[SEQ_AXES][SEQ_AXES];        // of a batch: sum over examples of length x length
    size_t longest_pair[SEQ_AXES][SEQ_AXES]; // of one example
} seq_limits;
// Widens the limits to those of other batches, too.
void seq_limits_include(seq_limits *limits, const seq_limits *others);

// Arrays of an axis within its limit, from an arena that plans or serves.
typedef struct seq_axis_room {
    seq_axis_limit limit;
    size_t parent_rows;
    int *rows_at;
    size_t *first_row;
    int32_t *reversed, *last_row, *of, *at;
    int64_t *number;
} seq_axis_room;
void seq_axis_take(seq_axis_room *out, const seq_axis_limit *limit, size_t parent_rows,
                   seq_arena *arena);
// Makes an axis in the room from `lengths` (B), which never increase: its shape
// (B .. last_row). The room's number, of and at become the axis's; the caller
// fills them. parent is 0, continues false.
void seq_axis_shape(seq_axis *out, const seq_axis_room *room, int sequences,
                    const int32_t *lengths);

#endif
