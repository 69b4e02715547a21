// A model in training, for the benches: packing, forward, backward, norm,
// clipping and update of one rank, as in seqtrain. Rows of an embedding that a
// batch does not touch have no gradient: it is neither cleared nor read, and a
// rule that changes such parameters all the same is handed zeros.
#include "bench.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const seq_parameter *sparse_parameter(const seq_parameter_table *table) {
    for (int i = 0; i < table->count; i++)
        if (table->items[i].sparse) return &table->items[i];
    return NULL;
}

void bench_trainer_create(bench_trainer *out, seq_model *model, const seq_limits *limits,
                          const char *rule) {
    seq_error error = {0};
    *out = (bench_trainer){.model = model,
                           .table = seq_model_parameters(model),
                           .optimizer = seq_optimizer_find(rule)};
    if (seq_workspace_create(model, limits, 1, SEQ_USE_TRAINING, &out->workspace, &error))
        bench_die(&error);
    if (seq_kernels_find("auto", SEQ_FP32, &out->kernels, &error)) bench_die(&error);
    size_t bytes = out->table->size * sizeof(float);
    out->config = (seq_optimizer_config){.beta1 = 0.9,
                                         .beta2 = out->optimizer->standard_beta2,
                                         .epsilon = out->optimizer->standard_epsilon};
    out->parameters = bench_allocate(bytes);
    out->gradient = bench_allocate(bytes);
    for (int i = 0; i < out->optimizer->states; i++)
        out->moments[i] = bench_allocate(bytes);
    out->packed = bench_allocate(seq_model_packed_bytes(model, SEQ_USE_TRAINING));
    out->sparse = sparse_parameter(out->table);
    out->live = bench_allocate(out->sparse ? out->sparse->rows : 0);
    seq_model_initialise(model, 1, out->parameters);
}

void bench_trainer_destroy(bench_trainer *trainer) {
    seq_workspace_destroy(trainer->workspace);
    seq_model_destroy(trainer->model);
    free(trainer->parameters);
    free(trainer->gradient);
    free(trainer->packed);
    free(trainer->live);
    for (int i = 0; i < SEQ_OPTIMIZER_STATES; i++)
        free(trainer->moments[i]);
}

static void mark(void *context, int parameter, int32_t row) {
    bench_trainer *trainer = context;
    if (&trainer->table->items[parameter] == trainer->sparse) trainer->live[row] = 1;
}

// Calls `work` for runs of floats [begin, end) that are all live, or all without gradient.
static void each_run(bench_trainer *trainer, void (*work)(void *context, size_t, size_t, bool),
                     void *context) {
    const seq_parameter *sparse = trainer->sparse;
    if (!sparse) {
        work(context, 0, trainer->table->size, true);
        return;
    }
    size_t end = sparse->offset + seq_parameter_size(sparse), row = 0;
    if (sparse->offset) work(context, 0, sparse->offset, true);
    while (row < sparse->rows) {
        size_t first = row;
        while (row < sparse->rows && trainer->live[row] == trainer->live[first])
            row++;
        work(context, sparse->offset + first * sparse->columns,
             sparse->offset + row * sparse->columns, trainer->live[first]);
    }
    if (end < trainer->table->size) work(context, end, trainer->table->size, true);
}

typedef struct squares {
    const bench_trainer *trainer;
    double sum;
} squares;

static void add_squares(void *context, size_t begin, size_t end, bool live) {
    squares *squares = context;
    const bench_trainer *trainer = squares->trainer;
    if (live) squares->sum += trainer->kernels->sum_squares(trainer->gradient + begin, end - begin);
}

static void update_run(void *context, size_t begin, size_t end, bool live) {
    const seq_optimizer_step *update = context;
    if (live)
        seq_optimizer_apply(update, begin, end);
    else if (!seq_optimizer_keeps_zeros(update->optimizer, update->config))
        seq_optimizer_apply_zero(update, begin, end);
}

void bench_trainer_step(bench_trainer *trainer, const seq_batch *batch, double scale,
                        float *state) {
    seq_weights weights = {trainer->parameters, trainer->packed, SEQ_USE_TRAINING};
    seq_feed feed = {
        .batch = batch, .state = state, .seed = 1, .step = trainer->steps++, .touched = true};
    squares squares = {.trainer = trainer};
    if (trainer->sparse) memset(trainer->live, 0, trainer->sparse->rows);
    seq_model_pack(trainer->model, SEQ_USE_TRAINING, trainer->parameters, 0, 1, trainer->packed);
    seq_model_touched(trainer->model, trainer->workspace, &feed, mark, trainer);
    seq_model_train(trainer->model, trainer->workspace, &weights, &feed, scale, trainer->gradient);
    each_run(trainer, add_squares, &squares);
    seq_optimizer_step update = {.optimizer = trainer->optimizer,
                                 .config = &trainer->config,
                                 .table = trainer->table,
                                 .learning_rate = 0.001,
                                 .scale = seq_clip_factor(sqrt(squares.sum), 5),
                                 .step = trainer->steps,
                                 .parameters = trainer->parameters,
                                 .gradient = trainer->gradient,
                                 .state = trainer->moments};
    each_run(trainer, update_run, &update);
}
