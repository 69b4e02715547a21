// A short look at this machine: training steps on synthetic tokens, or on a batch
// of items of about the mean size, first by
// one rank of each node while the others sleep, then by all at the same time.
// Without a launcher, threads stand for the ranks: each has a model, a
// workspace and a gradient of its own, and they share the parameters. Work is
// timed by the processor time of its thread, exchange and network by the clock
// on the wall. Of work the median counts, of the rest the least. Tests:
// tests/cli/plan.sh, tests/mpi/plan.sh.
#include "plan.h"
#include <math.h>
#include <sched.h>
#include <seqtrain/base/clock.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/comm/exchange.h>
#include <seqtrain/comm/tree.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_RUNS = 15,
    LEAST_RUNS = 3,
    SUM_STREAMS = 3,          // vectors that a sum of two reads and writes
    BARRIERS = 10,            // timed together
    CLOCK_RUNS = 12,          // of what is timed by the clock on the wall
    NETWORK_FLOATS = 1 << 20, // of a rank: for the bandwidth
};
static const double WINDOW_SECONDS = 1.5; // that all runs of windows shall take, about

typedef enum task { WINDOW, STREAM, UPDATE, PACK, TASKS } task;

struct bench;
typedef struct lane {
    struct bench *bench;
    seq_compute compute;
    seq_model *model;
    seq_workspace *workspace;
    float *gradient;         // lane 0: the exchange's
    float *state;            // NULL: the task carries none
    seq_rectangle rectangle; // of synthetic tokens, where there is no sampler
    const seq_batch *batch;
    uint32_t step;
    int part, parts; // of the vectors, when work is divided
    double seconds[TASKS];
} lane;

typedef struct bench {
    seq_plan *plan;
    seq_comm *comm;
    const seq_parameter_table *table;
    lane *lanes;
    int count; // of lanes of this process
    int runs;
    task task; // of all lanes
    seq_team *crew;
    seq_exchange *exchange;
    float *parameters, *moments[SEQ_OPTIMIZER_STATES], *other;
    void *packed;
    atomic_int *awake; // of the node: ranks that are not the first may go on
} bench;

// ---- work

static void run_window(lane *lane) {
    const seq_feed feed = {
        .batch = lane->batch, .state = lane->state, .seed = 1, .step = lane->step++};
    seq_weights weights = {lane->bench->parameters, lane->bench->packed, SEQ_USE_TRAINING};
    seq_model_train(lane->model, lane->workspace, &weights, &feed, 1 / lane->batch->divisor,
                    lane->gradient);
}

static size_t part_begin(const lane *lane, int part) {
    return seq_share_begin(lane->bench->table->size, part, lane->parts);
}

// As sum_slice_here of comm/exchange_bucket.c does with two ranks.
static void run_stream(lane *lane) {
    const bench *bench = lane->bench;
    float sum[SEQ_BLOCK], scratch[SEQ_BLOCK];
    const float *other =
        bench->count > 1 ? bench->lanes[lane == bench->lanes].gradient : bench->other;
    size_t end = part_begin(lane, lane->part + 1);
    for (size_t at = part_begin(lane, lane->part); at < end; at += SEQ_BLOCK) {
        size_t floats = end - at < SEQ_BLOCK ? end - at : SEQ_BLOCK;
        const float *leaves[2] = {lane->gradient + at, other + at};
        seq_tree_sum_into(sum, leaves, 2, floats, scratch);
        bool finite = isfinite(lane->compute.kernels->sum_squares(sum, floats));
        if (finite) memcpy(lane->gradient + at, sum, floats * sizeof *sum);
    }
}

// A rate of zero leaves the parameters as they are and costs as much.
static void run_update(lane *lane) {
    const bench *bench = lane->bench;
    const seq_optimizer_step step = {.optimizer = bench->plan->optimizer,
                                     .config = &bench->plan->rule,
                                     .table = bench->table,
                                     .scale = 1,
                                     .step = 1,
                                     .parameters = bench->parameters,
                                     .gradient = lane->gradient,
                                     .state = bench->moments};
    size_t begin = part_begin(lane, lane->part);
    for (size_t end = part_begin(lane, lane->part + 1); end > begin;) {
        size_t from = end - begin > SEQ_BLOCK ? end - SEQ_BLOCK : begin;
        seq_optimizer_apply(&step, from, end);
        end = from;
    }
}

static void run_pack(lane *lane) {
    seq_model_pack(lane->model, SEQ_USE_TRAINING, lane->bench->parameters, lane->part, lane->parts,
                   lane->bench->packed);
}

// ---- time

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double time_work(lane *lane, void (*work)(struct lane *), int runs) {
    double seconds[MOST_RUNS];
    for (int run = 0; run < runs; run++) {
        double begun = processor_seconds();
        work(lane);
        seconds[run] = processor_seconds() - begun;
    }
    return median(seconds, runs);
}

static void time_task(lane *lane, task task) {
    static void (*const works[TASKS])(struct lane *) = {run_window, run_stream, run_update,
                                                        run_pack};
    works[task](lane); // warm
    lane->seconds[task] = time_work(lane, works[task], lane->bench->runs);
}

static void time_one_of_crew(void *context, int part, int parts) {
    bench *bench = context;
    (void)parts;
    time_task(&bench->lanes[part], bench->task);
}

// Seconds of a lane -> those of the units in seq_plan_machine.
static void convert(const bench *bench, double parts, const double *seconds, double *out) {
    double floats = (double)bench->table->size / parts;
    out[WINDOW] = seconds[WINDOW];
    out[STREAM] = seconds[STREAM] / (SUM_STREAMS * floats);
    out[UPDATE] = seconds[UPDATE] / floats;
    out[PACK] = seconds[PACK] * parts;
}

static void sleep_until(const atomic_int *awake) {
    const struct timespec moment = {.tv_nsec = 1000000};
    while (!atomic_load(awake))
        nanosleep(&moment, NULL);
}

static void time_alone(bench *bench, double *out) {
    lane *first = bench->lanes;
    if (seq_comm_node_rank(bench->comm) != 0) {
        sleep_until(bench->awake);
        return;
    }
    first->part = 0;
    first->parts = 1;
    run_window(first);
    double begun = processor_seconds();
    run_window(first);
    double runs = WINDOW_SECONDS / (processor_seconds() - begun + 1e-9);
    bench->runs = runs > MOST_RUNS ? MOST_RUNS : runs < LEAST_RUNS ? LEAST_RUNS : (int)runs;
    for (int task = 0; task < TASKS; task++)
        time_task(first, (enum task)task);
    convert(bench, 1, first->seconds, out);
    atomic_store(bench->awake, 1);
}

// ---- together

static int room(const seq_plan *plan) {
    int room = plan->machine.cores / plan->size.threads;
    return room < 1 ? 1 : room;
}

static int together_here(const bench *bench) {
    return bench->count > 1 ? bench->count : seq_comm_node_size(bench->comm);
}

// Mean of the ranks' (count) values.
static seq_status mean_of_ranks(seq_comm *comm, double *values, int count, seq_error *error) {
    double *all = NULL;
    int size = seq_comm_size(comm), rank = seq_comm_rank(comm);
    seq_allocate(&all, (size_t)(size * count), sizeof *all, "the ranks' times", error);
    if (seq_comm_agree(comm, error)) goto out;
    memcpy(all + rank * count, values, (size_t)count * sizeof *values);
    if (seq_comm_gather(comm, all, (size_t)count * sizeof *values, error)) goto out;
    for (int i = 0; i < count; i++) {
        values[i] = 0;
        for (int other = 0; other < size; other++)
            values[i] += all[other * count + i] / size;
    }
out:
    free(all);
    return error->status;
}

static seq_status time_together(bench *bench, double *out, seq_error *error) {
    int parts = together_here(bench);
    for (int i = 0; i < bench->count; i++) {
        bench->lanes[i].part = bench->count > 1 ? i : seq_comm_node_rank(bench->comm);
        bench->lanes[i].parts = parts;
    }
    if (seq_comm_broadcast(bench->comm, &bench->runs, sizeof bench->runs, 0, error))
        return error->status;
    for (int task = 0; task < TASKS; task++) {
        bench->task = (enum task)task;
        if (seq_comm_node_barrier(bench->comm, error)) return error->status;
        seq_team_run(bench->crew, time_one_of_crew, bench);
    }
    double sum[TASKS] = {0};
    for (int i = 0; i < bench->count; i++)
        for (int task = 0; task < TASKS; task++)
            sum[task] += bench->lanes[i].seconds[task] / bench->count;
    convert(bench, parts, sum, out);
    return mean_of_ranks(bench->comm, out, TASKS, error);
}

static seq_status time_barrier(bench *bench, seq_error *error) {
    seq_comm *comm = bench->comm;
    int size = seq_comm_node_size(comm);
    if (size == 1) return SEQ_OK;
    double seconds = INFINITY;
    for (int run = 0; run < CLOCK_RUNS; run++) {
        double begun = seq_clock_seconds();
        for (int i = 0; i < BARRIERS; i++)
            if (seq_comm_node_barrier(comm, error)) return error->status;
        seconds = fmin(seconds, (seq_clock_seconds() - begun) / BARRIERS);
    }
    if (mean_of_ranks(comm, &seconds, 1, error)) return error->status;
    bench->plan->machine.hop = seconds / ceil(log2(size));
    bench->plan->machine.hop_source = SEQ_PLAN_MEASURED;
    return SEQ_OK;
}

// The real exchange, where it is nothing but sums, (M + 1) / M of the vector moved by a rank, and
// every rank has a core.
static seq_status time_exchange(bench *bench, double *stream, seq_error *error) {
    seq_comm *comm = bench->comm;
    double all = INFINITY, size = seq_comm_node_size(comm), hop = bench->plan->machine.hop;
    if (size == 1 || seq_comm_nodes(comm) > 1 || size > room(bench->plan)) return SEQ_OK;
    for (int run = 0; run < CLOCK_RUNS; run++) {
        seq_exchanged sum;
        if (seq_comm_node_barrier(comm, error)) return error->status;
        double begun = seq_clock_seconds();
        seq_exchange_begin(bench->exchange, &(seq_exchange_options){.updates_all = true});
        seq_exchange_ready(bench->exchange, 0);
        if (seq_exchange_finish(bench->exchange, &sum, error)) return error->status;
        all = fmin(all, seq_clock_seconds() - begun);
        // Its sum stays in the gradient: as many ranks would be too much for single precision.
        memset(bench->lanes->gradient, 0, bench->table->size * sizeof(float));
    }
    double waits = 2 * hop * ceil(log2(size)),
           each = (all > 2 * waits ? all - waits : all / 2) /
                  ((double)bench->table->size * (size + 1) / size);
    if (mean_of_ranks(comm, &each, 1, error)) return error->status;
    *stream = each;
    return SEQ_OK;
}

// ---- network

// Seconds of a reduce-scatter and allgather of so many floats a rank, all ranks at the same time.
static seq_status time_nodes(bench *bench, float *values, size_t count, double *out,
                             seq_error *error) {
    double least = INFINITY;
    for (int run = 0; run < CLOCK_RUNS; run++) {
        if (seq_comm_agree(bench->comm, error)) return error->status;
        double begun = seq_clock_seconds();
        if (seq_comm_sum_nodes(bench->comm, values, count, SEQ_WIRE_FP32, error))
            return error->status;
        least = fmin(least, seq_clock_seconds() - begun);
    }
    *out = least;
    return mean_of_ranks(bench->comm, out, 1, error);
}

// Two sizes give the two constants of network_seconds in plan_predict.c; what the ranks compute on
// the way counts as the network's.
static seq_status time_network(bench *bench, seq_error *error) {
    seq_plan_machine *machine = &bench->plan->machine;
    float *values = NULL;
    double nodes = seq_comm_nodes(bench->comm), ranks = seq_comm_node_size(bench->comm), few, many;
    if (nodes == 1) return SEQ_OK;
    if (!seq_allocate(&values, NETWORK_FLOATS, sizeof *values, "measuring the network", error))
        seq_comm_prepare_sums(bench->comm, SEQ_WIRE_FP32, error);
    if (seq_comm_agree(bench->comm, error)) goto out;
    if (time_nodes(bench, values, (size_t)nodes, &few, error) ||
        time_nodes(bench, values, NETWORK_FLOATS, &many, error))
        goto out;
    double segments = NETWORK_FLOATS / SEQ_SEGMENT;
    double bytes = 2 * (nodes - 1) / nodes * NETWORK_FLOATS * sizeof(float) * ranks;
    machine->latency = few / (2 * (nodes - 1));
    machine->bandwidth = bytes / (many > 2 * segments * few ? many - segments * few : many / 2);
    machine->latency_source = machine->bandwidth_source = SEQ_PLAN_MEASURED;
out:
    free(values);
    return error->status;
}

// ---- set-up

// Words by Zipf's law over their numbers, as in text: ln(rank) is uniform.
static void draw_tokens(int32_t *tokens, size_t count, int vocabulary, uint32_t stream) {
    seq_random_key key = {1, SEQ_RANDOM_TEST};
    for (size_t i = 0; i < count; i++) {
        uint32_t words[4];
        seq_random_words(key, (uint32_t)i, stream, 0, words);
        double u = seq_random_unit_double(words[0], words[1]);
        int32_t word = (int32_t)exp(u * log(vocabulary + 1.0)) - 1;
        tokens[i] = word < vocabulary ? word : vocabulary - 1;
    }
}

static seq_status create_team(const seq_plan *plan, seq_team **out, seq_error *error) {
    return seq_team_create((int)plan->options->threads, out, error);
}

static seq_status make_window(const seq_plan *plan, lane *lane, seq_error *error) {
    int batch = (int)plan->options->batch, steps = (int)plan->options->window;
    int vocabulary = seq_model_get_config(plan->model)->vocabulary;
    size_t tokens = (size_t)batch * (size_t)steps;
    seq_rectangle *rectangle = &lane->rectangle;
    seq_status status = seq_allocate(&lane->state, seq_model_state_size(plan->model, batch),
                                     sizeof(float), "the state of the streams", error);
    if (!status) status = seq_rectangle_create(batch, steps, rectangle, error);
    if (status) return status;
    seq_rectangle_shape(rectangle, batch, steps, 0);
    rectangle->batch.divisor = (double)tokens;
    draw_tokens(rectangle->inputs, tokens, vocabulary, 0);
    draw_tokens(rectangle->targets, tokens, vocabulary, 1);
    lane->batch = &rectangle->batch;
    return SEQ_OK;
}

static seq_status create_lane(bench *bench, lane *lane, seq_error *error) {
    seq_plan *plan = bench->plan;
    lane->bench = bench;
    seq_team *team = NULL;
    seq_status status = create_team(plan, &team, error);
    if (!status)
        status = seq_compute_find(plan->kernels, (seq_precision)plan->options->precision, team,
                                  &lane->compute, error);
    if (!status) status = seq_plan_create_model(plan, &lane->compute, &lane->model, error);
    if (!status)
        status = seq_workspace_create(lane->model, &plan->limits, 1, SEQ_USE_TRAINING,
                                      &lane->workspace, error);
    if (status) return status;
    lane->batch = &plan->batch;
    return plan->sampler ? SEQ_OK : make_window(plan, lane, error);
}

// The first lane's gradient is the exchange's.
static seq_status create_lanes(bench *bench, seq_error *error) {
    size_t size = bench->table->size;
    seq_status status =
        seq_allocate(&bench->lanes, (size_t)bench->count, sizeof(lane), "measuring", error);
    for (int i = 0; !status && i < bench->count; i++) {
        status = create_lane(bench, &bench->lanes[i], error);
        if (!status && i > 0)
            status = seq_allocate(&bench->lanes[i].gradient, size, sizeof(float), "the gradients",
                                  error);
    }
    if (!status && bench->count == 1)
        status = seq_allocate(&bench->other, size, sizeof(float), "a second gradient", error);
    if (!status) status = seq_team_create(bench->count, &bench->crew, error);
    if (!status)
        status = seq_compute_reserve(&bench->lanes[0].compute,
                                     bench->count * (int)bench->plan->options->threads, error);
    return status;
}

static seq_status share(bench *bench, seq_error *error) {
    const seq_plan *plan = bench->plan;
    seq_comm *comm = bench->comm;
    size_t size = bench->table->size, bytes = size * sizeof(float), shared, each;
    size_t packed = seq_model_packed_bytes(plan->model, SEQ_USE_TRAINING);
    const seq_exchange_config config = {.count = size};
    seq_exchange_memory(&config, &shared, &each);
    shared += bytes + packed + (size_t)plan->optimizer->states * bytes + sizeof(atomic_int);
    seq_status status = seq_comm_reserve(comm, shared, each, error);
    if (!status) status = seq_comm_share(comm, bytes, &bench->parameters, "the parameters", error);
    if (!status) status = seq_comm_share(comm, packed, &bench->packed, "the packed weights", error);
    for (int i = 0; !status && i < plan->optimizer->states; i++)
        status = seq_comm_share(comm, bytes, &bench->moments[i], "the optimiser's state", error);
    if (!status)
        status = seq_comm_share(comm, sizeof(atomic_int), &bench->awake, "measuring", error);
    return status ? status
                  : seq_exchange_create(comm, bench->lanes->compute.kernels, &config,
                                        &bench->exchange, error);
}

static seq_status prepare(bench *bench, seq_error *error) {
    create_lanes(bench, error);
    if (seq_comm_agree(bench->comm, error) || share(bench, error)) return error->status;
    bench->lanes->gradient = seq_exchange_gradient(bench->exchange);
    seq_sparsity_add(seq_exchange_live(bench->exchange), 0, bench->table->size);
    if (seq_comm_node_rank(bench->comm) == 0) {
        seq_model_initialise(bench->plan->model, 1, bench->parameters);
        seq_model_pack(bench->plan->model, SEQ_USE_TRAINING, bench->parameters, 0, 1,
                       bench->packed);
    }
    return seq_comm_node_barrier(bench->comm, error);
}

static void clear(bench *bench) {
    seq_team_destroy(bench->crew);
    for (int i = 0; bench->lanes && i < bench->count; i++) {
        lane *lane = &bench->lanes[i];
        seq_workspace_destroy(lane->workspace);
        if (lane->model) seq_model_destroy(lane->model);
        seq_team_destroy(lane->compute.team);
        if (i > 0) free(lane->gradient);
        free(lane->state);
        seq_rectangle_clear(&lane->rectangle);
    }
    seq_exchange_destroy(bench->exchange);
    free(bench->lanes);
    free(bench->other);
}

// ---- the whole

static void take_paces(bench *bench, const double *alone, const double *together) {
    seq_plan_machine *machine = &bench->plan->machine;
    int ranks = together_here(bench), most = room(bench->plan);
    machine->together = ranks < most ? ranks : most;
    machine->window = (seq_plan_pace){alone[WINDOW], together[WINDOW]};
    machine->stream = (seq_plan_pace){alone[STREAM], together[STREAM]};
    machine->update = (seq_plan_pace){alone[UPDATE], together[UPDATE]};
    machine->pack = (seq_plan_pace){alone[PACK], together[PACK]};
}

static seq_status measure(bench *bench, seq_error *error) {
    double alone[TASKS], together[TASKS];
    time_alone(bench, alone);
    if (seq_comm_broadcast(bench->comm, alone, sizeof alone, 0, error) ||
        time_together(bench, together, error) || time_barrier(bench, error) ||
        time_exchange(bench, &together[STREAM], error) || time_network(bench, error))
        return error->status;
    take_paces(bench, alone, together);
    return SEQ_OK;
}

seq_status seq_plan_measure(seq_plan *plan, seq_error *error) {
    const seq_plan_machine *machine = &plan->machine;
    bench bench = {
        .plan = plan, .comm = plan->comm, .table = seq_model_parameters(plan->model), .count = 1};
    if (seq_comm_size(plan->comm) == 1) bench.count = machine->together;
    if (!prepare(&bench, error)) measure(&bench, error);
    clear(&bench);
    return error->status;
}
