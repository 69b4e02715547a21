// A limit where a rank may wait for ever and no watchdog runs: before the ranks have agreed to
// start, and in the end of MPI.
#ifndef SEQ_COMM_FINALIZE_TIMEOUT_H
#define SEQ_COMM_FINALIZE_TIMEOUT_H

#include <pthread.h>
#include <stdbool.h>

typedef struct seq_finalize_timeout {
    int rank;
    double limit;           // seconds, 0: nobody watches
    const char *what, *why; // "what for LIMIT s (--hang-timeout): why; the job ends"
    bool closed;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
} seq_finalize_timeout;

// A thread ends the process with exit code 6 when seq_finalize_timeout_end does not come within
// `limit` seconds. Rank 0 says so; rank 1 some seconds later, if rank 0 has not. Without memory for
// the thread nobody watches.
void seq_finalize_timeout_begin(seq_finalize_timeout *timeout, int rank, double limit,
                                const char *what, const char *why);
void seq_finalize_timeout_end(seq_finalize_timeout *timeout);

#endif
