// Faults that tests call up at named points of the code: the variables
// SEQ_CRASH_AT and SEQ_HOLD_AT say at which passage of which point, of which
// rank, the process kills or stops itself; SEQ_CRASH_LIST collects the names.
// Invariant: without SEQ_FAULT_INJECTION no point leaves code behind.
// Test: tests/fault/crash_points.sh.
#include <seqtrain/base/fault.h>
#ifdef SEQ_FAULT_INJECTION
#include <seqtrain/base/launch.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// A signal, and the variable that names its point; any thread may pass that.
typedef struct request {
    const char *variable;
    int signal;
    atomic_long passed;
} request;

static request seq_fault_requests[] = {{"SEQ_CRASH_AT", SIGKILL, 0}, {"SEQ_HOLD_AT", SIGSTOP, 0}};

static bool is_asked_for(const char *name, const char *wanted, long *out_number) {
    size_t length = strlen(name);
    seq_launch launch;
    if (strncmp(wanted, name, length) != 0 || (wanted[length] && wanted[length] != ':'))
        return false;
    char *after = (char *)wanted + length;
    *out_number = *after ? strtol(after + 1, &after, 10) : 1;
    seq_launch_read(&launch);
    return *after != ':' || strtol(after + 1, NULL, 10) == launch.rank;
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

static void obey(request *request, const char *name) {
    const char *wanted = getenv(request->variable);
    long number;
    if (!wanted || !is_asked_for(name, wanted, &number)) return;
    if (atomic_fetch_add(&request->passed, 1) + 1 == number) kill(getpid(), request->signal);
}

void seq_fault_point(const char *name) {
    const char *path = getenv("SEQ_CRASH_LIST");
    if (path) list(path, name);
    for (size_t i = 0; i < sizeof seq_fault_requests / sizeof *seq_fault_requests; i++)
        obey(&seq_fault_requests[i], name);
}

void seq_fault_point_of(const char *path, const char *what) {
    char name[256];
    const char *slash = strrchr(path, '/');
    snprintf(name, sizeof name, "%.200s.%s", slash ? slash + 1 : path, what);
    seq_fault_point(name);
}
#endif
