// How much of the exchange of a gradient hides behind backward: mpirun -np P bench_overlap [FLOATS
// [RUNS [MOST]]], nodes of at most MOST ranks (1). Backward is multiply-adds on registers, eight
// layers of them that take about as long together as the exchange alone. Medians of the slowest
// rank; rank 0 prints.
#include <mpi.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/comm/exchange.h>
#include <stdio.h>
#include <stdlib.h>

enum { LAYERS = 8 };

typedef struct bench {
    seq_comm *comm;
    size_t count, parts[LAYERS];
    int runs;
    seq_exchange *apart, *overlapped, *used; // used: NULL for backward alone
    long work;                               // multiply-adds of a layer
    double *times;
    float sink;
} bench;

static void need(seq_status status, const seq_error *error) {
    if (!status) return;
    fprintf(stderr, "bench_overlap: %s\n", error->text);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compute(bench *b) {
    float sums[64] = {0};
    for (long i = 0; i < b->work; i += 64)
        for (int j = 0; j < 64; j++)
            sums[j] = sums[j] * 0.999F + 1;
    b->sink += sums[b->work % 64];
}

static void step(bench *b) {
    seq_error error = {0};
    seq_exchanged sum;
    if (b->used) seq_exchange_begin(b->used, &(seq_exchange_options){0});
    for (int layer = 0; layer < LAYERS; layer++) {
        compute(b);
        if (b->used) seq_exchange_ready(b->used, b->parts[layer]);
    }
    if (b->used) need(seq_exchange_finish(b->used, &sum, &error), &error);
}

// Milliseconds.
static double measure(bench *b, seq_exchange *used) {
    b->used = used;
    for (int i = -1; i < b->runs; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double begun = MPI_Wtime();
        step(b);
        double own = 1e3 * (MPI_Wtime() - begun);
        MPI_Allreduce(MPI_IN_PLACE, &own, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        if (i >= 0) b->times[i] = own;
    }
    qsort(b->times, (size_t)b->runs, sizeof *b->times, compare);
    return b->times[b->runs / 2];
}

static void create(bench *b, bool overlap, seq_exchange **out) {
    seq_error error = {0};
    const seq_kernels *kernels;
    const seq_exchange_config config = {.count = b->count,
                                        .overlap = overlap,
                                        .parts = b->parts,
                                        .part_count = LAYERS,
                                        .bucket = 1000000};
    need(seq_kernels_find("auto", SEQ_FP32, &kernels, &error), &error);
    need(seq_exchange_create(b->comm, kernels, &config, out, &error), &error);
    seq_sparsity_add(seq_exchange_live(*out), 0, b->count);
    for (size_t i = 0; i < b->count; i++)
        seq_exchange_gradient(*out)[i] = 1e-9F * (float)(i % 97);
}

// Backward as long as the exchange, on all ranks at once.
static void calibrate(bench *b) {
    b->work = 0;
    double exchange = measure(b, b->apart);
    b->work = 10000000;
    double backward = measure(b, NULL);
    b->work = (long)(1e7 * exchange / backward);
}

int main(int argc, char **argv) {
    seq_error error = {0};
    bench b = {.count = 20000000, .runs = 7};
    need(seq_comm_open_mpi(&argc, &argv, argc > 3 ? atoi(argv[3]) : 1, &b.comm, &error), &error);
    if (argc > 1) b.count = strtoul(argv[1], NULL, 10);
    if (argc > 2) b.runs = atoi(argv[2]);
    for (size_t layer = 0; layer < LAYERS; layer++)
        b.parts[layer] = b.count / LAYERS * (LAYERS - 1 - layer);
    need(seq_allocate(&b.times, (size_t)b.runs, sizeof *b.times, "times", &error), &error);
    create(&b, false, &b.apart);
    create(&b, true, &b.overlapped);
    calibrate(&b);
    double backward = measure(&b, NULL), apart = measure(&b, b.apart),
           before = seq_comm_bytes(b.comm), overlapped = measure(&b, b.overlapped),
           sent = (seq_comm_bytes(b.comm) - before) / (b.runs + 1);
    if (seq_comm_rank(b.comm) == 0)
        printf("P=%d, %d nodes, %zu floats: backward %.1f ms, exchange after it %.1f, beside it "
               "%.1f: %.0f %% of the exchange hidden; %.1f MB sent by a node\n",
               seq_comm_size(b.comm), seq_comm_nodes(b.comm), b.count, backward, apart - backward,
               overlapped - backward, 100 * (apart - overlapped) / (apart - backward), sent / 1e6);
    seq_exchange_destroy(b.apart);
    seq_exchange_destroy(b.overlapped);
    free(b.times);
    seq_comm_close(b.comm);
    return !(b.sink > 0);
}
