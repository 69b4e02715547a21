// Writes a checkpoint with another number of shards. Each new shard is read
// from the ranges of the old ones; then come the side files and the manifest,
// in which the number of shards stands twice. In place, the new directory and
// the old one change names in one call (renameat2 with RENAME_EXCHANGE).
// Invariant: at every moment a whole checkpoint bears the name. Tests:
// tests/fault/reshard.sh, tests/fault/readers.sh.
#include "layout.h"
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/storage/folder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct resharding {
    const char *source, *target;
    seq_digest noted; // the source, as it was
    int old_shards, shards;
    seq_loaded loaded;
    seq_manifest description;
    seq_state state; // names and counts; names are the manifest's
    seq_pipeline pipeline;
    float *values; // of one shard: a block for each vector
    seq_digest *digests;
} resharding;

static seq_status take_state(resharding *work, seq_error *error) {
    seq_status status =
        seq_checkpoint_state(work->source, &work->loaded.manifest, &work->state, error);
    if (status) return status;
    if (work->state.count && strcmp(work->state.vectors[0].name, "parameters") == 0) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: its state does not begin with parameters",
                         work->source);
}

static seq_status take_pipeline(resharding *work, seq_error *error) {
    static const char *const names[] = {
        [SEQ_COMPRESS_ZSTD] = "zstd", [SEQ_COMPRESS_GZIP] = "gzip", [SEQ_COMPRESS_NONE] = "none"};
    const seq_record *options = seq_manifest_section_find(&work->loaded.manifest, "options");
    const char *name = seq_record_text(options, "compression");
    int64_t level = 1;
    size_t kind = 0;
    while (name && kind < 3 && strcmp(name, names[kind]) != 0)
        kind++;
    if (!name || kind == 3)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: its compression is not recorded",
                             work->source);
    seq_status status = seq_record_get_integer(options, "compression-level", 1, 19, &level, error);
    work->pipeline = (seq_pipeline){(seq_compression)kind, (int)level};
    if (kind == SEQ_COMPRESS_GZIP && level > 9) work->pipeline.level = 9;
    return status;
}

static seq_status copy_section(const seq_manifest_section *from, seq_manifest *to,
                               seq_error *error) {
    seq_record *record = seq_manifest_section_get(to, from->name);
    if (!record) return seq_error_set(error, SEQ_NO_MEMORY, "copying a manifest: out of memory");
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < from->record.count; i++)
        status = seq_record_set_text(record, from->record.entries[i].key,
                                     from->record.entries[i].text, error);
    return status;
}

static seq_status describe(resharding *work, seq_error *error) {
    const seq_manifest *manifest = &work->loaded.manifest;
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < manifest->section_count; i++)
        if (strcmp(manifest->sections[i].name, "state") != 0)
            status = copy_section(&manifest->sections[i], &work->description, error);
    seq_record *options = status ? NULL : seq_manifest_section_get(&work->description, "options");
    return options ? seq_record_set_integer(options, "shards", work->shards, error) : status;
}

static seq_status load(resharding *work, seq_error *error) {
    seq_loaded *loaded = &work->loaded;
    seq_compute compute;
    seq_checkpoint_note(work->source, &work->noted);
    seq_status status = seq_checkpoint_open(work->source, loaded, error);
    if (!status) status = seq_compute_find("auto", SEQ_FP32, NULL, &compute, error);
    if (!status) status = seq_checkpoint_build(loaded, &compute, error);
    if (!status) status = seq_checkpoint_verify(work->source, &loaded->manifest, 0, 1, error);
    if (!status) status = take_state(work, error);
    if (!status) status = take_pipeline(work, error);
    if (!status) status = describe(work, error);
    work->old_shards = seq_checkpoint_shards(&loaded->manifest);
    return status;
}

static seq_status take_memory(resharding *work, seq_error *error) {
    size_t most = 0;
    for (int i = 0; i < work->state.count; i++)
        most += work->state.vectors[i].count / (size_t)work->shards + 1;
    seq_status status = seq_allocate(&work->values, most, sizeof(float), "a shard", error);
    return status ? status
                  : seq_allocate(&work->digests, (size_t)work->shards, sizeof *work->digests,
                                 "the digests of a checkpoint", error);
}

// The part of [begin, end) of each vector that lies in one old shard. What is wrong in it is the
// checkpoint's fault.
static seq_status read_part(const resharding *work, int old, const seq_state *slices, int shard,
                            seq_error *error) {
    char name[32], path[SEQ_PATH];
    seq_vector_file *file = NULL;
    seq_error reason = {0}, ignored = {0};
    seq_shard_name(old, name);
    seq_status status = seq_path_join(path, work->source, name, &reason);
    for (int i = 0; !status && i < slices->count; i++) {
        size_t count = work->state.vectors[i].count;
        seq_vector_range wanted = seq_shard_of(count, shard, work->shards),
                         have = seq_shard_of(count, old, work->old_shards);
        size_t from = wanted.begin > have.begin ? wanted.begin : have.begin,
               to = wanted.end < have.end ? wanted.end : have.end;
        if (from >= to) continue;
        if (!file) status = seq_vector_file_open(path, &file, &reason);
        if (!status)
            status = seq_vector_read(file, slices->vectors[i].name, SEQ_F32, from - have.begin,
                                     to - from, slices->vectors[i].values + (from - wanted.begin),
                                     &reason);
    }
    seq_vector_file_close(file, &ignored);
    if (!status) return SEQ_OK;
    return seq_error_set(error, status == SEQ_BAD_INPUT ? SEQ_NO_CHECKPOINT : status, "%s",
                         reason.text);
}

static seq_status write_one(resharding *work, int shard, seq_error *error) {
    seq_state slices = work->state;
    float *values = work->values;
    for (int i = 0; i < slices.count; i++) {
        seq_vector_range range = seq_shard_of(slices.vectors[i].count, shard, work->shards);
        slices.vectors[i].values = values;
        slices.vectors[i].count = range.end - range.begin;
        values += slices.vectors[i].count;
    }
    seq_status status = SEQ_OK;
    for (int old = 0; !status && old < work->old_shards; old++)
        status = read_part(work, old, &slices, shard, error);
    return status ? status
                  : seq_checkpoint_write_shard(work->target, shard, &slices, work->pipeline,
                                               &work->digests[shard], error);
}

// The target is ours alone as long as the descriptor is open: made by us, or an empty folder (a
// mount point, say) that nobody else has locked. A folder that a killed job has left can be locked.
// -1: not on this file system.
static int take_directory(const char *path, bool *out_made, seq_error *error) {
    *out_made = mkdir(path, 0777) == 0;
    if (!*out_made && errno != EEXIST) {
        seq_error_set_errno(error, "creating directory %s", path);
        return -1;
    }
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        seq_error_set_errno(error, "opening %s", path);
        return -1;
    }
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
    if (errno == EWOULDBLOCK)
        seq_error_set(error, SEQ_BAD_USAGE, "%s: another seqinfo writes a checkpoint there", path);
    close(descriptor);
    return -1;
}

// What was written into the target before it failed; a folder that was there before stays.
static void clear_directory(const char *path, bool made) {
    char **names = NULL, file[SEQ_PATH];
    size_t count = 0;
    seq_error ignored = {0};
    if (made) {
        seq_directory_remove(path, &ignored);
        return;
    }
    if (seq_directory_list(path, &names, &count, &ignored)) return;
    for (size_t i = 0; i < count; i++)
        if (!seq_path_join(file, path, names[i], &ignored)) unlink(file);
    seq_names_free(names, count);
}

// Absolute, without links: not there or an empty folder, outside of what is replaced as a whole.
static seq_status find_target(const char *given, char out[SEQ_PATH], seq_error *error) {
    char above[SEQ_PATH];
    seq_folder kind = SEQ_FOLDER_OTHER;
    if (seq_folder_resolve(given, "--output", out, error)) return error->status;
    if ((!seq_path_exists(out) || seq_path_is_directory(out)) && seq_folder_look(out, &kind, error))
        return error->status;
    if (kind != SEQ_FOLDER_ABSENT && kind != SEQ_FOLDER_EMPTY)
        return seq_error_set(error, SEQ_BAD_USAGE, "--output %s: exists already%s%s", given,
                             kind == SEQ_FOLDER_OTHER ? "" : ": it is ",
                             kind == SEQ_FOLDER_OTHER ? "" : seq_folder_name(kind));
    if (seq_folder_check_above(out, "--output", given, true, error)) return error->status;
    seq_path_split(out, above);
    return seq_directory_create(above, error);
}

// A directory that is called after another step would be taken for a damaged checkpoint of it.
static seq_status check_name(const resharding *work, seq_error *error) {
    const char *slash = strrchr(work->target, '/');
    int64_t named = seq_step_of_name(slash ? slash + 1 : work->target), step = 0;
    seq_status status =
        seq_record_get_integer(seq_manifest_section_find(&work->loaded.manifest, "position"),
                               "step", 0, INT64_MAX, &step, error);
    if (status || named < 0 || named == step) return status;
    return seq_error_set(error, SEQ_BAD_USAGE, "--output %s: this is the checkpoint of step %lld",
                         work->target, (long long)step);
}

static seq_status write_target(resharding *work, seq_error *error) {
    bool made;
    seq_status status = take_memory(work, error);
    if (status) return status;
    int descriptor = take_directory(work->target, &made, error);
    if (error->status) return error->status;
    for (int shard = 0; !status && shard < work->shards; shard++)
        status = seq_signals_caught() ? seq_checkpoint_interrupted(work->source, error)
                                      : write_one(work, shard, error);
    if (!status && seq_checkpoint_presence(work->source, &work->noted) != SEQ_PRESENT)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT, "%s has changed meanwhile", work->source);
    if (!status)
        status = seq_checkpoint_commit(work->target, work->shards, work->digests, &work->state,
                                       seq_model_parameters(work->loaded.model),
                                       (const seq_vocabulary *const *)work->loaded.vocabularies,
                                       &work->description, error);
    if (status) clear_directory(work->target, made);
    if (descriptor >= 0) close(descriptor);
    return status;
}

static void release(resharding *work) {
    seq_loaded_clear(&work->loaded);
    seq_manifest_clear(&work->description);
    free(work->values);
    free(work->digests);
}

// At no time is there no checkpoint of this name.
static seq_status exchange(const char *source, const char *target, seq_error *error) {
    char parent[SEQ_PATH];
    seq_error ignored = {0};
    if (!seq_path_exchange(target, source)) {
        bool able = errno != EINVAL && errno != ENOSYS;
        seq_error_set_errno(error, "exchanging %s and %s%s", target, source,
                            able ? "" : " (this file system cannot; use --output)");
        seq_directory_remove(target, &ignored);
        return error->status;
    }
    seq_path_split(source, parent);
    seq_status status = seq_directory_sync(parent, error);
    return status ? status : seq_directory_remove(target, error); // now the old one
}

seq_status seq_checkpoint_reshard(const char *source, int shards, const char *output,
                                  seq_error *error) {
    char target[SEQ_PATH];
    resharding work = {.source = source, .target = target, .shards = shards};
    if (snprintf(target, sizeof target, "%s.reshard", source) >= SEQ_PATH)
        return seq_error_set(error, SEQ_BAD_INPUT, "%.80s...: path too long", source);
    seq_status status = output ? find_target(output, target, error) : SEQ_OK;
    if (!status) status = load(&work, error);
    if (!status && output) status = check_name(&work, error);
    // Left by a command that was killed; the source, which is whole, is all that is needed.
    if (!status && !output && seq_path_exists(target)) status = seq_directory_remove(target, error);
    if (!status) status = write_target(&work, error);
    release(&work);
    return status || output ? status : exchange(source, target, error);
}
