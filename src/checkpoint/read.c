// Reads checkpoints in order of trust: the manifest, then what it promises,
// then hashes, then vectors. Promises are checked against the sizes of files
// and the model's configuration before anything large is read. Invariant: no
// memory is taken for parameters that the shards cannot hold (64 of them a byte
// at most). Tests: tests/unit/checkpoint/test_checkpoint.c,
// tests/fault/damage.sh, tests/fault/hostile.sh.
#include "layout.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/base/signals.h>
#include <stdlib.h>
#include <string.h>

// A directory that is called after a step holds that one.
static seq_status check_step(const char *directory, const seq_manifest *manifest,
                             seq_error *error) {
    const char *slash = strrchr(directory, '/');
    int64_t named = seq_step_of_name(slash ? slash + 1 : directory), found;
    const seq_record *position = seq_manifest_section_find(manifest, "position");
    if (named < 0 || !seq_record_text(position, "step")) return SEQ_OK;
    seq_status status = seq_record_get_integer(position, "step", 0, INT64_MAX, &found, error);
    if (status) return seq_error_add_context(error, "reading %s/manifest.json", directory);
    return found == named ? SEQ_OK
                          : seq_error_set(error, SEQ_NO_CHECKPOINT,
                                          "reading %s/manifest.json: it is that of step %lld",
                                          directory, (long long)found);
}

seq_status seq_checkpoint_read_manifest(const char *directory, seq_manifest *out,
                                        seq_error *error) {
    seq_status status = seq_manifest_read(out, directory, "manifest.json", SEQ_CHECKPOINT_KIND,
                                          SEQ_CHECKPOINT_VERSION, SEQ_NO_CHECKPOINT, error);
    if (status) return status;
    status = check_step(directory, out, error);
    if (status) seq_manifest_clear(out);
    return status;
}

int seq_checkpoint_shards(const seq_manifest *manifest) {
    int64_t shards = 0;
    seq_error ignored = {0};
    seq_record_get_integer(seq_manifest_section_find(manifest, "state"), "shards", 1,
                           SEQ_MAX_SHARDS, &shards, &ignored);
    return ignored.status ? 0 : (int)shards;
}

// The manifest must list every shard, the views and the vocabulary: a file that is not listed would
// not be verified.
static seq_status check_files(const char *directory, const seq_manifest *manifest,
                              seq_error *error) {
    size_t shards = (size_t)seq_checkpoint_shards(manifest);
    bool complete = shards > 0 && manifest->file_count == shards + 2;
    for (size_t shard = 0; complete && shard < shards; shard++) {
        char name[32];
        seq_shard_name((int)shard, name);
        complete = strcmp(manifest->files[shard].name, name) == 0;
    }
    complete = complete && strcmp(manifest->files[shards].name, "model.h5") == 0 &&
               strcmp(manifest->files[shards + 1].name, "vocabulary.tsv") == 0;
    return complete
               ? SEQ_OK
               : seq_error_set(error, SEQ_NO_CHECKPOINT,
                               "verifying %s: its manifest does not list the files of a checkpoint",
                               directory);
}

seq_status seq_checkpoint_interrupted(const char *directory, seq_error *error) {
    return seq_error_set(error, SEQ_STOPPED,
                         "stopped by a signal while reading %s, nothing is lost; the same command "
                         "line continues",
                         directory);
}

// The number of parameters is the model's.
static seq_status check_model(const char *directory, const seq_manifest *manifest,
                              seq_error *error) {
    seq_model_config config;
    seq_compute compute;
    seq_model *model = NULL;
    seq_state state = {.vectors = {{"parameters", NULL, 0}}, .count = 1};
    seq_status status =
        seq_model_config_read(&config, seq_manifest_section_find(manifest, "model"), error);
    if (!status) status = seq_compute_find("portable", SEQ_FP32, NULL, &compute, error);
    if (!status) status = seq_model_create(&config, &compute, &model, error);
    if (status) return seq_error_add_context(error, "verifying %s", directory);
    state.vectors[0].count = seq_model_parameters(model)->size;
    seq_model_destroy(model);
    return seq_checkpoint_check_counts(directory, manifest, &state, error);
}

// Before memory or time is taken for what a manifest promises. The most compressible state that
// training writes, moments that are zero, is held back by the parameters, which are not.
static seq_status check_plausible(const char *directory, const seq_manifest *manifest,
                                  seq_error *error) {
    enum {
        OVERHEAD = 1 << 24, // bytes of a shard: chunks that are not full
        OTHERS = 1 << 30,   // bytes of a vocabulary or of the views, at most
        DENSITY = 64        // values in a byte
    };
    const seq_record *record = seq_manifest_section_find(manifest, "state");
    size_t shards = (size_t)seq_checkpoint_shards(manifest);
    int64_t parameters = 0;
    double total = 0, bytes = 0;
    seq_error reason = {0};
    seq_record_get_integer(record, "parameters", 1, INT64_MAX, &parameters, &reason);
    for (size_t i = 0; !reason.status && i < record->count; i++) {
        int64_t count = 0;
        seq_record_get_integer(record, record->entries[i].key, 0, INT64_MAX, &count, &reason);
        total += (double)count;
    }
    for (size_t shard = 0; shard < shards; shard++)
        bytes += (double)manifest->files[shard].digest.size;
    for (size_t file = shards; !reason.status && file < manifest->file_count; file++)
        if (manifest->files[file].digest.size > OTHERS)
            seq_error_set(&reason, SEQ_NO_CHECKPOINT, "%s is not worth its size of %.0f bytes",
                          manifest->files[file].name, (double)manifest->files[file].digest.size);
    if (reason.status)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "verifying %s: %s", directory, reason.text);
    if ((double)parameters > DENSITY * bytes)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "verifying %s: shards of %.0f bytes cannot hold %lld parameters",
                             directory, bytes, (long long)parameters);
    if (bytes > 2 * sizeof(float) * total + (double)shards * OVERHEAD)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "verifying %s: %.0f values are not worth shards of %.0f bytes",
                             directory, total, bytes);
    return SEQ_OK;
}

seq_status seq_checkpoint_check_promises(const char *directory, const seq_manifest *manifest,
                                         seq_error *error) {
    seq_status status = check_files(directory, manifest, error);
    if (!status) status = check_plausible(directory, manifest, error);
    return status ? status : check_model(directory, manifest, error);
}

seq_status seq_checkpoint_verify(const char *directory, const seq_manifest *manifest, int index,
                                 int of, seq_error *error) {
    seq_status status = seq_checkpoint_check_promises(directory, manifest, error);
    size_t shards = status ? 0 : (size_t)seq_checkpoint_shards(manifest);
    for (size_t file = 0; !status && file < manifest->file_count; file++)
        if (seq_signals_caught())
            status = seq_checkpoint_interrupted(directory, error);
        else if (file < shards ? file % (size_t)of == (size_t)index : index == 0)
            status = seq_manifest_verify_file(manifest, directory, file, SEQ_NO_CHECKPOINT, error);
    return status;
}

static seq_status read_slices(seq_vector_file *file, int shard, int shards, const seq_state *state,
                              seq_error *error) {
    for (int i = 0; i < state->count; i++) {
        const seq_state_vector *vector = &state->vectors[i];
        seq_shard_range range = seq_shard_of(vector->count, shard, shards);
        size_t length = 0;
        if (seq_vector_length(file, vector->name, SEQ_F32, &length, error)) return error->status;
        if (length != range.end - range.begin)
            return seq_error_set(error, SEQ_NO_CHECKPOINT,
                                 "shard %d: %s has %zu values, expected %zu", shard, vector->name,
                                 length, range.end - range.begin);
        if (seq_vector_read(file, vector->name, SEQ_F32, 0, length, vector->values + range.begin,
                            error))
            return error->status;
    }
    return SEQ_OK;
}

static seq_status read_shard(const char *directory, int shard, int shards, const seq_state *state,
                             seq_error *error) {
    char name[32], path[SEQ_PATH];
    seq_vector_file *file = NULL;
    seq_shard_name(shard, name);
    seq_status status = seq_path_join(path, directory, name, error);
    if (!status) status = seq_vector_file_open(path, &file, error);
    if (!status) status = read_slices(file, shard, shards, state, error);
    seq_vector_file_close(file, error);
    return status;
}

seq_status seq_checkpoint_check_counts(const char *directory, const seq_manifest *manifest,
                                       const seq_state *state, seq_error *error) {
    const seq_record *record = seq_manifest_section_find(manifest, "state");
    for (int i = 0; i < state->count; i++) {
        int64_t count = 0;
        seq_status status =
            seq_record_get_integer(record, state->vectors[i].name, 0, INT64_MAX, &count, error);
        if (status) return seq_error_add_context(error, "reading %s", directory);
        if ((size_t)count != state->vectors[i].count)
            return seq_error_set(error, SEQ_NO_CHECKPOINT,
                                 "reading %s: %s has %lld values, the model needs %zu", directory,
                                 state->vectors[i].name, (long long)count, state->vectors[i].count);
    }
    return SEQ_OK;
}

seq_status seq_checkpoint_read(const char *directory, const seq_manifest *manifest,
                               const seq_state *state, seq_error *error) {
    int shards = seq_checkpoint_shards(manifest);
    seq_error reason = {0};
    seq_checkpoint_check_counts(directory, manifest, state, &reason);
    for (int shard = 0; !reason.status && shard < shards; shard++) {
        if (seq_signals_caught())
            seq_checkpoint_interrupted(directory, &reason);
        else
            read_shard(directory, shard, shards, state, &reason);
    }
    if (!reason.status) return SEQ_OK;
    return seq_error_set(error, reason.status == SEQ_BAD_INPUT ? SEQ_NO_CHECKPOINT : reason.status,
                         "%s", reason.text);
}
