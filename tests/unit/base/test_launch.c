// What launchers' variables say: each row of the list alone, the innermost of several, and the
// shells and scripts of batch systems, which are no launch.
#include <seqtrain/base/launch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MOST_VARIABLES = 8 };

typedef struct expectation {
    const char *environment[MOST_VARIABLES]; // NAME=VALUE, then NULL
    const char *variable;
    int ranks, rank, local_ranks;
    bool mpi;
} expectation;

static const expectation cases[] = {
    {{NULL}, NULL, 1, 0, 0, false},
    {{"OMPI_COMM_WORLD_SIZE=8", "OMPI_COMM_WORLD_RANK=5", "OMPI_COMM_WORLD_LOCAL_SIZE=4"},
     "OMPI_COMM_WORLD_SIZE",
     8,
     5,
     4,
     true},
    {{"MVP_COMM_WORLD_SIZE=8", "MVP_COMM_WORLD_RANK=5"}, "MVP_COMM_WORLD_SIZE", 8, 5, 0, true},
    {{"MV2_COMM_WORLD_SIZE=3", "MV2_COMM_WORLD_RANK=2", "MV2_COMM_WORLD_LOCAL_SIZE=1"},
     "MV2_COMM_WORLD_SIZE",
     3,
     2,
     1,
     true},
    {{"PMI_SIZE=4", "PMI_RANK=3", "MPI_LOCALNRANKS=2"}, "PMI_SIZE", 4, 3, 2, true},
    {{"PMI_SIZE=4", "PMI_RANK=3", "PMI_LOCAL_SIZE=2", "PALS_RANKID=3"}, "PMI_SIZE", 4, 3, 2, true},
    {{"PMI_ID=2", "PMI_PORT=host:1"}, "PMI_ID", 3, 2, 0, true},
    {{"PMIX_RANK=0"}, "PMIX_RANK", 1, 0, 0, true},
    {{"PMIX_RANK=6"}, "PMIX_RANK", 7, 6, 0, true},
    {{"FLUX_JOB_SIZE=5", "FLUX_TASK_RANK=4"}, "FLUX_JOB_SIZE", 5, 4, 0, false},
    {{"FLUX_JOB_SIZE=5", "FLUX_TASK_RANK=4", "PMI_SIZE=5", "PMI_RANK=4"},
     "PMI_SIZE",
     5,
     4,
     0,
     true},
    {{"PALS_RANKID=9"}, "PALS_RANKID", 10, 9, 0, false},
    {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=6", "SLURM_PROCID=1", "SLURM_TASKS_PER_NODE=2(x3)"},
     "SLURM_STEP_NUM_TASKS",
     6,
     1,
     2,
     false},
    {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=6", "SLURM_PROCID=1", "PMIX_RANK=1"},
     "SLURM_STEP_NUM_TASKS",
     6,
     1,
     0,
     true},
    // mpirun inside a step of its daemons; shells and scripts; what is no number
    {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=6", "OMPI_COMM_WORLD_SIZE=2"},
     "OMPI_COMM_WORLD_SIZE",
     2,
     0,
     0,
     true},
    {{"SLURM_JOB_ID=7", "SLURM_NTASKS=6", "SLURM_PROCID=0"}, NULL, 1, 0, 0, false},
    {{"SLURM_STEP_ID=0", "SLURM_STEP_NUM_TASKS=6", "SLURM_PTY_PORT=4000"}, NULL, 1, 0, 0, false},
    {{"SLURM_STEP_ID=4294967291", "SLURM_STEP_NUM_TASKS=6"}, NULL, 1, 0, 0, false},
    {{"PMI_SIZE=many", "PMI_RANK=1"}, NULL, 1, 0, 0, false},
    {{"OMPI_COMM_WORLD_SIZE=0"}, NULL, 1, 0, 0, false},
    {{"OMPI_COMM_WORLD_SIZE="}, NULL, 1, 0, 0, false},
};

static void launchers_are_told_apart(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const expectation *it = &cases[i];
        seq_launch launch;
        clearenv();
        for (int j = 0; j < MOST_VARIABLES && it->environment[j]; j++)
            assert_int_equal(putenv((char *)(uintptr_t)it->environment[j]), 0);
        seq_launch_read(&launch);
        if (it->variable)
            assert_string_equal(launch.variable, it->variable);
        else
            assert_null(launch.variable);
        assert_int_equal(launch.ranks, it->ranks);
        const char *name = it->variable ? it->variable : "";
        assert_int_equal(launch.exact, strstr(name, "SIZE") || strstr(name, "NUM_TASKS"));
        assert_int_equal(launch.rank, it->rank);
        assert_int_equal(launch.local_ranks, it->local_ranks);
        assert_int_equal(launch.mpi, it->mpi);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(launchers_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
