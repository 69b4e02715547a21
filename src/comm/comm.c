// The part of the communicator that both implementations share: it calls their
// table of operations, counts and times collectives, and keeps the books of
// reserved memory. Invariant: every share ends with an agreement of all ranks,
// so none goes on without its memory. Tests: tests/mpi/test_comm.c,
// tests/unit/comm/test_tree.c.
#include "finalize_timeout.h"
#include "operations.h"
#include <assert.h>
#include <seqtrain/base/free_memory.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

bool seq_comm_launched(const seq_comm *comm) {
    return comm->launched;
}

int seq_comm_nodes(const seq_comm *comm) {
    return comm->nodes;
}

int seq_comm_node_size(const seq_comm *comm) {
    return comm->node_size;
}

int seq_comm_node_rank(const seq_comm *comm) {
    return comm->node_rank;
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
    seq_finalize_timeout timeout;
    if (!comm) return;
    seq_finalize_timeout_begin(&timeout, comm->rank, comm->size > 1 ? comm->finalize_limit : 0,
                               "the ranks have done their work, and MPI_Finalize does not return",
                               "a rank is stopped, dead or cut off");
    comm->operations->close(comm);
    seq_finalize_timeout_end(&timeout);
    free(comm->layout);
    free(comm);
}

void seq_comm_limit_finalize(seq_comm *comm, double seconds) {
    comm->finalize_limit = seconds;
}

void seq_comm_limit_begin(seq_comm *comm, double seconds, const char *what, const char *why) {
    seq_finalize_timeout_begin(&comm->beginning, comm->rank, comm->size > 1 ? seconds : 0, what,
                               why);
}

void seq_comm_limit_end(seq_comm *comm) {
    seq_finalize_timeout_end(&comm->beginning);
}

void seq_comm_abort(seq_comm *comm, int exit_code) {
    comm->operations->abort(comm, exit_code);
}

void seq_comm_watch(seq_comm *comm, seq_comm_calls *calls) {
    comm->calls = calls;
}

void seq_comm_leave(int exit_code) {
    _exit(exit_code);
}

double seq_comm_begin(seq_comm *comm) {
    if (comm->calls) atomic_fetch_add(&comm->calls->begun, 1);
    return now();
}

seq_status seq_comm_charge(seq_comm *comm, double begun, seq_status status) {
    if (comm->calls) atomic_fetch_add(&comm->calls->ended, 1);
    comm->seconds += now() - begun;
    return status;
}

seq_status seq_comm_agree(seq_comm *comm, seq_error *error) {
    double begun = seq_comm_begin(comm);
    return seq_comm_charge(comm, begun, comm->operations->agree(comm, error));
}

seq_status seq_comm_gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error) {
    double begun = seq_comm_begin(comm);
    return seq_comm_charge(comm, begun, comm->operations->gather(comm, blocks, block_bytes, error));
}

seq_status seq_comm_broadcast(seq_comm *comm, void *bytes, size_t size, int root,
                              seq_error *error) {
    double begun = seq_comm_begin(comm);
    return seq_comm_charge(comm, begun,
                           comm->operations->broadcast(comm, bytes, size, root, error));
}

seq_status seq_comm_refuse_memory(int ranks, uint64_t need, uint64_t left, const char *where,
                                  seq_error *error) {
    char host[64] = "", all[160], needed[24], free[24];
    seq_free_memory memory;
    gethostname(host, sizeof host - 1);
    seq_free_memory_read(&memory);
    return seq_error_set(
        error, SEQ_NO_SPACE,
        "memory for parameters, optimiser and gradients: the %d rank%s of host %s need%s %s, and "
        "%s is free%s (%s). Give more (a container: --memory, --shm-size; a batch job: --mem), or "
        "train a smaller model a node: fewer ranks on it, fewer --hidden units or --layers",
        ranks, ranks == 1 ? "" : "s", host, ranks == 1 ? "s" : "", seq_amount(need, needed),
        seq_amount(left, free), where, seq_free_memory_describe(&memory, all, sizeof all));
}

seq_status seq_comm_reserve(seq_comm *comm, size_t shared, size_t each, seq_error *error) {
    comm->reserved = 0;
    size_t bytes = each + (comm->node_rank == 0 ? shared : 0);
    double begun = seq_comm_begin(comm);
    seq_comm_charge(comm, begun, comm->operations->reserve(comm, bytes, error));
    if (!seq_comm_agree(comm, error)) comm->reserved = bytes;
    return error->status;
}

uint64_t seq_comm_reserved(const seq_comm *comm) {
    return comm->host_reserved;
}

// What was not counted before it is taken would be promised and not there.
static void take_reserved(seq_comm *comm, size_t bytes) {
    assert(comm->reserved == 0 || bytes <= comm->reserved);
    comm->reserved -= bytes < comm->reserved ? bytes : comm->reserved;
}

seq_status seq_comm_share_each(seq_comm *comm, size_t bytes, void **blocks, const char *what,
                               seq_error *error) {
    take_reserved(comm, bytes);
    comm->operations->share(comm, bytes, blocks, what, error);
    return seq_comm_agree(comm, error);
}

seq_status seq_comm_share(seq_comm *comm, size_t bytes, void *out_pointer, const char *what,
                          seq_error *error) {
    void **blocks = NULL;
    seq_allocate(&blocks, (size_t)comm->node_size, sizeof *blocks, what, error);
    if (seq_comm_agree(comm, error)) goto out;
    if (comm->node_rank) bytes = 0;
    take_reserved(comm, bytes);
    comm->operations->share(comm, bytes, blocks, what, error);
    if (!seq_comm_agree(comm, error)) memcpy(out_pointer, &blocks[0], sizeof blocks[0]);
out:
    free(blocks);
    return error->status;
}

seq_status seq_comm_node_barrier(seq_comm *comm, seq_error *error) {
    double begun = seq_comm_begin(comm);
    return seq_comm_charge(comm, begun, comm->operations->node_barrier(comm, error));
}

seq_status seq_comm_gather_shared(seq_comm *comm, void *blocks, size_t block_bytes,
                                  seq_error *error) {
    double begun = seq_comm_begin(comm);
    return seq_comm_charge(comm, begun,
                           comm->operations->gather_shared(comm, blocks, block_bytes, error));
}

seq_status seq_comm_broadcast_shared(seq_comm *comm, void *bytes, size_t size, seq_error *error) {
    double begun = seq_comm_begin(comm);
    return seq_comm_charge(comm, begun,
                           comm->operations->broadcast_shared(comm, bytes, size, error));
}

seq_status seq_comm_prepare_sums(seq_comm *comm, seq_wire wire, seq_error *error) {
    return comm->operations->prepare_sums(comm, wire, error);
}

seq_status seq_comm_sum_nodes(seq_comm *comm, float *values, size_t count, seq_wire wire,
                              seq_error *error) {
    return comm->operations->sum_nodes(comm, values, count, wire, error);
}

seq_status seq_comm_or_nodes(seq_comm *comm, uint64_t *words, size_t count, seq_error *error) {
    return comm->operations->or_nodes(comm, words, count, error);
}

bool seq_comm_is_concurrent(const seq_comm *comm) {
    return comm->concurrent;
}
