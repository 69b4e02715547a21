// Saturated values and idle units are counted where they were made, in every
// cell. Biases open or close gates, so the counts are known beforehand. Checks
// src/nn/saturation.c.
#include "small_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/nn/cell.h>
#include <cmocka.h>

enum { BATCH = 2, STEPS = 6, UNITS = 6 };

static void set_rows(const small_case *test, const char *name, size_t first, size_t count,
                     float value) {
    const seq_parameter *parameter = seq_parameter_find(test->table, name);
    for (size_t i = first * parameter->columns; i < (first + count) * parameter->columns; i++)
        test->parameters[parameter->offset + i] = value;
}

static void count(const small_case *test, bool idle, seq_saturation *sums) {
    seq_rectangle rectangle;
    seq_error error = {0};
    assert_int_equal(seq_rectangle_create(BATCH, STEPS, &rectangle, &error), SEQ_OK);
    seq_rectangle_shape(&rectangle, BATCH, STEPS, 0);
    if (idle)
        seq_model_count_idle(test->model, test->workspace, &rectangle.batch, sums);
    else
        seq_model_count_saturated(test->model, test->workspace, &rectangle.batch, sums);
    seq_rectangle_clear(&rectangle);
}

// Every gate of every unit is open by its bias alone: c<t> = t, and tanh(4) > 0.999 > tanh(3).
static void values_that_count_up_saturate(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 0);
    small_case_create(&test, &config, BATCH, STEPS, 3);
    set_rows(&test, "rnn.weight_ih_l0", 0, 4 * UNITS, 0);
    set_rows(&test, "rnn.weight_hh_l0", 0, 4 * UNITS, 0);
    set_rows(&test, "rnn.bias_ih_l0", 0, 4 * UNITS, 30);
    set_rows(&test, "rnn.bias_hh_l0", 0, 4 * UNITS, 0);
    small_case_pack(&test);
    for (size_t i = 0; i < seq_model_state_size(test.model, BATCH); i++)
        test.state[i] = 0;
    small_window window = small_window_of(&test);
    seq_saturation sum = {0};
    small_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
    count(&test, false, &sum);
    assert_int_equal(sum.values, BATCH * STEPS * UNITS);
    assert_int_equal(sum.saturated, BATCH * (STEPS - 3) * UNITS);
    assert_int_equal(sum.units, 0);

    seq_saturation carried = {0}; // c = STEPS in all streams; the limit is 3.8002
    seq_model_count_carried(test.model, test.state, BATCH, &carried);
    assert_int_equal(carried.values, BATCH * UNITS);
    assert_int_equal(carried.saturated, BATCH * UNITS);
    test.state[BATCH * UNITS] = 3.8f;
    test.state[BATCH * UNITS + 1] = -3.81f;
    seq_model_count_carried(test.model, test.state, BATCH, &carried);
    assert_int_equal(carried.saturated, 2 * BATCH * UNITS - 1);
    small_case_destroy(&test);
}

// One unit holds c = 20 in both streams: its tanh is 1, so nothing flows back into what it holds.
// The others learn. Its output gate does, too, and does not count.
static void a_full_unit_is_idle(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 1);
    small_case_create(&test, &config, BATCH, STEPS, 3);
    set_rows(&test, "rnn.bias_ih_l0", UNITS + 2, 1, 30); // forget gate of unit 2
    small_case_pack(&test);
    for (size_t stream = 0; stream < BATCH; stream++)
        test.state[(BATCH + stream) * UNITS + 2] = 20;
    for (int i = 0; i < BATCH * STEPS; i++)
        test.inputs[i] = test.targets[i] = i % 7;
    small_window window = small_window_of(&test);
    seq_saturation sums[2] = {{0}, {0}};
    small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
    count(&test, true, sums);
    assert_int_equal(sums[0].units, UNITS);
    assert_int_equal(sums[0].idle, 1);
    assert_int_equal(sums[1].units, 3);
    assert_int_equal(sums[1].idle, 0);
    small_case_destroy(&test);
}

// Cells without memory: |h|. A state near 1 that a closed update gate keeps, or a large bias.
static void cells_without_memory_are_judged_by_h(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        if (seq_cell_find(*cell)->memory) continue;
        small_case test;
        seq_model_config config = small_config(*cell, 0);
        small_case_create(&test, &config, BATCH, STEPS, 3);
        size_t gates = (size_t)seq_cell_find(*cell)->gates;
        set_rows(&test, "rnn.bias_ih_l0", (gates - 1) * UNITS + 1, 1, 30); // candidate of unit 1
        if (gates > 1) set_rows(&test, "rnn.bias_ih_l0", (gates - 2) * UNITS + 1, 1, -30);
        small_case_pack(&test);
        small_window window = small_window_of(&test);
        seq_saturation sum = {0};
        small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
        count(&test, true, &sum);
        assert_int_equal(sum.idle, 1);
        small_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
        count(&test, false, &sum);
        assert_int_equal(sum.saturated, BATCH * STEPS);
        small_case_destroy(&test);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_that_count_up_saturate),
                                       cmocka_unit_test(a_full_unit_is_idle),
                                       cmocka_unit_test(cells_without_memory_are_judged_by_h)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
