// The communicator under MPI: every rank checks what every collective gives it. Exit code 1 names
// the rank and the numbers. An argument N makes nodes of at most N ranks: on one host, what several
// hosts would do.
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/comm/comm.h>
#include <seqtrain/comm/exchange.h>
#include <seqtrain/comm/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failures;

static void check(int fine, const seq_comm *comm, const char *what, long long number) {
    if (fine) return;
    failures++;
    fprintf(stderr, "rank %d of %d: %s (%lld)\n", seq_comm_rank(comm), seq_comm_size(comm), what,
            number);
}

static void fill(float *values, int rank, size_t count) {
    seq_random_fill_uniform((seq_random_key){4, SEQ_RANDOM_TEST}, (uint32_t)rank, 1, values, count);
}

// The sum over the nodes, whose ranks hold the vector of their node.
static void check_sum_nodes(seq_comm *comm, size_t count) {
    seq_error error = {0};
    int nodes = seq_comm_nodes(comm), node = seq_comm_rank(comm) / seq_comm_node_size(comm);
    float *all = malloc(((size_t)nodes * count + 1) * sizeof *all),
          *values = malloc((count + 1) * sizeof *values);
    for (int other = 0; other < nodes; other++)
        fill(all + (size_t)other * count, other, count);
    seq_tree_sum(all, nodes, count, count);
    fill(values, node, count);
    check(seq_comm_prepare_sums(comm, SEQ_WIRE_FP32, &error) == SEQ_OK, comm, error.text, 0);
    check(seq_comm_sum_nodes(comm, values, count, SEQ_WIRE_FP32, &error) == SEQ_OK, comm,
          error.text, 0);
    check(memcmp(values, all, count * sizeof *values) == 0, comm, "another sum than the tree's",
          (long long)count);
    free(all);
    free(values);
}

static void check_agreement(seq_comm *comm) {
    int rank = seq_comm_rank(comm), size = seq_comm_size(comm);
    seq_error error = {0};
    check(seq_comm_agree(comm, &error) == SEQ_OK, comm, "agreed on a failure", error.status);
    if (rank == size - 1) seq_error_set(&error, SEQ_NO_SPACE, "disk full");
    if (rank == 0 && size > 2) seq_error_set(&error, SEQ_BAD_INPUT, "bad file");
    check(seq_comm_agree(comm, &error) == SEQ_NO_SPACE, comm, "did not agree on the gravest",
          error.status);
    check(strstr(error.text, "disk full") != NULL, comm, error.text, 0);
    char prefix[32];
    snprintf(prefix, sizeof prefix, "rank %d: ", size - 1);
    check(size == 1 || strncmp(error.text, prefix, strlen(prefix)) == 0, comm, error.text, 0);
}

// Counted before it is taken; each rank's block is its own, whole, zeroed and seen by its node.
static void check_memory(seq_comm *comm) {
    enum { BYTES = 300000 };
    seq_error error = {0};
    int ranks = seq_comm_node_size(comm), own = seq_comm_node_rank(comm);
    char **blocks = calloc((size_t)ranks, sizeof *blocks), *shared;
    check(!seq_comm_reserve(comm, BYTES, BYTES, &error), comm, error.text, 0);
    // All nodes are on this host.
    check(seq_comm_reserved(comm) ==
              (uint64_t)BYTES * (uint64_t)(seq_comm_size(comm) + seq_comm_nodes(comm)),
          comm, "reserved another number of bytes", (long long)seq_comm_reserved(comm));
    check(!seq_comm_share(comm, BYTES, &shared, "a test", &error), comm, error.text, 0);
    check(!seq_comm_share_each(comm, BYTES, (void **)blocks, "a test", &error), comm, error.text,
          0);
    for (int i = 0; i < BYTES; i++)
        check(shared[i] == 0 && blocks[own][i] == 0, comm, "shared memory is not zero", i);
    check(!seq_comm_node_barrier(comm, &error), comm, error.text, 0);
    memset(blocks[own], 1 + own, BYTES);
    check(!seq_comm_node_barrier(comm, &error), comm, error.text, 0);
    for (int rank = 0; rank < ranks; rank++)
        check(blocks[rank][0] == 1 + rank && blocks[rank][BYTES - 1] == 1 + rank &&
                  (uintptr_t)blocks[rank] % 64 == 0,
              comm, "another rank's block is not as it wrote it", rank);
    check(seq_comm_reserve(comm, SIZE_MAX / 4, 0, &error) == SEQ_NO_SPACE, comm,
          "memory that nobody has was promised", error.status);
    check(strstr(error.text, "--shm-size") != NULL, comm, error.text, 0);
    free(blocks);
}

static void check_gather(seq_comm *comm) {
    seq_error error = {0};
    int size = seq_comm_size(comm), rank = seq_comm_rank(comm);
    int *blocks = calloc((size_t)size * 3, sizeof *blocks), *shared;
    check(!seq_comm_share(comm, (size_t)size * 3 * sizeof *shared, &shared, "a test", &error), comm,
          error.text, 0);
    for (int i = 0; i < 3; i++)
        shared[3 * rank + i] = blocks[3 * rank + i] = 10 * rank + i;
    check(seq_comm_gather(comm, blocks, 3 * sizeof *blocks, &error) == SEQ_OK, comm, error.text, 0);
    check(!seq_comm_gather_shared(comm, shared, 3 * sizeof *shared, &error), comm, error.text, 0);
    for (int i = 0; i < 3 * size; i++) {
        check(blocks[i] == 10 * (i / 3) + i % 3, comm, "gathered another value", blocks[i]);
        check(shared[i] == blocks[i], comm, "gathered another shared value", shared[i]);
    }
    free(blocks);
}

static void check_broadcast(seq_comm *comm) {
    seq_error error = {0};
    char *shared;
    for (int root = 0; root < seq_comm_size(comm); root++) {
        char text[] = "nothing";
        if (seq_comm_rank(comm) == root) memcpy(text, "message", sizeof text);
        check(seq_comm_broadcast(comm, text, sizeof text, root, &error) == SEQ_OK, comm, error.text,
              0);
        check(strcmp(text, "message") == 0, comm, "the broadcast did not arrive", root);
    }
    check(!seq_comm_share(comm, 8, &shared, "a test", &error), comm, error.text, 0);
    check(shared[0] == 0 && (uintptr_t)shared % 64 == 0, comm, "shared memory is not as promised",
          0);
    check(!seq_comm_node_barrier(comm, &error), comm, error.text, 0);
    if (seq_comm_rank(comm) == 0) memcpy(shared, "message", 8);
    check(!seq_comm_broadcast_shared(comm, shared, 8, &error), comm, error.text, 0);
    check(strcmp(shared, "message") == 0, comm, "the shared broadcast did not arrive", 0);
}

// The exchange against the tree over all ranks. In the first `sparse` floats a rank has gradients
// in rows of 150 floats that depend on rank and round; the dense way adds their zeros, too.
enum { ROW = 150 };

static bool has_row(int rank, int round, size_t row) {
    return (row * 7 + (size_t)rank * 3 + (size_t)round) % 9 < (size_t)(rank % 3);
}

static void fill_gradient(float *out, uint64_t *live, int rank, int round, size_t count,
                          size_t sparse) {
    float *values = malloc(count * sizeof *values);
    fill(values, rank + 100 * round, count);
    for (size_t i = 0; i < count; i++) {
        if (i < sparse && !has_row(rank, round, i / ROW)) continue;
        out[i] = values[i];
    }
    for (size_t begin = 0; live && begin < sparse; begin += ROW)
        if (has_row(rank, round, begin / ROW))
            seq_sparsity_add(live, begin, begin + ROW < sparse ? begin + ROW : sparse);
    if (live) seq_sparsity_add(live, sparse, count);
    free(values);
}

static void clamp(float *values, size_t count, float limit, size_t *clamped) {
    for (size_t i = 0; limit > 0 && i < count; i++) {
        *clamped += fabsf(values[i]) > limit;
        values[i] = fmaxf(-limit, fminf(limit, values[i]));
    }
}

static double blockwise_norm(const seq_kernels *kernels, const float *values, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; i += SEQ_BLOCK)
        squares += kernels->sum_squares(values + i, count - i < SEQ_BLOCK ? count - i : SEQ_BLOCK);
    return sqrt(squares);
}

static void expected_sum(const seq_comm *comm, int round, size_t count, size_t sparse, float *all) {
    memset(all, 0, (size_t)seq_comm_size(comm) * count * sizeof *all);
    for (int rank = 0; rank < seq_comm_size(comm); rank++)
        fill_gradient(all + (size_t)rank * count, NULL, rank, round, count, sparse);
    seq_tree_sum(all, seq_comm_size(comm), count, count);
}

// Fills what is live and nothing else: the rest of the vector keeps the dregs of earlier rounds.
static void fill_own(seq_comm *comm, seq_exchange *exchange, int round, size_t count,
                     size_t sparse) {
    float *gradient = seq_exchange_gradient(exchange);
    uint64_t *live = seq_exchange_live(exchange);
    memset(live, 0, seq_sparsity_words(count) * sizeof *live);
    float *values = calloc(count, sizeof *values);
    fill_gradient(values, live, seq_comm_rank(comm), round, count, sparse);
    for (seq_range run = {0}; seq_sparsity_next(live, count, &run);)
        memcpy(gradient + run.begin, values + run.begin, (run.end - run.begin) * sizeof *values);
    free(values);
}

// Slice by slice, the ranks of a node follow each other; the slices go from the end to the
// beginning.
static void check_slices(seq_comm *comm, const seq_exchanged *sum, size_t count) {
    seq_error error = {0};
    size_t size = (size_t)seq_comm_size(comm), end = count, begin = count;
    seq_range *all = calloc(size, sizeof *all);
    for (size_t slice = 0; slice < sum->slice_count; slice++) {
        all[seq_comm_rank(comm)] = sum->slices[slice];
        check(!seq_comm_gather(comm, all, sizeof *all, &error), comm, error.text, 0);
        size_t last = 0;
        for (size_t rank = 0; rank < size; rank++) {
            if (rank % (size_t)seq_comm_node_size(comm) == 0) last = begin = all[rank].begin;
            check(all[rank].begin == last, comm, "a gap between slices", (long long)rank);
            last = all[rank].end;
            if ((rank + 1) % (size_t)seq_comm_node_size(comm) == 0)
                check(last == end, comm, "a gap between buckets", (long long)last);
        }
        end = begin;
    }
    check(begin == 0, comm, "the slices do not cover the vector", (long long)begin);
    free(all);
}

// How a gradient is handed in: without overlap, or in parts (their ends in the halves, and odd), by
// buckets of this size.
typedef struct way {
    bool overlap;
    size_t bucket;
} way;

enum { PARTS = 8 };

static size_t cut_parts(size_t count, size_t parts[PARTS]) {
    for (size_t i = 0; i < PARTS; i++)
        parts[i] = i + 1 < PARTS ? count >> (i + 1) : 0;
    return PARTS;
}

static seq_status create(seq_comm *comm, const way *way, size_t count, seq_wire wire,
                         seq_exchange **out, seq_error *error) {
    const seq_kernels *kernels;
    size_t parts[PARTS];
    seq_exchange_config config = {.count = count,
                                  .overlap = way->overlap,
                                  .parts = parts,
                                  .part_count = cut_parts(count, parts),
                                  .bucket = way->bucket,
                                  .wire = wire};
    if (seq_kernels_find("auto", SEQ_FP32, &kernels, error)) return error->status;
    return seq_exchange_create(comm, kernels, &config, out, error);
}

static void check_sum(seq_comm *comm, seq_exchange *exchange, const seq_exchanged *sum,
                      float *all) {
    const float *gradient = seq_exchange_gradient(exchange);
    double dregs = 0;
    for (size_t slice = 0; slice < sum->slice_count; slice++) {
        size_t begin = sum->slices[slice].begin, end = sum->slices[slice].end;
        for (seq_range run = {begin, begin}; seq_sparsity_next(sum->live, end, &run);) {
            size_t bytes = (run.end - run.begin) * sizeof *all;
            check(memcmp(gradient + run.begin, all + run.begin, bytes) == 0, comm,
                  "another sum than the tree's", (long long)run.begin);
            memset(all + run.begin, 0, bytes);
        }
        for (size_t i = begin; i < end; i++)
            dregs += fabsf(all[i]);
    }
    check(dregs == 0, comm, "something that is not zero was left out", 0);
}

// The parts become ready while lower ones are still written, on each rank at its own pace.
static seq_status exchange_in_parts(seq_comm *comm, seq_exchange *exchange,
                                    const seq_exchange_options *how, size_t count,
                                    seq_exchanged *out, seq_error *error) {
    float *gradient = seq_exchange_gradient(exchange), *kept = malloc(count * sizeof *kept);
    size_t parts[PARTS], end = count;
    memcpy(kept, gradient, count * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        gradient[i] = NAN; // not handed in yet
    seq_exchange_begin(exchange, how);
    for (size_t part = 0; part < cut_parts(count, parts); end = parts[part++]) {
        struct timespec pause = {0, 100000 * (long)((size_t)seq_comm_rank(comm) * part % 3)};
        nanosleep(&pause, NULL);
        memcpy(gradient + parts[part], kept + parts[part], (end - parts[part]) * sizeof *kept);
        seq_exchange_ready(exchange, parts[part]);
    }
    free(kept);
    return seq_exchange_finish(exchange, out, error);
}

static void check_round(seq_comm *comm, const seq_kernels *kernels, seq_exchange *exchange,
                        int round, size_t count, size_t sparse, float *all) {
    seq_error error = {0};
    seq_exchanged sum;
    seq_exchange_options how = {round == 2 ? 0.5 : 0, round % 2};
    size_t clamped = 0;
    expected_sum(comm, round, count, sparse, all);
    clamp(all, count, (float)how.clip_element, &clamped);
    double norm = blockwise_norm(kernels, all, count);
    fill_own(comm, exchange, round, count, sparse);
    if (exchange_in_parts(comm, exchange, &how, count, &sum, &error)) {
        check(false, comm, error.text, round);
        return;
    }
    check_sum(comm, exchange, &sum, all);
    check(sum.norm == norm, comm, "another norm", round);
    check(sum.clamped == clamped && (round != 2 || count < 9 || clamped > 0), comm,
          "another count of clamped elements", (long long)sum.clamped);
    check(!sum.bad, comm, "a good gradient is called bad", round);
    check_slices(comm, &sum, count);
}

// A NaN on the last rank, in a row of its own, and a later one on the first.
static void check_trouble(seq_comm *comm, seq_exchange *exchange, size_t count, float value) {
    seq_error error = {0};
    seq_exchanged sum;
    seq_exchange_options how = {1, false};
    int node = seq_comm_rank(comm) / seq_comm_node_size(comm);
    bool mine = seq_comm_rank(comm) == seq_comm_size(comm) - 1,
         last_node = node == seq_comm_nodes(comm) - 1;
    memset(seq_exchange_gradient(exchange), 0, count * sizeof(float));
    seq_sparsity_add(seq_exchange_live(exchange), 0, count);
    if (last_node) seq_exchange_gradient(exchange)[count - 1] = value;
    if (mine) seq_exchange_gradient(exchange)[count / 2] = value;
    if (exchange_in_parts(comm, exchange, &how, count, &sum, &error))
        check(false, comm, error.text, 0);
    check(isnan(sum.norm), comm, "a NaN was overlooked", 0);
    check(sum.bad == mine && (!mine || sum.bad_index == count / 2), comm,
          "the wrong place is named", (long long)sum.bad_index);
}

// A round that nobody wants, begun by ranks that have handed in nothing but the end.
static void check_abandon(seq_comm *comm, seq_exchange *exchange, size_t count) {
    seq_error error = {0};
    seq_exchange_begin(exchange, &(seq_exchange_options){0});
    if (seq_comm_rank(comm) % 2) seq_exchange_ready(exchange, count / 2);
    check(!seq_exchange_abandon(exchange, &error), comm, error.text, 0);
}

static void check_exchange(seq_comm *comm, const way *way, size_t count, size_t sparse) {
    seq_error error = {0};
    const seq_kernels *kernels;
    seq_exchange *exchange;
    float *all = malloc((size_t)seq_comm_size(comm) * count * sizeof *all);
    check(!seq_kernels_find("auto", SEQ_FP32, &kernels, &error), comm, error.text, 0);
    if (create(comm, way, count, SEQ_WIRE_FP32, &exchange, &error)) {
        check(false, comm, error.text, 0);
        free(all);
        return;
    }
    for (int round = 0; round < 4; round++) {
        check_round(comm, kernels, exchange, round, count, sparse, all);
        check_abandon(comm, exchange, count);
    }
    check_trouble(comm, exchange, count, NAN);
    check_trouble(comm, exchange, count, -INFINITY);
    seq_exchange_destroy(exchange);
    free(all);
}

static float to_bf16(float value) {
    uint32_t bits, up;
    memcpy(&bits, &value, sizeof bits);
    float down, above;
    uint32_t low = bits & 0xffff0000;
    up = low + 0x10000;
    memcpy(&down, &low, sizeof down);
    memcpy(&above, &up, sizeof above);
    double to_down = fabs((double)value - down), to_up = fabs((double)above - value);
    bool even = !(low >> 16 & 1);
    return to_down < to_up || (to_down == to_up && even) ? down : above;
}

// Each node's sum and the total are rounded; on one node nothing is.
static void expected_bf16_sum(const seq_comm *comm, size_t count, float *all) {
    int size = seq_comm_size(comm), nodes = seq_comm_nodes(comm), ranks = seq_comm_node_size(comm);
    for (int rank = 0; rank < size; rank++)
        fill_gradient(all + (size_t)rank * count, NULL, rank, 0, count, 0);
    for (int node = 0; node < nodes; node++)
        seq_tree_sum(all + (size_t)(node * ranks) * count, ranks, count, count);
    for (int node = 0; nodes > 1 && node < nodes; node++)
        for (size_t i = 0; i < count; i++)
            all[(size_t)node * count + i] = to_bf16(all[(size_t)(node * ranks) * count + i]);
    seq_tree_sum(all, nodes, count, count);
    for (size_t i = 0; nodes > 1 && i < count; i++)
        all[i] = to_bf16(all[i]);
}

static void check_bf16(seq_comm *comm, const way *way, size_t count) {
    seq_error error = {0};
    seq_exchange *exchange;
    seq_exchanged sum;
    float *all = malloc((size_t)seq_comm_size(comm) * count * sizeof *all);
    expected_bf16_sum(comm, count, all);
    if (create(comm, way, count, SEQ_WIRE_BF16, &exchange, &error)) {
        check(false, comm, error.text, 0);
        free(all);
        return;
    }
    fill_own(comm, exchange, 0, count, 0);
    check(!seq_exchange_sum(exchange, &(seq_exchange_options){0}, &sum, &error), comm, error.text,
          0);
    check_sum(comm, exchange, &sum, all);
    seq_exchange_destroy(exchange);
    free(all);
}

// 2 (N-1)/N of the vector for each node, whatever is in it; half of it as bf16.
static void check_bytes(seq_comm *comm, const way *way, size_t count, seq_wire wire) {
    seq_error error = {0};
    seq_exchange *exchange;
    seq_exchanged sum;
    double sent = seq_comm_bytes(comm), total = 0, nodes = seq_comm_nodes(comm),
           expected = 2 * (nodes - 1) * (double)count * (wire == SEQ_WIRE_BF16 ? 2 : 4);
    double *all = calloc((size_t)seq_comm_size(comm), sizeof *all);
    check(!create(comm, way, count, wire, &exchange, &error), comm, error.text, 0);
    fill_own(comm, exchange, 0, count, 0);
    check(!seq_exchange_sum(exchange, &(seq_exchange_options){0}, &sum, &error), comm, error.text,
          0);
    all[seq_comm_rank(comm)] = seq_comm_bytes(comm) - sent;
    check(!seq_comm_gather(comm, all, sizeof *all, &error), comm, error.text, 0);
    for (int rank = 0; rank < seq_comm_size(comm); rank++)
        total += all[rank];
    check(fabs(total - expected) <= 0.001 * expected, comm, "bytes on the wire", (long long)total);
    seq_exchange_destroy(exchange);
    free(all);
}

static void check_way(seq_comm *comm, const way *way) {
    check_exchange(comm, way, 3, 0);
    check_exchange(comm, way, 50003, 0);
    check_exchange(comm, way, 50003, 31000);
    check_exchange(comm, way, 100000, 99950);
    check_bf16(comm, way, 50003);
    check_bytes(comm, way, 100000, SEQ_WIRE_FP32);
    check_bytes(comm, way, 100000, SEQ_WIRE_BF16);
}

int main(int argc, char **argv) {
    seq_comm *comm;
    seq_error error = {0};
    int most = argc > 1 ? atoi(argv[1]) : 0;
    if (seq_comm_open_mpi(&argc, &argv, most, &comm, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    static const size_t counts[] = {0, 1, 2, 7, 1000003};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        check_sum_nodes(comm, counts[i]);
    check_agreement(comm);
    check_memory(comm);
    check_gather(comm);
    check_broadcast(comm);
    check(seq_comm_is_concurrent(comm), comm, "MPI does not serve several threads", 0);
    static const way ways[] = {{false, 0}, {true, 1}, {true, 10000}, {true, 10000000}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        check_way(comm, &ways[i]);
    check(strstr(seq_comm_layout(comm), "on 1 host") != NULL, comm, seq_comm_layout(comm), 0);
    seq_comm_close(comm);
    return failures != 0;
}
