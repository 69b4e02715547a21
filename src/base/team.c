// Fork and join by two atomic counters: the round, which starts the work, and
// the number of threads that have not finished it. A thread spins on them for
// some 20 microseconds, then sleeps on a condition. Invariant: no wake-up is
// lost. A sleeper is counted before its last look, and a counter changes before
// its writer looks for sleepers. Tests: tests/unit/base/test_team.c,
// tests/unit/base/test_arithmetic.c, tests/unit/model/test_compute.c.
#include <seqtrain/base/team.h>
#include <pthread.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/thread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

// A waiting thread spins for some 20 microseconds, then sleeps: a sleeper that is woken gets its
// core back at once, one that yields gets it back after everybody else's turn.
enum { SPINS = 1000 };

typedef struct member {
    seq_team *team;
    int part;
    pthread_t thread;
} member;

struct seq_team {
    int size, started; // threads besides the caller that run
    seq_team_work *work;
    void *context;
    atomic_uint round; // counts the pieces of work
    atomic_int left;   // threads that have not finished this one
    atomic_int sleepers;
    atomic_bool closing;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    member members[SEQ_MAX_THREADS];
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

typedef bool condition(seq_team *team, unsigned seen);

static bool next_round(seq_team *team, unsigned seen) {
    return atomic_load(&team->round) != seen;
}

static bool all_finished(seq_team *team, unsigned seen) {
    (void)seen;
    return atomic_load(&team->left) == 0;
}

// A sleeper is counted before it looks at the condition again, a condition is made true before its
// maker looks for sleepers.
static void wait_until(seq_team *team, condition *holds, unsigned seen) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (holds(team, seen)) return;
        relax();
    }
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleepers, 1);
    while (!holds(team, seen))
        pthread_cond_wait(&team->wake, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void wake_sleepers(seq_team *team) {
    if (atomic_load(&team->sleepers) == 0) return;
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->wake);
    pthread_mutex_unlock(&team->mutex);
}

static void *serve(void *context) {
    member *self = context;
    seq_team *team = self->team;
    seq_arithmetic_begin();
    for (unsigned seen = 0;; seen++) {
        wait_until(team, next_round, seen);
        if (atomic_load(&team->closing)) return NULL;
        team->work(team->context, self->part, team->size);
        if (atomic_fetch_sub(&team->left, 1) == 1) wake_sleepers(team);
    }
}

static void begin_round(seq_team *team) {
    atomic_fetch_add(&team->round, 1);
    wake_sleepers(team);
}

seq_status seq_team_create(int threads, seq_team **out, seq_error *error) {
    seq_team *team = NULL;
    seq_status status = seq_allocate(&team, 1, sizeof *team, "a team of threads", error);
    if (status) return status;
    team->size = threads;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->wake, NULL);
    for (int i = 1; !status && i < threads; i++) {
        team->members[i] = (member){.team = team, .part = i};
        if (seq_thread_start(&team->members[i].thread, false, serve, &team->members[i]))
            status = seq_error_set(error, SEQ_NO_MEMORY,
                                   "--threads: thread %d of %d cannot be started", i + 1, threads);
        else
            team->started++;
    }
    if (status)
        seq_team_destroy(team);
    else
        *out = team;
    return status;
}

void seq_team_destroy(seq_team *team) {
    if (!team) return;
    atomic_store(&team->closing, true);
    begin_round(team);
    for (int i = 1; i <= team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->mutex);
    free(team);
}

int seq_team_size(const seq_team *team) {
    return team ? team->size : 1;
}

void seq_team_run(seq_team *team, seq_team_work *work, void *context) {
    if (!team || team->size == 1) {
        work(context, 0, 1);
        return;
    }
    team->work = work;
    team->context = context;
    atomic_store_explicit(&team->left, team->size - 1, memory_order_relaxed);
    begin_round(team);
    work(context, 0, team->size);
    wait_until(team, all_finished, 0);
}
