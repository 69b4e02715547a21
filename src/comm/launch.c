#include <seqtrain/comm/launch.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Each tells every process both; in the order in which they are asked.
static const struct {
    const char *size, *rank;
} launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"}, // Open MPI's mpirun
    {"MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},   // MVAPICH
    {"PMI_SIZE", "PMI_RANK"},                         // MPICH, Intel MPI, srun --mpi=pmi2
    {"FLUX_JOB_SIZE", "FLUX_TASK_RANK"},              // Flux
};

static bool read_integer(const char *name, int least, int *out) {
    const char *text = getenv(name);
    char *end;
    if (!text || !*text) return false;
    long value = strtol(text, &end, 10);
    if (*end || value < least || value >= INT_MAX) return false;
    *out = (int)value;
    return true;
}

static bool read_sizes(seq_launch *out) {
    for (size_t i = 0; i < sizeof launchers / sizeof *launchers; i++)
        if (read_integer(launchers[i].size, 1, &out->ranks)) {
            out->variable = launchers[i].size;
            read_integer(launchers[i].rank, 0, &out->rank);
            return true;
        }
    return false;
}

// PMIx tells a process its rank alone: the first one learns nothing, so every other one speaks.
static bool read_pmix(seq_launch *out) {
    int rank;
    if (!read_integer("PMIX_RANK", 1, &rank)) return false;
    out->variable = "PMIX_RANK";
    out->ranks = rank + 1;
    return true;
}

// A step of srun. Batch scripts and salloc have SLURM_NTASKS, but no step; the tasks of `srun
// --pty` are shells, of which one lives.
static bool read_slurm(seq_launch *out) {
    int step;
    if (!read_integer("SLURM_STEP_ID", 0, &step) || getenv("SLURM_PTY_PORT") ||
        !read_integer("SLURM_PROCID", 0, &out->rank) ||
        !read_integer("SLURM_STEP_NUM_TASKS", 1, &out->ranks))
        return false;
    out->variable = "SLURM_STEP_NUM_TASKS";
    return true;
}

void seq_launch_read(seq_launch *out) {
    *out = (seq_launch){NULL, 1, 0};
    if (read_sizes(out) || read_slurm(out) || read_pmix(out)) return;
    *out = (seq_launch){NULL, 1, 0};
}

seq_status seq_launch_check(const seq_launch *launch, int size, seq_error *error) {
    if (size > 1 || launch->ranks <= 1) return SEQ_OK;
    bool slurm = getenv("SLURM_JOB_ID") != NULL;
    return seq_error_set(
        error, SEQ_BAD_USAGE,
        "starting: %s says that %d or more ranks were started together, but this one finds itself "
        "alone: launcher and MPI library do not fit together. Use %s. For runs that have nothing "
        "to do with each other: env -u %s seqtrain ...",
        launch->variable, launch->ranks,
        slurm ? "srun --mpi=pmix, or inside the allocation the mpirun of the MPI library that "
                "seqtrain --version names"
              : "the mpirun of the MPI library that seqtrain --version names",
        launch->variable);
}
