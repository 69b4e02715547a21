#include "layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_kept(int64_t step, size_t rank, int keep, int64_t every, int64_t best_step) {
    return rank < (size_t)keep || step == best_step || (every > 0 && step % every == 0);
}

// A checkpoint that cannot be read is evidence, not rubbish.
static bool is_whole(const char *directory) {
    seq_manifest manifest = {0};
    seq_error ignored = {0};
    bool whole = !seq_checkpoint_read_manifest(directory, &manifest, &ignored);
    seq_manifest_clear(&manifest);
    return whole;
}

static seq_status remove_step(const char *run, int64_t step, seq_error *error) {
    char directory[SEQ_PATH], manifest[SEQ_PATH];
    seq_error ignored = {0};
    seq_status status = seq_checkpoint_directory(run, step, directory, error);
    if (status || !is_whole(directory)) return status;
    // Without its manifest it is no checkpoint any more, whatever interrupts the rest.
    if (!seq_path_join(manifest, directory, "manifest.json", &ignored)) remove(manifest);
    return seq_directory_remove(directory, error);
}

static seq_status remove_unfinished(const char *run, int64_t newest, seq_error *error) {
    char checkpoints[SEQ_PATH], path[SEQ_PATH], **names = NULL;
    size_t count = 0;
    seq_status status = seq_path_join(checkpoints, run, "checkpoints", error);
    if (!status) status = seq_directory_list(checkpoints, &names, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        char manifest[SEQ_PATH];
        bool ours = strncmp(names[i], "step-", 5) == 0 && strlen(names[i]) >= 14 &&
                    strspn(names[i] + 5, "0123456789") == strlen(names[i] + 5);
        if (!ours || strtoll(names[i] + 5, NULL, 10) >= newest) continue;
        status = seq_path_join(path, checkpoints, names[i], error);
        if (!status) status = seq_path_join(manifest, path, "manifest.json", error);
        if (!status && !seq_path_exists(manifest)) status = seq_directory_remove(path, error);
    }
    seq_names_free(names, count);
    return status;
}

seq_status seq_checkpoint_retain(const char *run, int keep, int64_t every, int64_t best_step,
                                 seq_error *error) {
    int64_t *steps = NULL;
    size_t count = 0;
    seq_status status = seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !status && i < count; i++)
        if (!is_kept(steps[i], i, keep, every, best_step))
            status = remove_step(run, steps[i], error);
    if (!status && count) status = remove_unfinished(run, steps[0], error);
    free(steps);
    return status;
}
