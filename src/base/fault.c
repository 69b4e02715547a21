#include <seqtrain/base/fault.h>
#ifdef SEQ_FAULT_INJECTION
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static atomic_long seq_fault_passed; // of the one point that is asked for; any thread may pass it

static bool is_asked_for(const char *name, const char *wanted, long *out_number) {
    size_t length = strlen(name);
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (strncmp(wanted, name, length) != 0 || (wanted[length] && wanted[length] != ':'))
        return false;
    char *after = (char *)wanted + length;
    *out_number = *after ? strtol(after + 1, &after, 10) : 1;
    return *after != ':' || strtol(after + 1, NULL, 10) == (rank ? strtol(rank, NULL, 10) : 0);
}

static bool holds_line(FILE *stream, const char *line) {
    char text[256];
    while (fgets(text, sizeof text, stream))
        if (strcmp(text, line) == 0) return true;
    return false;
}

static void list(const char *path, const char *name) {
    char line[256];
    snprintf(line, sizeof line, "%s\n", name);
    FILE *stream = fopen(path, "a+e");
    if (!stream) return;
    flock(fileno(stream), LOCK_EX); // until it is closed
    rewind(stream);
    if (!holds_line(stream, line)) fputs(line, stream);
    fclose(stream);
}

void seq_fault_point(const char *name) {
    const char *wanted = getenv("SEQ_CRASH_AT"), *path = getenv("SEQ_CRASH_LIST");
    long number;
    if (path) list(path, name);
    if (!wanted || !is_asked_for(name, wanted, &number)) return;
    if (atomic_fetch_add(&seq_fault_passed, 1) + 1 == number) kill(getpid(), SIGKILL);
}

void seq_fault_point_of(const char *path, const char *what) {
    char name[256];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%.200s.%s", slash ? slash + 1 : path, what);
    seq_fault_point(name);
}
#endif
