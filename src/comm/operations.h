// What a communicator serves; comm_self.c and comm_mpi.c each have a table.
#ifndef SEQ_COMM_OPERATIONS_H
#define SEQ_COMM_OPERATIONS_H

#include "finalize_timeout.h"
#include <seqtrain/comm/comm.h>

typedef struct seq_comm_operations {
    const char *(*library)(const seq_comm *comm);
    void (*close)(seq_comm *comm);
    void (*abort)(seq_comm *comm, int exit_code);
    seq_status (*agree)(seq_comm *comm, seq_error *error);
    seq_status (*gather)(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error);
    seq_status (*broadcast)(seq_comm *comm, void *bytes, size_t size, int root, seq_error *error);
    // Of this rank, for all calls of share that follow.
    seq_status (*reserve)(seq_comm *comm, size_t own_bytes, seq_error *error);
    // `own_bytes` of this rank; blocks[r]: where those of the node's rank r begin.
    seq_status (*share)(seq_comm *comm, size_t own_bytes, void **blocks, const char *what,
                        seq_error *error);
    seq_status (*node_barrier)(seq_comm *comm, seq_error *error);
    seq_status (*gather_shared)(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error);
    seq_status (*broadcast_shared)(seq_comm *comm, void *bytes, size_t size, seq_error *error);
    seq_status (*prepare_sums)(seq_comm *comm, seq_wire wire, seq_error *error);
    seq_status (*sum_nodes)(seq_comm *comm, float *values, size_t count, seq_wire wire,
                            seq_error *error);
    seq_status (*or_nodes)(seq_comm *comm, uint64_t *words, size_t count, seq_error *error);
} seq_comm_operations;

struct seq_comm {
    const seq_comm_operations *operations;
    int rank, size;
    int node, nodes, node_rank, node_size;
    bool concurrent, launched;
    char *layout;                   // heap, or NULL
    double bytes;                   // of the thread that sums over nodes
    double seconds;                 // of the main thread
    seq_comm_calls *calls;          // of the main thread, or NULL
    double finalize_limit;          // seconds, 0: none
    seq_finalize_timeout beginning; // see seq_comm_limit_begin
    uint64_t host_reserved;         // bytes that seq_comm_reserve counted on this host
    size_t reserved; // bytes of this rank that seq_comm_reserve counted and nobody took yet
    void *own;       // of the implementation
};

// Of the main thread: a call that may wait for other ranks begins (returns the time) and ends (its
// time is the communicator's).
double seq_comm_begin(seq_comm *comm);
seq_status seq_comm_charge(seq_comm *comm, double begun, seq_status status);
// SEQ_NO_SPACE: the ranks of this host need more than there is. `where`: for instance "in
// /dev/shm".
seq_status seq_comm_refuse_memory(int ranks, uint64_t need, uint64_t left, const char *where,
                                  seq_error *error);

#endif
