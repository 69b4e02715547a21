// Counters in shared memory: an atomic add raises one, and a wait spins for
// some 20 microseconds before it sleeps on a process-shared condition.
// Invariant: no wake-up is lost. A sleeper is counted before its last look, and
// a counter is raised before its raiser looks for sleepers. Tests:
// tests/unit/comm/test_tally.c, tests/mpi/test_comm.c, tests/mpi/overlap.sh.
#include "tally.h"
#include <stdbool.h>

// A rank that waits spins for some 20 microseconds, then sleeps: there may be more ranks than
// cores.
enum { SPINS = 1000 };

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

size_t seq_tallies_bytes(size_t count) {
    return sizeof(seq_tallies) + count * sizeof(_Atomic uint64_t);
}

void seq_tallies_init(seq_tallies *tallies, int ranks) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t wake;
    tallies->ranks = ranks;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&tallies->mutex, &mutex);
    pthread_mutexattr_destroy(&mutex);
    pthread_condattr_init(&wake);
    pthread_condattr_setpshared(&wake, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&tallies->wake, &wake);
    pthread_condattr_destroy(&wake);
}

static void add(seq_tallies *tallies, size_t tally, uint64_t ranks) {
    uint64_t count = atomic_fetch_add(&tallies->counts[tally], ranks) + ranks;
    bool full = count % (uint64_t)tallies->ranks == 0; // all that sleepers wait for
    if (!full || atomic_load(&tallies->sleepers) == 0) return;
    pthread_mutex_lock(&tallies->mutex);
    pthread_cond_broadcast(&tallies->wake);
    pthread_mutex_unlock(&tallies->mutex);
}

void seq_tally_raise(seq_tallies *tallies, size_t tally) {
    add(tallies, tally, 1);
}

void seq_tally_fill(seq_tallies *tallies, size_t tally) {
    add(tallies, tally, (uint64_t)tallies->ranks);
}

static bool is_full(seq_tallies *tallies, size_t tally, uint64_t round) {
    return atomic_load(&tallies->counts[tally]) >= round * (uint64_t)tallies->ranks;
}

// A sleeper is counted before it looks again; a counter is raised before its raiser looks for
// sleepers.
void seq_tally_wait(seq_tallies *tallies, size_t tally, uint64_t round) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (is_full(tallies, tally, round)) return;
        relax();
    }
    pthread_mutex_lock(&tallies->mutex);
    atomic_fetch_add(&tallies->sleepers, 1);
    while (!is_full(tallies, tally, round))
        pthread_cond_wait(&tallies->wake, &tallies->mutex);
    atomic_fetch_sub(&tallies->sleepers, 1);
    pthread_mutex_unlock(&tallies->mutex);
}
