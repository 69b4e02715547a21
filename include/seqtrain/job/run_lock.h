// One job at a time on a run directory. RUN/.lock is locked by rank 0 and says who holds it (host,
// process, since when, batch job); RUN/.lock-ranks by the other ranks, which may outlive rank 0 for
// a while and still write a shard. Where the file system has no locks, what .lock says decides.
#ifndef SEQTRAIN_JOB_RUN_LOCK_H
#define SEQTRAIN_JOB_RUN_LOCK_H

#include <seqtrain/base/status.h>
#include <seqtrain/comm/comm.h>
#include <stdbool.h>

// Zero-initialise before use.
typedef struct seq_run_lock {
    int descriptor; // + 1; 0: none
    bool is_job;    // .lock, rank 0's
    bool made_run;  // RUN did not exist
} seq_run_lock;

// Collective. Creates RUN. SEQ_BAD_USAGE when another job holds it; a dead one's is taken over with
// a word about it.
seq_status seq_run_lock_take(seq_run_lock *lock, const char *run, seq_comm *comm, seq_error *error);
// Says in .lock that this job has ended, and unlocks. A RUN that this job has created goes, too,
// unless something `begun` is there: an option that is refused leaves nothing behind.
void seq_run_lock_release(seq_run_lock *lock, const char *run, bool begun);

#endif
