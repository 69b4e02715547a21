// Whole training steps of one rank: forward, backward, norm, clipping and
// update. Reports tokens a second, and the share of the machine's peak that the
// matrix products of the model alone make up. The embedding is updated by the
// rows of the window's tokens only, as in seqtrain.
#include "bench.h"
#include <math.h>
#include <seqtrain/base/random.h>
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
    seq_window window;
    int32_t *tokens; // (T + 1, B)
    float *parameters, *gradient;
    void *packed;
} trainer;

static int32_t *random_tokens(size_t count, int vocabulary) {
    int32_t *tokens = bench_allocate(count * sizeof *tokens);
    for (size_t i = 0; i < count; i++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, (uint32_t)i, 0, 0, words);
        tokens[i] = (int32_t)(words[0] % (uint32_t)vocabulary);
    }
    return tokens;
}

static void create(trainer *out, const bench_model *model, seq_precision precision) {
    seq_error error = {0};
    *out = (trainer){.optimizer = seq_optimizer_find("sgd")};
    if (seq_compute_find("auto", precision, NULL, &out->compute, &error)) bench_die(&error);
    out->model = bench_create_model(model, &out->compute);
    if (seq_workspace_create(out->model, model->batch, model->steps, SEQ_USE_TRAINING,
                             &out->workspace, &error))
        bench_die(&error);
    out->table = seq_model_parameters(out->model);
    out->parameters = bench_allocate(out->table->size * sizeof(float));
    out->gradient = bench_allocate(out->table->size * sizeof(float));
    out->tokens = random_tokens((size_t)(model->batch * (model->steps + 1)), model->vocabulary);
    out->packed = bench_allocate(seq_model_packed_bytes(out->model, SEQ_USE_TRAINING));
    seq_model_initialise(out->model, 1, out->parameters);
    out->window = (seq_window){
        .batch = model->batch,
        .steps = model->steps,
        .inputs = out->tokens,
        .targets = out->tokens + model->batch,
        .state = bench_allocate(seq_model_state_size(out->model, model->batch) * sizeof(float)),
        .seed = 1};
}

static void destroy(trainer *trainer) {
    seq_workspace_destroy(trainer->workspace);
    seq_model_destroy(trainer->model);
    free(trainer->parameters);
    free(trainer->gradient);
    free(trainer->packed);
    free(trainer->tokens);
    free(trainer->window.state);
}

// Squares of the gradient: of the embedding, the rows of the window's tokens.
static double sum_squares(const trainer *t, const seq_parameter *embedding) {
    const seq_kernels *kernels = t->compute.kernels;
    size_t end = embedding->offset + seq_parameter_size(embedding);
    double squares = kernels->sum_squares(t->gradient + end, t->table->size - end);
    for (int i = 0; i < t->window.batch * t->window.steps; i++)
        squares += kernels->sum_squares(t->gradient + (size_t)t->tokens[i] * embedding->columns,
                                        embedding->columns);
    return squares;
}

static void update(trainer *t) {
    const seq_parameter *embedding = seq_parameter_find(t->table, "embedding.weight");
    seq_optimizer_step update = {.optimizer = t->optimizer,
                                 .config = &t->rule,
                                 .table = t->table,
                                 .learning_rate = 0.1,
                                 .scale = seq_clip_factor(sqrt(sum_squares(t, embedding)), 5),
                                 .step = ++t->window.step,
                                 .parameters = t->parameters,
                                 .gradient = t->gradient};
    size_t columns = embedding->columns;
    for (int i = 0; i < t->window.batch * t->window.steps; i++)
        seq_optimizer_apply(&update, (size_t)t->tokens[i] * columns,
                            ((size_t)t->tokens[i] + 1) * columns);
    seq_optimizer_apply(&update, seq_parameter_size(embedding), t->table->size);
}

static void step(void *context) {
    trainer *t = context;
    seq_weights weights = {t->parameters, t->packed, SEQ_USE_TRAINING};
    seq_model_pack(t->model, SEQ_USE_TRAINING, t->parameters, 0, 1, t->packed);
    seq_model_train(t->model, t->workspace, &weights, &t->window,
                    1.0F / (float)(t->window.batch * t->window.steps), t->gradient);
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
