// Tells data sets, checkpoints and runs from other folders by what lies in them. A manifest counts
// when its first bytes say that it is ours, damaged or not: a folder is protected by what it was
// meant to be, and dataset.json and manifest.json are names that other programs use, too.
// Tests: tests/fault/names.sh, tests/cli/output_places.sh.
#include <seqtrain/storage/folder.h>
#include <seqtrain/base/file.h>
#include <seqtrain/storage/manifest.h>
#include <stdio.h>
#include <string.h>

static bool has_manifest(const char *folder, const char *name, const char *kind) {
    char path[SEQ_PATH], begin[64] = "", wanted[64];
    seq_error ignored = {0};
    uint64_t size;
    if (seq_path_join(path, folder, name, &ignored) || seq_file_size(path, &size, &ignored))
        return false;
    FILE *stream = fopen(path, "re");
    if (!stream) return false;
    size_t got = fread(begin, 1, sizeof begin - 1, stream);
    fclose(stream);
    begin[got] = '\0';
    snprintf(wanted, sizeof wanted, "\"kind\": \"%s\"", kind);
    return strstr(begin, wanted) != NULL;
}

bool seq_folder_is_run(const char *folder) {
    return seq_path_holds(folder, "checkpoints") + seq_path_holds(folder, "config.ini") +
               seq_path_holds(folder, "metrics.jsonl") + seq_path_holds(folder, "identity.txt") >=
           2;
}

static bool is_checkpoints(const char *folder) {
    char above[SEQ_PATH];
    return strcmp(seq_path_split(folder, above), "checkpoints") == 0 && seq_folder_is_run(above);
}

static seq_folder kind_of(const char *folder) {
    char above[SEQ_PATH];
    if (has_manifest(folder, "dataset.json", SEQ_DATASET_KIND)) return SEQ_FOLDER_DATASET;
    if (has_manifest(folder, "manifest.json", SEQ_CHECKPOINT_KIND)) return SEQ_FOLDER_CHECKPOINT;
    if (strncmp(seq_path_split(folder, above), "step-", 5) == 0 && is_checkpoints(above))
        return SEQ_FOLDER_CHECKPOINT;
    if (is_checkpoints(folder)) return SEQ_FOLDER_CHECKPOINTS;
    return seq_folder_is_run(folder) ? SEQ_FOLDER_RUN : SEQ_FOLDER_OTHER;
}

const char *seq_folder_name(seq_folder kind) {
    static const char *const names[] = {
        [SEQ_FOLDER_ABSENT] = "not there",
        [SEQ_FOLDER_EMPTY] = "empty",
        [SEQ_FOLDER_DATASET] = "a data set",
        [SEQ_FOLDER_CHECKPOINT] = "a checkpoint",
        [SEQ_FOLDER_CHECKPOINTS] = "the folder of a run's checkpoints",
        [SEQ_FOLDER_RUN] = "a run directory",
        [SEQ_FOLDER_OTHER] = "a folder with other files",
    };
    return names[kind];
}

seq_status seq_folder_resolve(const char *given, const char *option, char out[SEQ_PATH],
                              seq_error *error) {
    if (!seq_path_resolve(given, out, error)) return SEQ_OK;
    if (error->status == SEQ_BAD_INPUT) error->status = SEQ_BAD_USAGE;
    return seq_error_add_context(error, "%s", option);
}

seq_status seq_folder_look(const char *path, seq_folder *out, seq_error *error) {
    char **names = NULL;
    size_t count = 0;
    *out = SEQ_FOLDER_ABSENT;
    if (!seq_path_exists(path)) return SEQ_OK;
    seq_status status = seq_directory_list(path, &names, &count, error);
    if (status) return status;
    bool empty = count == 0 || (count == 1 && strcmp(names[0], "lost+found") == 0);
    seq_names_free(names, count);
    seq_folder kind = kind_of(path);
    *out = kind == SEQ_FOLDER_OTHER && empty ? SEQ_FOLDER_EMPTY : kind;
    return SEQ_OK;
}

seq_status seq_folder_check_above(const char *path, const char *option, const char *given,
                                  bool checkpoint, seq_error *error) {
    char below[SEQ_PATH], above[SEQ_PATH];
    snprintf(below, sizeof below, "%s", path);
    while (strcmp(below, "/") != 0 && strchr(below, '/')) {
        seq_path_split(below, above);
        seq_folder kind = kind_of(above);
        if (kind == SEQ_FOLDER_DATASET || kind == SEQ_FOLDER_CHECKPOINT ||
            (kind == SEQ_FOLDER_CHECKPOINTS && !checkpoint))
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "%s: %s lies in %s, which is %s: name a folder outside of it",
                                 option, given, above, seq_folder_name(kind));
        snprintf(below, sizeof below, "%s", above);
    }
    return SEQ_OK;
}
