// Decides which committed checkpoints stay and removes the others, newest
// first. Removal deletes the manifest, syncs the directory, and only then
// deletes files. Invariant: whatever interrupts it, a directory with a manifest
// is complete. A checkpoint that cannot be read is evidence, and stays. Tests:
// tests/unit/checkpoint/test_checkpoint.c, tests/fault/crash_points.sh.
#include "layout.h"
#include <errno.h>
#include <seqtrain/base/fault.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_kept(const seq_retention *rule, int64_t step, size_t rank) {
    return rank < (size_t)rule->newest || step == rule->best_step || step == rule->target_step ||
           (rule->every > 0 && step % rule->every == 0);
}

// A checkpoint that cannot be read is evidence, not rubbish.
static bool is_whole(const char *directory) {
    seq_manifest manifest = {0};
    seq_error ignored = {0};
    bool whole = !seq_checkpoint_read_manifest(directory, &manifest, &ignored);
    seq_manifest_clear(&manifest);
    return whole;
}

static bool is_link(const char *path) {
    char target[8];
    return readlink(path, target, sizeof target) >= 0;
}

// Without its manifest it is no checkpoint any more, whatever interrupts the rest: that must be on
// the disk before the first file goes.
seq_status seq_checkpoint_remove(const char *directory, seq_error *error) {
    char manifest[SEQ_PATH];
    if (is_link(directory)) return seq_directory_remove(directory, error);
    seq_status status = seq_path_join(manifest, directory, "manifest.json", error);
    if (status) return status;
    if (remove(manifest) == 0) {
        seq_fault_point("retain.manifest-removed");
        status = seq_directory_sync(directory, error);
    } else if (errno != ENOENT) {
        status = seq_error_set_errno(error, "removing %s", manifest);
    }
    seq_fault_point("retain.files");
    if (!status) status = seq_directory_remove(directory, error);
    seq_fault_point("retain.removed");
    return status;
}

static seq_status remove_step(const char *run, int64_t step, seq_error *error) {
    char directory[SEQ_PATH];
    seq_status status = seq_checkpoint_directory(run, step, directory, error);
    return status || !is_whole(directory) ? status : seq_checkpoint_remove(directory, error);
}

static seq_status remove_unfinished(const char *run, int64_t newest, seq_error *error) {
    char directory[SEQ_PATH];
    int64_t *steps = NULL;
    size_t count = 0;
    seq_status status = seq_checkpoint_list_incomplete(run, &steps, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        if (steps[i] >= newest) continue;
        status = seq_checkpoint_directory(run, steps[i], directory, error);
        if (!status) status = seq_directory_remove(directory, error);
        seq_fault_point("retain.unfinished-removed");
    }
    free(steps);
    return status;
}

seq_status seq_checkpoint_remove_newer(const char *run, int64_t step, seq_error *error) {
    char directory[SEQ_PATH];
    int64_t *steps = NULL;
    size_t count = 0;
    seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !error->status && i < count && steps[i] > step; i++)
        if (!seq_checkpoint_directory(run, steps[i], directory, error))
            seq_checkpoint_remove(directory, error);
    free(steps);
    return error->status;
}

seq_status seq_checkpoint_prune(const char *run, const seq_retention *rule, seq_error *error) {
    int64_t *steps = NULL;
    size_t count = 0;
    seq_fault_point("retain.begin");
    seq_status status = seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        if (!is_kept(rule, steps[i], i)) status = remove_step(run, steps[i], error);
    if (!status && count) status = remove_unfinished(run, steps[0], error);
    free(steps);
    seq_fault_point("retain.end");
    return status;
}
