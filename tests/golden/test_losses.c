// Regression and ordinal losses, their gradients and predictions against
// PyTorch (tests/golden/generate.py). Checks src/nn/losses.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/nn/losses.h>
#include <stdio.h>

enum { ROWS = 40, ORDINAL_ROWS = 30, CLASSES = 5 };

static const double *get(const golden *file, const char *name, const char *key, size_t count) {
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, key);
    return golden_get(file, full, count);
}

static void read_floats(const golden *file, const char *name, const char *key, size_t count,
                        float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = (float)get(file, name, key, count)[i];
}

static void expect_close(const char *what, const float *found, const double *expected,
                         size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - expected[i]) < 2e-6 * (1 + fabs(expected[i]))))
            fail_msg("%s[%zu]: %.9g, expected %.9g", what, i, (double)found[i], expected[i]);
}

static void regression(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/losses.txt");
    for (int i = 0; seq_regression_names()[i]; i++) {
        const char *name = seq_regression_names()[i];
        float outputs[ROWS], targets[ROWS], gradient[ROWS], mean, deviation;
        read_floats(file, name, "outputs", ROWS, outputs);
        read_floats(file, name, "targets", ROWS, targets);
        seq_regression_moments(ROWS, 1, targets, &mean, &deviation);
        seq_regression settings = {(seq_regression_loss)i, 0.75F, 1, &mean, &deviation};
        seq_loss loss = seq_regression_rows(&settings, ROWS, outputs, targets, 1, NULL, gradient);
        assert_true(fabs(loss.sum - *get(file, name, "loss", 1)) < 1e-5);
        expect_close(name, gradient, get(file, name, "outputs.gradient", ROWS), ROWS);
    }
    golden_close(file);
}

static void ordinal(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/losses.txt");
    static const float values[CLASSES] = {1, 2, 3, 4, 5};
    float scores[ORDINAL_ROWS], cuts[CLASSES - 1], d_scores[ORDINAL_ROWS], d_cuts[CLASSES - 1];
    float expected[ORDINAL_ROWS], probabilities[ORDINAL_ROWS * CLASSES];
    int32_t targets[ORDINAL_ROWS];
    read_floats(file, "ordinal", "scores", ORDINAL_ROWS, scores);
    read_floats(file, "ordinal", "cuts", CLASSES - 1, cuts);
    for (int i = 0; i < ORDINAL_ROWS; i++)
        targets[i] = (int32_t)get(file, "ordinal", "targets", ORDINAL_ROWS)[i];
    seq_ordinal settings = {seq_kernels_of("auto"), CLASSES, values, cuts};
    seq_loss loss =
        seq_ordinal_rows(&settings, ORDINAL_ROWS, scores, targets, 1, NULL, d_scores, d_cuts);
    seq_ordinal_predict(&settings, ORDINAL_ROWS, scores, expected, probabilities);
    assert_true(fabs(loss.sum - *get(file, "ordinal", "loss", 1)) < 1e-4);
    expect_close("scores", d_scores, get(file, "ordinal", "scores.gradient", ORDINAL_ROWS),
                 ORDINAL_ROWS);
    expect_close("cuts", d_cuts, get(file, "ordinal", "cuts.gradient", CLASSES - 1), CLASSES - 1);
    expect_close("probabilities", probabilities,
                 get(file, "ordinal", "probabilities", ORDINAL_ROWS * CLASSES),
                 ORDINAL_ROWS * CLASSES);
    expect_close("expected", expected, get(file, "ordinal", "expected", ORDINAL_ROWS),
                 ORDINAL_ROWS);
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(regression), cmocka_unit_test(ordinal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
