// Decodes the vectors of a checkpoint, each reader its range of each of them,
// and checks on the way what hashes cannot tell: an attacker's hashes fit, and
// so do those of a faulty program. Lengths must be those of the manifest; each
// piece of 65536 values is searched for NaN and infinity while it is in the
// cache. Invariant: memory does not grow with a vector that is not kept. Tests:
// tests/fault/loaded_numbers.sh, tests/fault/hostile.sh.
#include "layout.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/signals.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 }; // values decoded at once

typedef struct reading {
    const char *directory;
    const seq_state *into;
    int shards, index, of;
    float *piece; // in place of values that are not kept
} reading;

seq_vector_range seq_checkpoint_range(size_t count, int index, int of) {
    size_t each = count / (size_t)of, first = count - each * (size_t)(of - 1);
    return index == 0 ? (seq_vector_range){0, first}
                      : (seq_vector_range){first + each * (size_t)(index - 1),
                                           first + each * (size_t)index};
}

// The first NaN or infinity. Most pieces have none, which whole vectors of integers can tell.
static size_t first_unusual(const float *values, size_t count) {
    const uint32_t exponent = 0x7f800000;
    uint32_t unusual = 0, bits;
    for (size_t i = 0; i < count; i++) {
        memcpy(&bits, values + i, sizeof bits);
        unusual |= (bits & exponent) == exponent;
    }
    size_t at = unusual ? 0 : count;
    while (at < count && isfinite(values[at]))
        at++;
    return at;
}

// The part of a shard's slice that is this reader's; empty where begin == end.
static seq_vector_range find_part(const reading *work, int shard, size_t count) {
    seq_vector_range slice = seq_shard_of(count, shard, work->shards),
                     own = seq_checkpoint_range(count, work->index, work->of);
    size_t begin = slice.begin > own.begin ? slice.begin : own.begin,
           end = slice.end < own.end ? slice.end : own.end;
    return (seq_vector_range){begin, end > begin ? end : begin};
}

static seq_status read_part(const reading *work, int shard, seq_vector_file *file,
                            const seq_state_vector *vector, seq_error *error) {
    seq_vector_range slice = seq_shard_of(vector->count, shard, work->shards),
                     part = find_part(work, shard, vector->count);
    size_t own = seq_checkpoint_range(vector->count, work->index, work->of).begin, length = 0;
    seq_status status = seq_vector_length(file, vector->name, SEQ_F32, &length, error);
    if (!status && length != slice.end - slice.begin)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT, "%s has %zu values, expected %zu",
                               vector->name, length, slice.end - slice.begin);
    for (size_t at = part.begin; !status && at < part.end; at += PIECE) {
        size_t some = part.end - at < PIECE ? part.end - at : PIECE;
        float *values = vector->values ? vector->values + (at - own) : work->piece;
        status =
            seq_vector_read(file, vector->name, SEQ_F32, at - slice.begin, some, values, error);
        size_t unusual = status ? some : first_unusual(values, some);
        if (unusual < some)
            status = seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: value %zu is %g", vector->name,
                                   at - slice.begin + unusual, (double)values[unusual]);
    }
    return status;
}

// Each shard has a reader that looks at all its lengths, also of vectors that are empty there.
static bool has_part(const reading *work, int shard) {
    bool has = shard % work->of == work->index;
    for (int i = 0; !has && i < work->into->count; i++) {
        seq_vector_range part = find_part(work, shard, work->into->vectors[i].count);
        has = part.begin < part.end;
    }
    return has;
}

static seq_status read_shard(const reading *work, int shard, seq_error *error) {
    char name[32], path[SEQ_PATH];
    seq_vector_file *file = NULL;
    seq_error ignored = {0};
    if (seq_signals_caught()) return seq_checkpoint_interrupted(work->directory, error);
    seq_shard_name(shard, name);
    seq_status status = seq_path_join(path, work->directory, name, error);
    if (!status) status = seq_vector_file_open(path, &file, error);
    for (int i = 0; !status && i < work->into->count; i++)
        status = read_part(work, shard, file, &work->into->vectors[i], error);
    seq_vector_file_close(file, &ignored);
    return status ? seq_error_add_context(error, "%s", name) : SEQ_OK;
}

seq_status seq_checkpoint_read(const char *directory, const seq_manifest *manifest,
                               const seq_state *into, int index, int of, seq_error *error) {
    reading work = {directory, into, seq_checkpoint_shards(manifest), index, of, NULL};
    seq_error reason = {0};
    seq_status status = seq_checkpoint_check_counts(directory, manifest, into, error);
    if (!status)
        status = seq_allocate(&work.piece, PIECE, sizeof *work.piece, "a piece of a vector", error);
    if (status) return status;
    for (int shard = 0; !reason.status && shard < work.shards; shard++)
        if (has_part(&work, shard)) read_shard(&work, shard, &reason);
    free(work.piece);
    if (!reason.status) return SEQ_OK;
    if (reason.status == SEQ_STOPPED) return seq_error_set(error, SEQ_STOPPED, "%s", reason.text);
    return seq_error_set(error, reason.status == SEQ_BAD_INPUT ? SEQ_NO_CHECKPOINT : reason.status,
                         "verifying %s: %s", directory, reason.text);
}
