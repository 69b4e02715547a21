// A session is one start of a job on a run directory. RUN/.session names the newest; what is left
// of an older one (a rank that was stopped and wakes up, a host that was cut off) sees there that
// the directory is not its own any more.
#ifndef SEQTRAIN_JOB_FENCE_H
#define SEQTRAIN_JOB_FENCE_H

#include <seqtrain/comm/comm.h>

// Collective, agreed upon; rank 0 holds the run directory's lock.
seq_status seq_fence_begin(seq_comm *comm, const char *run, uint64_t *out_session,
                           seq_error *error);
// False: a newer one has begun. True when the file cannot be read.
bool seq_fence_is_current(const char *run, uint64_t session);

#endif
