// The sum over nodes: a reduce-scatter with an order of our own (the fixed
// tree) and an allgather. Every rank owns a slice, receives it from all others,
// adds, and hands the sum around. Done in segments of SEQ_SEGMENT floats, so
// that the memory it needs does not grow with the vector. Invariant: all nodes end with
// the same bits, since each slice is added by one rank, in bf16 too. Tests:
// tests/mpi/test_comm.c, tests/mpi/wire.sh.
#include "comm_mpi_private.h"
#include <assert.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/comm/tree.h>
#include <stdlib.h>
#include <string.h>

static seq_comm_mpi *own(const seq_comm *comm) {
    return comm->own;
}

static seq_status prepare_bf16(seq_comm_mpi *mpi, size_t segment, seq_error *error) {
    const char *what = "the gradient exchange";
    if (mpi->narrow_received) return SEQ_OK;
    seq_status status = seq_allocate(&mpi->narrow, segment, sizeof(uint16_t), what, error);
    return status ? status
                  : seq_allocate(&mpi->narrow_received, segment, sizeof(uint16_t), what, error);
}

static seq_status prepare(seq_comm_mpi *mpi, size_t nodes, size_t segment, seq_error *error) {
    const char *what = "the gradient exchange";
    if (mpi->receive_offsets) return SEQ_OK;
    seq_status status = seq_allocate(&mpi->received, segment, sizeof(float), what, error);
    int **counts[] = {&mpi->send_counts, &mpi->send_offsets, &mpi->receive_counts,
                      &mpi->receive_offsets};
    for (int i = 0; !status && i < 4; i++)
        status = seq_allocate(counts[i], nodes, sizeof(int), what, error);
    return status;
}

seq_status seq_mpi_prepare_sums(seq_comm *comm, seq_wire wire, seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    size_t nodes = (size_t)comm->nodes;
    if (nodes == 1) return SEQ_OK;
    mpi->slice = (SEQ_SEGMENT + nodes - 1) / nodes;
    seq_status status = prepare(mpi, nodes, nodes * mpi->slice, error);
    if (!status && wire == SEQ_WIRE_BF16) status = prepare_bf16(mpi, nodes * mpi->slice, error);
    return status;
}

void seq_mpi_free_buffers(seq_comm_mpi *mpi) {
    free(mpi->received);
    free(mpi->narrow);
    free(mpi->narrow_received);
    free(mpi->send_counts);
    free(mpi->send_offsets);
    free(mpi->receive_counts);
    free(mpi->receive_offsets);
}

// Slice n of a segment of `count` floats: [count n / N, count (n + 1) / N).
static size_t slice_begin(const seq_comm *comm, size_t count, int node) {
    return count * (size_t)node / (size_t)comm->nodes;
}

static void plan_exchange(const seq_comm *comm, size_t count) {
    seq_comm_mpi *mpi = own(comm);
    size_t mine = slice_begin(comm, count, comm->node + 1) - slice_begin(comm, count, comm->node);
    for (int node = 0; node < comm->nodes; node++) {
        mpi->send_offsets[node] = (int)slice_begin(comm, count, node);
        mpi->send_counts[node] =
            (int)(slice_begin(comm, count, node + 1) - slice_begin(comm, count, node));
        mpi->receive_counts[node] = (int)mine;
        mpi->receive_offsets[node] = (int)((size_t)node * mine);
    }
}

// Every rank's part of this rank's slice goes from `values` to `received`.
static seq_status scatter(seq_comm *comm, const void *values, void *received, MPI_Datatype type,
                          seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    int code = MPI_Alltoallv(values, mpi->send_counts, mpi->send_offsets, type, received,
                             mpi->receive_counts, mpi->receive_offsets, type, mpi->network);
    return seq_mpi_check(comm, code, "exchanging gradients", error);
}

static seq_status hand_around(seq_comm *comm, void *values, MPI_Datatype type, seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    int code = MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, mpi->send_counts,
                              mpi->send_offsets, type, mpi->network);
    return seq_mpi_check(comm, code, "distributing gradient sums", error);
}

static seq_status sum_segment(seq_comm *comm, float *values, size_t mine, seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    if (scatter(comm, values, mpi->received, MPI_FLOAT, error)) return error->status;
    seq_tree_sum(mpi->received, comm->nodes, mine, mine);
    memcpy(values + mpi->send_offsets[comm->node], mpi->received, mine * sizeof *values);
    return hand_around(comm, values, MPI_FLOAT, error);
}

// A NaN stays one.
static void narrow(const float *values, size_t count, uint16_t *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        out[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
    }
}

static void widen(const uint16_t *values, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)values[i] << 16;
        memcpy(&out[i], &bits, sizeof bits);
    }
}

static seq_status sum_segment_bf16(seq_comm *comm, float *values, size_t count, size_t mine,
                                   seq_error *error) {
    seq_comm_mpi *mpi = own(comm);
    narrow(values, count, mpi->narrow);
    if (scatter(comm, mpi->narrow, mpi->narrow_received, MPI_UINT16_T, error)) return error->status;
    widen(mpi->narrow_received, (size_t)comm->nodes * mine, mpi->received);
    seq_tree_sum(mpi->received, comm->nodes, mine, mine);
    narrow(mpi->received, mine, mpi->narrow + mpi->send_offsets[comm->node]);
    if (hand_around(comm, mpi->narrow, MPI_UINT16_T, error)) return error->status;
    widen(mpi->narrow, count, values);
    return SEQ_OK;
}

seq_status seq_mpi_sum_nodes(seq_comm *comm, float *values, size_t count, seq_wire wire,
                             seq_error *error) {
    if (comm->nodes == 1) return SEQ_OK;
    size_t most = own(comm)->slice * (size_t)comm->nodes;
    bool rounds = wire == SEQ_WIRE_BF16;
    assert(rounds ? own(comm)->narrow_received : (void *)own(comm)->receive_offsets);
    seq_status status = SEQ_OK;
    for (size_t start = 0; !status && start < count; start += most) {
        size_t floats = count - start < most ? count - start : most;
        plan_exchange(comm, floats);
        size_t mine = (size_t)own(comm)->send_counts[comm->node];
        status = rounds ? sum_segment_bf16(comm, values + start, floats, mine, error)
                        : sum_segment(comm, values + start, mine, error);
        comm->bytes += 2.0 * (double)(floats - mine) * (rounds ? sizeof(uint16_t) : sizeof(float));
    }
    return status;
}

seq_status seq_mpi_or_nodes(seq_comm *comm, uint64_t *words, size_t count, seq_error *error) {
    if (comm->nodes == 1) return SEQ_OK;
    int code =
        MPI_Allreduce(MPI_IN_PLACE, words, (int)count, MPI_UINT64_T, MPI_BOR, own(comm)->network);
    return seq_mpi_check(comm, code, "telling which rows have a gradient", error);
}
