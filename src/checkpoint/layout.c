// Names in a run directory, and the lists of its checkpoints. A checkpoint counts once it has a
// manifest. A run may add and remove checkpoints while a reader lists them: an empty list is
// believed only when two looks have seen the same directories. Tests:
// tests/unit/checkpoint/test_checkpoint.c, tests/fault/readers.sh.
#include "layout.h"
#include <errno.h>
#include <seqtrain/base/fault.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void seq_shard_name(int shard, char out[32]) {
    snprintf(out, 32, "shard-%04d.h5", shard);
}

void seq_size_key(const seq_schema *schema, int index, char out[SEQ_SIZE_KEY]) {
    snprintf(out, SEQ_SIZE_KEY, "vocabulary.%s.size", schema->vocabularies[index]);
}

// floor(count * shard / shards), without the product's overflow.
static size_t border(size_t count, size_t shard, size_t shards) {
    return count / shards * shard + count % shards * shard / shards;
}

seq_vector_range seq_shard_of(size_t count, int shard, int shards) {
    return (seq_vector_range){border(count, (size_t)shard, (size_t)shards),
                              border(count, (size_t)shard + 1, (size_t)shards)};
}

seq_status seq_checkpoint_directory(const char *run, int64_t step, char out[SEQ_PATH],
                                    seq_error *error) {
    char name[64];
    snprintf(name, sizeof name, "checkpoints/step-%09lld", (long long)step);
    return seq_path_join(out, run, name, error);
}

static void name_step(int64_t step, char out[32]) {
    snprintf(out, 32, "step-%09lld", (long long)step);
}

// Only what name_step makes: a name with more zeros would stand for a directory that is not there.
int64_t seq_step_of_name(const char *name) {
    char canonical[32];
    if (strncmp(name, "step-", 5) != 0 || strlen(name) < 14 || strlen(name) > 23 ||
        strspn(name + 5, "0123456789") != strlen(name + 5))
        return -1;
    int64_t step = strtoll(name + 5, NULL, 10);
    name_step(step, canonical);
    return strcmp(name, canonical) == 0 ? step : -1;
}

static int newest_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (y > x) - (y < x);
}

// What is no directory is none of ours, whatever its name. Whether one that may not be read has a
// manifest cannot be known.
static seq_status judge_name(const char *checkpoints, const char *name, bool committed,
                             bool *out_listed, seq_error *error) {
    char directory[SEQ_PATH], manifest[SEQ_PATH];
    *out_listed = false;
    if (seq_path_join(directory, checkpoints, name, error) ||
        seq_path_join(manifest, directory, "manifest.json", error))
        return error->status;
    if (!seq_path_is_directory(directory)) return SEQ_OK;
    if (seq_path_is_forbidden(directory)) {
        errno = EACCES;
        return seq_error_set_errno(error, "reading directory %s", directory);
    }
    *out_listed = seq_path_exists(manifest) == committed;
    return SEQ_OK;
}

// No such folder is none at all; a link that leads nowhere, or one that may not be read, is another
// matter.
static seq_status check_folder(const char *checkpoints, bool *out_there, seq_error *error) {
    seq_error reason = {0};
    *out_there = !seq_path_check(checkpoints, &reason);
    if (*out_there) return SEQ_OK;
    if (seq_path_is_forbidden(checkpoints))
        return seq_error_set(error, SEQ_BAD_INPUT, "reading directory %s", reason.text);
    if (!seq_path_exists(checkpoints)) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_CHECKPOINT, "reading directory %s: is a disk not mounted?",
                         reason.text);
}

// Also a digest of all the steps whose directories were seen, committed or not.
static seq_status list_once(const char *checkpoints, bool committed, int64_t **out_steps,
                            size_t *out_count, uint64_t *out_seen, seq_error *error) {
    char **names = NULL;
    size_t count = 0, found = 0;
    seq_status status = seq_directory_list(checkpoints, &names, &count, error);
    int64_t *steps = status ? NULL : malloc((count + 1) * sizeof *steps);
    if (!status && !steps)
        status = seq_error_set(error, SEQ_NO_MEMORY, "listing %s: out of memory", checkpoints);
    *out_seen = 0;
    seq_fault_point("reader.names");
    for (size_t i = 0; !status && i < count; i++) {
        bool listed;
        int64_t step = seq_step_of_name(names[i]);
        if (step < 0) continue;
        *out_seen = *out_seen * 1000003 + (uint64_t)step + 1;
        status = judge_name(checkpoints, names[i], committed, &listed, error);
        if (!status && listed) steps[found++] = step;
    }
    seq_names_free(names, count);
    if (status) {
        free(steps);
        return status;
    }
    *out_steps = steps;
    *out_count = found;
    return SEQ_OK;
}

// A run removes a checkpoint only when a newer one is there. So when nothing is committed and the
// directories have changed since they were looked at before, the newer one may have come meanwhile.
static seq_status list_steps(const char *run, bool committed, int64_t **out_steps,
                             size_t *out_count, seq_error *error) {
    char checkpoints[SEQ_PATH];
    uint64_t seen = 0, before;
    *out_steps = NULL;
    *out_count = 0;
    seq_status status = seq_path_join(checkpoints, run, "checkpoints", error);
    bool there = false;
    if (!status) status = check_folder(checkpoints, &there, error);
    if (status || !there) return status;
    do {
        before = seen;
        free(*out_steps);
        *out_steps = NULL;
        status = list_once(checkpoints, committed, out_steps, out_count, &seen, error);
    } while (!status && committed && *out_count == 0 && seen != before);
    if (!status) qsort(*out_steps, *out_count, sizeof **out_steps, newest_first);
    return status;
}

seq_status seq_checkpoint_list(const char *run, int64_t **out_steps, size_t *out_count,
                               seq_error *error) {
    return list_steps(run, true, out_steps, out_count, error);
}

seq_status seq_checkpoint_list_incomplete(const char *run, int64_t **out_steps, size_t *out_count,
                                          seq_error *error) {
    return list_steps(run, false, out_steps, out_count, error);
}
