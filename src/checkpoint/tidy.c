// Removes what killed jobs left in a run directory: temporary files and unfinished --reshard
// directories. Invariant: a --reshard directory that somebody holds a lock on stays. Test:
// tests/fault/names.sh.
#include "layout.h"
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// "config.ini.tmp-4711": what seq_file_write_atomic did not come to rename.
static bool is_temporary(const char *name) {
    const char *suffix = strstr(name, ".tmp-");
    return suffix && suffix[5] && suffix[5 + strspn(suffix + 5, "0123456789")] == '\0';
}

static seq_status tidy_directory(const char *directory, seq_error *error) {
    char path[SEQ_PATH], **names = NULL;
    size_t count = 0;
    seq_status status = seq_directory_list(directory, &names, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        if (!is_temporary(names[i])) continue;
        status = seq_path_join(path, directory, names[i], error);
        if (!status && remove(path)) status = seq_error_set_errno(error, "removing %s", path);
    }
    seq_names_free(names, count);
    return status;
}

// "step-000000005.reshard", beside a checkpoint that is whole.
static bool is_left_by_reshard(const char *checkpoints, const char *name) {
    char step[64], manifest[SEQ_PATH];
    size_t length = strlen(name), ending = strlen(".reshard");
    if (length <= ending || length - ending >= sizeof step ||
        strcmp(name + length - ending, ".reshard") != 0)
        return false;
    snprintf(step, sizeof step, "%.*s", (int)(length - ending), name);
    int size = snprintf(manifest, sizeof manifest, "%s/%s/manifest.json", checkpoints, step);
    return seq_step_of_name(step) >= 0 && size < SEQ_PATH && seq_path_exists(manifest);
}

// The living hold a lock on it.
static seq_status remove_reshard(const char *path, seq_error *error) {
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return SEQ_OK; // no directory is none of ours
    int failed = flock(descriptor, LOCK_EX | LOCK_NB) ? errno : 0;
    seq_status status = failed ? SEQ_OK : seq_directory_remove(path, error);
    close(descriptor);
    if (!failed && !status)
        seq_log_info("removed %s, which a killed seqinfo --reshard had left", path);
    else if (failed && failed != EWOULDBLOCK)
        seq_log_warning("%s looks like what a killed seqinfo --reshard leaves: remove it when none "
                        "works on it",
                        path);
    return status;
}

static seq_status tidy_reshards(const char *run, seq_error *error) {
    char checkpoints[SEQ_PATH], path[SEQ_PATH], **names = NULL;
    size_t count = 0;
    seq_status status = seq_path_join(checkpoints, run, "checkpoints", error);
    if (status || !seq_path_is_directory(checkpoints)) return status;
    status = seq_directory_list(checkpoints, &names, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        if (!is_left_by_reshard(checkpoints, names[i])) continue;
        status = seq_path_join(path, checkpoints, names[i], error);
        if (!status) status = remove_reshard(path, error);
    }
    seq_names_free(names, count);
    return status;
}

seq_status seq_checkpoint_tidy(const char *run, seq_error *error) {
    int64_t *steps = NULL;
    size_t count = 0;
    seq_status status = tidy_directory(run, error);
    if (!status) status = tidy_reshards(run, error);
    if (!status) status = seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        char directory[SEQ_PATH];
        status = seq_checkpoint_directory(run, steps[i], directory, error);
        if (!status) status = tidy_directory(directory, error);
    }
    free(steps);
    return status;
}
