#include <seqtrain/comm/exchange.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/comm/tree.h>
#include <stdlib.h>
#include <string.h>

enum { PACKED = 1 << 18 }; // floats that travel between nodes at a time, whole granules

// What a rank found in its slice.
typedef struct slice_report {
    size_t clamped;   // elements
    int bad_rank;     // the node's rank whose gradient holds a NaN or an infinity, or -1
    size_t bad_index; // where
} slice_report;

// M ranks on this node, W words (blocks).
struct seq_exchange {
    seq_comm *comm;
    const seq_kernels *kernels;
    size_t count, words;
    int node_size, node_rank;
    float **gradients;      // (M): each rank's, in shared memory; then
    uint64_t **live_of;     // (M): its live words; and
    slice_report **reports; // (M): what it says about its slice
    double *squares;        // (W), shared: of each block of the sum
    uint64_t *live;         // (W): of the sum
    const float **leaves;   // (M), scratch: where the parts lie that are to be added
    float *sum;             // a block
    float *scratch;         // of seq_tree_sum_into
    float *packed;          // NULL on one node
};

// What a part that is not live stands for.
static const float zeros[SEQ_GRANULE];

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
        status = seq_allocate(&exchange->packed, PACKED, sizeof(float), what, error);
    return status;
}

// One block of shared memory a rank: its gradient, its live words, its report.
static seq_status share(seq_exchange *exchange, seq_error *error) {
    size_t live_at = exchange->words * SEQ_BLOCK * sizeof(float);
    size_t report_at = live_at + exchange->words * sizeof(uint64_t);
    seq_status status = seq_comm_share_each(exchange->comm, report_at + sizeof(slice_report),
                                            (void **)exchange->gradients, "the gradients", error);
    for (int rank = 0; !status && rank < exchange->node_size; rank++) {
        char *block = (char *)exchange->gradients[rank];
        exchange->live_of[rank] = (uint64_t *)(void *)(block + live_at);
        exchange->reports[rank] = (slice_report *)(void *)(block + report_at);
    }
    return status ? status
                  : seq_comm_share(exchange->comm, exchange->words * sizeof(double),
                                   &exchange->squares, "the gradient's norm", error);
}

seq_status seq_exchange_create(seq_comm *comm, const seq_kernels *kernels, size_t count,
                               seq_exchange **out, seq_error *error) {
    seq_exchange *exchange = NULL;
    if (!seq_allocate(&exchange, 1, sizeof *exchange, "the gradient exchange", error)) {
        *exchange = (seq_exchange){.comm = comm,
                                   .kernels = kernels,
                                   .count = count,
                                   .words = seq_live_words(count),
                                   .node_size = seq_comm_node_size(comm),
                                   .node_rank = seq_comm_node_rank(comm)};
        allocate(exchange, error);
    }
    if (seq_comm_agree(comm, error) || share(exchange, error)) {
        seq_exchange_destroy(exchange);
        return error->status;
    }
    *out = exchange;
    return SEQ_OK;
}

void seq_exchange_destroy(seq_exchange *exchange) {
    if (!exchange) return;
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

static slice_report *own_report(const seq_exchange *exchange) {
    return exchange->reports[exchange->node_rank];
}

static seq_status unite_live(seq_exchange *exchange, seq_error *error) {
    memset(exchange->live, 0, exchange->words * sizeof(uint64_t));
    for (int rank = 0; rank < exchange->node_size; rank++)
        for (size_t word = 0; word < exchange->words; word++)
            exchange->live[word] |= exchange->live_of[rank][word];
    return seq_comm_or_nodes(exchange->comm, exchange->live, exchange->words, error);
}

static size_t cost_of(const seq_exchange *exchange, size_t word, bool updates_all) {
    return (size_t)__builtin_popcountll(exchange->live[word]) + (updates_all ? 64 : 0);
}

// The first word of the slice of `rank`: slices cost about the same.
static size_t slice_begin(const seq_exchange *exchange, int rank, bool updates_all) {
    size_t total = 0, before = 0, word = 0, ranks = (size_t)exchange->node_size;
    if (rank == exchange->node_size) return exchange->words;
    for (size_t i = 0; i < exchange->words; i++)
        total += cost_of(exchange, i, updates_all);
    while (before * ranks < total * (size_t)rank)
        before += cost_of(exchange, word++, updates_all);
    return word;
}

static size_t floats_before(const seq_exchange *exchange, size_t word) {
    return word * SEQ_BLOCK < exchange->count ? word * SEQ_BLOCK : exchange->count;
}

static size_t block_floats(const seq_exchange *exchange, size_t word) {
    return floats_before(exchange, word + 1) - floats_before(exchange, word);
}

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
    size_t start = word * SEQ_BLOCK, end = start + block_floats(exchange, word);
    bool alike = is_live_alike(exchange, word);
    if (exchange->live[word] != UINT64_MAX) memset(exchange->sum, 0, SEQ_BLOCK * sizeof(float));
    for (seq_range run = {start, start}; seq_live_next(exchange->live, end, &run);) {
        size_t step = alike ? run.end - run.begin : SEQ_GRANULE;
        for (size_t at = run.begin; at < run.end; at += step)
            sum_range(exchange, at, at + step < run.end ? at + step : run.end,
                      exchange->sum + (at - start));
    }
}

static void store_block(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, end = start + block_floats(exchange, word);
    float *gradient = seq_exchange_gradient(exchange);
    for (seq_range run = {start, start}; seq_live_next(exchange->live, end, &run);)
        memcpy(gradient + run.begin, exchange->sum + (run.begin - start),
               (run.end - run.begin) * sizeof(float));
}

static void load_block(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, end = start + block_floats(exchange, word);
    const float *gradient = seq_exchange_gradient(exchange);
    if (exchange->live[word] != UINT64_MAX) memset(exchange->sum, 0, SEQ_BLOCK * sizeof(float));
    for (seq_range run = {start, start}; seq_live_next(exchange->live, end, &run);)
        memcpy(exchange->sum + (run.begin - start), gradient + run.begin,
               (run.end - run.begin) * sizeof(float));
}

static size_t find_nonfinite(const seq_exchange *exchange, int rank, size_t start, size_t end) {
    const float *gradient = exchange->gradients[rank];
    for (seq_range run = {start, start}; seq_live_next(exchange->live_of[rank], end, &run);) {
        size_t length = run.end - run.begin;
        size_t at = exchange->kernels->find_nonfinite(gradient + run.begin, length);
        if (at < length) return run.begin + at;
    }
    return end;
}

// Looks for the rank that spoils a block whose sum of squares is not finite (it may be none:
// squares overflow early). What it finds is marked with a NaN in the sum, for all to see.
static void find_culprit(seq_exchange *exchange, size_t word) {
    size_t start = word * SEQ_BLOCK, end = start + block_floats(exchange, word);
    slice_report *report = own_report(exchange);
    for (int rank = 0; rank < exchange->node_size; rank++) {
        size_t at = find_nonfinite(exchange, rank, start, end);
        if (at == end) continue;
        exchange->sum[at - start] = NAN;
        if (report->bad_rank < 0) *report = (slice_report){report->clamped, rank, at};
        return;
    }
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

// Sums over the node. The blocks are left in this rank's gradient.
static double sum_over_node(seq_exchange *exchange, size_t word) {
    size_t floats = block_floats(exchange, word);
    sum_block(exchange, word);
    double squares = exchange->kernels->sum_squares(exchange->sum, floats);
    if (!isfinite(squares)) {
        find_culprit(exchange, word);
        squares = exchange->kernels->sum_squares(exchange->sum, floats);
    }
    return squares;
}

// Clamps and squares of a complete block in exchange->sum.
static void finish_block(seq_exchange *exchange, size_t word, double squares, double limit) {
    size_t floats = block_floats(exchange, word);
    if (limit > 0) {
        own_report(exchange)->clamped += clamp(exchange->sum, floats, limit);
        squares = exchange->kernels->sum_squares(exchange->sum, floats);
    }
    exchange->squares[word] = squares;
}

static void sum_slice_here(seq_exchange *exchange, size_t begin, size_t end, double limit) {
    for (size_t word = begin; word < end; word++) {
        exchange->squares[word] = 0;
        if (!exchange->live[word]) continue;
        double squares = sum_over_node(exchange, word);
        finish_block(exchange, word, squares, limit);
        store_block(exchange, word);
    }
}

// Copies live floats from `from` on between the gradient and `packed`, as many as fit; *from moves
// on.
static size_t copy_live(seq_exchange *exchange, size_t *from, size_t end, bool pack) {
    float *gradient = seq_exchange_gradient(exchange);
    size_t used = 0;
    seq_range run = {*from, *from};
    while (used < PACKED && seq_live_next(exchange->live, end, &run)) {
        size_t length = run.end - run.begin;
        if (length > PACKED - used) length = PACKED - used;
        float *there = exchange->packed + used, *here = gradient + run.begin;
        memcpy(pack ? there : here, pack ? here : there, length * sizeof(float));
        run.end = run.begin + length;
        used += length;
    }
    *from = run.end;
    return used;
}

static seq_status sum_over_nodes(seq_exchange *exchange, size_t begin, size_t end,
                                 seq_error *error) {
    size_t limit = floats_before(exchange, end);
    size_t from = begin * SEQ_BLOCK, back = from, floats;
    while ((floats = copy_live(exchange, &from, limit, true)) > 0) {
        if (seq_comm_sum_nodes(exchange->comm, exchange->packed, floats, error))
            return error->status;
        copy_live(exchange, &back, limit, false);
    }
    return SEQ_OK;
}

static seq_status sum_slice_across(seq_exchange *exchange, size_t begin, size_t end, double limit,
                                   seq_error *error) {
    for (size_t word = begin; word < end; word++) {
        if (!exchange->live[word]) continue;
        sum_over_node(exchange, word);
        store_block(exchange, word);
    }
    if (sum_over_nodes(exchange, begin, end, error)) return error->status;
    for (size_t word = begin; word < end; word++) {
        exchange->squares[word] = 0;
        if (!exchange->live[word]) continue;
        load_block(exchange, word);
        double squares =
            exchange->kernels->sum_squares(exchange->sum, block_floats(exchange, word));
        finish_block(exchange, word, squares, limit);
        if (limit > 0) store_block(exchange, word);
    }
    return SEQ_OK;
}

// What all ranks of the node have told.
static void conclude(const seq_exchange *exchange, seq_exchanged *out) {
    double squares = 0;
    for (size_t word = 0; word < exchange->words; word++)
        squares += exchange->squares[word];
    out->norm = sqrt(squares);
    for (int rank = 0; rank < exchange->node_size; rank++) {
        const slice_report *report = exchange->reports[rank];
        out->clamped += report->clamped;
        if (report->bad_rank != exchange->node_rank) continue;
        out->bad = true;
        out->bad_index = report->bad_index;
    }
}

seq_status seq_exchange_sum(seq_exchange *exchange, const seq_exchange_options *options,
                            seq_exchanged *out, seq_error *error) {
    if (seq_comm_node_barrier(exchange->comm, error) || unite_live(exchange, error))
        return error->status;
    size_t begin = slice_begin(exchange, exchange->node_rank, options->updates_all),
           end = slice_begin(exchange, exchange->node_rank + 1, options->updates_all);
    *out = (seq_exchanged){.begin = floats_before(exchange, begin),
                           .end = floats_before(exchange, end),
                           .live = exchange->live};
    *own_report(exchange) = (slice_report){.bad_rank = -1};
    if (seq_comm_nodes(exchange->comm) == 1)
        sum_slice_here(exchange, begin, end, options->clip_element);
    else if (sum_slice_across(exchange, begin, end, options->clip_element, error))
        return error->status;
    if (seq_comm_node_barrier(exchange->comm, error)) return error->status;
    conclude(exchange, out);
    return SEQ_OK;
}
