// What one rank writes of a checkpoint: the slices of the state's vectors that its shards hold,
// copied to memory of their own, or where they are.
#ifndef SEQ_TRAIN_SNAPSHOT_H
#define SEQ_TRAIN_SNAPSHOT_H

#include <seqtrain/checkpoint/checkpoint.h>
#include <stdbool.h>

typedef struct seq_snapshot {
    int shards;        // of the checkpoint
    int first, stride; // this rank's are first, first + stride ...: `count` of them
    int count;
    seq_state *slices; // (count), filled by seq_snapshot_take
    seq_state whole;   // names and counts of the whole state
    float *memory;     // NULL: the slices stay where they are
    size_t floats;     // of the memory
} seq_snapshot;

// Plans for states of the shape of `state`. `copied` allocates the memory and touches every page.
seq_status seq_snapshot_create(seq_snapshot *snapshot, const seq_state *state, int shards,
                               int first, int stride, bool copied, seq_error *error);
void seq_snapshot_clear(seq_snapshot *snapshot);
void seq_snapshot_take(seq_snapshot *snapshot, const seq_state *state);

#endif
