// One process: every collective is over before it begins.
#include "operations.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>

static const char *library(const seq_comm *comm) {
    (void)comm;
    return "no MPI";
}

static void close_self(seq_comm *comm) {
    (void)comm;
}

static void abort_self(seq_comm *comm, int exit_code) {
    (void)comm;
    exit(exit_code);
}

static seq_status agree(seq_comm *comm, seq_error *error) {
    (void)comm;
    return error->status;
}

static seq_status sum(seq_comm *comm, float *values, size_t count, seq_error *error) {
    (void)comm, (void)values, (void)count, (void)error;
    return SEQ_OK;
}

static seq_status gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error) {
    (void)comm, (void)blocks, (void)block_bytes, (void)error;
    return SEQ_OK;
}

static seq_status broadcast(seq_comm *comm, void *bytes, size_t size, int root, seq_error *error) {
    (void)comm, (void)bytes, (void)size, (void)root, (void)error;
    return SEQ_OK;
}

static const seq_comm_operations operations = {library, close_self, abort_self, agree,
                                               sum,     gather,     broadcast};

seq_status seq_comm_open_self(seq_comm **out, seq_error *error) {
    seq_comm *comm;
    seq_status status = seq_allocate(&comm, 1, sizeof *comm, "the communicator", error);
    if (status) return status;
    comm->operations = &operations;
    comm->size = 1;
    *out = comm;
    return SEQ_OK;
}
