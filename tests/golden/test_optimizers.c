// Update rules and clipping against torch.optim and clip_grad_norm_
// (tests/golden/generate.py), six steps of each rule, in two pieces a step.
// Padding between parameters stays zero. Checks src/optim/.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/optim/optimizer.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 6, COUNT = 9 };

static const double *get(const golden *file, const char *rule, const char *name, size_t count) {
    char full[128];
    snprintf(full, sizeof full, "%s.%s", rule, name);
    return golden_get(file, full, count);
}

static void check_rule(const golden *file, const char *entry, const char *name, double rate,
                       double decay) {
    const seq_optimizer *rule = seq_optimizer_find(name);
    assert_non_null(rule);
    seq_optimizer_config config = {0.9, 0.9, rule->standard_beta2, rule->standard_epsilon, decay};
    seq_parameter parameter = {
        .name = "p", .dimensions = 2, .rows = COUNT, .columns = 1, .decay = true, .rate = 1};
    seq_parameter_table table = {&parameter, 1, 16, COUNT};
    float p[16] = {0}, gradient[16] = {0}, first[16] = {0}, second[16] = {0},
          *moments[] = {first, second};
    for (int i = 0; i < COUNT; i++)
        p[i] = (float)get(file, entry, "start", COUNT)[i];
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < COUNT; i++)
            gradient[i] = (float)get(file, entry, "gradients", STEPS * COUNT)[step * COUNT + i];
        seq_optimizer_step update = {rule,     &config, &table,   rate,   1,
                                     step + 1, p,       gradient, moments};
        seq_optimizer_apply(&update, 0, 4); // in pieces
        seq_optimizer_apply(&update, 4, 16);
        for (int i = 0; i < COUNT; i++) {
            double expected = get(file, entry, "path", STEPS * COUNT)[step * COUNT + i];
            if (!(fabs(p[i] - expected) <= 1e-6 * (1 + fabs(expected))))
                fail_msg("%s step %d: %g, expected %g", entry, step, p[i], expected);
        }
    }
    for (int i = COUNT; i < 16; i++)
        assert_true(p[i] == 0); // padding
}

static void rules_match_pytorch(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/optimizers.txt");
    check_rule(file, "sgd", "sgd", 0.1, 0);
    check_rule(file, "sgd-decay", "sgd", 0.1, 0.05);
    check_rule(file, "momentum", "momentum", 0.1, 0.05);
    check_rule(file, "adagrad", "adagrad", 0.1, 0.05);
    check_rule(file, "rmsprop", "rmsprop", 0.01, 0.05);
    check_rule(file, "adam", "adam", 0.01, 0.05);
    check_rule(file, "adamw", "adamw", 0.01, 0.05);
    golden_close(file);
}

static void clipping_matches_pytorch(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/optimizers.txt");
    const seq_kernels *kernels;
    seq_error error = {0};
    assert_int_equal(seq_kernels_find("auto", SEQ_FP32, &kernels, &error), SEQ_OK);
    float gradient[50];
    for (int i = 0; i < 50; i++)
        gradient[i] = (float)golden_get(file, "clip.gradient", 50)[i];
    double norm = sqrt(kernels->sum_squares(gradient, 50)),
           expected = *golden_get(file, "clip.norm", 1), scale = seq_clip_factor(norm, 2);
    assert_true(fabs(norm - expected) < 1e-6 * expected);
    for (int i = 0; i < 50; i++)
        assert_true(fabs(scale * gradient[i] - golden_get(file, "clip.clipped", 50)[i]) < 2e-6);
    assert_true(seq_clip_factor(2, 3) == 1 && seq_clip_factor(3, 3) == 1 &&
                seq_clip_factor(5, 0) == 1);
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_match_pytorch),
                                       cmocka_unit_test(clipping_matches_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
