// Checks what the files of a checkpoint hold, beyond their hashes: an
// attacker's hashes fit, and so do those of a faulty program. Vectors must have
// the manifest's lengths, and are searched for NaN and infinity in pieces of
// 65536 values. Invariant: memory does not grow with the checkpoint. Tests:
// tests/fault/loaded_numbers.sh, tests/fault/hostile.sh.
#include "layout.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/signals.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 16 }; // values read at once

static size_t first_unusual(const float *values, size_t count) {
    size_t at = 0;
    while (at < count && isfinite(values[at]))
        at++;
    return at;
}

seq_status seq_checkpoint_check_finite(const seq_parameter_table *table, const float *parameters,
                                       seq_error *error) {
    for (int row = 0; row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        const float *values = parameters + parameter->offset;
        size_t size = seq_parameter_size(parameter), at = first_unusual(values, size);
        if (at < size)
            return seq_error_set(error, SEQ_NO_CHECKPOINT,
                                 "parameter %s is %g at value %zu of %zu: not a usable model",
                                 parameter->name, (double)values[at], at, size);
    }
    return SEQ_OK;
}

static seq_status read_vector(seq_vector_file *file, const char *name, size_t expected,
                              float *piece, seq_error *error) {
    size_t length = 0;
    seq_status status = seq_vector_length(file, name, SEQ_F32, &length, error);
    if (!status && length != expected)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT, "%s has %zu values, expected %zu", name,
                               length, expected);
    for (size_t at = 0; !status && at < length; at += PIECE) {
        size_t some = length - at < PIECE ? length - at : PIECE;
        status = seq_vector_read(file, name, SEQ_F32, at, some, piece, error);
        size_t unusual = status ? some : first_unusual(piece, some);
        if (unusual < some)
            status = seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: value %zu is %g", name,
                                   at + unusual, (double)piece[unusual]);
    }
    return status;
}

static seq_status check_shard(const char *path, const seq_record *state, int shard, int shards,
                              float *piece, seq_error *error) {
    seq_vector_file *file = NULL;
    seq_error ignored = {0};
    seq_status status = seq_vector_file_open(path, &file, error);
    for (size_t i = 0; !status && i < state->count; i++) {
        const char *name = state->entries[i].key;
        int64_t count;
        if (strcmp(name, "shards") == 0) continue;
        status = seq_record_get_integer(state, name, 0, INT64_MAX, &count, error);
        if (status) break;
        seq_shard_range range = seq_shard_of((size_t)count, shard, shards);
        status = read_vector(file, name, range.end - range.begin, piece, error);
    }
    seq_vector_file_close(file, &ignored);
    return status;
}

static seq_status check_vocabulary(const char *directory, const seq_manifest *manifest,
                                   seq_error *error) {
    char path[SEQ_PATH];
    seq_vocabulary *vocabulary = NULL;
    seq_model_config config;
    seq_status status =
        seq_model_config_read(&config, seq_manifest_section_find(manifest, "model"), error);
    if (!status) status = seq_path_join(path, directory, "vocabulary.tsv", error);
    if (!status) status = seq_vocabulary_read(path, SEQ_NO_CHECKPOINT, &vocabulary, error);
    if (!status && seq_vocabulary_size(vocabulary) != config.vocabulary)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: %d tokens, the model has %d", path,
                               seq_vocabulary_size(vocabulary), config.vocabulary);
    seq_vocabulary_destroy(vocabulary);
    return status;
}

static seq_status check_one(const char *directory, const seq_manifest *manifest, int shard,
                            float *piece, seq_error *error) {
    char name[32], path[SEQ_PATH];
    seq_shard_name(shard, name);
    if (seq_signals_caught()) return seq_checkpoint_interrupted(directory, error);
    seq_status status = seq_path_join(path, directory, name, error);
    if (!status)
        status = check_shard(path, seq_manifest_section_find(manifest, "state"), shard,
                             seq_checkpoint_shards(manifest), piece, error);
    return status ? seq_error_add_context(error, "%s", name) : SEQ_OK;
}

seq_status seq_checkpoint_check_content(const char *directory, const seq_manifest *manifest,
                                        int index, int of, seq_error *error) {
    int shards = seq_checkpoint_shards(manifest);
    float *piece = NULL;
    seq_error reason = {0};
    seq_status status = seq_allocate(&piece, PIECE, sizeof *piece, "a piece of a vector", error);
    if (status) return status;
    if (index == 0) check_vocabulary(directory, manifest, &reason);
    for (int shard = index; !reason.status && shard < shards; shard += of)
        check_one(directory, manifest, shard, piece, &reason);
    free(piece);
    if (!reason.status) return SEQ_OK;
    if (reason.status == SEQ_STOPPED) return seq_error_set(error, SEQ_STOPPED, "%s", reason.text);
    return seq_error_set(error, reason.status == SEQ_BAD_INPUT ? SEQ_NO_CHECKPOINT : reason.status,
                         "verifying %s: %s", directory, reason.text);
}
