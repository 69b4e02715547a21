// Preloaded into a program: calls of the system on files fail as a disk would have it. The
// environment says which:
//   SEQ_IO_CALL=write,pwrite,...  open write pwrite fsync close rename mkdir ftruncate unlink flock
//   (write: also pwrite) SEQ_IO_PATH=TEXT              those on a path with this text in it (of a
//   descriptor: the file behind it) SEQ_IO_ERRNO=ENOSPC|EDQUOT|EIO|ENOLCK|EACCES SEQ_IO_AT=N,
//   SEQ_IO_TIMES=M   the N-th such call of a process (1) and those after it, M in all (1; 0: for
//   ever) SEQ_IO_RANK=R                 on that rank of an MPI job only SEQ_IO_LOG=FILE a line for
//   each failure
// A write that fails has written half before, a close has closed, an fsync has lost what it was to
// write.
#include <seqtrain/base/launch.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long count;

// What the C library has behind ours.
static struct {
    bool filled;
    int (*open)(const char *, int, ...);
    int (*open64)(const char *, int, ...);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*fsync)(int);
    int (*ftruncate)(int, off_t);
    int (*close)(int);
    int (*flock)(int, int);
    int (*mkdir)(const char *, mode_t);
    int (*rename)(const char *, const char *);
    int (*unlink)(const char *);
    int (*remove)(const char *);
    int (*unlinkat)(int, const char *, int);
} library;

static void find(const char *name, void *out_function) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(99);
    memcpy(out_function, &found, sizeof found);
}

__attribute__((constructor)) static void fill(void) {
    if (library.filled) return;
    find("open", &library.open);
    find("open64", &library.open64);
    find("write", &library.write);
    find("pwrite", &library.pwrite);
    find("fsync", &library.fsync);
    find("ftruncate", &library.ftruncate);
    find("close", &library.close);
    find("flock", &library.flock);
    find("mkdir", &library.mkdir);
    find("rename", &library.rename);
    find("unlink", &library.unlink);
    find("remove", &library.remove);
    find("unlinkat", &library.unlinkat);
    library.filled = true;
}

static int number_of(const char *name) {
    static const struct {
        const char *name;
        int number;
    } all[] = {{"ENOSPC", ENOSPC},
               {"EDQUOT", EDQUOT},
               {"EIO", EIO},
               {"ENOLCK", ENOLCK},
               {"EACCES", EACCES}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (name && strcmp(name, all[i].name) == 0) return all[i].number;
    _exit(98);
}

static bool is_listed(const char *call) {
    fill(); // other libraries begin before us
    const char *list = getenv("SEQ_IO_CALL"), *at = list ? strstr(list, call) : NULL;
    size_t length = strlen(call);
    for (; at; at = strstr(at + 1, call))
        if ((at == list || at[-1] == ',') && (at[length] == ',' || !at[length])) return true;
    return false;
}

static bool is_this_rank(void) {
    const char *wanted = getenv("SEQ_IO_RANK");
    seq_launch launch;
    seq_launch_read(&launch);
    return !wanted || strtol(wanted, NULL, 10) == launch.rank;
}

static long setting(const char *name, long otherwise) {
    const char *value = getenv(name);
    return value ? atol(value) : otherwise;
}

static void tell(const char *call, const char *path) {
    const char *log = getenv("SEQ_IO_LOG");
    char line[5000];
    int descriptor = log ? library.open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (descriptor < 0) return;
    int size = snprintf(line, sizeof line, "%s %s\n", call, path);
    if (library.write(descriptor, line, (size_t)size) != size) _exit(99);
    library.close(descriptor);
}

static bool fails(const char *call, const char *path) {
    const char *part = getenv("SEQ_IO_PATH");
    if (!is_listed(call) || !is_this_rank() || (part && !strstr(path, part))) return false;
    long number = ++count, first = setting("SEQ_IO_AT", 1), times = setting("SEQ_IO_TIMES", 1);
    if (number < first || (times && number >= first + times)) return false;
    tell(call, path);
    errno = number_of(getenv("SEQ_IO_ERRNO"));
    return true;
}

static bool descriptor_fails(const char *call, int descriptor) {
    char link[64], path[4096];
    if (!is_listed(call)) return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return false;
    path[size] = '\0';
    return fails(call, path);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    if (!descriptor_fails("write", descriptor)) return library.write(descriptor, bytes, size);
    int number = errno;
    (void)!library.write(descriptor, bytes, size / 2);
    errno = number;
    return -1;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at) {
    if (!descriptor_fails("write", descriptor)) return library.pwrite(descriptor, bytes, size, at);
    int number = errno;
    (void)!library.pwrite(descriptor, bytes, size / 2, at);
    errno = number;
    return -1;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at) {
    return pwrite(descriptor, bytes, size, at);
}

int fsync(int descriptor) {
    return descriptor_fails("fsync", descriptor) ? -1 : library.fsync(descriptor);
}

int ftruncate(int descriptor, off_t size) {
    return descriptor_fails("ftruncate", descriptor) ? -1 : library.ftruncate(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
    return ftruncate(descriptor, size);
}

int close(int descriptor) {
    if (!descriptor_fails("close", descriptor)) return library.close(descriptor);
    int number = errno;
    library.close(descriptor);
    errno = number;
    return -1;
}

int flock(int descriptor, int operation) {
    return descriptor_fails("flock", descriptor) ? -1 : library.flock(descriptor, operation);
}

// Failing is the creation of a file, not the reading of one.
#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;                             \
        va_end(arguments);                                                                         \
        fill();                                                                                    \
        if (flags & O_CREAT && fails("open", path)) return -1;                                     \
        return library.name(path, flags, mode);                                                    \
    }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) {
    return fails("mkdir", path) ? -1 : library.mkdir(path, mode);
}

int rename(const char *from, const char *to) {
    return fails("rename", to) ? -1 : library.rename(from, to);
}

int unlink(const char *path) {
    return fails("unlink", path) ? -1 : library.unlink(path);
}

int remove(const char *path) {
    return fails("unlink", path) ? -1 : library.remove(path);
}

int unlinkat(int directory, const char *path, int flags) {
    char link[64], whole[8192];
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t size = directory == AT_FDCWD ? 0 : readlink(link, whole, 4096);
    snprintf(whole + (size > 0 ? size : 0), 4096, "/%s", path);
    return fails("unlink", whole) ? -1 : library.unlinkat(directory, path, flags);
}
