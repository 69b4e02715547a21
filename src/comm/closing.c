#include "closing.h"
#include <errno.h>
#include <seqtrain/base/log.h>
#include <seqtrain/comm/comm.h>
#include <time.h>

enum { EXIT_HUNG = 6 };

static void *watch(void *argument) {
    seq_closing *closing = argument;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)closing->limit + 1;
    int code = 0;
    pthread_mutex_lock(&closing->mutex);
    while (!closing->closed && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&closing->changed, &closing->mutex, &until);
    bool closed = closing->closed;
    pthread_mutex_unlock(&closing->mutex);
    if (closed) return NULL;
    seq_log_error("the ranks have done their work, and MPI_Finalize does not return for %g s "
                  "(--hang-timeout): a rank is stopped, dead or cut off; the job ends",
                  closing->limit);
    seq_comm_leave(EXIT_HUNG);
}

void seq_closing_begin(seq_closing *closing, double limit) {
    pthread_condattr_t monotonic;
    *closing = (seq_closing){.limit = limit};
    if (limit <= 0) return;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&closing->mutex, NULL);
    pthread_cond_init(&closing->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&closing->thread, NULL, watch, closing)) closing->limit = 0;
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
