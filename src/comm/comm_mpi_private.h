// What the files of the MPI communicator share.
#ifndef SEQ_COMM_COMM_MPI_PRIVATE_H
#define SEQ_COMM_COMM_MPI_PRIVATE_H

#include "operations.h"
#include <seqtrain/base/launch.h>
#include <mpi.h>

// Where the memory lies that ranks of a host share: see memory_mpi.c.
typedef enum seq_backing {
    SEQ_BACKING_UNKNOWN,
    SEQ_BACKING_MEMORY_FILE, // memfd_create
    SEQ_BACKING_DIRECTORY,
} seq_backing;

typedef struct seq_mapping {
    void *memory;
    size_t bytes;
} seq_mapping;

typedef struct seq_comm_mpi {
    MPI_Comm world;   // all ranks, host by host
    MPI_Comm node;    // those that share memory with this one
    MPI_Comm column;  // those with the same node rank, one a node
    MPI_Comm network; // the same, of seq_comm_sum_nodes and seq_comm_or_nodes alone
    MPI_Comm host;    // those on the same host: a node, or several
    seq_backing backing;
    char directory[256];   // of SEQ_BACKING_DIRECTORY
    seq_mapping *mappings; // released in the end
    size_t mapping_count, mapping_capacity;
    float *received;                    // (N, slice), or NULL; and so what follows
    uint16_t *narrow, *narrow_received; // (N, slice): values as bf16
    size_t slice;                       // floats of a node's slice of a segment
    int *send_counts, *send_offsets, *receive_counts, *receive_offsets; // (N)
    char library[64];
} seq_comm_mpi;

seq_status seq_mpi_check(const seq_comm *comm, int code, const char *what, seq_error *error);

// nodes_mpi.c. Collective: numbers the ranks, divides them into nodes, sets rank, size, node ... of
// comm.
seq_status seq_mpi_open_nodes(seq_comm *comm, int most_per_node, seq_error *error);

// memory_mpi.c
//
// Before MPI_Init: where MPI's own memory between ranks lies, when /dev/shm is too small for it.
void seq_mpi_place_messages(const seq_launch *launch);
seq_status seq_mpi_reserve(seq_comm *comm, size_t own_bytes, seq_error *error);
seq_status seq_mpi_share(seq_comm *comm, size_t own_bytes, void **blocks, const char *what,
                         seq_error *error);
void seq_mpi_unmap(seq_comm_mpi *mpi);

// sum_mpi.c
seq_status seq_mpi_prepare_sums(seq_comm *comm, seq_wire wire, seq_error *error);
void seq_mpi_free_buffers(seq_comm_mpi *mpi);
seq_status seq_mpi_sum_nodes(seq_comm *comm, float *values, size_t count, seq_wire wire,
                             seq_error *error);
seq_status seq_mpi_or_nodes(seq_comm *comm, uint64_t *words, size_t count, seq_error *error);

#endif
