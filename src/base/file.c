// Paths are resolved name by name, since what is to be made is not there yet; links are followed by
// hand where they lead nowhere. Invariant of
// seq_file_write_atomic (written beside its place, synced, renamed): after a crash a file has its
// old content or its new one, never a part.
// Test: tests/unit/base/test_file.c.
#include <seqtrain/base/file.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

seq_status seq_path_join(char out[SEQ_PATH], const char *directory, const char *name,
                         seq_error *error) {
    size_t length = strlen(directory);
    const char *slash = length && directory[length - 1] == '/' ? "" : "/";
    int needed = snprintf(out, SEQ_PATH, "%s%s%s", directory, slash, name);
    if (needed < 0 || needed >= SEQ_PATH)
        return seq_error_set(error, SEQ_BAD_INPUT, "path %.80s.../%.80s: longer than %d bytes",
                             directory, name, SEQ_PATH - 1);
    return SEQ_OK;
}

const char *seq_path_split(const char *path, char above[SEQ_PATH]) {
    const char *slash = strrchr(path, '/');
    int length = slash && slash != path ? (int)(slash - path) : 1;
    snprintf(above, SEQ_PATH, "%.*s", length, slash ? path : ".");
    return slash ? slash + 1 : path;
}

bool seq_path_exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

bool seq_path_holds(const char *directory, const char *name) {
    char path[SEQ_PATH];
    seq_error ignored = {0};
    return !seq_path_join(path, directory, name, &ignored) && seq_path_exists(path);
}

// Without the function of the C library, which musl lacks.
bool seq_path_exchange(const char *one, const char *other) {
#ifndef RENAME_EXCHANGE
    enum { RENAME_EXCHANGE = 2 };
#endif
    return syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) == 0;
}

bool seq_path_is_directory(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool seq_path_is_forbidden(const char *path) {
    struct stat status;
    if (stat(path, &status)) return errno == EACCES;
    return access(path, S_ISDIR(status.st_mode) ? R_OK | X_OK : R_OK) && errno == EACCES;
}

static bool leads_nowhere(const char *path, char out_target[SEQ_PATH]) {
    struct stat status;
    ssize_t size = readlink(path, out_target, SEQ_PATH - 1);
    if (size < 0) return false;
    out_target[size] = '\0';
    return stat(path, &status) != 0 && errno == ENOENT;
}

// Bytes of the longest beginning of `path` that is there, if only as a link that leads nowhere.
static size_t existing_part(const char *path) {
    char part[SEQ_PATH];
    size_t length = strlen(path);
    for (;;) {
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        if (!length || seq_path_exists(part)) return length;
        if (path[length - 1] == '/')
            length--;
        else
            while (length && path[length - 1] != '/')
                length--;
    }
}

// Appends names that are not there yet.
static seq_status append_names(char place[SEQ_PATH], const char *names, seq_error *error) {
    while (*(names += strspn(names, "/"))) {
        size_t size = strcspn(names, "/"), used = strlen(place);
        bool is_parent = size == 2 && strncmp(names, "..", 2) == 0;
        if (is_parent || used + size + 2 > SEQ_PATH)
            return seq_error_set(error, SEQ_BAD_INPUT, "%.80s/%.80s: %s", place, names,
                                 is_parent ? "no such directory" : "path too long");
        if (size != 1 || *names != '.')
            snprintf(place + used, SEQ_PATH - used, "%s%.*s", place[used - 1] == '/' ? "" : "/",
                     (int)size, names);
        names += size;
    }
    return SEQ_OK;
}

// Of the path of a link that leads nowhere: what it stands for, whose folder must be there.
static seq_status follow_link(char path[SEQ_PATH], seq_error *error) {
    char link[SEQ_PATH], target[SEQ_PATH];
    if (!leads_nowhere(path, link)) return seq_error_set_errno(error, "%s", path);
    char *slash = strrchr(path, '/');
    if (*link == '/' || !slash) {
        snprintf(target, sizeof target, "%s", link);
    } else {
        *slash = '\0';
        if (seq_path_join(target, slash == path ? "/" : path, link, error)) return error->status;
        *slash = '/';
    }
    const char *name = target + existing_part(target);
    name += strspn(name, "/");
    if (strchr(name, '/') && name[strcspn(name, "/") + 1])
        return seq_error_set(
            error, SEQ_BAD_INPUT,
            "%s is a link to %s, and the folder for it is not there: is a disk not "
            "mounted?",
            path, link);
    snprintf(path, SEQ_PATH, "%s", target);
    return SEQ_OK;
}

seq_status seq_path_resolve(const char *path, char out[SEQ_PATH], seq_error *error) {
    enum { MOST_LINKS = 40 };
    char there[SEQ_PATH], names[2 * SEQ_PATH] = "", *real;
    if (!*path || strlen(path) >= SEQ_PATH)
        return seq_error_set(error, SEQ_BAD_INPUT, "%.80s: %s", path,
                             *path ? "path too long" : "an empty path");
    snprintf(there, sizeof there, "%s", path);
    for (int links = 0;; links++) {
        size_t length = existing_part(there), behind = strlen(there + length);
        if (behind + strlen(names) + 2 > sizeof names)
            return seq_error_set(error, SEQ_BAD_INPUT, "%.80s: path too long", path);
        memmove(names + behind + 1, names, strlen(names) + 1);
        memcpy(names, there + length, behind);
        names[behind] = '/';
        there[length] = '\0';
        if (!length) snprintf(there, sizeof there, ".");
        if ((real = realpath(there, NULL))) break;
        if (errno != ENOENT || links == MOST_LINKS) return seq_error_set_errno(error, "%s", path);
        if (follow_link(there, error)) return error->status;
    }
    bool fits = snprintf(out, SEQ_PATH, "%s", real) < SEQ_PATH;
    free(real);
    return fits ? append_names(out, names, error)
                : seq_error_set(error, SEQ_BAD_INPUT, "%.80s: path too long", path);
}

seq_status seq_path_check(const char *path, seq_error *error) {
    struct stat status;
    char part[SEQ_PATH], target[SEQ_PATH];
    if (stat(path, &status) == 0) return SEQ_OK;
    int number = errno;
    snprintf(part, sizeof part, "%.*s", (int)existing_part(path), path);
    if (number == ENOENT && leads_nowhere(part, target))
        return seq_error_set(error, SEQ_BAD_INPUT, "%s: %s is a link to %s, which is not there",
                             path, part, target);
    errno = number;
    return seq_error_set_errno(error, "%s", path);
}

seq_status seq_file_size(const char *path, uint64_t *out_size, seq_error *error) {
    struct stat status;
    seq_error reason = {0};
    if (seq_path_check(path, &reason))
        return seq_error_set(error, reason.status, "opening %s", reason.text);
    if (stat(path, &status)) return seq_error_set_errno(error, "opening %s", path);
    if (!S_ISREG(status.st_mode))
        return seq_error_set(error, SEQ_BAD_INPUT, "opening %s: it is a %s, not a file", path,
                             S_ISDIR(status.st_mode)    ? "directory"
                             : S_ISFIFO(status.st_mode) ? "pipe"
                             : S_ISSOCK(status.st_mode) ? "socket"
                                                        : "device");
    *out_size = (uint64_t)status.st_size;
    return SEQ_OK;
}

// Where there is a link that leads nowhere, the directory that it leads to.
static seq_status make_one(const char *path, seq_error *error) {
    char target[SEQ_PATH];
    if (mkdir(path, 0777) == 0) return SEQ_OK;
    if (errno != EEXIST) return seq_error_set_errno(error, "creating directory %s", path);
    if (seq_path_is_directory(path)) return SEQ_OK;
    if (!leads_nowhere(path, target)) {
        errno = ENOTDIR;
        return seq_error_set_errno(error, "creating directory %s", path);
    }
    if (seq_path_resolve(path, target, error))
        return seq_error_add_context(error, "creating directory %s", path);
    if (mkdir(target, 0777) == 0 || (errno == EEXIST && seq_path_is_directory(target)))
        return SEQ_OK;
    return seq_error_set_errno(error, "creating directory %s", target);
}

seq_status seq_directory_create(const char *path, seq_error *error) {
    char prefix[SEQ_PATH];
    if (strlen(path) >= SEQ_PATH)
        return seq_error_set(error, SEQ_BAD_INPUT, "creating directory %.80s...: path too long",
                             path);
    snprintf(prefix, sizeof prefix, "%s", path);
    for (char *slash = strchr(prefix + (*prefix == '/'), '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!seq_path_is_directory(prefix) && make_one(prefix, error)) return error->status;
        *slash = '/';
    }
    return make_one(path, error);
}

static seq_status sync_path(const char *path, int flags, seq_error *error) {
    int descriptor = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return seq_error_set_errno(error, "syncing %s", path);
    seq_status status = SEQ_OK;
    bool unknown_here = flags & O_DIRECTORY; // some file systems have no fsync on directories
    if (fsync(descriptor) && !(unknown_here && errno == EINVAL))
        status = seq_error_set_errno(error, "syncing %s", path);
    if (close(descriptor) && !status) status = seq_error_set_errno(error, "closing %s", path);
    return status;
}

seq_status seq_directory_sync(const char *path, seq_error *error) {
    return sync_path(path, O_DIRECTORY, error);
}

seq_status seq_file_sync(const char *path, seq_error *error) {
    return sync_path(path, 0, error);
}

static seq_status remove_entries(int directory, const char *path, seq_error *error);

static seq_status remove_entry(int directory, const char *path, const char *name,
                               seq_error *error) {
    if (unlinkat(directory, name, 0) == 0) {
        seq_fault_point("retain.entry-removed");
        return SEQ_OK;
    }
    if (errno != EISDIR && errno != EPERM)
        return seq_error_set_errno(error, "removing %s/%s", path, name);
    int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) return seq_error_set_errno(error, "removing %s/%s", path, name);
    seq_status status = remove_entries(child, name, error);
    if (!status && unlinkat(directory, name, AT_REMOVEDIR))
        status = seq_error_set_errno(error, "removing %s/%s", path, name);
    return status;
}

// Takes the descriptor.
static seq_status remove_entries(int directory, const char *path, seq_error *error) {
    DIR *stream = fdopendir(directory);
    if (!stream) {
        seq_error_set_errno(error, "removing %s", path);
        close(directory);
        return error->status;
    }
    seq_status status = SEQ_OK;
    for (struct dirent *entry; !status && (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = remove_entry(directory, path, entry->d_name, error);
    closedir(stream);
    return status;
}

seq_status seq_directory_remove(const char *path, seq_error *error) {
    struct stat entry;
    if (lstat(path, &entry) == 0 && S_ISLNK(entry.st_mode)) // where it leads to is not ours
        return unlink(path) ? seq_error_set_errno(error, "removing %s", path) : SEQ_OK;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) return seq_error_set_errno(error, "removing %s", path);
    seq_status status = remove_entries(directory, path, error);
    if (!status && rmdir(path)) status = seq_error_set_errno(error, "removing %s", path);
    return status;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

seq_status seq_directory_list(const char *path, char ***out_names, size_t *out_count,
                              seq_error *error) {
    char **names = NULL;
    size_t count = 0, capacity = 0;
    seq_status status = SEQ_OK;
    DIR *stream = opendir(path);
    if (!stream) return seq_error_set_errno(error, "reading directory %s", path);
    for (struct dirent *entry; !status && (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = seq_grow(&names, &capacity, count + 1, sizeof *names, "the names in a directory",
                          error);
        if (!status && !(names[count++] = strdup(entry->d_name)))
            status =
                seq_error_set(error, SEQ_NO_MEMORY, "reading directory %s: out of memory", path);
    }
    closedir(stream);
    if (status) {
        seq_names_free(names, count);
        return status;
    }
    if (count) qsort(names, count, sizeof *names, compare_names);
    *out_names = names;
    *out_count = count;
    return SEQ_OK;
}

void seq_names_free(char **names, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static seq_status read_stream(FILE *stream, const char *path, size_t limit, char **out_bytes,
                              size_t *out_size, seq_error *error) {
    char *bytes = NULL;
    size_t size = 0, capacity = 0;
    seq_status status = SEQ_OK;
    for (;;) {
        status = seq_grow(&bytes, &capacity, size + 65536, 1, path, error);
        if (status) goto out;
        size_t got = fread(bytes + size, 1, capacity - size - 1, stream);
        size += got;
        if (got == 0) break;
        if (size > limit) {
            status = seq_error_set(error, SEQ_BAD_INPUT, "reading %s: larger than %zu bytes", path,
                                   limit);
            goto out;
        }
    }
    if (ferror(stream)) status = seq_error_set_errno(error, "reading %s", path);
out:
    if (status) {
        free(bytes);
        return status;
    }
    bytes[size] = '\0';
    *out_bytes = bytes;
    *out_size = size;
    return SEQ_OK;
}

seq_status seq_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_size,
                         seq_error *error) {
    FILE *stream = fopen(path, "rbe");
    if (!stream) return seq_error_set_errno(error, "opening %s", path);
    seq_status status = read_stream(stream, path, limit, out_bytes, out_size, error);
    fclose(stream);
    return status;
}

static seq_status write_all(int descriptor, const char *path, const char *bytes, size_t size,
                            seq_error *error) {
    while (size) {
        ssize_t written = write(descriptor, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return seq_error_set_errno(error, "writing %s", path);
        bytes += written;
        size -= (size_t)written;
    }
    return SEQ_OK;
}

// `name` is what the file is to be called in the end.
static seq_status write_new(const char *path, const char *name, const void *bytes, size_t size,
                            seq_error *error) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) return seq_error_set_errno(error, "creating %s", path);
    seq_fault_point_of(name, "created");
    seq_status status = write_all(descriptor, path, bytes, size, error);
    seq_fault_point_of(name, "written");
    if (!status && fsync(descriptor)) status = seq_error_set_errno(error, "syncing %s", path);
    if (close(descriptor) && !status) status = seq_error_set_errno(error, "closing %s", path);
    return status;
}

static seq_status sync_parent(const char *path, seq_error *error) {
    char parent[SEQ_PATH];
    seq_path_split(path, parent);
    return seq_directory_sync(parent, error);
}

seq_status seq_file_write_atomic(const char *path, const void *bytes, size_t size,
                                 seq_error *error) {
    char temporary[SEQ_PATH];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid()) >=
        sizeof temporary)
        return seq_error_set(error, SEQ_BAD_INPUT, "writing %.80s...: path too long", path);
    seq_status status = write_new(temporary, path, bytes, size, error);
    seq_fault_point_of(path, "synced");
    if (!status && rename(temporary, path))
        status = seq_error_set_errno(error, "renaming %s to %s", temporary, path);
    if (status) {
        unlink(temporary);
        return status;
    }
    seq_fault_point_of(path, "renamed");
    status = sync_parent(path, error);
    seq_fault_point_of(path, "in-place");
    return status;
}

static bool is_standard_output(const struct stat *file) {
    struct stat standard;
    return fstat(STDOUT_FILENO, &standard) == 0 && standard.st_dev == file->st_dev &&
           standard.st_ino == file->st_ino;
}

seq_status seq_file_write_output(const char *path, const void *bytes, size_t size,
                                 seq_error *error) {
    struct stat file;
    bool present = stat(path, &file) == 0, standard = present && is_standard_output(&file);
    if (!standard && (!present || S_ISREG(file.st_mode) || S_ISDIR(file.st_mode))) {
        char *target = realpath(path, NULL);
        seq_status status = seq_file_write_atomic(target ? target : path, bytes, size, error);
        free(target);
        return status;
    }
    int descriptor = standard ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return seq_error_set_errno(error, "opening %s", path);
    seq_status status = write_all(descriptor, path, bytes, size, error);
    if (close(descriptor) && !status) status = seq_error_set_errno(error, "closing %s", path);
    return status;
}
