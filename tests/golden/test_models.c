// Loss, state, gradients and their norm against torch.nn.LSTM, GRU, RNN and
// cross_entropy (tests/golden/generate.py). Values may be off by 3e-6 of the
// largest one of their parameter. PyTorch holds the states of all layers by
// kind, ours layer by layer. Checks src/model/, src/nn/recurrent.c and
// softmax.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { V = 11, E = 5, H = 6, L = 2, T = 7, B = 3 };

static const double *get(const golden *file, const char *cell, const char *name, size_t count) {
    char full[128];
    snprintf(full, sizeof full, "%s.%s", cell, name);
    return golden_get(file, full, count);
}

static void expect_close(const char *cell, const char *name, const float *found,
                         const double *expected, size_t count) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double size = fabs(expected[i]), error = fabs(found[i] - expected[i]);
        largest = size > largest ? size : largest;
        worst = error > worst || isnan(error) ? error : worst;
    }
    if (!(worst <= 3e-6 * largest))
        fail_msg("%s %s: off by %g of at most %g", cell, name, worst, largest);
}

static void check_cell(const golden *file, const char *cell) {
    seq_model_config config = {.vocabulary = V, .embedding = E, .layers = L, .hidden = {H, H}};
    snprintf(config.cell, sizeof config.cell, "%s", cell);
    seq_compute compute;
    seq_model *model;
    seq_workspace *workspace;
    seq_error error = {0};
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    assert_int_equal(seq_model_create(&config, &compute, &model, &error), SEQ_OK);
    assert_int_equal(seq_workspace_create(model, B, T, SEQ_USE_TRAINING, &workspace, &error),
                     SEQ_OK);
    const seq_parameter_table *table = seq_model_parameters(model);
    float *parameters = calloc(table->size, sizeof *parameters),
          *gradient = calloc(table->size, sizeof *gradient), state[4 * B * H] = {0};
    int32_t inputs[T * B], targets[T * B];
    for (int i = 0; i < T * B; i++) {
        inputs[i] = (int32_t)get(file, cell, "inputs", T * B)[i];
        targets[i] = (int32_t)get(file, cell, "targets", T * B)[i];
    }
    for (int row = 0; row < table->count; row++)
        for (size_t i = 0; i < seq_parameter_size(&table->items[row]); i++)
            parameters[table->items[row].offset + i] = (float)get(
                file, cell, table->items[row].name, seq_parameter_size(&table->items[row]))[i];
    seq_window window = {
        .batch = B, .steps = T, .inputs = inputs, .targets = targets, .state = state};
    void *packed =
        aligned_alloc(64, (seq_model_packed_bytes(model, SEQ_USE_TRAINING) + 63) / 64 * 64);
    seq_model_pack(model, SEQ_USE_TRAINING, parameters, 0, 1, packed);
    seq_weights weights = {parameters, packed, SEQ_USE_TRAINING};
    seq_loss loss = seq_model_train(model, workspace, &weights, &window, 1.0f / (T * B), gradient);
    assert_true(fabs(loss.sum / (T * B) - *get(file, cell, "loss", 1)) < 1e-6);
    for (int row = 0; row < table->count; row++) {
        char name[80];
        snprintf(name, sizeof name, "%s.gradient", table->items[row].name);
        size_t count = seq_parameter_size(&table->items[row]);
        expect_close(cell, name, gradient + table->items[row].offset, get(file, cell, name, count),
                     count);
    }
    int blocks =
        strcmp(cell, "lstm") == 0 ? 2 : 1; // ours: layer by layer h, c; PyTorch's: all h, all c
    for (int layer = 0; layer < L; layer++)
        for (int block = 0; block < blocks; block++) {
            char name[8] = {'s', 't', 'a', 't', 'e', (char)('0' + block)};
            expect_close(cell, name, state + (layer * blocks + block) * B * H,
                         get(file, cell, name, L * B * H) + layer * B * H, B * H);
        }
    double norm = *get(file, cell, "norm", 1);
    assert_true(fabs(sqrt(compute.kernels->sum_squares(gradient, table->size)) - norm) <
                1e-6 * norm);
    free(parameters), free(gradient), free(packed);
    seq_workspace_destroy(workspace);
    seq_model_destroy(model);
}

static void models_match_pytorch(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/models.txt");
    check_cell(file, "lstm");
    check_cell(file, "gru-reset-after");
    check_cell(file, "rnn");
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(models_match_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
