// Many processes under MPI. The sum over nodes is in sum_mpi.c. Agreement is
// one MPI_Allreduce with MPI_MAXLOC over (status, rank), and a broadcast of the
// text only when a rank has failed. Collectives of more than 256 MB are cut,
// since MPI counts in int. Invariant: an MPI error becomes a status, and never
// ends the process here (MPI_ERRORS_RETURN). Test: tests/mpi/test_comm.c.
#include "comm_mpi_private.h"
#include <seqtrain/base/memory.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLLECTIVE_BYTES = 1 << 28 };

static seq_comm_mpi *own(const seq_comm *comm) {
    return comm->own;
}

seq_status seq_mpi_check(const seq_comm *comm, int code, const char *what, seq_error *error) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (code == MPI_SUCCESS) return SEQ_OK;
    MPI_Error_string(code, text, &length);
    for (char *at = text; (at = strchr(at, '\n'));) // MPICH gives a stack of errors
        *at = at[1] ? ' ' : '\0';
    return seq_error_set(error, SEQ_RANK_FAILED, "rank %d: %s: %s", comm->rank, what, text);
}

static const char *library(const seq_comm *comm) {
    return own(comm)->library;
}

static void close_mpi(seq_comm *comm) {
    MPI_Finalize();
    seq_mpi_unmap(own(comm));
    seq_mpi_free_buffers(own(comm));
    free(own(comm));
}

static void abort_mpi(seq_comm *comm, int exit_code) {
    MPI_Abort(own(comm)->world, exit_code);
}

// MPI_MAXLOC picks the greatest status and, among equals, the lowest rank.
static seq_status agree(seq_comm *comm, seq_error *error) {
    struct {
        int status, rank;
    } mine = {(int)error->status, comm->rank}, worst;
    seq_error failure = {0};
    int code = MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, own(comm)->world);
    if (seq_mpi_check(comm, code, "agreeing on a status", &failure)) {
        *error = failure;
        return error->status;
    }
    if (worst.status == SEQ_OK) return SEQ_OK;
    failure = *error;
    code = MPI_Bcast(&failure, (int)sizeof failure, MPI_BYTE, worst.rank, own(comm)->world);
    seq_error told = {0};
    if (!seq_mpi_check(comm, code, "sharing an error message", &told)) {
        bool named = strncmp(failure.text, "rank ", 5) == 0 || failure.status == SEQ_STOPPED;
        seq_error_set(&told, failure.status, "%s", failure.text);
        if (!named && comm->size > 1) seq_error_add_context(&told, "rank %d", worst.rank);
    }
    *error = told;
    return error->status;
}

// On one of the communicators.
static seq_status gather_small(const seq_comm *comm, MPI_Comm among, char *blocks,
                               size_t block_bytes, seq_error *error) {
    int code = MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, blocks, (int)block_bytes, MPI_BYTE,
                             among);
    return seq_mpi_check(comm, code, "gathering", error);
}

static seq_status broadcast_among(const seq_comm *comm, MPI_Comm among, char *bytes, size_t size,
                                  int root, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t start = 0; !status && start < size; start += COLLECTIVE_BYTES) {
        size_t count = size - start < COLLECTIVE_BYTES ? size - start : COLLECTIVE_BYTES;
        int code = MPI_Bcast(bytes + start, (int)count, MPI_BYTE, root, among);
        status = seq_mpi_check(comm, code, "broadcasting", error);
    }
    return status;
}

// Blocks too large for the counts of one call travel one by one.
static seq_status gather_among(const seq_comm *comm, MPI_Comm among, int size, char *blocks,
                               size_t block_bytes, seq_error *error) {
    if (block_bytes * (size_t)size <= COLLECTIVE_BYTES)
        return gather_small(comm, among, blocks, block_bytes, error);
    seq_status status = SEQ_OK;
    for (int rank = 0; !status && rank < size; rank++)
        status = broadcast_among(comm, among, blocks + (size_t)rank * block_bytes, block_bytes,
                                 rank, error);
    return status;
}

static seq_status gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error) {
    return gather_among(comm, own(comm)->world, comm->size, blocks, block_bytes, error);
}

static seq_status broadcast(seq_comm *comm, void *bytes, size_t size, int root, seq_error *error) {
    return broadcast_among(comm, own(comm)->world, bytes, size, root, error);
}

static seq_status node_barrier(seq_comm *comm, seq_error *error) {
    atomic_thread_fence(memory_order_seq_cst);
    int code = MPI_Barrier(own(comm)->node);
    atomic_thread_fence(memory_order_seq_cst);
    return seq_mpi_check(comm, code, "waiting for the ranks of the node", error);
}

static seq_status gather_shared(seq_comm *comm, void *blocks, size_t block_bytes,
                                seq_error *error) {
    size_t node_bytes = (size_t)comm->node_size * block_bytes;
    seq_status status = node_barrier(comm, error);
    if (!status && comm->nodes > 1 && comm->node_rank == 0)
        status = gather_among(comm, own(comm)->column, comm->nodes, blocks, node_bytes, error);
    return status ? status : node_barrier(comm, error);
}

static seq_status broadcast_shared(seq_comm *comm, void *bytes, size_t size, seq_error *error) {
    seq_status status = node_barrier(comm, error);
    if (!status && comm->nodes > 1 && comm->node_rank == 0)
        status = broadcast_among(comm, own(comm)->column, bytes, size, 0, error);
    return status ? status : node_barrier(comm, error);
}

static const seq_comm_operations operations = {library,
                                               close_mpi,
                                               abort_mpi,
                                               agree,
                                               gather,
                                               broadcast,
                                               seq_mpi_reserve,
                                               seq_mpi_share,
                                               node_barrier,
                                               gather_shared,
                                               broadcast_shared,
                                               seq_mpi_prepare_sums,
                                               seq_mpi_sum_nodes,
                                               seq_mpi_or_nodes};

// "Open MPI v4.1.4, package: ..." -> "Open MPI 4.1.4"; "MPICH Version:\t4.0.2\n..." ->
// "MPICH 4.0.2".
static void name_library(seq_comm_mpi *mpi) {
    static const char mark[] = " Version";
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0, major, minor, release;
    MPI_Get_library_version(text, &length);
    const char *version = strstr(text, mark);
    size_t end = strcspn(text, ",\n");
    if (sscanf(text, "Open MPI v%d.%d.%d", &major, &minor, &release) == 3)
        snprintf(mpi->library, sizeof mpi->library, "Open MPI %d.%d.%d", major, minor, release);
    else if (version && version < text + end) {
        const char *number = version + strlen(mark);
        number += strspn(number, " :\t");
        snprintf(mpi->library, sizeof mpi->library, "%.*s %.*s", (int)(version - text), text,
                 (int)strcspn(number, ", \t\n"), number);
    } else
        snprintf(mpi->library, sizeof mpi->library, "%.*s", (int)end, text);
}

static bool seen_before(const char *hosts, int rank) {
    for (int other = 0; other < rank; other++)
        if (strcmp(hosts + other * MPI_MAX_PROCESSOR_NAME, hosts + rank * MPI_MAX_PROCESSOR_NAME) ==
            0)
            return true;
    return false;
}

// " (ranks 0-3, 8-11)": the runs of ranks on the host of `first`.
static void print_ranks(FILE *stream, const char *hosts, int size, int first) {
    const char *host = hosts + first * MPI_MAX_PROCESSOR_NAME;
    const char *separator = "";
    for (int rank = first; rank < size; rank++) {
        int end = rank;
        while (end < size && strcmp(hosts + end * MPI_MAX_PROCESSOR_NAME, host) == 0)
            end++;
        if (end == rank) continue;
        if (end - rank > 1)
            fprintf(stream, "%s%d-%d", separator, rank, end - 1);
        else
            fprintf(stream, "%s%d", separator, rank);
        separator = ", ";
        rank = end - 1;
    }
}

static seq_status describe_layout(seq_comm *comm, char *hosts, seq_error *error) {
    size_t length = 0;
    int distinct = 0;
    const char *what = "describing the hosts";
    FILE *stream = open_memstream(&comm->layout, &length);
    if (!stream) return seq_memory_stream_close(stream, &comm->layout, error, "%s", what);
    for (int rank = 0; rank < comm->size; rank++)
        distinct += !seen_before(hosts, rank);
    fprintf(stream, "%d rank%s on %d host%s:", comm->size, comm->size == 1 ? "" : "s", distinct,
            distinct == 1 ? "" : "s");
    for (int rank = 0; rank < comm->size; rank++) {
        if (seen_before(hosts, rank)) continue;
        fprintf(stream, "%s %s (", rank ? "," : "", hosts + rank * MPI_MAX_PROCESSOR_NAME);
        print_ranks(stream, hosts, comm->size, rank);
        fputc(')', stream);
    }
    return seq_memory_stream_close(stream, &comm->layout, error, "%s", what);
}

static seq_status find_hosts(seq_comm *comm, seq_error *error) {
    char *hosts;
    int length = 0;
    seq_status status =
        seq_allocate(&hosts, (size_t)comm->size, MPI_MAX_PROCESSOR_NAME, "the hosts' names", error);
    if (status) return status;
    MPI_Get_processor_name(hosts + comm->rank * MPI_MAX_PROCESSOR_NAME, &length);
    status = gather(comm, hosts, MPI_MAX_PROCESSOR_NAME, error);
    if (!status) status = describe_layout(comm, hosts, error);
    free(hosts);
    return status;
}

// What every rank's MPI gives: on half of the ranks it is of no use.
static seq_status agree_on_threads(seq_comm *comm, int provided, seq_error *error) {
    int least = provided;
    int code = MPI_Allreduce(&provided, &least, 1, MPI_INT, MPI_MIN, own(comm)->world);
    comm->concurrent = least == MPI_THREAD_MULTIPLE;
    return seq_mpi_check(comm, code, "agreeing on threads", error);
}

seq_status seq_comm_open_mpi(int *argc, char ***argv, int most_per_node, seq_comm **out,
                             seq_error *error) {
    seq_comm *comm = NULL;
    int provided;
    seq_launch launch;
    seq_launch_read(&launch); // MPI may change the environment
    seq_mpi_place_messages(&launch);
    if (MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS)
        return seq_error_set(error, SEQ_RANK_FAILED, "starting MPI: MPI_Init_thread failed");
    seq_status status = seq_allocate(&comm, 1, sizeof *comm, "the communicator", error);
    if (!status)
        status = seq_allocate(&comm->own, 1, sizeof(seq_comm_mpi), "the communicator", error);
    if (status) {
        free(comm);
        MPI_Abort(MPI_COMM_WORLD, seq_status_exit_code(status));
        return status;
    }
    comm->operations = &operations;
    comm->launched = launch.mpi;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    name_library(own(comm));
    *out = comm;
    status = seq_mpi_open_nodes(comm, most_per_node, error);
    if (!status) status = agree_on_threads(comm, provided, error);
    return status ? status : find_hosts(comm, error);
}
