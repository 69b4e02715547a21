// RUN/.session holds a number that each start of a job replaces by a new one, made of time and
// process. A rank that finds another number than its own there has been superseded. Test:
// tests/fault/two_jobs.sh.
#include <seqtrain/job/fence.h>
#include <inttypes.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 5 }; // seconds

// Differs from all before on this run directory.
static uint64_t invent(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 +
           ((uint64_t)getpid() << 52);
}

static seq_status write_session(const char *run, uint64_t session, seq_error *error) {
    char path[SEQ_PATH], text[32];
    int size = snprintf(text, sizeof text, "%" PRIu64 "\n", session);
    seq_status status = seq_path_join(path, run, ".session", error);
    return status ? status : seq_file_write_atomic(path, text, (size_t)size, error);
}

// Of a rank that is not the first: its --run leads elsewhere, to a disk of its own host, say. A
// network may show what rank 0 has written a little late.
static seq_status find_session(const char *run, uint64_t session, seq_error *error) {
    char path[SEQ_PATH], *text;
    size_t size;
    if (seq_path_join(path, run, ".session", error)) return error->status;
    for (int tries = 0; tries < 10 * PATIENCE; tries++) {
        seq_error ignored = {0};
        bool found = false;
        if (!seq_file_read(path, 64, &text, &size, &ignored)) {
            found = strtoull(text, NULL, 10) == session;
            free(text);
        }
        if (found) return SEQ_OK;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--run: %s is not the directory that rank 0 writes to: all ranks need one "
                         "that every host sees",
                         run);
}

seq_status seq_fence_begin(seq_comm *comm, const char *run, uint64_t *out_session,
                           seq_error *error) {
    *out_session = invent();
    if (seq_comm_rank(comm) == 0) write_session(run, *out_session, error);
    if (seq_comm_agree(comm, error)) return error->status;
    if (seq_comm_broadcast(comm, out_session, sizeof *out_session, 0, error)) return error->status;
    if (seq_comm_rank(comm) != 0) find_session(run, *out_session, error);
    return seq_comm_agree(comm, error);
}

bool seq_fence_is_current(const char *run, uint64_t session) {
    char path[SEQ_PATH], *text;
    size_t size;
    uint64_t listed;
    seq_error ignored = {0};
    if (seq_path_join(path, run, ".session", &ignored) || seq_file_size(path, &listed, &ignored) ||
        seq_file_read(path, 64, &text, &size, &ignored))
        return true;
    bool same = strtoull(text, NULL, 10) == session;
    free(text);
    return same;
}
