// Answers are whole files: written under another name, renamed, and ended by a
// line "end", so no reader takes a part for an answer. The verdict is created
// with O_EXCL. Invariant: one rank alone creates it; where the file system
// fails, it is told twice rather than never. Tests:
// tests/unit/job/test_hang_report.c, tests/fault/hang.sh,
// tests/fault/first_host.sh.
#include "hang_report.h"
#include <seqtrain/job/watchdog.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path_of(const seq_hang_report *report, const char *name, char out[SEQ_PATH]) {
    snprintf(out, SEQ_PATH, "%s/%s", report->directory, name);
    return out;
}

static bool exists(const seq_hang_report *report, const char *name) {
    char path[SEQ_PATH];
    return access(path_of(report, name, path), F_OK) == 0;
}

seq_status seq_hang_report_open(seq_hang_report *report, const char *run, uint64_t session,
                                seq_error *error) {
    report->session = session;
    if (snprintf(report->directory, sizeof report->directory, "%s/hang", run) <
        (int)sizeof report->directory)
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT, "--run: the path is too long: %s", run);
}

static void recall(const seq_hang_report *report, const char *name) {
    char path[SEQ_PATH], *text;
    size_t size;
    seq_error ignored = {0};
    if (!exists(report, name)) return;
    if (seq_file_read(path_of(report, name, path), 1 << 13, &text, &size, &ignored)) return;
    if (*text) seq_log_info("the last job on this run: %.*s", (int)strcspn(text, "\n"), text);
    free(text);
}

void seq_hang_report_clear(const seq_hang_report *report) {
    seq_error ignored = {0};
    recall(report, "lost");
    recall(report, "verdict");
    if (access(report->directory, F_OK) == 0) seq_directory_remove(report->directory, &ignored);
}

static int create(const seq_hang_report *report, const char *name, int flags) {
    char path[SEQ_PATH];
    mkdir(report->directory, 0777);
    return open(path_of(report, name, path), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
}

void seq_hang_report_ask(const seq_hang_report *report) {
    int descriptor = exists(report, "asked") ? -1 : create(report, "asked", 0);
    if (descriptor >= 0) close(descriptor);
}

void seq_hang_report_withdraw(const seq_hang_report *report) {
    char path[SEQ_PATH];
    unlink(path_of(report, "asked", path));
}

bool seq_hang_report_is_asked(const seq_hang_report *report) {
    return exists(report, "asked");
}

static bool write_whole(int descriptor, const char *text) {
    if (descriptor < 0) return false;
    ssize_t length = (ssize_t)strlen(text), written = write(descriptor, text, (size_t)length);
    return close(descriptor) == 0 && written == length;
}

static void print_rank(FILE *stream, const seq_watched *rank) {
    fprintf(stream, "%d %d %d %d %.3f %" PRId64 " %d %d\n", rank->alive, rank->left, rank->dead,
            rank->waiting, rank->age, rank->step, rank->stage, rank->signal);
}

void seq_hang_report_answer(const seq_hang_report *report, int node, uint64_t beat,
                            const seq_watched *ranks, int count) {
    char name[64], path[SEQ_PATH], part[SEQ_PATH], *text = NULL;
    size_t size;
    seq_error ignored = {0};
    FILE *stream = open_memstream(&text, &size);
    if (!stream) return;
    fprintf(stream, "%" PRIu64 " %" PRIu64 "\n", report->session, beat);
    for (int rank = 0; rank < count; rank++)
        print_rank(stream, &ranks[rank]);
    fputs("end\n", stream);
    snprintf(name, sizeof name, "node-%d", node);
    path_of(report, name, path);
    snprintf(name, sizeof name, "part-%d-%ld", node, (long)getpid());
    if (!seq_memory_stream_close(stream, &text, &ignored, "answering") &&
        write_whole(create(report, name, O_TRUNC), text))
        rename(path_of(report, name, part), path); // who reads meanwhile finds an answer
    free(text);
}

static bool read_rank(FILE *stream, seq_watched *out) {
    int alive, left, dead, waiting, stage, signal;
    double age;
    int64_t step;
    if (fscanf(stream, "%d %d %d %d %lf %" SCNd64 " %d %d", &alive, &left, &dead, &waiting, &age,
               &step, &stage, &signal) != 8 ||
        stage < 0 || stage >= SEQ_STAGES)
        return false;
    *out = (seq_watched){alive, true, left, dead, waiting, age, step, stage, signal};
    return true;
}

static bool read_ranks(FILE *stream, seq_watched *ranks, int count) {
    char last[4];
    for (int rank = 0; rank < count; rank++)
        if (!read_rank(stream, &ranks[rank])) return false;
    return fscanf(stream, "%3s", last) == 1 && strcmp(last, "end") == 0;
}

uint64_t seq_hang_report_read(const seq_hang_report *report, int node, seq_watched *ranks,
                              int count) {
    char name[32], path[SEQ_PATH];
    uint64_t session, beat;
    snprintf(name, sizeof name, "node-%d", node);
    FILE *stream = fopen(path_of(report, name, path), "re");
    if (!stream) return 0;
    bool whole = fscanf(stream, "%" SCNu64 " %" SCNu64, &session, &beat) == 2 &&
                 session == report->session && read_ranks(stream, ranks, count);
    fclose(stream);
    return whole ? beat : 0;
}

bool seq_hang_report_conclude(const seq_hang_report *report, const char *name, const char *text,
                              const char *hosts) {
    int descriptor = create(report, name, O_EXCL);
    if (descriptor < 0) return errno != EEXIST; // rather told twice than never
    dprintf(descriptor, "%s\nhosts: %s\n", text, hosts);
    close(descriptor);
    return true;
}

bool seq_hang_report_is_concluded(const seq_hang_report *report, const char *name) {
    return exists(report, name);
}
