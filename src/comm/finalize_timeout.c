// Ends a process that waits for other ranks longer than a limit, by a thread
// that watches. It counts its looks of at most a second each, so the time that a
// suspended job sleeps through does not count. Rank 0 tells why; rank 1 stands in
// for it some seconds later, so one message comes. Tests: tests/fault/hang.sh (the
// end of MPI), tests/fault/harmed_mpi.sh (both).
#include "finalize_timeout.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/base/thread.h>
#include <seqtrain/comm/comm.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

enum { EXIT_HUNG = 6, STAND_IN = 5 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Time that the job was suspended for does not count: of each look as much as it was to take.
static void *watch(void *argument) {
    seq_finalize_timeout *timeout = argument;
    double waited = 0, limit = timeout->limit + 1 + (timeout->rank == 1 ? STAND_IN : 0);
    pthread_mutex_lock(&timeout->mutex);
    while (!timeout->closed && waited < limit) {
        double begun = now();
        struct timespec until = {.tv_sec = (time_t)begun + 1};
        pthread_cond_timedwait(&timeout->changed, &timeout->mutex, &until);
        double passed = now() - begun;
        waited += passed < 1 ? passed : 1;
    }
    bool closed = timeout->closed;
    pthread_mutex_unlock(&timeout->mutex);
    if (closed) return NULL;
    if (timeout->rank == 1 && seq_signals_caught() != SIGTERM) // else the launcher ends the job
        seq_log_open(stderr, SEQ_LOG_WARNING, "seqtrain");
    seq_log_error("%s for %g s (--hang-timeout): %s; the job ends", timeout->what, timeout->limit,
                  timeout->why);
    seq_comm_leave(EXIT_HUNG);
}

void seq_finalize_timeout_begin(seq_finalize_timeout *timeout, int rank, double limit,
                                const char *what, const char *why) {
    pthread_condattr_t monotonic;
    *timeout = (seq_finalize_timeout){.rank = rank, .limit = limit, .what = what, .why = why};
    if (limit <= 0) return;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&timeout->mutex, NULL);
    pthread_cond_init(&timeout->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (seq_thread_start(&timeout->thread, false, watch, timeout)) timeout->limit = 0;
}

void seq_finalize_timeout_end(seq_finalize_timeout *timeout) {
    if (timeout->limit <= 0) return;
    pthread_mutex_lock(&timeout->mutex);
    timeout->closed = true;
    pthread_cond_signal(&timeout->changed);
    pthread_mutex_unlock(&timeout->mutex);
    pthread_join(timeout->thread, NULL);
    pthread_cond_destroy(&timeout->changed);
    pthread_mutex_destroy(&timeout->mutex);
}
