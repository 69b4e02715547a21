// Counters in shared memory: an atomic add raises one, and a wait spins for
// some 20 microseconds before it sleeps on a process-shared condition.
// Invariant: no wake-up is lost. A sleeper is counted before its last look, and
// a counter is raised before its raiser looks for sleepers. Tests:
// tests/unit/comm/test_arrival_counter.c, tests/mpi/test_comm.c, tests/mpi/overlap.sh.
#include "arrival_counter.h"
#include <stdbool.h>

// A rank that waits spins for some 20 microseconds, then sleeps: there may be more ranks than
// cores.
enum { SPINS = 1000 };

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

size_t seq_arrival_counters_bytes(size_t count) {
    return sizeof(seq_arrival_counters) + count * sizeof(_Atomic uint64_t);
}

void seq_arrival_counters_init(seq_arrival_counters *counters, int ranks) {
    pthread_mutexattr_t mutex;
    pthread_condattr_t wake;
    counters->ranks = ranks;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&counters->mutex, &mutex);
    pthread_mutexattr_destroy(&mutex);
    pthread_condattr_init(&wake);
    pthread_condattr_setpshared(&wake, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&counters->wake, &wake);
    pthread_condattr_destroy(&wake);
}

static void add(seq_arrival_counters *counters, size_t counter, uint64_t ranks) {
    uint64_t count = atomic_fetch_add(&counters->counts[counter], ranks) + ranks;
    bool full = count % (uint64_t)counters->ranks == 0; // all that sleepers wait for
    if (!full || atomic_load(&counters->sleepers) == 0) return;
    pthread_mutex_lock(&counters->mutex);
    pthread_cond_broadcast(&counters->wake);
    pthread_mutex_unlock(&counters->mutex);
}

void seq_arrival_raise(seq_arrival_counters *counters, size_t counter) {
    add(counters, counter, 1);
}

void seq_arrival_fill(seq_arrival_counters *counters, size_t counter) {
    add(counters, counter, (uint64_t)counters->ranks);
}

static bool is_full(seq_arrival_counters *counters, size_t counter, uint64_t round) {
    return atomic_load(&counters->counts[counter]) >= round * (uint64_t)counters->ranks;
}

// A sleeper is counted before it looks again; a counter is raised before its raiser looks for
// sleepers.
void seq_arrival_wait(seq_arrival_counters *counters, size_t counter, uint64_t round) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (is_full(counters, counter, round)) return;
        relax();
    }
    pthread_mutex_lock(&counters->mutex);
    atomic_fetch_add(&counters->sleepers, 1);
    while (!is_full(counters, counter, round))
        pthread_cond_wait(&counters->wake, &counters->mutex);
    atomic_fetch_sub(&counters->sleepers, 1);
    pthread_mutex_unlock(&counters->mutex);
}
