// Ranks as plain integers. One process (comm_self.c) and MPI (comm_mpi.c) serve the same interface;
// code above never asks which. Every function marked collective must be called by all ranks in the
// same order. An MPI failure is SEQ_RANK_FAILED.
//
// Nodes. The N = seq_comm_nodes() nodes are blocks of M = P / N consecutive ranks that share
// memory; node n holds ranks n M .. n M + M - 1, and such a block is a whole subtree of the
// summation tree (tree.h). Ranks are numbered host by host, whatever order the launcher dealt them
// in. Where the ranks of the hosts are no whole subtrees (3 ranks on each of two hosts, say),
// blocks are smaller than a host, down to one rank: correct and with the same bits, but with a copy
// of the shared vectors for each block, and messages between blocks of one host.
#ifndef SEQTRAIN_COMM_COMM_H
#define SEQTRAIN_COMM_COMM_H

#include <seqtrain/base/status.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_comm seq_comm;

seq_status seq_comm_open_self(seq_comm **out, seq_error *error);
// In the parallel part only (programs built with SEQ_WITH_MPI). Initialises MPI. A node has at most
// `most_per_node` ranks; 0: as many as possible.
seq_status seq_comm_open_mpi(int *argc, char ***argv, int most_per_node, seq_comm **out,
                             seq_error *error);
void seq_comm_close(seq_comm *comm); // collective; releases shared memory and finalises MPI
// Closing may take so long (0, as at first: for ever); then the process ends with exit code 6, and
// one rank says so.
void seq_comm_limit_finalize(seq_comm *comm, double seconds);
// What lies between these two may take `seconds` in all (0: for ever); then the process ends with
// exit code 6, and one rank says "`what` for SECONDS s (--hang-timeout): `why`". Both texts stay.
void seq_comm_limit_begin(seq_comm *comm, double seconds, const char *what, const char *why);
void seq_comm_limit_end(seq_comm *comm);
// For a main whose rank must leave without the others: ends every rank with this exit code.
void seq_comm_abort(seq_comm *comm, int exit_code);
// For a watchdog's thread when main threads hang: ends this process at once, MPI is not asked. The
// launcher ends the others.
_Noreturn void seq_comm_leave(int exit_code);

int seq_comm_rank(const seq_comm *comm);
int seq_comm_size(const seq_comm *comm);
// A launcher has started this process for MPI, and ends with it; false: MPI was opened without one,
// or not at all.
bool seq_comm_launched(const seq_comm *comm);
int seq_comm_nodes(const seq_comm *comm);
int seq_comm_node_size(const seq_comm *comm); // M, the same on every node
int seq_comm_node_rank(const seq_comm *comm); // 0 .. M - 1
// "4 ranks on 2 hosts: node-a (ranks 0-1), node-b (ranks 2-3)". Known after opening; owned by comm.
const char *seq_comm_layout(const seq_comm *comm);
// "Open MPI 4.1.4" or "no MPI": library in use.
const char *seq_comm_library(const seq_comm *comm);

// Collective. Agree before you branch: the greatest status of all ranks becomes everybody's, with
// the text of the lowest rank that has it (prefixed "rank N: " when size > 1). Returns it; SEQ_OK
// when all are fine.
seq_status seq_comm_agree(seq_comm *comm, seq_error *error);

// Collective. `blocks` holds size() blocks of `block_bytes`; each rank has filled its own;
// afterwards all are there.
seq_status seq_comm_gather(seq_comm *comm, void *blocks, size_t block_bytes, seq_error *error);
// Collective. From root to everybody.
seq_status seq_comm_broadcast(seq_comm *comm, void *bytes, size_t size, int root, seq_error *error);

// Collective, agreed upon, before memory is shared. Counts what all calls of share that follow will
// take, compares it with what the hosts have free, and chooses where it lies, the same for all
// ranks of a host. `shared`: bytes of the blocks that a node has once; `each`: of those that a rank
// has. SEQ_NO_SPACE: too little; the message has the need, what is free, and what to do.
seq_status seq_comm_reserve(seq_comm *comm, size_t shared, size_t each, seq_error *error);
// Bytes that the ranks of this host have reserved together; 0: nothing yet.
uint64_t seq_comm_reserved(const seq_comm *comm);
// Collective, agreed upon. Memory that all ranks of a node see: zeroed, aligned to SEQ_ALIGNMENT,
// all of it there (what the system has not is SEQ_NO_SPACE now, no bus error later). It is comm's
// and lives until seq_comm_close. `what` names the purpose in the error message.
seq_status seq_comm_share(seq_comm *comm, size_t bytes, void *out_pointer, const char *what,
                          seq_error *error);
// The same for a block of `bytes` a rank: blocks[r] is that of the node's rank r, which is the one
// to touch it first.
seq_status seq_comm_share_each(seq_comm *comm, size_t bytes, void **blocks, const char *what,
                               seq_error *error);
// Collective on the node: what a rank wrote to shared memory before, all see afterwards.
seq_status seq_comm_node_barrier(seq_comm *comm, seq_error *error);
// Collective. Like seq_comm_gather and seq_comm_broadcast from rank 0, for memory from
// seq_comm_share. Begin and end with a node barrier.
seq_status seq_comm_gather_shared(seq_comm *comm, void *blocks, size_t block_bytes,
                                  seq_error *error);
seq_status seq_comm_broadcast_shared(seq_comm *comm, void *bytes, size_t size, seq_error *error);

// What a number that travels from node to node is made of.
typedef enum seq_wire {
    SEQ_WIRE_FP32,
    SEQ_WIRE_BF16, // rounded to nearest even: what is added, also a node's own, and the sum; it is
                   // added in fp32
} seq_wire;

enum { SEQ_SEGMENT = 1 << 18 }; // floats that travel between nodes at a time

// Takes this rank's memory for sums over nodes; none on one node. Not collective.
seq_status seq_comm_prepare_sums(seq_comm *comm, seq_wire wire, seq_error *error);

// The two that follow are collective among the ranks with this node rank on all nodes, and apart
// from all others: one thread of a rank may call them while another calls the rest, if
// seq_comm_is_concurrent.
//
// `values` becomes the sum over nodes, after seq_comm_prepare_sums with this wire; added in the
// fixed tree with nodes as leaves; same bits on every node, whatever the division into calls. Moves
// 2 (N-1)/N of the vector (reduce-scatter, allgather).
seq_status seq_comm_sum_nodes(seq_comm *comm, float *values, size_t count, seq_wire wire,
                              seq_error *error);
// Bitwise or.
seq_status seq_comm_or_nodes(seq_comm *comm, uint64_t *words, size_t count, seq_error *error);
bool seq_comm_is_concurrent(const seq_comm *comm);

// Bytes sent by this rank in seq_comm_sum_nodes since opening; seconds that it stood still in all
// other collectives and the gradient exchange (exchange.h).
double seq_comm_bytes(const seq_comm *comm);
double seq_comm_seconds(const seq_comm *comm);

// Collectives that this rank has begun and ended: unequal while it waits in one. Other threads and
// ranks may look.
typedef struct seq_comm_calls {
    _Atomic uint64_t begun, ended;
} seq_comm_calls;
// From now on counted in `calls`, the caller's; NULL: no more.
void seq_comm_watch(seq_comm *comm, seq_comm_calls *calls);

#endif
