// What a launcher's environment says about this process: how many ranks were started together.
#ifndef SEQTRAIN_COMM_LAUNCH_H
#define SEQTRAIN_COMM_LAUNCH_H

#include <seqtrain/base/status.h>

typedef struct seq_launch {
    const char *variable; // that says so, or NULL: nobody says anything
    int ranks;            // at least so many
    int rank;             // of this process; 0 when it is not known
} seq_launch;

// The innermost launcher counts: mpirun inside a Slurm job, not Slurm. A batch script, the shell of
// an allocation and that of `srun --pty` are no launch. Call it before MPI is opened.
void seq_launch_read(seq_launch *out);
// SEQ_BAD_USAGE, with what to do, when this process found itself alone although more were started.
seq_status seq_launch_check(const seq_launch *launch, int size, seq_error *error);

#endif
