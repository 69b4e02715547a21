// Ranks as plain integers. One process (comm_self.c) and MPI (comm_mpi.c) serve the same interface; code above never asks
// which. Every function marked collective must be called by all ranks in the same order. An MPI failure is SEQ_RANK_FAILED.
#ifndef SEQTRAIN_COMM_COMM_H
#define SEQTRAIN_COMM_COMM_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct seq_comm seq_comm;

seq_status seq_comm_open_self(seq_comm **out, seq_error *error);
// True when a launcher (mpirun, srun with PMI) started this process: it is to open MPI then, and runs alone otherwise.
bool seq_comm_launched(void);
// In the parallel part only (programs built with SEQ_WITH_MPI). Initialises MPI for one communicating thread.
seq_status seq_comm_open_mpi(int *argc, char ***argv, seq_comm **out, seq_error *error);
void seq_comm_close(seq_comm *comm); // collective; finalises MPI
// For a main whose rank must leave without the others: ends every rank with this exit code.
void seq_comm_abort(seq_comm *comm, int exit_code);

int seq_comm_rank(const seq_comm *comm);
int seq_comm_size(const seq_comm *comm);
// "2 hosts: node-a (ranks 0-1), node-b (ranks 2-3)". Known after opening; owned by comm.
const char *seq_comm_layout(const seq_comm *comm);
// "Open MPI 4.1.4" or "none": library in use.
const char *seq_comm_library(const seq_comm *comm);

// Collective. Agree before you branch: the greatest status of all ranks becomes everybody's, with the text of the lowest
// rank that has it (prefixed "rank N: " when size > 1). Returns it; SEQ_OK when all are fine.
seq_status seq_comm_agree(seq_comm *comm, seq_error *error);

// Collective. In place: every rank ends with the sum over ranks of `values`, added in the fixed tree of seqtrain/comm/tree.h
// with ranks as leaves; same bits on every rank. Moves 2 (P-1)/P of the vector per rank (reduce-scatter, allgather).
seq_status seq_comm_sum(seq_comm *comm, float *values, size_t count, seq_error *error);

// Collective. `blocks` holds size() blocks of `block_bytes`; each rank has filled its own; afterwards all are there.
seq_status seq_comm_gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error);
// Collective. From root to everybody.
seq_status seq_comm_broadcast(seq_comm *comm, void *bytes, size_t size, int root, seq_error *error);

// Bytes sent by this rank in seq_comm_sum since opening, and seconds spent in collectives.
double seq_comm_bytes(const seq_comm *comm);
double seq_comm_seconds(const seq_comm *comm);

#endif
