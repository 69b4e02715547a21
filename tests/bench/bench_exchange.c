// The exchange of a gradient and the update (sgd) under MPI, against MPI_Allreduce of the same
// vector and against the bound of the memory: mpirun -np P bench_exchange [FLOATS [RUNS]]. Medians;
// rank 0 prints. Without MPI in its hands the communicator is the one that seqtrain uses.
#include <mpi.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/comm/exchange.h>
#include <seqtrain/optim/optimizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench {
    seq_comm *comm;
    size_t count;
    int runs;
    seq_exchange *exchange;
    seq_optimizer_step step;
    float *summed; // of MPI_Allreduce
    double *times;
} bench;

static void need(seq_status status, const seq_error *error) {
    if (!status) return;
    fprintf(stderr, "bench_exchange: %s\n", error->text);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void exchange_and_update(bench *b) {
    seq_error error = {0};
    seq_exchanged sum;
    need(seq_exchange_sum(b->exchange, &(seq_exchange_options){0}, &sum, &error), &error);
    b->step.scale = seq_clip_factor(sum.norm, 5);
    size_t first = sum.slices[0].begin;
    for (size_t end = sum.slices[0].end; end > first;) { // as src/train/step/update.c does
        size_t begin = end - first > SEQ_BLOCK ? (end - 1) / SEQ_BLOCK * SEQ_BLOCK : first;
        seq_optimizer_apply(&b->step, begin, end);
        end = begin;
    }
    need(seq_comm_node_barrier(b->comm, &error), &error);
}

static void allreduce(bench *b) {
    MPI_Allreduce(MPI_IN_PLACE, b->summed, (int)b->count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

// One pass over a slice of two vectors and the parameters in a loop of its own: what no exchange
// with an update can undercut, as each rank must read all gradients, and read and write parameters.
static void move_the_bytes(bench *b) {
    size_t ranks = (size_t)seq_comm_size(b->comm), rank = (size_t)seq_comm_rank(b->comm);
    size_t begin = b->count * rank / ranks, end = b->count * (rank + 1) / ranks;
    const float *restrict g = b->summed;
    float *restrict p = b->step.parameters;
    for (size_t other = 1; other < ranks; other++) // as many bytes as the gradients of the others
        for (size_t i = begin; i < end; i += 16)
            p[begin] += g[i];
    for (size_t i = begin; i < end; i++)
        p[i] -= 1e-9F * g[i];
}

typedef struct result {
    double median, best; // milliseconds of the slowest rank
} result;

static result measure(bench *b, void (*run)(bench *)) {
    for (int i = -1; i < b->runs; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double begun = MPI_Wtime();
        run(b);
        double own = 1e3 * (MPI_Wtime() - begun);
        MPI_Allreduce(MPI_IN_PLACE, &own, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
        if (i >= 0) b->times[i] = own;
    }
    qsort(b->times, (size_t)b->runs, sizeof *b->times, compare);
    return (result){b->times[b->runs / 2], b->times[0]};
}

static void create(bench *b, seq_parameter_table *table, const seq_optimizer_config *config) {
    seq_error error = {0};
    const seq_kernels *kernels;
    need(seq_kernels_find("auto", SEQ_FP32, &kernels, &error), &error);
    const seq_exchange_config exchange = {.count = b->count};
    need(seq_exchange_create(b->comm, kernels, &exchange, &b->exchange, &error), &error);
    seq_sparsity_add(seq_exchange_live(b->exchange), 0, b->count);
    float *gradient = seq_exchange_gradient(b->exchange);
    need(seq_allocate(&b->summed, b->count, sizeof *b->summed, "a vector", &error), &error);
    need(seq_allocate(&b->times, (size_t)b->runs, sizeof *b->times, "times", &error), &error);
    for (size_t i = 0; i < b->count; i++)
        gradient[i] = b->summed[i] = 1e-3F * (float)(i % 97);
    b->step = (seq_optimizer_step){.optimizer = seq_optimizer_find("sgd"),
                                   .config = config,
                                   .table = table,
                                   .learning_rate = 1e-6,
                                   .gradient = gradient};
    need(seq_comm_share(b->comm, b->count * sizeof(float), &b->step.parameters, "parameters",
                        &error),
         &error);
}

int main(int argc, char **argv) {
    seq_error error = {0};
    bench b = {.count = 20000000, .runs = 11};
    need(seq_comm_open_mpi(&argc, &argv, 0, &b.comm, &error), &error);
    if (argc > 1) b.count = strtoul(argv[1], NULL, 10);
    if (argc > 2) b.runs = atoi(argv[2]);
    seq_parameter parameter = {
        .name = "p", .dimensions = 1, .rows = b.count, .columns = 1, .rate = 1};
    seq_parameter_table table = {&parameter, 1, b.count, b.count};
    seq_optimizer_config config = {0};
    create(&b, &table, &config);
    result ours = measure(&b, exchange_and_update), theirs = measure(&b, allreduce),
           bound = measure(&b, move_the_bytes);
    if (seq_comm_rank(b.comm) == 0)
        printf(
            "P=%d, %zu floats: exchange and update %.2f ms (best %.2f), MPI_Allreduce alone %.2f "
            "(%.2f): %.2f x (%.2f); memory bound %.2f (%.2f): %.0f %% (%.0f)\n",
            seq_comm_size(b.comm), b.count, ours.median, ours.best, theirs.median, theirs.best,
            theirs.median / ours.median, theirs.best / ours.best, bound.median, bound.best,
            100 * bound.median / ours.median, 100 * bound.best / ours.best);
    seq_exchange_destroy(b.exchange);
    free(b.summed);
    free(b.times);
    seq_comm_close(b.comm);
    return 0;
}
