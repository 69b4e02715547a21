// Threads fetch under a lock, work freely, and commit when their block's number
// comes up. Invariant: commits happen in the order of fetches, and after the
// first failure nothing is committed. So the outcome and the error are the same
// for any number of threads. Tests: tests/cli/seqprep.sh,
// tests/cli/seqprep_text.sh.
#include "crew.h"
#include <pthread.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/thread.h>
#include <stdint.h>
#include <stdlib.h>

struct seq_crew {
    seq_crew_job job;
    pthread_mutex_t lock;   // guards what follows
    pthread_cond_t fetched; // nobody fetches any more
    pthread_cond_t turned;
    bool fetching, ended, failed;
    int64_t blocks;   // fetched; changed by who fetches
    int64_t turn;     // the block that may be committed
    seq_error *error; // belongs to whose turn it is
};

typedef struct member {
    seq_crew *crew;
    int worker;
    pthread_t thread;
} member;

static void await_turn(seq_crew *crew, int64_t turn) {
    pthread_mutex_lock(&crew->lock);
    while (crew->turn != turn)
        pthread_cond_wait(&crew->turned, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

void seq_crew_await(seq_crew *crew) {
    await_turn(crew, crew->blocks);
}

static void pass_turn(seq_crew *crew) {
    pthread_mutex_lock(&crew->lock);
    crew->failed = crew->error->status != SEQ_OK;
    crew->turn++;
    pthread_cond_broadcast(&crew->turned);
    pthread_mutex_unlock(&crew->lock);
}

static bool begin_fetching(seq_crew *crew) {
    pthread_mutex_lock(&crew->lock);
    while (crew->fetching)
        pthread_cond_wait(&crew->fetched, &crew->lock);
    bool more = !crew->ended && !crew->failed;
    crew->fetching = more;
    pthread_mutex_unlock(&crew->lock);
    return more;
}

static void end_fetching(seq_crew *crew, bool ended) {
    pthread_mutex_lock(&crew->lock);
    crew->fetching = false;
    crew->ended = ended;
    pthread_cond_broadcast(&crew->fetched);
    pthread_mutex_unlock(&crew->lock);
}

// The number of the block, or -1: nothing is left to do. A failure is a block without content.
static int64_t fetch(seq_crew *crew, int worker, bool *any, seq_error *error) {
    if (!begin_fetching(crew)) return -1;
    seq_status status = crew->job.fetch(crew->job.context, crew, worker, any, error);
    int64_t block = status || *any ? crew->blocks++ : -1;
    end_fetching(crew, status || !*any);
    return block;
}

static void *labour(void *argument) {
    const member *member = argument;
    seq_crew *crew = member->crew;
    for (;;) {
        seq_error fetching = {0}, working = {0};
        bool any = false;
        int64_t block = fetch(crew, member->worker, &any, &fetching);
        if (block < 0) return NULL;
        if (any) crew->job.work(crew->job.context, member->worker, &working);
        await_turn(crew, block);
        if (working.status) seq_error_set(crew->error, working.status, "%s", working.text);
        if (any && !crew->error->status)
            crew->job.commit(crew->job.context, member->worker, crew->error);
        if (fetching.status) seq_error_set(crew->error, fetching.status, "%s", fetching.text);
        pass_turn(crew);
    }
}

seq_status seq_crew_run(int threads, const seq_crew_job *job, seq_error *error) {
    member *members = NULL;
    seq_crew crew = {.job = *job, .error = error};
    seq_status status =
        seq_allocate(&members, (size_t)threads, sizeof *members, "the threads", error);
    if (status) return status;
    pthread_mutex_init(&crew.lock, NULL);
    pthread_cond_init(&crew.fetched, NULL);
    pthread_cond_init(&crew.turned, NULL);
    int started = 1;
    for (int i = 0; i < threads; i++)
        members[i] = (member){.crew = &crew, .worker = i};
    while (started < threads &&
           seq_thread_start(&members[started].thread, false, labour, &members[started]) == 0)
        started++;
    labour(&members[0]);
    for (int i = 1; i < started; i++)
        pthread_join(members[i].thread, NULL);
    pthread_cond_destroy(&crew.turned);
    pthread_cond_destroy(&crew.fetched);
    pthread_mutex_destroy(&crew.lock);
    free(members);
    return error->status;
}
