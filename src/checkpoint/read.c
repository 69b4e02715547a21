#include "layout.h"
#include <seqtrain/base/memory.h>
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

seq_status seq_checkpoint_verify(const char *directory, const seq_manifest *manifest, int index,
                                 int of, seq_error *error) {
    seq_status status = check_files(directory, manifest, error);
    size_t shards = status ? 0 : (size_t)seq_checkpoint_shards(manifest);
    for (size_t file = 0; !status && file < manifest->file_count; file++)
        if (file < shards ? file % (size_t)of == (size_t)index : index == 0)
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

static seq_status check_counts(const char *directory, const seq_manifest *manifest,
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
    check_counts(directory, manifest, state, &reason);
    for (int shard = 0; !reason.status && shard < shards; shard++)
        read_shard(directory, shard, shards, state, &reason);
    if (!reason.status) return SEQ_OK;
    return seq_error_set(error, reason.status == SEQ_BAD_INPUT ? SEQ_NO_CHECKPOINT : reason.status,
                         "%s", reason.text);
}
