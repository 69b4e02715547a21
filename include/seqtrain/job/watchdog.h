// Ends a job that does not get on. A thread of every rank looks at the progress of its node's
// ranks, which stands in shared memory; when this rank has made none for almost the limit, the
// nodes tell each other theirs in files (hang_report.h), and one rank says who hangs
// (hang_diagnosis.h). All ranks then leave with exit code 6.
//
// Time is time that this thread was awake for: a job that is suspended as a whole does not hang.
#ifndef SEQTRAIN_JOB_WATCHDOG_H
#define SEQTRAIN_JOB_WATCHDOG_H

#include <seqtrain/comm/comm.h>

// In the order in which a rank passes through them at one count of steps.
typedef enum seq_stage {
    SEQ_STAGE_START,
    SEQ_STAGE_RESUME,
    SEQ_STAGE_SHARE,
    SEQ_STAGE_LOAD,
    SEQ_STAGE_VALIDATE,
    SEQ_STAGE_SAVE,
    SEQ_STAGE_WRITE,
    SEQ_STAGE_READ,
    SEQ_STAGE_COMPUTE,
    SEQ_STAGE_REPORT,
    SEQ_STAGE_EXCHANGE,
    SEQ_STAGE_UPDATE,
    SEQ_STAGE_END,
    SEQ_STAGES
} seq_stage;

typedef struct seq_watchdog seq_watchdog;

// Collective, agreed upon. `limit` in seconds; 0: *out is NULL, which all functions below accept.
// The caller's thread is the one that is watched. `session` tells this job's files in the run
// directory from another's.
seq_status seq_watchdog_create(seq_comm *comm, const char *run, uint64_t session, double limit,
                               seq_watchdog **out, seq_error *error);
void seq_watchdog_destroy(
    seq_watchdog *watchdog); // by the same thread, before the communicator's end

// Progress: a stage begins, or goes on (validation: a window is done). `step`: updates done.
void seq_watchdog_note(seq_watchdog *watchdog, int64_t step, seq_stage stage);
// Progress of a thread that works for the watched one: from now on what it reads and writes counts,
// too.
void seq_watchdog_touch(seq_watchdog *watchdog);

#endif
