// The models that the benches measure: A, B and C are the small, medium and
// large LSTMs of Zaremba et al. 2014, D and E models of characters and bytes.
// Embeddings are as wide as the layers. Shell parts read the same table from
// `seqbench --models`.
#include "bench.h"
#include <seqtrain/model/model.h>
#include <stdlib.h>
#include <string.h>

const bench_model bench_models[] = {
    {"A", "lstm", 10000, 2, 200, 20, 20},
    {"B", "lstm", 10000, 2, 650, 20, 35},
    {"C", "lstm", 10000, 2, 1500, 20, 35},
    {"D", "lstm", 100, 2, 512, 64, 64},
    {"D-gru", "gru", 100, 2, 512, 64, 64},
    {"D-gru-reset-after", "gru-reset-after", 100, 2, 512, 64, 64},
    {"E", "lstm", 256, 1, 1024, 128, 100},
    {.name = ""},
};

bool bench_wants(const bench *bench, const bench_model *model) {
    return !bench->model || strcmp(bench->model, model->name) == 0;
}

seq_model *bench_create_model(const bench_model *description, const seq_compute *compute) {
    seq_error error = {0};
    seq_model *model = NULL;
    seq_model_config config = {.vocabulary = description->vocabulary,
                               .embedding = description->hidden,
                               .layers = description->layers};
    strcpy(config.cell, description->cell);
    for (int layer = 0; layer < description->layers; layer++)
        config.hidden[layer] = description->hidden;
    if (seq_model_create(&config, compute, &model, &error)) bench_die(&error);
    return model;
}

void bench_print_models(void) {
    seq_error error = {0};
    seq_compute compute;
    if (seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error)) bench_die(&error);
    for (const bench_model *m = bench_models; *m->name; m++) {
        seq_model *model = bench_create_model(m, &compute);
        printf("%s %s %d %d %d %d %d %.0f %zu\n", m->name, m->cell, m->vocabulary, m->layers,
               m->hidden, m->batch, m->steps, seq_model_training_flops(model),
               seq_model_parameters(model)->values);
        seq_model_destroy(model);
    }
}
