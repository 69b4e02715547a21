// Reads the variables that launchers set for each process. A table names them by their
// documentation; the first launcher of the table that has set one is the innermost.
// Invariant: no variable that a batch system sets for a script or a shell is in the table.
// Tests: tests/cli/launcher.sh.
#include <seqtrain/base/launch.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>

typedef struct launcher {
    const char *size;  // number of ranks, or NULL: it tells the rank alone
    const char *rank;  //
    const char *local; // ranks of this host, or NULL
    bool mpi;          // see seq_launch
    const char *step;  // only where this one is set, too, or NULL
} launcher;

static const launcher launchers[] = {
    // mpirun of Open MPI, 4 and 5
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE", true, NULL},
    // mpirun_rsh of MVAPICH 3 and later, and of MVAPICH2
    {"MVP_COMM_WORLD_SIZE", "MVP_COMM_WORLD_RANK", "MVP_COMM_WORLD_LOCAL_SIZE", true, NULL},
    {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_LOCAL_SIZE", true, NULL},
    // PMI and PMI2. Hydra (MPICH, Intel MPI) tells the ranks of a host by another name
    {"PMI_SIZE", "PMI_RANK", "MPI_LOCALNRANKS", true, NULL},
    // PMI and PMI2 as srun (--mpi=pmi2, cray_shasta), PALS and Flux serve them
    {"PMI_SIZE", "PMI_RANK", "PMI_LOCAL_SIZE", true, NULL},
    {"FLUX_JOB_SIZE", "FLUX_TASK_RANK", NULL, false, NULL},
    // A step of srun: batch scripts and salloc have SLURM_NTASKS, but no step
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_TASKS_PER_NODE", false, "SLURM_STEP_ID"},
    {NULL, "PMIX_RANK", NULL, true, NULL},    // PMIx: prterun, srun --mpi=pmix
    {NULL, "PMI_ID", NULL, true, NULL},       // PMI over a port
    {NULL, "PALS_RANKID", NULL, false, NULL}, // PALS, of HPE Cray
};

static bool read_integer(const char *name, int least, int *out) {
    const char *text = name ? getenv(name) : NULL;
    char *end;
    if (!text || !*text) return false;
    long value = strtol(text, &end, 10);
    // "2(x3),1": tasks of the nodes of a Slurm job, of which the first may speak for all
    if ((*end && *end != '(' && *end != ',') || value < least || value >= INT_MAX) return false;
    *out = (int)value;
    return true;
}

// The tasks of `srun --pty` are shells, of which one lives.
static bool has_step(const launcher *it) {
    int step;
    return !it->step || (read_integer(it->step, 0, &step) && !getenv("SLURM_PTY_PORT"));
}

// The first process of a launcher that tells ranks alone learns nothing, so every other one speaks.
static bool read_one(const launcher *it, seq_launch *out) {
    int rank = 0, ranks = 1;
    if (!has_step(it)) return false;
    bool ranked = read_integer(it->rank, 0, &rank), sized = read_integer(it->size, 1, &ranks);
    if (it->size ? !sized : !ranked) return false;
    if (it->mpi) out->mpi = true;
    if (!out->local_ranks) read_integer(it->local, 1, &out->local_ranks);
    if (out->variable) return true;
    out->variable = it->size ? it->size : it->rank;
    out->ranks = it->size ? ranks : rank + 1;
    out->rank = rank;
    return true;
}

void seq_launch_read(seq_launch *out) {
    *out = (seq_launch){.ranks = 1};
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        read_one(&launchers[i], out);
}
