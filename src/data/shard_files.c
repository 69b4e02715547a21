// Opens shards and holds them to the manifest. A shard is hashed when it is
// opened first, and again whenever the file behind its name has changed since,
// so no token comes from another data set that has taken this one's place. The
// shards used last stay open. Tests: tests/unit/data/test_dataset.c,
// tests/fault/names.sh.
#include "shard_files.h"
#include "dataset_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Tells a file from another one, or from what it was before it was written to.
struct seq_file_state {
    uint64_t device, node, size;
    struct timespec modified, changed;
};

seq_status seq_shard_files_begin(seq_shard_files *files, const char *path, const char *hash,
                                 const seq_manifest *manifest, seq_error *error) {
    files->path = path;
    files->hash = hash;
    files->manifest = manifest;
    return seq_allocate(&files->verified, manifest->file_count, sizeof *files->verified,
                        "the files of a data set", error);
}

void seq_shard_files_end(seq_shard_files *files) {
    seq_error ignored = {0};
    for (int i = 0; i < SEQ_OPEN_SHARDS; i++)
        seq_vector_file_close(files->open[i].file, &ignored);
    free(files->verified);
}

seq_status seq_shard_files_find(const seq_shard_files *files, const char *name, size_t *out_index,
                                seq_error *error) {
    size_t index = 0;
    while (index < files->manifest->file_count &&
           strcmp(files->manifest->files[index].name, name) != 0)
        index++;
    *out_index = index;
    return index < files->manifest->file_count
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT, "data set %s: its manifest lists no %s",
                               files->path, name);
}

// False: the file cannot be looked at.
static bool look_at(const char *path, seq_file_state *out) {
    struct stat found;
    if (stat(path, &found)) return false;
    memset(out, 0, sizeof *out); // to be compared as bytes
    out->device = (uint64_t)found.st_dev;
    out->node = (uint64_t)found.st_ino;
    out->size = (uint64_t)found.st_size;
    out->modified = found.st_mtim;
    out->changed = found.st_ctim;
    return true;
}

static bool is_same(const seq_file_state *a, const seq_file_state *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

// The shard is not what the manifest said: damaged, or part of another data set that has taken the
// place of this one. Or memory was short, which says nothing about the data set.
static seq_status blame(const seq_shard_files *files, const char *path, const seq_error *reason,
                        seq_error *error) {
    char manifest[SEQ_PATH], now[33] = "none";
    seq_digest digest;
    seq_error unread = {0};
    if (!seq_path_join(manifest, files->path, "dataset.json", &unread) &&
        !seq_digest_file(manifest, &digest, &unread))
        seq_digest_text(&digest, now);
    bool starved = reason->status == SEQ_NO_MEMORY || unread.status == SEQ_NO_MEMORY;
    if (starved || strcmp(now, files->hash) == 0)
        return seq_error_set(error, reason->status, "data set %s: %s", files->path, reason->text);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading %s: the data set %s was replaced or removed while it was read "
                         "(hash %s at the start, %s now): bring the old one back, or begin another "
                         "run on the new one",
                         path, files->path, files->hash, now);
}

// Hashes and opens one and the same file: its state is looked at before and after.
static seq_status open_verified(seq_shard_files *files, size_t index, const char *path,
                                seq_vector_file **out, seq_error *reason) {
    enum { TRIES = 3 };
    seq_file_state before, after;
    for (int attempt = 0; attempt < TRIES; attempt++) {
        seq_vector_file_close(*out, reason);
        *out = NULL;
        if (!look_at(path, &before)) return seq_error_set_errno(reason, "opening %s", path);
        if (!is_same(&before, &files->verified[index]) &&
            seq_manifest_verify_file(files->manifest, files->path, index, SEQ_BAD_INPUT, reason))
            return reason->status;
        if (seq_vector_file_open(path, out, reason)) return reason->status;
        if (look_at(path, &after) && is_same(&before, &after)) {
            files->verified[index] = before;
            return SEQ_OK;
        }
    }
    return seq_error_set(reason, SEQ_BAD_INPUT, "reading %s: it is being written to", path);
}

// The slot of the shard, or the one to give it.
static seq_open_shard *choose_slot(seq_shard_files *files, seq_split split, int64_t shard) {
    seq_open_shard *oldest = files->open;
    for (int i = 0; i < SEQ_OPEN_SHARDS; i++) {
        seq_open_shard *slot = &files->open[i];
        if (slot->file && slot->split == split && slot->shard == shard) return slot;
        if (slot->used < oldest->used) oldest = slot;
    }
    return oldest;
}

// A shard that stays open is as it was, even when its name has gone; what has taken the name since
// must be the same.
seq_status seq_shard_files_open(seq_shard_files *files, seq_split split, int64_t shard,
                                seq_vector_file **out, seq_error *error) {
    char name[32], path[SEQ_PATH];
    size_t index;
    seq_file_state now;
    seq_error reason = {0};
    seq_open_shard *slot = choose_slot(files, split, shard);
    bool is_open = slot->file && slot->split == split && slot->shard == shard;
    seq_shard_file_name(split, shard, name);
    if (seq_path_join(path, files->path, name, error) ||
        seq_shard_files_find(files, name, &index, error))
        return error->status;
    slot->used = ++files->openings;
    if (!is_open || (look_at(path, &now) && !is_same(&now, &files->verified[index]))) {
        slot->split = split;
        slot->shard = shard;
        if (open_verified(files, index, path, &slot->file, &reason))
            return blame(files, path, &reason, error);
    }
    *out = slot->file;
    return SEQ_OK;
}
