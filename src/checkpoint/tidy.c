#include "layout.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

seq_status seq_checkpoint_tidy(const char *run, seq_error *error) {
    int64_t *steps = NULL;
    size_t count = 0;
    seq_status status = tidy_directory(run, error);
    if (!status) status = seq_checkpoint_list(run, &steps, &count, error);
    for (size_t i = 0; !status && i < count; i++) {
        char directory[SEQ_PATH];
        status = seq_checkpoint_directory(run, steps[i], directory, error);
        if (!status) status = tidy_directory(directory, error);
    }
    free(steps);
    return status;
}
