// A worker thread and its owner share one mutex and one condition. The pointer
// to the job is the whole state: NULL means idle, and the worker clears it when
// the job has returned. The waits use CLOCK_MONOTONIC, so a changed clock does
// not cut them short. Invariant: the worker runs a job without holding the
// mutex, so the owner never waits just to ask. Tests:
// tests/unit/base/test_arithmetic.c, tests/fault/background_save.sh.
#include <seqtrain/base/background.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/thread.h>
#include <stdlib.h>
#include <time.h>

struct seq_background {
    pthread_t thread;
    pthread_mutex_t mutex; // guards all below
    pthread_cond_t changed;
    void (*job)(void *); // NULL: idle
    void *argument;
    bool ends;
};

static void *work(void *argument) {
    seq_background *background = argument;
    seq_arithmetic_begin();
    pthread_mutex_lock(&background->mutex);
    for (;;) {
        while (!background->job && !background->ends)
            pthread_cond_wait(&background->changed, &background->mutex);
        if (!background->job) break;
        pthread_mutex_unlock(&background->mutex);
        background->job(background->argument);
        pthread_mutex_lock(&background->mutex);
        background->job = NULL;
        pthread_cond_broadcast(&background->changed);
    }
    pthread_mutex_unlock(&background->mutex);
    return NULL;
}

seq_status seq_background_create(seq_background **out, seq_error *error) {
    seq_background *background = NULL;
    pthread_condattr_t attributes;
    seq_status status =
        seq_allocate(&background, 1, sizeof *background, "the background thread", error);
    if (status) return status;
    pthread_mutex_init(&background->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&background->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (seq_thread_start(&background->thread, true, work, background)) {
        free(background);
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "starting the background thread: out of memory or of threads");
    }
    *out = background;
    return SEQ_OK;
}

void seq_background_destroy(seq_background *background) {
    if (!background) return;
    pthread_mutex_lock(&background->mutex);
    background->ends = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
    pthread_join(background->thread, NULL);
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->mutex);
    free(background);
}

void seq_background_start(seq_background *background, void (*job)(void *), void *argument) {
    pthread_mutex_lock(&background->mutex);
    background->job = job;
    background->argument = argument;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->mutex);
}

bool seq_background_is_busy(seq_background *background) {
    pthread_mutex_lock(&background->mutex);
    bool busy = background->job;
    pthread_mutex_unlock(&background->mutex);
    return busy;
}

void seq_background_wait(seq_background *background) {
    pthread_mutex_lock(&background->mutex);
    while (background->job)
        pthread_cond_wait(&background->changed, &background->mutex);
    pthread_mutex_unlock(&background->mutex);
}

bool seq_background_wait_for(seq_background *background, double seconds) {
    struct timespec end;
    int code = 0;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)ceil(seconds);
    pthread_mutex_lock(&background->mutex);
    while (background->job && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&background->changed, &background->mutex, &end);
    bool done = !background->job;
    pthread_mutex_unlock(&background->mutex);
    return done;
}
