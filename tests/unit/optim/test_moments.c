// Moments below 2^-100 are zero, those from there on are kept, and NaN stays to
// be found; where the second moment has gone to zero, no --epsilon divides by
// almost nothing. Checks seq_moment and seq_epsilon of src/optim/rules.h in
// every rule.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/optim/optimizer.h>
#include <stdbool.h>

enum { COUNT = 5, PADDED = 16 };

static seq_parameter items[] = {
    {.name = "p", .dimensions = 1, .rows = COUNT, .columns = 1, .rate = 1}};
static const seq_parameter_table table = {items, 1, PADDED, COUNT};

// One update without gradient, half of each moment being kept.
static void fade(const seq_optimizer *rule, float *parameters, float *moments) {
    seq_optimizer_config config = {0.5, 0.5, 0.5, 1e-8, 0};
    float first[PADDED] = {0}, second[PADDED] = {0}, *state[] = {first, second};
    for (int i = 0; i < COUNT; i++)
        first[i] = second[i] = moments[i];
    seq_optimizer_step step = {rule, &config, &table, 0.1, 1, 9, parameters, NULL, state};
    seq_optimizer_apply_zero(&step, 0, PADDED);
    for (int i = 0; i < COUNT; i++) {
        if (rule->states == 2) assert_true(first[i] == second[i] || isnan(first[i]));
        moments[i] = first[i];
    }
}

static void small_moments_are_zero(void **state) {
    (void)state;
    for (const char *const *name = seq_optimizer_names(); *name; name++) {
        const seq_optimizer *rule = seq_optimizer_find(*name);
        if (rule->states == 0) continue;
        float keep = seq_optimizer_find("adagrad") == rule ? 1 : 0.5f;
        float parameters[PADDED] = {0}, moments[COUNT] = {0x1p-100f / keep, 0x1.fffffep-101f / keep,
                                                          0x1p-125f / keep, NAN, 0x1p-90f / keep};
        fade(rule, parameters, moments);
        assert_true(moments[0] == 0x1p-100f && moments[4] == 0x1p-90f);
        assert_true(moments[1] == 0 && moments[2] == 0);
        assert_true(isnan(moments[3]));
    }
}

static void signs_do_not_matter(void **state) {
    (void)state;
    float parameters[PADDED] = {0}, moments[COUNT] = {-0x1p-99f, -0x1.fffffep-100f, -0x1p-120f};
    fade(seq_optimizer_find("momentum"), parameters, moments);
    assert_true(moments[0] == -0x1p-100f && moments[1] == 0 && moments[2] == 0);
}

// Gradients whose squares are below the bound, at the smallest --epsilon: no step is larger than
// those of gradients that are not.
static void steps_stay_small(void **state) {
    (void)state;
    static const char *const rules[] = {"adagrad", "rmsprop", "adam", "adamw"};
    for (int i = 0; i < 4; i++)
        for (float gradient = 1; gradient > 0x1p-126f; gradient /= 8) {
            const seq_optimizer *rule = seq_optimizer_find(rules[i]);
            seq_optimizer_config config = {0.9, 0.9, rule->standard_beta2, i ? 0 : 1e-45, 0};
            float parameters[PADDED] = {0}, all[PADDED] = {0}, first[PADDED] = {0},
                  second[PADDED] = {0}, *moments[] = {first, second};
            for (int k = 0; k < COUNT - 1; k++)
                all[k] = gradient;
            seq_optimizer_step step = {rule, &config, &table, 1, 1, 1, parameters, all, moments};
            seq_optimizer_apply(&step, 0, PADDED);
            assert_true(fabsf(parameters[0]) <= 11); // rmsprop: 1 / sqrt(1 - 0.99)
            assert_true(parameters[COUNT - 1] == 0); // no gradient, no step
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(small_moments_are_zero),
                                       cmocka_unit_test(signs_do_not_matter),
                                       cmocka_unit_test(steps_stay_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
