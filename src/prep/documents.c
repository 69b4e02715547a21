// Walks files and folders depth first, with a stack of the folders that are
// open. Names come sorted by bytes, so every file system gives the same order.
// "-" is passed through as standard input. Invariant: a pipe or device inside a
// folder is never opened, since reading it could wait for ever. Tests:
// tests/cli/seqprep.sh, tests/cli/seqprep_files.sh.
#include "documents.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void seq_documents_begin(seq_documents *documents, const char *const *inputs, size_t count) {
    *documents = (seq_documents){.inputs = inputs, .count = count};
}

static void leave_folder(seq_documents *documents) {
    seq_documents_folder *folder = &documents->folders[--documents->depth];
    seq_names_free(folder->names, folder->count);
    free(folder->path);
    *folder = (seq_documents_folder){0};
}

void seq_documents_end(seq_documents *documents) {
    while (documents->depth)
        leave_folder(documents);
    free(documents->folders);
    documents->folders = NULL;
}

// Takes over `path` when it succeeds.
static seq_status enter_folder(seq_documents *documents, char *path, seq_error *error) {
    seq_status status = seq_grow(&documents->folders, &documents->capacity, documents->depth + 1,
                                 sizeof *documents->folders, "the folders", error);
    if (status) return status;
    seq_documents_folder *folder = &documents->folders[documents->depth];
    *folder = (seq_documents_folder){0};
    status = seq_directory_list(path, &folder->names, &folder->count, error);
    if (status) return status;
    folder->path = path;
    documents->depth++;
    return SEQ_OK;
}

static seq_status copy_path(const char *path, char **out, seq_error *error) {
    size_t size = strlen(path) + 1;
    seq_status status = seq_allocate(out, size, 1, "the name of an input", error);
    if (!status) memcpy(*out, path, size);
    return status;
}

// Reading one could wait for ever. On the command line it is what the user wants.
static bool is_pipe_or_device(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
}

// The next file or folder; NULL at the end of all.
static seq_status next_path(seq_documents *documents, char **out, seq_error *error) {
    char inside[SEQ_PATH];
    *out = NULL;
    while (documents->depth) {
        seq_documents_folder *folder = &documents->folders[documents->depth - 1];
        if (folder->at == folder->count) {
            leave_folder(documents);
            continue;
        }
        const char *name = folder->names[folder->at++];
        if (name[0] == '.') continue; // hidden
        seq_status status = seq_path_join(inside, folder->path, name, error);
        if (!status && is_pipe_or_device(inside)) {
            seq_log_warning("%s is a pipe, a socket or a device: it is left out", inside);
            continue;
        }
        return status ? status : copy_path(inside, out, error);
    }
    if (documents->at == documents->count) return SEQ_OK;
    return copy_path(documents->inputs[documents->at++], out, error);
}

seq_status seq_documents_next(seq_documents *documents, char **out, seq_error *error) {
    for (;;) {
        seq_status status = next_path(documents, out, error);
        if (status || !*out || strcmp(*out, "-") == 0 || !seq_path_is_directory(*out))
            return status;
        if (enter_folder(documents, *out, error)) {
            free(*out);
            *out = NULL;
            return error->status;
        }
    }
}
