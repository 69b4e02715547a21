// The adaptive output layer under a one-layer RNN against
// torch.nn.AdaptiveLogSoftmaxWithLoss (tests/golden/generate.py): loss,
// gradients, and ln p of every word. Checks src/nn/output_adaptive.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/model/model.h>
#include <stdio.h>
#include <stdlib.h>

enum { V = 19, E = 5, H = 18, T = 7, B = 3 };

typedef struct fixture {
    golden *file;
    seq_model *model;
    const seq_parameter_table *table;
    seq_workspace *workspace;
    float *parameters, *gradient, state[B * H];
    void *packed;
    seq_weights weights;
    int32_t inputs[T * B], targets[T * B];
} fixture;

static const double *get(const fixture *f, const char *name, const char *suffix, size_t count) {
    char full[128];
    snprintf(full, sizeof full, "adaptive.%s%s", name, suffix);
    return golden_get(f->file, full, count);
}

static void read_values(fixture *f) {
    for (int row = 0; row < f->table->count; row++) {
        const seq_parameter *parameter = &f->table->items[row];
        const double *values = get(f, parameter->name, "", seq_parameter_size(parameter));
        for (size_t i = 0; i < seq_parameter_size(parameter); i++)
            f->parameters[parameter->offset + i] = (float)values[i];
    }
    for (int i = 0; i < T * B; i++) {
        f->inputs[i] = (int32_t)get(f, "inputs", "", T * B)[i];
        f->targets[i] = (int32_t)get(f, "targets", "", T * B)[i];
    }
}

static void open_fixture(fixture *f) {
    seq_model_config config = {.vocabulary = V,
                               .embedding = E,
                               .layers = 1,
                               .hidden = {H},
                               .cell = "rnn",
                               .output = seq_output_find("adaptive"),
                               .cutoff_count = 2,
                               .cutoffs = {4, 9}};
    seq_compute compute;
    seq_error error = {0};
    *f = (fixture){.file = golden_open(GOLDEN_DIRECTORY "/outputs.txt")};
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_model_create(&config, &compute, &f->model, &error);
    assert_int_equal(error.status, SEQ_OK);
    f->table = seq_model_parameters(f->model);
    seq_workspace_create(f->model, B, T, SEQ_USE_TRAINING, &f->workspace, &error);
    seq_allocate(&f->parameters, f->table->size, sizeof(float), "test", &error);
    seq_allocate(&f->gradient, f->table->size, sizeof(float), "test", &error);
    seq_allocate(&f->packed, seq_model_packed_bytes(f->model, SEQ_USE_TRAINING), 1, "test", &error);
    assert_int_equal(error.status, SEQ_OK);
    read_values(f);
    seq_model_pack(f->model, SEQ_USE_TRAINING, f->parameters, 0, 1, f->packed);
    f->weights = (seq_weights){f->parameters, f->packed, SEQ_USE_TRAINING};
}

static void close_fixture(fixture *f) {
    seq_workspace_destroy(f->workspace);
    seq_model_destroy(f->model);
    free(f->parameters), free(f->gradient), free(f->packed);
    golden_close(f->file);
}

static void expect_close(const char *name, const float *found, const double *expected,
                         size_t count) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double size = fabs(expected[i]), error = fabs(found[i] - expected[i]);
        largest = size > largest ? size : largest;
        worst = error > worst || isnan(error) ? error : worst;
    }
    if (!(worst <= 3e-6 * largest)) fail_msg("%s: off by %g of at most %g", name, worst, largest);
}

static void training_matches_pytorch(void **state) {
    (void)state;
    fixture f;
    open_fixture(&f);
    seq_window window = {
        .batch = B, .steps = T, .inputs = f.inputs, .targets = f.targets, .state = f.state};
    seq_loss loss =
        seq_model_train(f.model, f.workspace, &f.weights, &window, 1.0f / (T * B), f.gradient);
    assert_true(fabs(loss.sum / (T * B) - *get(&f, "loss", "", 1)) < 1e-6);
    for (int row = 0; row < f.table->count; row++) {
        const seq_parameter *parameter = &f.table->items[row];
        size_t count = seq_parameter_size(parameter);
        expect_close(parameter->name, f.gradient + parameter->offset,
                     get(&f, parameter->name, ".gradient", count), count);
    }
    close_fixture(&f);
}

static void words_match_pytorch(void **state) {
    (void)state;
    fixture f;
    open_fixture(&f);
    for (int t = 0; t < T; t++) {
        float logits[B * V];
        seq_model_step(f.model, f.workspace, &f.weights, B, f.inputs + t * B, f.state, logits);
        for (int b = 0; b < B; b++) {
            const double *expected = get(&f, "log_probabilities", "", T * B * V) + (t * B + b) * V;
            double sum = 0;
            for (int v = 0; v < V; v++)
                sum += exp(logits[b * V + v]);
            for (int v = 0; v < V; v++)
                assert_true(fabs(logits[b * V + v] - log(sum) - expected[v]) < 2e-6);
        }
    }
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(training_matches_pytorch),
                                       cmocka_unit_test(words_match_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
