// Two ranks, a node each. The thread of rank 0's exchange never returns from
// MPI; its main thread gives the exchange up, as it does after an error of its
// own, and ends the job. MPI_Alltoallv is replaced by MPI's profiling
// interface. Checks seq_exchange_destroy of src/comm/exchange.c; run by
// tests/fault/harmed_mpi.sh.
#include <mpi.h>
#include <seqtrain/comm/comm.h>
#include <seqtrain/comm/exchange.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const size_t parts[] = {0};
static atomic_bool hangs;

int MPI_Alltoallv(const void *sent, const int *send_counts, const int *send_offsets,
                  MPI_Datatype send_type, void *received, const int *receive_counts,
                  const int *receive_offsets, MPI_Datatype receive_type, MPI_Comm comm) {
    int rank;
    MPI_Comm_rank(comm, &rank);
    while (rank == 0) {
        hangs = true;
        pause();
    }
    return PMPI_Alltoallv(sent, send_counts, send_offsets, send_type, received, receive_counts,
                          receive_offsets, receive_type, comm);
}

static int fail(const seq_error *error) {
    fprintf(stderr, "%s\n", error->text);
    return 1;
}

int main(int argc, char **argv) {
    seq_comm *comm;
    seq_error error = {0};
    seq_exchange *exchange;
    seq_exchanged sum;
    const seq_kernels *kernels;
    const seq_exchange_config config = {
        .count = SEQ_BLOCK, .overlap = true, .parts = parts, .part_count = 1};
    if (seq_comm_open_mpi(&argc, &argv, 1, &comm, &error) ||
        seq_kernels_find("portable", SEQ_FP32, &kernels, &error) ||
        seq_exchange_create(comm, kernels, &config, &exchange, &error))
        return fail(&error);
    memset(seq_exchange_live(exchange), 0xff, sizeof(uint64_t));
    seq_exchange_begin(exchange, &(seq_exchange_options){0});
    seq_exchange_ready(exchange, 0);
    if (seq_comm_rank(comm) == 1) seq_exchange_finish(exchange, &sum, &error); // does not return
    while (!hangs)
        usleep(1000);
    seq_exchange_destroy(exchange);
    fprintf(stderr, "rank %d: destroyed\n", seq_comm_rank(comm));
    seq_comm_abort(comm, 6);
    return 1;
}
