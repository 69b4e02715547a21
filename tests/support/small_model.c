// Models of a few units, small enough for differences of every parameter: four
// shapes, from one layer to two with dense layers above them, tied. Tokens,
// states and parameters are drawn from the test's seed. Some inputs and targets
// are -1. Invariant: float and double parameters start as the same numbers.
#include "small_model.h"
#include "reference_model.h"
#include <assert.h>
#include <malloc.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int small_shapes(void) {
    return 4;
}

seq_model_config small_config(const char *cell, int shape) {
    seq_model_config config = {.vocabulary = 7,
                               .embedding = 5,
                               .layers = 1,
                               .hidden = {6},
                               .forget_bias = 1,
                               .initialisation = SEQ_INITIALISE_UNIFORM,
                               .init_scale = 0.6};
    snprintf(config.cell, sizeof config.cell, "%s", cell);
    if (shape >= 1) {
        config.layers = 2;
        config.hidden[1] = 3;
    }
    if (shape >= 2) {
        config.dense_layers = 2;
        config.dense[0] = 9;
        config.dense[1] = 4;
        config.dense_activation = SEQ_DENSE_TANH;
    }
    if (shape == 3) {
        config.dense[1] = 5;
        config.tied = 1;
    }
    return config;
}

static void draw_tokens(small_case *test, uint64_t seed, int vocabulary) {
    seq_random_key key = {seed, SEQ_RANDOM_TEST};
    for (int i = 0; i < test->batch * test->steps; i++) {
        uint32_t words[4];
        seq_random_words(key, (uint32_t)i, 1, 0, words);
        test->inputs[i] =
            words[1] % 8 == 0 ? SEQ_NO_ID : (int32_t)(words[0] % (uint32_t)vocabulary);
        test->targets[i] =
            words[3] % 8 == 0 ? SEQ_NO_ID : (int32_t)(words[2] % (uint32_t)vocabulary);
    }
}

void small_case_create(small_case *out, const seq_model_config *config, int batch, int steps,
                       uint64_t seed) {
    seq_error error = {0};
    seq_compute compute;
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    *out = (small_case){.batch = batch, .steps = steps};
    seq_model_create(config, &compute, &out->model, &error);
    assert(!error.status);
    out->table = seq_model_parameters(out->model);
    seq_workspace_create(out->model, batch, steps, SEQ_USE_TRAINING, &out->workspace, &error);
    size_t size = out->table->size, states = seq_model_state_size(out->model, batch),
           tokens = (size_t)batch * (size_t)steps;
    seq_allocate(&out->inputs, tokens, sizeof(int32_t), "test", &error);
    seq_allocate(&out->targets, tokens, sizeof(int32_t), "test", &error);
    seq_allocate(&out->parameters, size, sizeof(float), "test", &error);
    seq_allocate(&out->gradient, size, sizeof(float), "test", &error);
    seq_allocate(&out->state, states, sizeof(float), "test", &error);
    seq_allocate(&out->wide_parameters, size, sizeof(double), "test", &error);
    seq_allocate(&out->wide_state, states, sizeof(double), "test", &error);
    seq_allocate(&out->packed, seq_model_packed_bytes(out->model, SEQ_USE_TRAINING), 1, "test",
                 &error);
    assert(!error.status);
    draw_tokens(out, seed, config->vocabulary);
    seq_model_initialise(out->model, seed, out->parameters);
    small_case_pack(out);
    seq_random_fill_uniform((seq_random_key){seed, SEQ_RANDOM_TEST}, 2, 0.5f, out->state, states);
    for (size_t i = 0; i < size; i++)
        out->wide_parameters[i] = out->parameters[i];
    for (size_t i = 0; i < states; i++)
        out->wide_state[i] = out->state[i];
}

void small_case_pack(small_case *test) {
    seq_model_pack(test->model, SEQ_USE_TRAINING, test->parameters, 0, 1, test->packed);
    test->weights = (seq_weights){test->parameters, test->packed, SEQ_USE_TRAINING};
}

void small_case_destroy(small_case *test) {
    seq_workspace_destroy(test->workspace);
    seq_model_destroy(test->model);
    free(test->inputs);
    free(test->targets);
    free(test->parameters);
    free(test->packed);
    free(test->gradient);
    free(test->state);
    free(test->wide_parameters);
    free(test->wide_state);
}

seq_window small_window(const small_case *test) {
    return (seq_window){.batch = test->batch,
                        .steps = test->steps,
                        .inputs = test->inputs,
                        .targets = test->targets,
                        .state = test->state};
}

double small_reference_loss(const small_case *test) {
    size_t size = seq_model_state_size(test->model, test->batch) * sizeof(double);
    double *state = malloc(size);
    memcpy(state, test->wide_state, size);
    double loss =
        reference_loss(seq_model_get_config(test->model), test->table, test->wide_parameters,
                       test->batch, test->steps, test->inputs, test->targets, state, NULL);
    free(state);
    return loss;
}

size_t small_heap(void) {
#ifndef __GLIBC__
    return 0;
#elif __GLIBC_PREREQ(2, 33)
    struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
#else
    struct mallinfo heap = mallinfo(); // as int: they may have wrapped around
    return (size_t)((unsigned)heap.uordblks + (unsigned)heap.hblkhd);
#endif
}
