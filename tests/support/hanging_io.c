// Preloaded into a program: once the file SEQ_IO_HANGS_WHEN exists, every call on a path with the
// text SEQ_IO_PATH in it (of a descriptor: the file behind it) never returns, as on a network file
// system whose server is gone. SEQ_IO_RANK=R: on that rank of an MPI job only.
#include <seqtrain/base/launch.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static bool is_hanging(void) {
    const char *when = getenv("SEQ_IO_HANGS_WHEN"), *wanted = getenv("SEQ_IO_RANK");
    seq_launch launch;
    seq_launch_read(&launch);
    if (!when || (wanted && strtol(wanted, NULL, 10) != launch.rank)) return false;
    return syscall(SYS_faccessat, AT_FDCWD, when, F_OK) == 0;
}

static void touch(const char *path) {
    const char *part = getenv("SEQ_IO_PATH");
    while (part && strstr(path, part) && is_hanging())
        pause();
}

static void touch_descriptor(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return;
    path[size] = '\0';
    touch(path);
}

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(99);
    return found;
}

// PASS_ON(TYPE, NAME, (PARAMETERS), (ARGUMENTS), WHAT IS TOUCHED)
#define PASS_ON(type, name, parameters, arguments, touched)                                        \
    type name parameters {                                                                         \
        type(*library) parameters;                                                                 \
        void *found = next(#name);                                                                 \
        memcpy(&library, &found, sizeof found);                                                    \
        touched;                                                                                   \
        return library arguments;                                                                  \
    }
PASS_ON(int, access, (const char *path, int mode), (path, mode), touch(path))
PASS_ON(int, mkdir, (const char *path, mode_t mode), (path, mode), touch(path))
PASS_ON(int, unlink, (const char *path), (path), touch(path))
PASS_ON(int, rename, (const char *from, const char *to), (from, to), touch(to))
PASS_ON(FILE *, fopen, (const char *path, const char *mode), (path, mode), touch(path))
PASS_ON(FILE *, fopen64, (const char *path, const char *mode), (path, mode), touch(path))
PASS_ON(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size),
        touch_descriptor(file))
PASS_ON(ssize_t, pwrite, (int file, const void *bytes, size_t size, off_t at),
        (file, bytes, size, at), touch_descriptor(file))
PASS_ON(ssize_t, pwrite64, (int file, const void *bytes, size_t size, off64_t at),
        (file, bytes, size, at), touch_descriptor(file))
PASS_ON(int, fsync, (int file), (file), touch_descriptor(file))

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        int (*library)(const char *, int, ...);                                                    \
        va_list arguments;                                                                         \
        void *found = next(#name);                                                                 \
        memcpy(&library, &found, sizeof found);                                                    \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;                             \
        va_end(arguments);                                                                         \
        touch(path);                                                                               \
        return library(path, flags, mode);                                                         \
    }
OPEN(open)
OPEN(open64)
