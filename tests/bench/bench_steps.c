// Whole training steps of one rank: forward, backward, norm, clipping and update; tokens a second
// and the share of the machine's peak that the matrix products of the model alone make up.
#include "bench.h"
#include <seqtrain/base/random.h>
#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <stdlib.h>
#include <string.h>

static const bench_precision precisions[] = {BENCH_FP32};

typedef struct trainer {
    const seq_kernels *kernels;
    seq_model *model;
    const seq_parameter_table *table;
    seq_workspace *workspace;
    const seq_optimizer *optimizer;
    seq_optimizer_config rule;
    seq_window window;
    int32_t *tokens; // (T + 1, B)
    float *parameters, *gradient;
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

static void create(trainer *out, const bench_model *model) {
    seq_error error = {0};
    *out = (trainer){.optimizer = seq_optimizer_find("sgd")};
    if (seq_kernels_find("auto", &out->kernels, &error)) bench_die(&error);
    out->model = bench_create_model(model, out->kernels);
    if (seq_workspace_create(out->model, model->batch, model->steps, SEQ_USE_TRAINING,
                             &out->workspace, &error))
        bench_die(&error);
    out->table = seq_model_parameters(out->model);
    out->parameters = bench_allocate(out->table->size * sizeof(float));
    out->gradient = bench_allocate(out->table->size * sizeof(float));
    out->tokens = random_tokens((size_t)(model->batch * (model->steps + 1)), model->vocabulary);
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
    free(trainer->tokens);
    free(trainer->window.state);
}

static void step(void *context) {
    trainer *t = context;
    memset(t->gradient, 0, t->table->size * sizeof(float));
    seq_model_train(t->model, t->workspace, t->parameters, &t->window,
                    1.0F / (float)(t->window.batch * t->window.steps), t->gradient);
    double norm = seq_gradient_norm(t->kernels, t->table, t->gradient);
    seq_clip_norm(t->kernels, t->table, t->gradient, norm, 5);
    seq_optimizer_apply(t->optimizer, &t->rule, t->table, 0.1, ++t->window.step, t->parameters,
                        t->gradient, NULL);
}

static void measure(bench *bench, const bench_model *model, bench_precision precision) {
    char name[64], of[16];
    const char *kind = bench_precision_name(precision);
    trainer trainer;
    create(&trainer, model);
    bench_result result = bench_measure(bench, step, &trainer, (double)model->batch * model->steps,
                                        seq_model_training_flops(trainer.model), precision);
    snprintf(name, sizeof name, "%s %s, 1 rank 1 thread", model->name, kind);
    snprintf(of, sizeof of, "%s peak", kind);
    bench_report(
        bench, &(bench_row){"steps", name, "tokens/s", result.rate, result.share, of, result.runs});
    destroy(&trainer);
}

void bench_steps(bench *bench) {
    for (const bench_model *model = bench_models; *model->name; model++)
        for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++)
            if (bench_wants(bench, model)) measure(bench, model, precisions[i]);
}
