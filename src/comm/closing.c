// Ends a process that waits for other ranks longer than a limit, by a thread
// that watches. It counts its looks of at most a second each, so the time that a
// suspended job sleeps through does not count. Rank 0 tells why; rank 1 stands in
// for it some seconds later, so one message comes. Tests: tests/fault/hang.sh (the
// end of MPI), tests/fault/harmed_mpi.sh (both).
#include "closing.h"
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
    seq_closing *closing = argument;
    double waited = 0, limit = closing->limit + 1 + (closing->rank == 1 ? STAND_IN : 0);
    pthread_mutex_lock(&closing->mutex);
    while (!closing->closed && waited < limit) {
        double begun = now();
        struct timespec until = {.tv_sec = (time_t)begun + 1};
        pthread_cond_timedwait(&closing->changed, &closing->mutex, &until);
        double passed = now() - begun;
        waited += passed < 1 ? passed : 1;
    }
    bool closed = closing->closed;
    pthread_mutex_unlock(&closing->mutex);
    if (closed) return NULL;
    if (closing->rank == 1 && seq_signals_caught() != SIGTERM) // else the launcher ends the job
        seq_log_open(stderr, SEQ_LOG_WARNING, "seqtrain");
    seq_log_error("%s for %g s (--hang-timeout): %s; the job ends", closing->what, closing->limit,
                  closing->why);
    seq_comm_leave(EXIT_HUNG);
}

void seq_closing_begin(seq_closing *closing, int rank, double limit, const char *what,
                       const char *why) {
    pthread_condattr_t monotonic;
    *closing = (seq_closing){.rank = rank, .limit = limit, .what = what, .why = why};
    if (limit <= 0) return;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&closing->mutex, NULL);
    pthread_cond_init(&closing->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (seq_thread_start(&closing->thread, false, watch, closing)) closing->limit = 0;
}

void seq_closing_end(seq_closing *closing) {
    if (closing->limit <= 0) return;
    pthread_mutex_lock(&closing->mutex);
    closing->closed = true;
    pthread_cond_signal(&closing->changed);
    pthread_mutex_unlock(&closing->mutex);
    pthread_join(closing->thread, NULL);
    pthread_cond_destroy(&closing->changed);
    pthread_mutex_destroy(&closing->mutex);
}
