// Copies this rank's part of the training state, so that training goes on while
// it is written. The copy goes past the caches (movntps on x86). Invariant:
// slices begin on cache lines, and only whole shards are a rank's, so the bytes
// are those of a checkpoint without a copy. Test:
// tests/fault/background_save.sh.
#include "snapshot.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LINE = SEQ_ALIGNMENT / sizeof(float) };

static size_t whole_lines(size_t count) {
    return (count + LINE - 1) / LINE * LINE;
}

static size_t slice_floats(const seq_state *slices) {
    size_t floats = 0;
    for (int i = 0; i < slices->count; i++)
        floats += whole_lines(slices->vectors[i].count);
    return floats;
}

seq_status seq_snapshot_create(seq_snapshot *snapshot, const seq_state *state, int shards,
                               int first, int stride, bool copied, seq_error *error) {
    *snapshot = (seq_snapshot){
        .shards = shards,
        .first = first,
        .stride = stride,
        .count = first < shards ? (shards - first + stride - 1) / stride : 0,
        .whole = *state,
    };
    for (int i = 0; i < snapshot->count; i++) {
        seq_state slices;
        seq_checkpoint_slice(state, first + i * stride, shards, &slices);
        snapshot->floats += slice_floats(&slices);
    }
    seq_status status = seq_allocate(&snapshot->slices, (size_t)snapshot->count,
                                     sizeof *snapshot->slices, "the slices of a snapshot", error);
    if (!copied) snapshot->floats = 0;
    if (!status && copied)
        status = seq_allocate(&snapshot->memory, snapshot->floats, sizeof(float),
                              "the snapshot of a checkpoint (--no-checkpoint-background does "
                              "without)",
                              error);
    return status;
}

void seq_snapshot_clear(seq_snapshot *snapshot) {
    free(snapshot->slices);
    free(snapshot->memory);
    *snapshot = (seq_snapshot){0};
}

// Past the caches: the copy is not read soon, and lines that need not be fetched before they are
// overwritten save a third of the traffic. `to` is aligned to a line.
static void copy(float *to, const float *from, size_t count) {
    size_t done = 0;
#ifdef __SSE2__
    for (; done + LINE <= count; done += LINE) {
        __m128 a = _mm_loadu_ps(from + done), b = _mm_loadu_ps(from + done + 4),
               c = _mm_loadu_ps(from + done + 8), d = _mm_loadu_ps(from + done + 12);
        _mm_stream_ps(to + done, a);
        _mm_stream_ps(to + done + 4, b);
        _mm_stream_ps(to + done + 8, c);
        _mm_stream_ps(to + done + 12, d);
    }
    _mm_sfence();
#endif
    memcpy(to + done, from + done, (count - done) * sizeof *to);
}

static float *copy_slices(seq_state *slices, float *memory) {
    for (int i = 0; i < slices->count; i++) {
        seq_state_vector *slice = &slices->vectors[i];
        copy(memory, slice->values, slice->count);
        slice->values = memory;
        memory += whole_lines(slice->count);
    }
    return memory;
}

void seq_snapshot_take(seq_snapshot *snapshot, const seq_state *state) {
    float *memory = snapshot->memory;
    for (int i = 0; i < snapshot->count; i++) {
        int shard = snapshot->first + i * snapshot->stride;
        seq_checkpoint_slice(state, shard, snapshot->shards, &snapshot->slices[i]);
        if (memory) memory = copy_slices(&snapshot->slices[i], memory);
    }
}
