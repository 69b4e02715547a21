// Whole training steps of one rank: forward, backward, norm, clipping and update; tokens a second
// and the share of the machine's peak that the matrix products of the model alone make up.
#include "bench.h"
#include <seqtrain/base/random.h>
#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <stdlib.h>
#include <string.h>

typedef struct setting {
    const char *name, *cell;
    int vocabulary, layers, hidden, batch, steps;
} setting;

static const setting settings[] = {
    {"A lstm 2x200 V=10000 B=20 T=20", "lstm", 10000, 2, 200, 20, 20},
    {"B lstm 2x650 V=10000 B=20 T=35", "lstm", 10000, 2, 650, 20, 35},
    {"C lstm 2x1500 V=10000 B=20 T=35", "lstm", 10000, 2, 1500, 20, 35},
    {"D lstm 2x512 V=100 B=64 T=64", "lstm", 100, 2, 512, 64, 64},
    {"D gru 2x512 V=100 B=64 T=64", "gru", 100, 2, 512, 64, 64},
    {"D gru-reset-after 2x512 V=100 B=64 T=64", "gru-reset-after", 100, 2, 512, 64, 64},
    {"E lstm 1x1024 V=256 B=128 T=100", "lstm", 256, 1, 1024, 128, 100},
};

typedef struct trainer {
    seq_compute compute;
    void *packed;
    seq_model *model;
    const seq_parameter_table *table;
    seq_workspace *workspace;
    const seq_optimizer *optimizer;
    seq_optimizer_config rule;
    seq_window window;
    int32_t *tokens; // (T + 1, B)
    float *parameters, *gradient;
} trainer;

static void *need(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) abort();
    return memset(memory, 0, bytes);
}

static void create(trainer *out, const setting *setting) {
    seq_error error = {0};
    seq_model_config config = {
        .vocabulary = setting->vocabulary, .embedding = setting->hidden, .layers = setting->layers};
    strcpy(config.cell, setting->cell);
    for (int layer = 0; layer < setting->layers; layer++)
        config.hidden[layer] = setting->hidden;
    *out = (trainer){.optimizer = seq_optimizer_find("sgd")};
    if (seq_compute_find("auto", SEQ_FP32, NULL, &out->compute, &error) ||
        seq_model_create(&config, &out->compute, &out->model, &error) ||
        seq_workspace_create(out->model, setting->batch, setting->steps, SEQ_USE_TRAINING,
                             &out->workspace, &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    out->table = seq_model_parameters(out->model);
    size_t bytes = out->table->size * sizeof(float),
           tokens = (size_t)(setting->batch * setting->steps);
    out->parameters = need(bytes);
    out->gradient = need(bytes);
    out->tokens = need((tokens + (size_t)setting->batch) * sizeof *out->tokens);
    for (size_t i = 0; i < tokens + (size_t)setting->batch; i++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, (uint32_t)i, 0, 0, words);
        out->tokens[i] = (int32_t)(words[0] % (uint32_t)setting->vocabulary);
    }
    seq_model_initialise(out->model, 1, out->parameters);
    out->packed = need(seq_model_packed_bytes(out->model, SEQ_USE_TRAINING));
    out->window = (seq_window){
        .batch = setting->batch,
        .steps = setting->steps,
        .inputs = out->tokens,
        .targets = out->tokens + setting->batch,
        .state = need(seq_model_state_size(out->model, setting->batch) * sizeof(float)),
        .seed = 1};
}

static void destroy(trainer *trainer) {
    seq_workspace_destroy(trainer->workspace);
    seq_model_destroy(trainer->model);
    free(trainer->parameters);
    free(trainer->packed);
    free(trainer->gradient);
    free(trainer->tokens);
    free(trainer->window.state);
}

static void step(void *context) {
    trainer *t = context;
    seq_weights weights = {t->parameters, t->packed, SEQ_USE_TRAINING};
    seq_model_pack(t->model, SEQ_USE_TRAINING, t->parameters, 0, 1, t->packed);
    memset(t->gradient, 0, t->table->size * sizeof(float));
    seq_model_train(t->model, t->workspace, &weights, &t->window,
                    1.0F / (float)(t->window.batch * t->window.steps), t->gradient);
    double norm = seq_gradient_norm(t->compute.kernels, t->table, t->gradient);
    seq_clip_norm(t->compute.kernels, t->table, t->gradient, norm, 5);
    seq_optimizer_apply(t->optimizer, &t->rule, t->table, 0.1, ++t->window.step, t->parameters,
                        t->gradient, NULL);
}

void bench_steps(bench *bench) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        trainer trainer;
        create(&trainer, &settings[i]);
        double tokens = (double)settings[i].batch * settings[i].steps;
        bench_result result =
            bench_measure(bench, step, &trainer, tokens, seq_model_training_flops(trainer.model));
        bench_report(bench, "steps", settings[i].name, result, "tokens/s");
        destroy(&trainer);
    }
}
