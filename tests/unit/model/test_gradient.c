// Loss and gradient of every cell and shape against the double reference
// (tests/support/reference_model.c) and its central differences, whose step is
// 1e-5. A gradient may be off by 3e-6 of the largest of its parameter. Checks
// src/model/, src/nn/ and the adaptive output layer.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <reference_model.h>
#include <small_model.h>
#include <seqtrain/nn/cell.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DIFFERENCE = 1e-5; // step of the central differences; their error is about 1e-9

static double numeric_slope(const small_case *test, size_t index) {
    double *value = &test->wide_parameters[index], middle = *value;
    *value = middle + DIFFERENCE;
    double above = small_reference_loss(test);
    *value = middle - DIFFERENCE;
    double below = small_reference_loss(test);
    *value = middle;
    return (above - below) / (2 * DIFFERENCE);
}

static void check_parameter(const small_case *test, const seq_parameter *parameter,
                            const char *cell, int shape) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < seq_parameter_size(parameter); i++) {
        double expected = numeric_slope(test, parameter->offset + i),
               found = test->gradient[parameter->offset + i];
        largest = fmax(largest, fabs(expected));
        worst = fmax(worst, fabs(found - expected));
    }
    if (!(worst <= 3e-6 * largest + 1e-8))
        fail_msg("%s, shape %d, %s: off by %g of at most %g", cell, shape, parameter->name, worst,
                 largest);
    if (strcmp(parameter->name, "embedding.weight") != 0)
        assert_true(largest > 1e-4); // a gradient of zero would check nothing
}

static void check_gradient(const char *cell, int shape, const seq_model_config *config) {
    small_case test;
    small_case_create(&test, config, 3, 6, 11 + (uint64_t)shape);
    seq_window window = small_window(&test);
    seq_loss loss =
        seq_model_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
    double expected = small_reference_loss(&test);
    assert_true(fabs(loss.sum - expected) < 2e-6 * expected);
    for (int row = 0; row < test.table->count; row++)
        check_parameter(&test, &test.table->items[row], cell, shape);
    small_case_destroy(&test);
}

static void gradient_matches_differences(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int shape = 0; shape < small_shapes(); shape++) {
            seq_model_config config = small_config(*cell, shape);
            check_gradient(*cell, shape, &config);
        }
}

static void gradient_of_adaptive_matches_differences(void **state) {
    (void)state;
    for (int shape = 0; shape < 3; shape++) { // without and with layers above the cells
        seq_model_config config = small_config("lstm", shape);
        config.vocabulary = 13;
        config.output = seq_output_find("adaptive");
        config.cutoff_count = 2;
        config.cutoffs[0] = 3;
        config.cutoffs[1] = 7;
        config.hidden[config.layers - 1] = config.dense[1] = 17;
        check_gradient("adaptive", shape, &config);
    }
}

static bool is_input(const small_case *test, size_t token) {
    for (int i = 0; i < test->batch * test->steps; i++)
        if (test->inputs[i] == (int32_t)token) return true;
    return false;
}

// What was in the vector does not matter; of the embedding, rows of other tokens stay.
static void gradient_is_overwritten_with_its_scale(void **state) {
    (void)state;
    for (int shape = 2; shape < 4; shape++) { // not tied, tied
        small_case test;
        seq_model_config config = small_config("lstm-peephole", shape);
        small_case_create(&test, &config, 1, 4, 5);
        size_t states = seq_model_state_size(test.model, 1), size = test.table->size, kept = 0;
        float *begin = malloc(states * sizeof *begin), *once = malloc(size * sizeof *once);
        memcpy(begin, test.state, states * sizeof *begin);
        seq_window window = small_window(&test);
        seq_model_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
        memcpy(once, test.gradient, size * sizeof *once);
        memcpy(test.state, begin, states * sizeof *begin);
        for (size_t i = 0; i < size; i++)
            test.gradient[i] = 77;
        seq_model_train(test.model, test.workspace, &test.weights, &window, 2, test.gradient);
        for (int row = 0; row < test.table->count; row++) {
            const seq_parameter *parameter = &test.table->items[row];
            for (size_t i = 0; i < seq_parameter_size(parameter); i++) {
                float found = test.gradient[parameter->offset + i];
                if (row == 0 && !config.tied && !is_input(&test, i / parameter->columns)) {
                    assert_true(found == 77);
                    kept++;
                } else
                    assert_true(found == 2 * once[parameter->offset + i]);
            }
        }
        assert_true(config.tied ? kept == 0 : kept > 0);
        free(begin);
        free(once);
        small_case_destroy(&test);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradient_matches_differences),
                                       cmocka_unit_test(gradient_of_adaptive_matches_differences),
                                       cmocka_unit_test(gradient_is_overwritten_with_its_scale)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
