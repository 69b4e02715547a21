// What a launcher's environment says about this process. The one list of such variables.
#ifndef SEQTRAIN_BASE_LAUNCH_H
#define SEQTRAIN_BASE_LAUNCH_H

#include <stdbool.h>

typedef struct seq_launch {
    const char *variable; // that says how many, or which of them, this is; NULL: none says anything
    int ranks;            // started together: at least so many
    int rank;             // of this process; 0 when it is not known
    int local_ranks;      // on this host; 0 when it is not known
    bool mpi;             // the launcher offers MPI libraries a way to the other ranks
} seq_launch;

// The innermost launcher counts: mpirun inside a Slurm job, not Slurm. A batch script, the shell of
// an allocation and that of `srun --pty` are no launch. MPI may change the environment: who asks
// for `mpi` or `ranks` asks before MPI is opened. Allocates nothing; signal handlers may call it.
void seq_launch_read(seq_launch *out);

#endif
