// One process: every collective is over before it begins. Memory that is
// "shared" is heap memory, and a sum over one node is the vector itself.
// Invariant: a reservation is still compared with what the host has free, so a
// model that does not fit is refused here, too. Tests:
// tests/unit/comm/test_tree.c, tests/unit/comm/test_exchange.c,
// tests/fault/shared_memory.sh.
#include "operations.h"
#include <seqtrain/base/free_memory.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>

// Memory of seq_comm_share, released at the end.
typedef struct shared_blocks {
    void **blocks;
    size_t count, capacity;
} shared_blocks;

static const char *library(const seq_comm *comm) {
    (void)comm;
    return "no MPI";
}

static void close_self(seq_comm *comm) {
    shared_blocks *shared = comm->own;
    for (size_t i = 0; i < shared->count; i++)
        free(shared->blocks[i]);
    free(shared->blocks);
    free(shared);
}

static void abort_self(seq_comm *comm, int exit_code) {
    (void)comm;
    exit(exit_code);
}

static seq_status agree(seq_comm *comm, seq_error *error) {
    (void)comm;
    return error->status;
}

static seq_status gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error) {
    (void)comm, (void)blocks, (void)block_bytes, (void)error;
    return SEQ_OK;
}

static seq_status broadcast(seq_comm *comm, void *bytes, size_t size, int root, seq_error *error) {
    (void)comm, (void)bytes, (void)size, (void)root, (void)error;
    return SEQ_OK;
}

static seq_status reserve(seq_comm *comm, size_t own_bytes, seq_error *error) {
    seq_free_memory memory;
    comm->host_reserved = own_bytes;
    seq_free_memory_read(&memory);
    uint64_t left = seq_free_memory_least(&memory);
    return own_bytes <= left ? SEQ_OK : seq_comm_refuse_memory(1, own_bytes, left, "", error);
}

static seq_status share(seq_comm *comm, size_t own_bytes, void **blocks, const char *what,
                        seq_error *error) {
    shared_blocks *shared = comm->own;
    seq_status status = seq_grow(&shared->blocks, &shared->capacity, shared->count + 1,
                                 sizeof *shared->blocks, what, error);
    if (!status) status = seq_allocate(blocks, own_bytes, 1, what, error);
    if (!status) shared->blocks[shared->count++] = *blocks;
    return status;
}

static seq_status node_barrier(seq_comm *comm, seq_error *error) {
    (void)comm, (void)error;
    return SEQ_OK;
}

static seq_status broadcast_shared(seq_comm *comm, void *bytes, size_t size, seq_error *error) {
    (void)comm, (void)bytes, (void)size, (void)error;
    return SEQ_OK;
}

static seq_status prepare_sums(seq_comm *comm, seq_wire wire, seq_error *error) {
    (void)comm, (void)wire, (void)error;
    return SEQ_OK;
}

static seq_status sum_nodes(seq_comm *comm, float *values, size_t count, seq_wire wire,
                            seq_error *error) {
    (void)comm, (void)values, (void)count, (void)wire, (void)error;
    return SEQ_OK;
}

static seq_status or_nodes(seq_comm *comm, uint64_t *words, size_t count, seq_error *error) {
    (void)comm, (void)words, (void)count, (void)error;
    return SEQ_OK;
}

static const seq_comm_operations operations = {
    library,      close_self, abort_self,       agree,        gather,    broadcast, reserve, share,
    node_barrier, gather,     broadcast_shared, prepare_sums, sum_nodes, or_nodes};

seq_status seq_comm_open_self(seq_comm **out, seq_error *error) {
    seq_comm *comm = NULL;
    seq_status status = seq_allocate(&comm, 1, sizeof *comm, "the communicator", error);
    if (!status)
        status = seq_allocate(&comm->own, 1, sizeof(shared_blocks), "the communicator", error);
    if (status) {
        free(comm);
        return status;
    }
    comm->operations = &operations;
    comm->size = comm->nodes = comm->node_size = 1;
    comm->concurrent = true;
    *out = comm;
    return SEQ_OK;
}
