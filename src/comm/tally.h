// Counters in memory that the M ranks of a node share. Each rank raises a counter once a round; it
// is full in round r (1, 2 ...) when it has come to r M. No MPI: any thread may raise and wait.
#ifndef SEQ_COMM_TALLY_H
#define SEQ_COMM_TALLY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_tallies {
    int ranks; // M
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_int sleepers;
    _Atomic uint64_t counts[];
} seq_tallies;

size_t seq_tallies_bytes(size_t count);
// By one of the ranks, before any of them uses the others. The memory is zero before. Nothing is to
// be released in the end.
void seq_tallies_init(seq_tallies *tallies, int ranks);
void seq_tally_raise(seq_tallies *tallies, size_t tally);
// For all ranks at once.
void seq_tally_fill(seq_tallies *tallies, size_t tally);
void seq_tally_wait(seq_tallies *tallies, size_t tally, uint64_t round);

#endif
