// The exchange of one block of 4096 floats on a node: the ranks' gradients are
// added in the order of the tree (tree.h), and parts that are not live count as
// zeros. A sum of squares that is not finite starts a search for the rank that
// caused it. Invariant: each block has one owner, so no two ranks write the
// same float. Tests: tests/mpi/test_comm.c, tests/mpi/train_bytes.sh.
#include "exchange_private.h"
#include <math.h>
#include <seqtrain/comm/tree.h>
#include <string.h>

// What a part that is not live stands for.
static const float zeros[SEQ_GRANULE];

static bool is_live_alike(const seq_exchange *exchange, size_t word) {
    for (int rank = 0; rank < exchange->node_size; rank++)
        if (exchange->live_of[rank][word] != exchange->live[word]) return false;
    return true;
}

// Adds floats [begin, end) of all ranks; those whose part is not live contribute zeros.
static void sum_range(seq_exchange *exchange, size_t begin, size_t end, float *sum) {
    size_t word = begin / SEQ_BLOCK, bit = begin % SEQ_BLOCK / SEQ_GRANULE;
    for (int rank = 0; rank < exchange->node_size; rank++)
        exchange->leaves[rank] =
            exchange->live_of[rank][word] >> bit & 1 ? exchange->gradients[rank] + begin : zeros;
    seq_tree_sum_into(sum, exchange->leaves, exchange->node_size, end - begin, exchange->scratch);
}

// The sum of a block over the node goes to exchange->sum, zeros included.
static void sum_block(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, end = start + seq_exchange_block_floats(exchange, word);
    bool alike = is_live_alike(exchange, word);
    if (exchange->live[word] != UINT64_MAX) memset(exchange->sum, 0, SEQ_BLOCK * sizeof(float));
    for (seq_range run = {start, start}; seq_sparsity_next(exchange->live, end, &run);) {
        size_t step = alike ? run.end - run.begin : SEQ_GRANULE;
        for (size_t at = run.begin; at < run.end; at += step)
            sum_range(exchange, at, at + step < run.end ? at + step : run.end,
                      exchange->sum + (at - start));
    }
}

void seq_exchange_store_block(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, end = start + seq_exchange_block_floats(exchange, word);
    float *gradient = seq_exchange_gradient(exchange);
    for (seq_range run = {start, start}; seq_sparsity_next(exchange->live, end, &run);)
        memcpy(gradient + run.begin, exchange->sum + (run.begin - start),
               (run.end - run.begin) * sizeof(float));
}

void seq_exchange_load_block(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, end = start + seq_exchange_block_floats(exchange, word);
    const float *gradient = seq_exchange_gradient(exchange);
    if (exchange->live[word] != UINT64_MAX) memset(exchange->sum, 0, SEQ_BLOCK * sizeof(float));
    for (seq_range run = {start, start}; seq_sparsity_next(exchange->live, end, &run);)
        memcpy(exchange->sum + (run.begin - start), gradient + run.begin,
               (run.end - run.begin) * sizeof(float));
}

static size_t find_nonfinite(const seq_exchange *exchange, int rank, size_t start, size_t end) {
    const float *gradient = exchange->gradients[rank];
    for (seq_range run = {start, start}; seq_sparsity_next(exchange->live_of[rank], end, &run);) {
        size_t length = run.end - run.begin;
        size_t at = exchange->kernels->find_nonfinite(gradient + run.begin, length);
        if (at < length) return run.begin + at;
    }
    return end;
}

// Looks for the rank that spoils a block whose sum of squares is not finite (it may be none:
// squares overflow early). What it finds first is marked with a NaN in the sum, for all to see.
static void find_culprit(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, first = start + seq_exchange_block_floats(exchange, word);
    seq_slice_report *report = exchange->reports[exchange->node_rank];
    int culprit = -1;
    for (int rank = 0; rank < exchange->node_size; rank++) {
        size_t at = find_nonfinite(exchange, rank, start, first);
        if (at < first) {
            first = at;
            culprit = rank;
        }
    }
    if (culprit < 0) return;
    exchange->sum[first - start] = NAN;
    if (report->bad_rank < 0 || first < report->bad_index)
        *report = (seq_slice_report){report->clamped, culprit, first};
}

static size_t clamp(float *values, size_t count, double limit) {
    const float bound = (float)limit;
    size_t clamped = 0;
    for (size_t i = 0; i < count; i++) {
        clamped += fabsf(values[i]) > bound;
        values[i] = values[i] > bound ? bound : values[i] < -bound ? -bound : values[i];
    }
    return clamped;
}

double seq_exchange_sum_block(seq_exchange *exchange, size_t word) {
    size_t floats = seq_exchange_block_floats(exchange, word);
    sum_block(exchange, word);
    double squares = exchange->kernels->sum_squares(exchange->sum, floats);
    if (!isfinite(squares)) {
        find_culprit(exchange, word);
        squares = exchange->kernels->sum_squares(exchange->sum, floats);
    }
    return squares;
}

void seq_exchange_finish_block(seq_exchange *exchange, size_t word, double squares) {
    size_t floats = seq_exchange_block_floats(exchange, word);
    double limit = exchange->options.clip_element;
    if (limit > 0) {
        exchange->reports[exchange->node_rank]->clamped += clamp(exchange->sum, floats, limit);
        squares = exchange->kernels->sum_squares(exchange->sum, floats);
    }
    exchange->squares[word] = squares;
}
