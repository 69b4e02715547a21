// What a model computes with changes nothing that it should not: teams of threads and divided
// packing give the same bits, other kernels nearly the same numbers, bf16 numbers within its
// rounding.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <seqtrain/model/model.h>
#include <seqtrain/nn/cell.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 5, T = 6, V = 41 };

typedef struct outcome {
    double nats;
    size_t size, states;
    float *gradient, *state;
} outcome;

static seq_model_config config_of(const char *cell) {
    seq_model_config config = {
        .vocabulary = V,
        .embedding = 19,
        .layers = 2,
        .hidden = {150, 37}, // more than one block of units; no multiple of a vector
        .dense_layers = 1,
        .dense = {23},
        .dense_activation = SEQ_DENSE_TANH, // no kink for rounding to jump over
        .forget_bias = 1,
        .dropout_between = 0.2,
        .initialisation = SEQ_INITIALISE_UNIFORM,
        .init_scale = 0.2};
    snprintf(config.cell, sizeof config.cell, "%s", cell);
    return config;
}

static void *need(size_t count, size_t size) {
    void *memory;
    seq_error error = {0};
    assert_int_equal(seq_allocate(&memory, count, size, "test", &error), SEQ_OK);
    return memory;
}

// Packs in `parts` pieces, last piece first.
static void *packed_of(const seq_model *model, const float *parameters, int parts) {
    void *packed = need(seq_model_packed_bytes(model, SEQ_USE_TRAINING), 1);
    for (int part = parts - 1; part >= 0; part--)
        seq_model_pack(model, SEQ_USE_TRAINING, parameters, part, parts, packed);
    return packed;
}

static outcome train(const char *cell, const seq_compute *compute, int parts) {
    seq_model_config config = config_of(cell);
    seq_model *model;
    seq_workspace *workspace;
    seq_error error = {0};
    int32_t tokens[(T + 1) * B];
    assert_int_equal(seq_model_create(&config, compute, &model, &error), SEQ_OK);
    assert_int_equal(seq_workspace_create(model, B, T, SEQ_USE_TRAINING, &workspace, &error),
                     SEQ_OK);
    for (int i = 0; i < (T + 1) * B; i++)
        tokens[i] = (i * 7 + i / 5) % V;
    outcome out = {.size = seq_model_parameters(model)->size,
                   .states = seq_model_state_size(model, B)};
    float *parameters = need(out.size, sizeof *parameters);
    out.gradient = need(out.size, sizeof *out.gradient);
    out.state = need(out.states, sizeof *out.state);
    seq_random_fill_uniform((seq_random_key){3, SEQ_RANDOM_TEST}, 1, 0.5F, out.state, out.states);
    seq_model_initialise(model, 5, parameters);
    void *packed = packed_of(model, parameters, parts);
    seq_weights weights = {parameters, packed, SEQ_USE_TRAINING};
    seq_window window = {
        .batch = B, .steps = T, .inputs = tokens, .targets = tokens + B, .state = out.state};
    out.nats = seq_model_train(model, workspace, &weights, &window, 1, out.gradient).sum;
    free(parameters);
    free(packed);
    seq_workspace_destroy(workspace);
    seq_model_destroy(model);
    return out;
}

static void clear(outcome *outcome) {
    free(outcome->gradient);
    free(outcome->state);
}

static void expect_same(const outcome *a, const outcome *b) {
    assert_true(a->nats == b->nats);
    assert_memory_equal(a->gradient, b->gradient, a->size * sizeof(float));
    assert_memory_equal(a->state, b->state, a->states * sizeof(float));
}

static void expect_close(const char *cell, const outcome *a, const outcome *b, double tolerance) {
    double worst = 0, largest = 0;
    for (size_t i = 0; i < a->size; i++) {
        double size = fabs(b->gradient[i]), error = fabs((double)a->gradient[i] - b->gradient[i]);
        largest = size > largest ? size : largest;
        worst = error > worst || isnan(error) ? error : worst;
    }
    if (!(worst <= tolerance * largest) || !(fabs(a->nats - b->nats) <= tolerance * b->nats))
        fail_msg("%s: gradient off by %g of %g, loss %g and %g", cell, worst, largest, a->nats,
                 b->nats);
}

static void threads_and_parts_give_the_same_bits(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int precision = SEQ_FP32; precision <= SEQ_BF16; precision++) {
            seq_compute compute;
            seq_error error = {0};
            assert_int_equal(
                seq_compute_find("auto", (seq_precision)precision, NULL, &compute, &error), SEQ_OK);
            outcome alone = train(*cell, &compute, 1);
            for (int threads = 2; threads <= 4; threads++) {
                assert_int_equal(seq_team_create(threads, &compute.team, &error), SEQ_OK);
                outcome shared = train(*cell, &compute, threads);
                expect_same(&shared, &alone);
                clear(&shared);
                seq_team_destroy(compute.team);
            }
            clear(&alone);
        }
}

static void other_kernels_agree(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        seq_compute compute = {seq_kernels_of("auto"), SEQ_FP32, NULL};
        outcome best = train(*cell, &compute, 1);
        for (const char *const *name = seq_kernels_names() + 1; *name; name++) {
            seq_error refused = {0};
            if (seq_kernels_find(*name, SEQ_FP32, &compute.kernels, &refused)) continue;
            outcome other = train(*cell, &compute, 1);
            expect_close(*cell, &other, &best, 1e-5);
            clear(&other);
        }
        clear(&best);
    }
}

// bf16 keeps 8 bits: a product is off by 2^-8 at most, a gradient by a few of them; and it is not
// single precision.
static void bf16_is_near(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        seq_compute compute = {seq_kernels_of("auto"), SEQ_FP32, NULL};
        outcome exact = train(*cell, &compute, 1);
        compute.precision = SEQ_BF16;
        outcome rounded = train(*cell, &compute, 1);
        expect_close(*cell, &rounded, &exact, 4 * 0x1p-8);
        assert_true(rounded.nats != exact.nats);
        clear(&rounded);
        clear(&exact);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_parts_give_the_same_bits),
        cmocka_unit_test(other_kernels_agree),
        cmocka_unit_test(bf16_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
