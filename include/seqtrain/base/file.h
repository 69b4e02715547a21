// Paths, directories and files that are either there whole or not there at all.
#ifndef SEQTRAIN_BASE_FILE_H
#define SEQTRAIN_BASE_FILE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEQ_PATH = 4096 };

// Writes "a/b" into out; SEQ_BAD_INPUT when it does not fit.
seq_status seq_path_join(char out[SEQ_PATH], const char *directory, const char *name,
                         seq_error *error);
// The name that `path` ends with, and in `above` the directory that it lies in ("." for a name
// alone).
const char *seq_path_split(const char *path, char above[SEQ_PATH]);
bool seq_path_exists(const char *path);
// Whether `directory` has an entry `name`.
bool seq_path_holds(const char *directory, const char *name);
bool seq_path_is_directory(const char *path);
// Exchanges two names of one file system: at no time is either of them missing. Otherwise false,
// with errno; EINVAL or ENOSYS where the system cannot.
bool seq_path_exchange(const char *one, const char *other);
// Whether we may not read it, or for a directory look into it, or not even see if it is there.
bool seq_path_is_forbidden(const char *path);
// SEQ_OK when it is there; else the reason: "PATH: No such file or directory", or the link on the
// way to it that leads nowhere.
seq_status seq_path_check(const char *path, seq_error *error);
// The absolute path without links of what is there or is to be made there: names that do not exist
// yet stay as they are, a link that leads nowhere stands for its target. SEQ_BAD_INPUT when the
// folder of that target is missing.
seq_status seq_path_resolve(const char *path, char out[SEQ_PATH], seq_error *error);

// Size of a regular file. Anything else (a directory, a pipe, a device) is SEQ_BAD_INPUT, and is
// not opened, which might never return.
seq_status seq_file_size(const char *path, uint64_t *out_size, seq_error *error);

// Creates the directory and its parents (mode 0777 & ~umask). An existing directory is fine; of a
// link that leads nowhere, its target is created.
seq_status seq_directory_create(const char *path, seq_error *error);
seq_status seq_directory_sync(const char *path, seq_error *error);
// Removes a directory with the plain files and directories in it; never follows symbolic links: one
// in place of the directory goes, what it leads to stays.
seq_status seq_directory_remove(const char *path, seq_error *error);
// Names in a directory without "." and "..", sorted by strcmp. Release with seq_names_free.
seq_status seq_directory_list(const char *path, char ***out_names, size_t *out_count,
                              seq_error *error);
void seq_names_free(char **names, size_t count);

// Whole content plus a terminating NUL that is not counted; refuses more than `limit` bytes.
// Release with free().
seq_status seq_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_size,
                         seq_error *error);
seq_status seq_file_sync(const char *path, seq_error *error);
// Writes a temporary file beside `path`, syncs it, renames it and syncs the directory: after a
// crash the path has the old content or the new one.
seq_status seq_file_write_atomic(const char *path, const void *bytes, size_t size,
                                 seq_error *error);
// The same for a file that the user names, which may be no file to replace: a device, a pipe and
// where standard output goes are written to, and a link stays one.
seq_status seq_file_write_output(const char *path, const void *bytes, size_t size,
                                 seq_error *error);

#endif
