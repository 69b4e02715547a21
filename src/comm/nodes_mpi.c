// Decides which ranks share memory. Ranks are renumbered host by host; a node
// is all ranks, or the largest aligned power of two that lies on one host each.
// Invariant: every node is a whole subtree of the summation tree, so the
// division changes no bit. Tests: tests/mpi/test_comm.c (mpi.comm.* run twelve
// layouts), tests/mpi/two_hosts.sh.
#include "comm_mpi_private.h"
#include <seqtrain/base/memory.h>
#include <stdbool.h>
#include <stdlib.h>

static seq_comm_mpi *own(const seq_comm *comm) {
    return comm->own;
}

// Ranks in the order of hosts; `*out_host` is the launcher's number of the first rank of this host.
static int number_ranks(seq_comm_mpi *mpi, int *out_host) {
    int code =
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &mpi->host);
    if (code != MPI_SUCCESS) return code;
    MPI_Comm_rank(MPI_COMM_WORLD, out_host);
    code = MPI_Bcast(out_host, 1, MPI_INT, 0, mpi->host);
    return code == MPI_SUCCESS ? MPI_Comm_split(MPI_COMM_WORLD, 0, *out_host, &mpi->world) : code;
}

static bool blocks_fit(const int *hosts, int size, int block) {
    if (size % block) return false;
    for (int rank = 0; rank < size; rank++)
        if (hosts[rank] != hosts[rank / block * block]) return false;
    return true;
}

// All ranks, or the largest power of two whose aligned blocks are on one host each: whole subtrees.
static int choose_node_size(const int *hosts, int size, int most) {
    if (most <= 0 || most > size) most = size;
    if (most == size && blocks_fit(hosts, size, size)) return size;
    int block = size & -size;
    while (block > 1 && (block > most || !blocks_fit(hosts, size, block)))
        block /= 2;
    return block;
}

static int divide_into_nodes(seq_comm *comm, const int *hosts, int most_per_node) {
    seq_comm_mpi *mpi = own(comm);
    comm->node_size = choose_node_size(hosts, comm->size, most_per_node);
    comm->nodes = comm->size / comm->node_size;
    comm->node = comm->rank / comm->node_size;
    comm->node_rank = comm->rank % comm->node_size;
    int code = MPI_Comm_split(mpi->world, comm->node, comm->rank, &mpi->node);
    if (code != MPI_SUCCESS) return code;
    code = MPI_Comm_split(mpi->world, comm->node_rank, comm->rank, &mpi->column);
    return code == MPI_SUCCESS ? MPI_Comm_dup(mpi->column, &mpi->network) : code;
}

seq_status seq_mpi_open_nodes(seq_comm *comm, int most_per_node, seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    int *hosts = NULL, host, code = number_ranks(mpi, &host);
    if (seq_mpi_check(comm, code, "finding the ranks of each host", error)) return error->status;
    MPI_Comm_rank(mpi->world, &comm->rank);
    MPI_Comm_size(mpi->world, &comm->size);
    seq_allocate(&hosts, (size_t)comm->size, sizeof *hosts, "the hosts of the ranks", error);
    if (seq_comm_agree(comm, error)) goto out;
    hosts[comm->rank] = host;
    if (seq_comm_gather(comm, hosts, sizeof *hosts, error)) goto out;
    code = divide_into_nodes(comm, hosts, most_per_node);
    seq_mpi_check(comm, code, "dividing the ranks into nodes", error);
out:
    free(hosts);
    return error->status;
}
