#include "operations.h"
#include <stdlib.h>
#include <time.h>

// Variables that launchers set for each process: Open MPI, PMIx (srun), PMI (MPICH's hydra).
bool seq_comm_launched(void) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (getenv(names[i])) return true;
    return false;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int seq_comm_rank(const seq_comm *comm) {
    return comm->rank;
}

int seq_comm_size(const seq_comm *comm) {
    return comm->size;
}

const char *seq_comm_layout(const seq_comm *comm) {
    return comm->layout ? comm->layout : "1 process, without MPI";
}

const char *seq_comm_library(const seq_comm *comm) {
    return comm->operations->library(comm);
}

double seq_comm_bytes(const seq_comm *comm) {
    return comm->bytes;
}

double seq_comm_seconds(const seq_comm *comm) {
    return comm->seconds;
}

void seq_comm_close(seq_comm *comm) {
    if (!comm) return;
    comm->operations->close(comm);
    free(comm->layout);
    free(comm);
}

void seq_comm_abort(seq_comm *comm, int exit_code) {
    comm->operations->abort(comm, exit_code);
}

seq_status seq_comm_agree(seq_comm *comm, seq_error *error) {
    double begun = now();
    seq_status status = comm->operations->agree(comm, error);
    comm->seconds += now() - begun;
    return status;
}

seq_status seq_comm_sum(seq_comm *comm, float *values, size_t count, seq_error *error) {
    double begun = now();
    seq_status status = comm->operations->sum(comm, values, count, error);
    comm->seconds += now() - begun;
    return status;
}

seq_status seq_comm_gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error) {
    double begun = now();
    seq_status status = comm->operations->gather(comm, blocks, block_bytes, error);
    comm->seconds += now() - begun;
    return status;
}

seq_status seq_comm_broadcast(seq_comm *comm, void *bytes, size_t size, int root,
                              seq_error *error) {
    double begun = now();
    seq_status status = comm->operations->broadcast(comm, bytes, size, root, error);
    comm->seconds += now() - begun;
    return status;
}
