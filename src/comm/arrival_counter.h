// Counters in memory that the M ranks of a node share. Each rank raises a counter once a round; it
// is full in round r (1, 2 ...) when it has come to r M. No MPI: any thread may raise and wait.
#ifndef SEQ_COMM_ARRIVAL_COUNTER_H
#define SEQ_COMM_ARRIVAL_COUNTER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_arrival_counters {
    int ranks; // M
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_int sleepers;
    _Atomic uint64_t counts[];
} seq_arrival_counters;

size_t seq_arrival_counters_bytes(size_t count);
// By one of the ranks, before any of them uses the others. The memory is zero before. Nothing is to
// be released in the end.
void seq_arrival_counters_init(seq_arrival_counters *counters, int ranks);
void seq_arrival_raise(seq_arrival_counters *counters, size_t counter);
// For all ranks at once.
void seq_arrival_fill(seq_arrival_counters *counters, size_t counter);
void seq_arrival_wait(seq_arrival_counters *counters, size_t counter, uint64_t round);

#endif
