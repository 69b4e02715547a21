// Rates at points worked out by hand, warm-up as long as the run or longer, and
// plateau step by step. Its state comes back from a record. Checks
// src/optim/schedule.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/optim/schedule.h>
#include <string.h>

static const seq_schedule_config base = {.name = "constant",
                                         .learning_rate = 2,
                                         .decay = 0.5,
                                         .decay_after = 4,
                                         .patience = 1,
                                         .minimum = 0.1,
                                         .total_steps = 110};

static double rate(const char *name, const seq_schedule_state *state, int64_t warmup, int64_t step,
                   int64_t epoch) {
    seq_schedule_config config = base;
    config.name = name;
    config.warmup_steps = warmup;
    return seq_schedule_rate(&config, state, step, epoch);
}

static void points(void **unused) {
    (void)unused;
    seq_schedule_state state;
    seq_schedule_begin(&state);
    assert_true(rate("constant", &state, 0, 0, 1) == 2 &&
                rate("constant", &state, 0, 1000, 99) == 2);
    assert_true(rate("constant", &state, 10, 0, 1) == 0.2 &&
                rate("constant", &state, 10, 8, 1) == 1.8 &&
                rate("constant", &state, 10, 10, 1) == 2);
    assert_true(rate("halve", &state, 0, 0, 4) == 2 && rate("halve", &state, 0, 0, 5) == 1 &&
                rate("halve", &state, 0, 0, 7) == 0.25);
    assert_true(fabs(rate("cosine", &state, 10, 10, 1) - 2) < 1e-12);
    assert_true(fabs(rate("cosine", &state, 10, 60, 1) - 1.05) < 1e-12);
    assert_true(fabs(rate("cosine", &state, 10, 110, 1) - 0.1) < 1e-12);
    assert_true(rate("cosine", &state, 10, 0, 1) == 0.2);
}

// A warm-up that is as long as the run, or longer, rises with every schedule; base.total_steps is
// 110.
static void warmup_rises_to_the_end(void **unused) {
    (void)unused;
    static const int64_t lengths[] = {109, 110, 111, 1000};
    seq_schedule_state state;
    seq_schedule_begin(&state);
    for (const char *const *name = seq_schedule_names(); *name; name++)
        for (int i = 0; i < 4; i++)
            for (int64_t step = 0; step < 110 && step < lengths[i]; step++)
                assert_true(fabs(rate(*name, &state, lengths[i], step, 1) -
                                 2.0 * (double)(step + 1) / (double)lengths[i]) < 1e-12);
    assert_true(rate("cosine", &state, 109, 109, 1) == 2); // one step is left: at the base rate
}

static void plateau_tolerates_then_decays(void **unused) {
    (void)unused;
    seq_schedule_config config = base;
    seq_schedule_state state;
    config.name = "plateau";
    seq_schedule_begin(&state);
    static const double losses[] = {5, 4, 4.5, 4.2, 3, 3.5, 3.2, 3.1, 3.3};
    static const double rates[] = {2, 2, 2, 1, 1, 1, 0.5, 0.5, 0.25};
    for (int i = 0; i < 9; i++) {
        seq_schedule_observe(&config, &state, losses[i]);
        assert_true(seq_schedule_rate(&config, &state, 0, 1) == rates[i]);
    }
    for (int i = 0; i < 20; i++)
        seq_schedule_observe(&config, &state, 9);
    assert_true(seq_schedule_rate(&config, &state, 0, 1) == 0.1); // never below the minimum
}

static void state_travels(void **unused) {
    (void)unused;
    seq_schedule_state state = {0.125, 3.25, 2}, copy;
    seq_record record = {0};
    seq_error error = {0};
    assert_int_equal(seq_schedule_write(&state, &record, &error), SEQ_OK);
    assert_int_equal(seq_schedule_read(&copy, &record, &error), SEQ_OK);
    assert_true(copy.factor == state.factor && copy.best == state.best && copy.stalled == 2);
    seq_record_set_text(&record, "stalled", "-1", &error);
    assert_int_equal(seq_schedule_read(&copy, &record, &error), SEQ_NO_CHECKPOINT);
    seq_record_clear(&record);
}

static void nonsense_is_refused(void **unused) {
    (void)unused;
    seq_schedule_config config = base;
    seq_error error = {0};
    config.minimum = 3;
    assert_int_equal(seq_schedule_check(&config, &error), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "--min-lr"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points), cmocka_unit_test(warmup_rises_to_the_end),
        cmocka_unit_test(plateau_tolerates_then_decays), cmocka_unit_test(state_travels),
        cmocka_unit_test(nonsense_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
