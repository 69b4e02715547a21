// Threads fetch under a lock, work freely, and commit when their block's number
// comes up. Invariant: commits happen in the order of fetches, and after the
// first failure nothing is committed. So the outcome and the error are the same
// for any number of threads. Tests: tests/cli/seqprep.sh,
// tests/cli/seqprep_text.sh.
#include "ordered_pipeline.h"
#include <pthread.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/thread.h>
#include <stdint.h>
#include <stdlib.h>

struct seq_ordered_pipeline {
    seq_ordered_pipeline_job job;
    pthread_mutex_t lock;   // guards what follows
    pthread_cond_t fetched; // nobody fetches any more
    pthread_cond_t turned;
    bool fetching, ended, failed;
    int64_t blocks;   // fetched; changed by who fetches
    int64_t turn;     // the block that may be committed
    seq_error *error; // belongs to whose turn it is
};

typedef struct member {
    seq_ordered_pipeline *pipeline;
    int worker;
    pthread_t thread;
} member;

static void await_turn(seq_ordered_pipeline *pipeline, int64_t turn) {
    pthread_mutex_lock(&pipeline->lock);
    while (pipeline->turn != turn)
        pthread_cond_wait(&pipeline->turned, &pipeline->lock);
    pthread_mutex_unlock(&pipeline->lock);
}

void seq_ordered_pipeline_await(seq_ordered_pipeline *pipeline) {
    await_turn(pipeline, pipeline->blocks);
}

static void pass_turn(seq_ordered_pipeline *pipeline) {
    pthread_mutex_lock(&pipeline->lock);
    pipeline->failed = pipeline->error->status != SEQ_OK;
    pipeline->turn++;
    pthread_cond_broadcast(&pipeline->turned);
    pthread_mutex_unlock(&pipeline->lock);
}

static bool begin_fetching(seq_ordered_pipeline *pipeline) {
    pthread_mutex_lock(&pipeline->lock);
    while (pipeline->fetching)
        pthread_cond_wait(&pipeline->fetched, &pipeline->lock);
    bool more = !pipeline->ended && !pipeline->failed;
    pipeline->fetching = more;
    pthread_mutex_unlock(&pipeline->lock);
    return more;
}

static void end_fetching(seq_ordered_pipeline *pipeline, bool ended) {
    pthread_mutex_lock(&pipeline->lock);
    pipeline->fetching = false;
    pipeline->ended = ended;
    pthread_cond_broadcast(&pipeline->fetched);
    pthread_mutex_unlock(&pipeline->lock);
}

// The number of the block, or -1: nothing is left to do. A failure is a block without content.
static int64_t fetch(seq_ordered_pipeline *pipeline, int worker, bool *any, seq_error *error) {
    if (!begin_fetching(pipeline)) return -1;
    seq_status status = pipeline->job.fetch(pipeline->job.context, pipeline, worker, any, error);
    int64_t block = status || *any ? pipeline->blocks++ : -1;
    end_fetching(pipeline, status || !*any);
    return block;
}

static void *labour(void *argument) {
    const member *member = argument;
    seq_ordered_pipeline *pipeline = member->pipeline;
    for (;;) {
        seq_error fetching = {0}, working = {0};
        bool any = false;
        int64_t block = fetch(pipeline, member->worker, &any, &fetching);
        if (block < 0) return NULL;
        if (any) pipeline->job.work(pipeline->job.context, member->worker, &working);
        await_turn(pipeline, block);
        if (working.status) seq_error_set(pipeline->error, working.status, "%s", working.text);
        if (any && !pipeline->error->status)
            pipeline->job.commit(pipeline->job.context, member->worker, pipeline->error);
        if (fetching.status) seq_error_set(pipeline->error, fetching.status, "%s", fetching.text);
        pass_turn(pipeline);
    }
}

seq_status seq_ordered_pipeline_run(int threads, const seq_ordered_pipeline_job *job,
                                    seq_error *error) {
    member *members = NULL;
    seq_ordered_pipeline pipeline = {.job = *job, .error = error};
    seq_status status =
        seq_allocate(&members, (size_t)threads, sizeof *members, "the threads", error);
    if (status) return status;
    pthread_mutex_init(&pipeline.lock, NULL);
    pthread_cond_init(&pipeline.fetched, NULL);
    pthread_cond_init(&pipeline.turned, NULL);
    int started = 1;
    for (int i = 0; i < threads; i++)
        members[i] = (member){.pipeline = &pipeline, .worker = i};
    while (started < threads &&
           seq_thread_start(&members[started].thread, false, labour, &members[started]) == 0)
        started++;
    labour(&members[0]);
    for (int i = 1; i < started; i++)
        pthread_join(members[i].thread, NULL);
    pthread_cond_destroy(&pipeline.turned);
    pthread_cond_destroy(&pipeline.fetched);
    pthread_mutex_destroy(&pipeline.lock);
    free(members);
    return error->status;
}
