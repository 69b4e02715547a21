// A round of the gradient exchange: the ranks of a node unite their live maps,
// sum the buckets from the end of the vector, and report. A background thread
// or the main thread runs it. Invariant: every rank raises every counter of a
// round, also after a failure, so no rank waits for ever. Of several bad
// numbers, the first place in the vector counts. Tests:
// tests/unit/comm/test_exchange.c, tests/mpi/test_comm.c, tests/mpi/overlap.sh.
#include "exchange_private.h"
#include "operations.h"
#include <assert.h>
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/comm/tree.h>
#include <stdlib.h>
#include <string.h>

// Seconds for a round that nobody waits for any more: a rank has failed.
enum { PATIENCE = 5 };

static seq_status allocate(seq_exchange *exchange, seq_error *error) {
    const char *what = "the gradient exchange";
    size_t ranks = (size_t)exchange->node_size, pointer = sizeof(void *);
    size_t scratch = (size_t)seq_tree_depth(exchange->node_size) * SEQ_BLOCK;
    bool travels = seq_comm_nodes(exchange->comm) > 1;
    seq_status status = seq_allocate(&exchange->gradients, ranks, pointer, what, error);
    if (!status) status = seq_allocate(&exchange->live_of, ranks, pointer, what, error);
    if (!status) status = seq_allocate(&exchange->reports, ranks, pointer, what, error);
    if (!status) status = seq_allocate(&exchange->leaves, ranks, pointer, what, error);
    if (!status)
        status = seq_allocate(&exchange->live, exchange->words, sizeof(uint64_t), what, error);
    if (!status) status = seq_allocate(&exchange->sum, SEQ_BLOCK, sizeof(float), what, error);
    if (!status) status = seq_allocate(&exchange->scratch, scratch, sizeof(float), what, error);
    if (!status && travels)
        status = seq_allocate(&exchange->packed, SEQ_SEGMENT, sizeof(float), what, error);
    return status ? status : seq_comm_prepare_sums(exchange->comm, exchange->wire, error);
}

static seq_status plan_buckets(seq_exchange *exchange, const seq_exchange_config *config,
                               seq_error *error) {
    const char *what = "the gradient exchange";
    static const size_t whole[] = {0};
    const size_t *parts = config->overlap && config->part_count ? config->parts : whole;
    size_t count = parts == whole ? 1 : config->part_count;
    seq_status status =
        seq_allocate(&exchange->buckets, count, sizeof *exchange->buckets, what, error);
    if (!status)
        status = seq_allocate(&exchange->slices, count, sizeof *exchange->slices, what, error);
    if (status) return status;
    exchange->bucket_count =
        seq_exchange_cut(parts, count, config->count, config->bucket, exchange->buckets);
    return config->overlap ? seq_background_create(&exchange->thread, error) : SEQ_OK;
}

// One block of shared memory a rank: its gradient, its live words, its report.
static size_t live_at(size_t words) {
    return words * SEQ_BLOCK * sizeof(float);
}

static size_t report_at(size_t words) {
    return live_at(words) + words * sizeof(uint64_t);
}

void seq_exchange_memory(const seq_exchange_config *config, size_t *shared, size_t *each) {
    size_t words = seq_sparsity_words(config->count), buckets = 1;
    if (config->overlap && config->part_count) buckets = config->part_count; // at most
    *each = report_at(words) + sizeof(seq_slice_report);
    *shared = words * (sizeof(double) + sizeof(uint64_t)) +
              seq_arrival_counters_bytes(SEQ_ARRIVAL_BUCKET + buckets);
}

static seq_status share_gradients(seq_exchange *exchange, seq_error *error) {
    size_t words = exchange->words;
    seq_status status =
        seq_comm_share_each(exchange->comm, report_at(words) + sizeof(seq_slice_report),
                            (void **)exchange->gradients, "the gradients", error);
    for (int rank = 0; !status && rank < exchange->node_size; rank++) {
        char *block = (char *)exchange->gradients[rank];
        exchange->live_of[rank] = (uint64_t *)(void *)(block + live_at(words));
        exchange->reports[rank] = (seq_slice_report *)(void *)(block + report_at(words));
    }
    return status;
}

static seq_status share(seq_exchange *exchange, seq_error *error) {
    seq_comm *comm = exchange->comm;
    size_t words = exchange->words, tallies = SEQ_ARRIVAL_BUCKET + exchange->bucket_count;
    seq_status status = share_gradients(exchange, error);
    if (!status)
        status = seq_comm_share(comm, words * sizeof(double), &exchange->squares,
                                "the gradient's norm", error);
    if (!status)
        status = seq_comm_share(comm, words * sizeof(uint64_t), &exchange->united,
                                "the gradient's map", error);
    if (!status)
        status = seq_comm_share(comm, seq_arrival_counters_bytes(tallies), &exchange->tallies,
                                "the gradient exchange", error);
    if (status) return status;
    if (exchange->node_rank == 0) seq_arrival_counters_init(exchange->tallies, exchange->node_size);
    return seq_comm_node_barrier(comm, error);
}

seq_status seq_exchange_create(seq_comm *comm, const seq_kernels *kernels,
                               const seq_exchange_config *config, seq_exchange **out,
                               seq_error *error) {
    seq_exchange *exchange = NULL;
    assert(!config->overlap || seq_comm_nodes(comm) == 1 || seq_comm_is_concurrent(comm));
    if (!seq_allocate(&exchange, 1, sizeof *exchange, "the gradient exchange", error)) {
        *exchange = (seq_exchange){.comm = comm,
                                   .kernels = kernels,
                                   .count = config->count,
                                   .words = seq_sparsity_words(config->count),
                                   .node_size = seq_comm_node_size(comm),
                                   .node_rank = seq_comm_node_rank(comm),
                                   .wire = config->wire};
        if (!allocate(exchange, error)) plan_buckets(exchange, config, error);
    }
    if (seq_comm_agree(comm, error) || share(exchange, error)) {
        seq_exchange_destroy(exchange);
        return error->status;
    }
    *out = exchange;
    return SEQ_OK;
}

// A thread that a failed rank holds up inside MPI keeps what it uses until the process ends.
void seq_exchange_destroy(seq_exchange *exchange) {
    if (!exchange) return;
    if (exchange->thread && !seq_background_wait_for(exchange->thread, PATIENCE)) return;
    seq_background_destroy(exchange->thread);
    free(exchange->buckets);
    free(exchange->slices);
    free(exchange->gradients);
    free(exchange->live_of);
    free(exchange->reports);
    free(exchange->leaves);
    free(exchange->live);
    free(exchange->sum);
    free(exchange->scratch);
    free(exchange->packed);
    free(exchange);
}

float *seq_exchange_gradient(seq_exchange *exchange) {
    return exchange->gradients[exchange->node_rank];
}

uint64_t *seq_exchange_live(seq_exchange *exchange) {
    return exchange->live_of[exchange->node_rank];
}

// The node's first rank tells the others of the node.
static seq_status unite_live(seq_exchange *exchange, uint64_t round, seq_error *error) {
    size_t words = exchange->words;
    if (exchange->node_rank == 0) {
        seq_arrival_wait(exchange->tallies, SEQ_ARRIVAL_LIVE, round);
        memset(exchange->united, 0, words * sizeof(uint64_t));
        for (int rank = 0; rank < exchange->node_size; rank++)
            for (size_t word = 0; word < words; word++)
                exchange->united[word] |= exchange->live_of[rank][word];
        seq_comm_or_nodes(exchange->comm, exchange->united, words, error);
        seq_arrival_fill(exchange->tallies, SEQ_ARRIVAL_UNITED);
    }
    seq_arrival_wait(exchange->tallies, SEQ_ARRIVAL_UNITED, round);
    memcpy(exchange->live, exchange->united, words * sizeof(uint64_t));
    return error->status;
}

// A round, in the order in which gradients become final.
static void exchange_round(void *context) {
    seq_exchange *exchange = context;
    uint64_t round = exchange->round;
    seq_arithmetic before = seq_arithmetic_begin();
    unite_live(exchange, round, &exchange->error);
    *exchange->reports[exchange->node_rank] = (seq_slice_report){.bad_rank = -1};
    for (size_t bucket = 0; !exchange->error.status && bucket < exchange->bucket_count; bucket++) {
        seq_arrival_wait(exchange->tallies, SEQ_ARRIVAL_BUCKET + bucket, round);
        seq_exchange_bucket(exchange, bucket, &exchange->error);
    }
    seq_arithmetic_end(before);
}

void seq_exchange_begin(seq_exchange *exchange, const seq_exchange_options *options) {
    exchange->options = *options;
    exchange->error = (seq_error){0};
    exchange->round++;
    exchange->handed_in = 0;
    seq_arrival_raise(exchange->tallies, SEQ_ARRIVAL_LIVE);
    if (exchange->thread) seq_background_start(exchange->thread, exchange_round, exchange);
}

void seq_exchange_ready(seq_exchange *exchange, size_t begin) {
    while (exchange->handed_in < exchange->bucket_count &&
           exchange->buckets[exchange->handed_in].begin * SEQ_BLOCK >= begin)
        seq_arrival_raise(exchange->tallies, SEQ_ARRIVAL_BUCKET + exchange->handed_in++);
}

seq_status seq_exchange_abandon(seq_exchange *exchange, seq_error *error) {
    double begun = seq_comm_begin(exchange->comm);
    seq_exchange_ready(exchange, 0);
    if (exchange->thread)
        seq_background_wait(exchange->thread);
    else if (exchange->node_rank == 0)
        seq_arrival_fill(exchange->tallies, SEQ_ARRIVAL_UNITED);
    seq_comm_charge(exchange->comm, begun, SEQ_OK);
    return seq_comm_node_barrier(exchange->comm, error);
}

// What all ranks of the node have told; of several bad places, the first counts.
static void conclude(const seq_exchange *exchange, seq_exchanged *out) {
    double squares = 0;
    const seq_slice_report *first = NULL;
    *out = (seq_exchanged){
        .slices = exchange->slices, .slice_count = exchange->bucket_count, .live = exchange->live};
    for (size_t word = 0; word < exchange->words; word++)
        squares += exchange->squares[word];
    out->norm = sqrt(squares);
    for (int rank = 0; rank < exchange->node_size; rank++) {
        const seq_slice_report *report = exchange->reports[rank];
        out->clamped += report->clamped;
        if (report->bad_rank >= 0 && (!first || report->bad_index < first->bad_index))
            first = report;
    }
    out->bad = first && first->bad_rank == exchange->node_rank;
    if (out->bad) out->bad_index = first->bad_index;
}

seq_status seq_exchange_finish(seq_exchange *exchange, seq_exchanged *out, seq_error *error) {
    double begun = seq_comm_begin(exchange->comm);
    seq_exchange_ready(exchange, 0);
    if (exchange->thread)
        seq_background_wait(exchange->thread);
    else
        exchange_round(exchange);
    if (seq_comm_charge(exchange->comm, begun, exchange->error.status)) {
        *error = exchange->error;
        return error->status;
    }
    if (seq_comm_node_barrier(exchange->comm, error)) return error->status;
    conclude(exchange, out);
    return SEQ_OK;
}

seq_status seq_exchange_sum(seq_exchange *exchange, const seq_exchange_options *options,
                            seq_exchanged *out, seq_error *error) {
    seq_exchange_begin(exchange, options);
    return seq_exchange_finish(exchange, out, error);
}
