// The exchange of one bucket: a rank sums its slice of it. Slices are cut so
// that each has about as many live granules to add and update. Between nodes,
// live floats are packed without gaps before they travel. Invariant: slices and
// buckets end at blocks, so no cut changes a bit of the sum or the norm. Tests:
// tests/unit/comm/test_exchange.c (the cut), tests/mpi/test_comm.c.
#include "exchange_private.h"
#include <string.h>

size_t seq_exchange_cut(const size_t *parts, size_t count, size_t floats, size_t least,
                        seq_range *out) {
    size_t buckets = 0, end = seq_sparsity_words(floats);
    for (size_t part = 0; part < count && end > 0; part++) {
        size_t begin =
            seq_sparsity_words(parts[part]); // a block belongs to the part that ends in it
        if (parts[part] > 0 && (begin >= end || (end - begin) * SEQ_BLOCK < least)) continue;
        out[buckets++] = (seq_range){begin, end};
        end = begin;
    }
    return buckets;
}

static size_t cost_of(const seq_exchange *exchange, size_t word) {
    return (size_t)__builtin_popcountll(exchange->live[word]) +
           (exchange->options.updates_all ? 64 : 0);
}

// The first word of the part of `rank`: parts cost about the same.
static size_t slice_begin(const seq_exchange *exchange, const seq_range *bucket, int rank) {
    size_t total = 0, before = 0, word = bucket->begin, ranks = (size_t)exchange->node_size;
    if (rank == exchange->node_size) return bucket->end;
    for (size_t i = bucket->begin; i < bucket->end; i++)
        total += cost_of(exchange, i);
    while (before * ranks < total * (size_t)rank)
        before += cost_of(exchange, word++);
    return word;
}

static void sum_slice_here(seq_exchange *exchange, const seq_range *slice) {
    for (size_t word = slice->begin; word < slice->end; word++) {
        exchange->squares[word] = 0;
        if (!exchange->live[word]) continue;
        double squares = seq_exchange_sum_block(exchange, word);
        seq_exchange_finish_block(exchange, word, squares);
        seq_exchange_store_block(exchange, word);
    }
}

// Copies live floats from `from` on between the gradient and `packed`, as many as fit; *from moves
// on.
static size_t copy_live(seq_exchange *exchange, size_t *from, size_t end, bool pack) {
    float *gradient = seq_exchange_gradient(exchange);
    size_t used = 0;
    seq_range run = {*from, *from};
    while (used < SEQ_SEGMENT && seq_sparsity_next(exchange->live, end, &run)) {
        size_t length = run.end - run.begin;
        if (length > SEQ_SEGMENT - used) length = SEQ_SEGMENT - used;
        float *there = exchange->packed + used, *here = gradient + run.begin;
        memcpy(pack ? there : here, pack ? here : there, length * sizeof(float));
        run.end = run.begin + length;
        used += length;
    }
    *from = run.end;
    return used;
}

static seq_status sum_over_nodes(seq_exchange *exchange, const seq_range *slice, seq_error *error) {
    size_t limit = seq_exchange_floats_before(exchange, slice->end);
    size_t from = slice->begin * SEQ_BLOCK, back = from, floats;
    while ((floats = copy_live(exchange, &from, limit, true)) > 0) {
        if (seq_comm_sum_nodes(exchange->comm, exchange->packed, floats, exchange->wire, error))
            return error->status;
        copy_live(exchange, &back, limit, false);
    }
    return SEQ_OK;
}

static seq_status sum_slice_across(seq_exchange *exchange, const seq_range *slice,
                                   seq_error *error) {
    for (size_t word = slice->begin; word < slice->end; word++) {
        if (!exchange->live[word]) continue;
        seq_exchange_sum_block(exchange, word);
        seq_exchange_store_block(exchange, word);
    }
    if (sum_over_nodes(exchange, slice, error)) return error->status;
    for (size_t word = slice->begin; word < slice->end; word++) {
        exchange->squares[word] = 0;
        if (!exchange->live[word]) continue;
        seq_exchange_load_block(exchange, word);
        double squares = exchange->kernels->sum_squares(exchange->sum,
                                                        seq_exchange_block_floats(exchange, word));
        seq_exchange_finish_block(exchange, word, squares);
        if (exchange->options.clip_element > 0) seq_exchange_store_block(exchange, word);
    }
    return SEQ_OK;
}

seq_status seq_exchange_bucket(seq_exchange *exchange, size_t bucket, seq_error *error) {
    const seq_range *words = &exchange->buckets[bucket];
    seq_range slice = {slice_begin(exchange, words, exchange->node_rank),
                       slice_begin(exchange, words, exchange->node_rank + 1)};
    exchange->slices[bucket] = (seq_range){seq_exchange_floats_before(exchange, slice.begin),
                                           seq_exchange_floats_before(exchange, slice.end)};
    if (seq_comm_nodes(exchange->comm) > 1) return sum_slice_across(exchange, &slice, error);
    sum_slice_here(exchange, &slice);
    return SEQ_OK;
}
