// Keeps RUN/data-path.txt, one line with an absolute path. Older checkpoints have
// the path in their manifest; it is the second choice. Invariant: a file that is
// not such a line counts as absent, short memory does not. Tests:
// tests/cli/arithmetic.sh, tests/fault/memory.sh.
#include <seqtrain/base/file.h>
#include <seqtrain/checkpoint/data_path.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char name[] = "data-path.txt";

seq_status seq_data_path_write(const char *run, const char *dataset, seq_error *error) {
    char path[SEQ_PATH], line[SEQ_PATH + 1], *real = realpath(dataset, NULL);
    seq_status status = seq_path_join(path, run, name, error);
    int length = snprintf(line, sizeof line, "%s\n", real ? real : dataset);
    free(real);
    return status ? status : seq_file_write_atomic(path, line, (size_t)length, error);
}

seq_status seq_data_path_find(const char *run, const seq_manifest *manifest, char **out,
                              seq_error *error) {
    char path[SEQ_PATH], *line = NULL;
    size_t size = 0;
    uint64_t listed;
    seq_error unread = {0};
    const char *recorded = seq_record_text(seq_manifest_section_find(manifest, "data"), "path");
    if (!seq_path_join(path, run, name, &unread) &&
        !seq_file_size(path, &listed, &unread) && // a pipe would keep the reader waiting
        !seq_file_read(path, SEQ_PATH, &line, &size, &unread) && line[0] == '/' &&
        strlen(line) == size && line[size - 1] == '\n') {
        line[size - 1] = '\0';
        *out = line;
        return SEQ_OK;
    }
    free(line);
    *out = recorded && unread.status != SEQ_NO_MEMORY ? strdup(recorded) : NULL;
    if (unread.status == SEQ_NO_MEMORY || (recorded && !*out))
        return seq_error_set(error, SEQ_NO_MEMORY, "finding the data set of %s: out of memory",
                             run);
    return SEQ_OK;
}

seq_status seq_data_path_open(const char *run, const char *path, seq_dataset **out,
                              seq_error *error) {
    seq_status status = seq_dataset_open(path, out, error);
    if (!status || seq_path_holds(path, "dataset.json")) return status;
    return seq_error_add_context(error,
                                 "the data set of %s is not where it was (moved? --data names its "
                                 "place)",
                                 run);
}
