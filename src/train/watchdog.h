// Ends a job that does not get on. A thread of every rank looks at the progress of its node's
// ranks, which stands in shared memory; when this rank has made none for almost the limit, the
// nodes tell each other theirs in files (inquiry.h), and one rank says who hangs (verdict.h). All
// ranks then leave with exit code 6.
//
// Time is time that this thread was awake for: a job that is suspended as a whole does not hang.
#ifndef SEQ_TRAIN_WATCHDOG_H
#define SEQ_TRAIN_WATCHDOG_H

#include <seqtrain/comm/comm.h>

// In the order in which a rank passes through them at one count of steps.
typedef enum seq_phase {
    SEQ_PHASE_START,
    SEQ_PHASE_RESUME,
    SEQ_PHASE_VALIDATE,
    SEQ_PHASE_SAVE,
    SEQ_PHASE_WRITE,
    SEQ_PHASE_READ,
    SEQ_PHASE_COMPUTE,
    SEQ_PHASE_REPORT,
    SEQ_PHASE_EXCHANGE,
    SEQ_PHASE_UPDATE,
    SEQ_PHASE_END,
    SEQ_PHASES
} seq_phase;

typedef struct seq_watchdog seq_watchdog;

// Collective, agreed upon. `limit` in seconds; 0: *out is NULL, which all functions below accept.
// The caller's thread is the one that is watched. `session` tells this job's files in the run
// directory from another's.
seq_status seq_watchdog_create(seq_comm *comm, const char *run, uint64_t session, double limit,
                               seq_watchdog **out, seq_error *error);
void seq_watchdog_destroy(
    seq_watchdog *watchdog); // by the same thread, before the communicator's end

// Progress: a phase begins, or goes on (validation: a window is done). `step`: updates done.
void seq_watchdog_note(seq_watchdog *watchdog, int64_t step, seq_phase phase);
// Progress of a thread that works for the watched one: from now on what it reads and writes counts,
// too.
void seq_watchdog_touch(seq_watchdog *watchdog);

#endif
