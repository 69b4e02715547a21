// Whole training steps of one rank: forward, backward, norm, clipping and
// update. Reports tokens a second, and the share of the machine's peak that the
// matrix products of the model alone make up. The embedding is updated by the
// rows of the window's tokens only, as in seqtrain.
#include "bench.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <stdlib.h>
#include <string.h>

typedef struct trainer {
    seq_compute compute;
    seq_model *model;
    const seq_parameter_table *table;
    seq_workspace *workspace;
    const seq_optimizer *optimizer;
    seq_optimizer_config rule;
    seq_rectangle batch;
    seq_feed feed;
    float *parameters, *gradient;
    void *packed;
} trainer;

static int32_t random_token(size_t place, int vocabulary) {
    uint32_t words[4];
    seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, (uint32_t)place, 0, 0, words);
    return (int32_t)(words[0] % (uint32_t)vocabulary);
}

static void create_batch(trainer *out, const bench_model *model) {
    seq_error error = {0};
    size_t batch = (size_t)model->batch, rows = batch * (size_t)model->steps;
    if (seq_rectangle_create(model->batch, model->steps, &out->batch, &error)) bench_die(&error);
    seq_rectangle_shape(&out->batch, model->batch, model->steps, 0);
    for (size_t i = 0; i < rows; i++) {
        out->batch.inputs[i] = random_token(i, model->vocabulary);
        out->batch.targets[i] = random_token(i + batch, model->vocabulary);
    }
}

static void create(trainer *out, const bench_model *model, seq_precision precision) {
    seq_error error = {0};
    *out = (trainer){.optimizer = seq_optimizer_find("sgd")};
    if (seq_compute_find("auto", precision, NULL, &out->compute, &error)) bench_die(&error);
    out->model = bench_create_model(model, &out->compute);
    const seq_limits limits = seq_rectangle_limits(model->batch, model->steps);
    if (seq_workspace_create(out->model, &limits, 1, SEQ_USE_TRAINING, &out->workspace, &error))
        bench_die(&error);
    create_batch(out, model);
    out->table = seq_model_parameters(out->model);
    out->parameters = bench_allocate(out->table->size * sizeof(float));
    out->gradient = bench_allocate(out->table->size * sizeof(float));
    out->packed = bench_allocate(seq_model_packed_bytes(out->model, SEQ_USE_TRAINING));
    seq_model_initialise(out->model, 1, out->parameters);
    out->feed = (seq_feed){
        .batch = &out->batch.batch,
        .state = bench_allocate(seq_model_state_size(out->model, model->batch) * sizeof(float)),
        .seed = 1};
}

static void destroy(trainer *trainer) {
    seq_workspace_destroy(trainer->workspace);
    seq_model_destroy(trainer->model);
    free(trainer->parameters);
    free(trainer->gradient);
    free(trainer->packed);
    seq_rectangle_clear(&trainer->batch);
    free(trainer->feed.state);
}

static size_t rows_of(const trainer *t) {
    return t->batch.batch.axes[SEQ_LM_AXIS].rows;
}

// Squares of the gradient: of the embedding, the rows of the window's tokens.
static double sum_squares(const trainer *t, const seq_parameter *embedding) {
    const seq_kernels *kernels = t->compute.kernels;
    size_t end = embedding->offset + seq_parameter_size(embedding);
    double squares = kernels->sum_squares(t->gradient + end, t->table->size - end);
    for (size_t i = 0; i < rows_of(t); i++)
        squares += kernels->sum_squares(
            t->gradient + (size_t)t->batch.inputs[i] * embedding->columns, embedding->columns);
    return squares;
}

static void update(trainer *t) {
    const seq_parameter *embedding = seq_parameter_find(t->table, "embedding.weight");
    seq_optimizer_step update = {.optimizer = t->optimizer,
                                 .config = &t->rule,
                                 .table = t->table,
                                 .learning_rate = 0.1,
                                 .scale = seq_clip_factor(sqrt(sum_squares(t, embedding)), 5),
                                 .step = ++t->feed.step,
                                 .parameters = t->parameters,
                                 .gradient = t->gradient};
    size_t columns = embedding->columns;
    for (size_t i = 0; i < rows_of(t); i++)
        seq_optimizer_apply(&update, (size_t)t->batch.inputs[i] * columns,
                            ((size_t)t->batch.inputs[i] + 1) * columns);
    seq_optimizer_apply(&update, seq_parameter_size(embedding), t->table->size);
}

static void step(void *context) {
    trainer *t = context;
    seq_weights weights = {t->parameters, t->packed, SEQ_USE_TRAINING};
    seq_model_pack(t->model, SEQ_USE_TRAINING, t->parameters, 0, 1, t->packed);
    seq_model_train(t->model, t->workspace, &weights, &t->feed, 1.0 / (double)rows_of(t),
                    t->gradient);
    update(t);
}

static void measure(bench *bench, const bench_model *model, seq_precision precision) {
    char name[64], of[16];
    bench_precision peak = bench_precision_of(precision);
    trainer trainer;
    create(&trainer, model, precision);
    bench_result result = bench_measure(bench, step, &trainer, (double)model->batch * model->steps,
                                        seq_model_training_flops(trainer.model), peak);
    snprintf(name, sizeof name, "%s %s, 1 rank 1 thread", model->name,
             seq_precision_names()[precision]);
    snprintf(of, sizeof of, "%s peak", bench_precision_name(peak));
    bench_report(
        bench, &(bench_row){"steps", name, "tokens/s", result.rate, result.share, of, result.runs});
    destroy(&trainer);
}

void bench_steps(bench *bench) {
    for (const bench_model *model = bench_models; *model->name; model++)
        for (int precision = SEQ_FP32; precision <= SEQ_BF16; precision++) {
            bool emulated = precision == SEQ_BF16 && bench_peak_flops(BENCH_BF16) == 0;
            if (bench_wants(bench, model) && !emulated)
                measure(bench, model, (seq_precision)precision);
        }
}
