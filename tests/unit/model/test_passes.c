// What the passes over a window owe each other: evaluation, single steps, split
// windows, dropout, gradient flow, memory. Losses are compared with the double
// reference; dropout is checked by differences of its own loss. Checks
// src/model/pass.c and src/nn/dropout.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <reference_model.h>
#include <small_model.h>
#include <seqtrain/nn/cell.h>
#include <stdlib.h>
#include <string.h>

static void evaluation_matches_reference(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        small_case test;
        float found[15];
        double expected[15];
        seq_model_config config = small_config(*cell, 2);
        small_case_create(&test, &config, 3, 5, 3);
        small_window window = small_window_of(&test);
        seq_loss loss = small_evaluate(test.model, test.workspace, &test.weights, &window, found);
        double nats = reference_loss(&config, test.table, test.wide_parameters, 3, 5, test.inputs,
                                     test.targets, test.wide_state, expected);
        assert_true(fabs(loss.sum - nats) < 1e-5 * nats);
        for (int i = 0; i < 15; i++)
            assert_true(fabs(found[i] - expected[i]) < 1e-5);
        for (size_t i = 0; i < seq_model_state_size(test.model, 3); i++)
            assert_true(fabs(test.state[i] - test.wide_state[i]) < 1e-5);
        small_case_destroy(&test);
    }
}

// Two windows in a row see what one long window sees.
static void state_is_carried(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        small_case test;
        seq_model_config config = small_config(*cell, 1);
        small_case_create(&test, &config, 2, 7, 9);
        double expected = small_reference_loss(&test);
        small_window first = small_window_of(&test), second = first;
        first.steps = 3;
        second.steps = 4;
        second.inputs += 3 * 2;
        second.targets += 3 * 2;
        double nats = small_evaluate(test.model, test.workspace, &test.weights, &first, NULL).sum;
        nats += small_evaluate(test.model, test.workspace, &test.weights, &second, NULL).sum;
        assert_true(fabs(nats - expected) < 1e-5 * expected);
        small_case_destroy(&test);
    }
}

static void steps_give_normalised_probabilities(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 1);
    small_case_create(&test, &config, 3, 5, 21);
    double expected = small_reference_loss(&test), nats = 0;
    for (int t = 0; t < 5; t++) {
        float logits[3 * 7];
        small_step(test.model, test.workspace, &test.weights, 3, test.inputs + t * 3, test.state,
                   logits);
        for (int b = 0; b < 3; b++) {
            double sum = 0;
            for (int v = 0; v < 7; v++)
                sum += exp(logits[b * 7 + v]);
            int target = test.targets[t * 3 + b];
            nats -= target < 0 ? 0 : logits[b * 7 + target] - log(sum);
        }
    }
    assert_true(fabs(nats - expected) < 1e-5 * expected);
    small_case_destroy(&test);
}

static void dropout_leaves_evaluation_alone_and_is_keyed(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 2);
    config.dropout_input = config.dropout_between = config.dropout_output = 0.5;
    small_case_create(&test, &config, 4, 8, 2);
    size_t states = seq_model_state_size(test.model, 4);
    float *begin = malloc(states * sizeof *begin);
    memcpy(begin, test.state, states * sizeof *begin);
    double nats[4];
    const uint32_t steps[] = {1, 1, 2, 1}, streams[] = {0, 0, 0, 4};
    for (int i = 0; i < 4; i++) {
        memcpy(test.state, begin, states * sizeof *begin);
        small_window window = small_window_of(&test);
        window.seed = 7;
        window.step = steps[i];
        window.first_stream = streams[i];
        nats[i] =
            small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient).sum;
    }
    assert_true(nats[0] == nats[1]);
    assert_true(nats[0] != nats[2]);
    assert_true(nats[0] != nats[3]);
    memcpy(test.state, begin, states * sizeof *begin);
    small_window window = small_window_of(&test);
    double expected = small_reference_loss(&test);
    assert_true(fabs(small_evaluate(test.model, test.workspace, &test.weights, &window, NULL).sum -
                     expected) < 1e-5 * expected);
    free(begin);
    small_case_destroy(&test);
}

// With dropout the loss is a fixed function of the parameters for a fixed key, so its own
// differences check the gradient.
static void dropout_gradient_matches_differences(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("gru", 2);
    config.dropout_input = config.dropout_between = config.dropout_output = 0.3;
    small_case_create(&test, &config, 4, 6, 4);
    size_t states = seq_model_state_size(test.model, 4), size = test.table->size;
    float *begin = malloc(states * sizeof *begin), *scratch = calloc(size, sizeof *scratch);
    memcpy(begin, test.state, states * sizeof *begin);
    small_window window = small_window_of(&test);
    window.seed = 3;
    small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
    double worst = 0, largest = 0;
    for (size_t i = 0; i < size; i += 7) {
        double loss[2];
        float middle = test.parameters[i];
        for (int side = 0; side < 2; side++) {
            memcpy(test.state, begin, states * sizeof *begin);
            test.parameters[i] = middle + (side ? 5e-3f : -5e-3f);
            small_case_pack(&test);
            loss[side] =
                small_train(test.model, test.workspace, &test.weights, &window, 1, scratch).sum;
        }
        test.parameters[i] = middle;
        small_case_pack(&test);
        worst = fmax(worst, fabs((loss[1] - loss[0]) / 1e-2 - test.gradient[i]));
        largest = fmax(largest, fabs(test.gradient[i]));
    }
    assert_true(largest > 1);
    assert_true(worst < 2e-3 * largest); // differences in single precision
    free(begin);
    free(scratch);
    small_case_destroy(&test);
}

// (dL/dh<T-k>)^2 of the top layer at k = 0 follows from the output layer alone; deeper entries from
// the reference's state.
static void gradient_flow_matches_differences(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        enum { B = 2, T = 4, H = 6 };
        small_case test;
        seq_model_config config = small_config(*cell, 0);
        small_case_create(&test, &config, B, T, 8);
        size_t states = seq_model_state_size(test.model, B);
        for (int b = 0; b < B; b++)
            test.targets[(T - 1) * B + b] = b + 1;
        double squares[T];
        float *before = malloc(states * sizeof *before);
        memcpy(before, test.state, states * sizeof *before);
        small_window window = small_window_of(&test);
        small_flow(test.model, test.workspace, &test.weights, &window, test.gradient, squares);
        assert_memory_equal(before, test.state, states * sizeof *before);
        for (int back = 1; back < T;
             back++) { // h after step T - back - 1 is the state before the last `back` steps
            double sum = 0, base[64];
            double ignored = reference_loss(
                &config, test.table, test.wide_parameters, B, T - back, test.inputs, test.targets,
                memcpy(base, test.wide_state, states * sizeof *base), NULL);
            (void)ignored;
            for (int i = 0; i < B * H; i++) {
                double loss[2];
                for (int side = 0; side < 2; side++) {
                    double moved[64];
                    memcpy(moved, base, states * sizeof *moved);
                    moved[i] += side ? 1e-5 : -1e-5;
                    int32_t targets[T * B];
                    for (int j = 0; j < T * B; j++)
                        targets[j] = j < (T - 1) * B ? SEQ_NO_ID : test.targets[j];
                    loss[side] = reference_loss(&config, test.table, test.wide_parameters, B, back,
                                                test.inputs + (T - back) * B,
                                                targets + (T - back) * B, moved, NULL);
                }
                double slope = (loss[1] - loss[0]) / 2e-5;
                sum += slope * slope;
            }
            assert_true(sum > 0);
            assert_true(fabs(squares[back] - sum) < 1e-4 * sum);
        }
        free(before);
        small_case_destroy(&test);
    }
}

static void training_allocates_nothing(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 2);
    config.dropout_between = 0.2;
    small_case_create(&test, &config, 3, 5, 1);
    small_window window = small_window_of(&test);
    small_train(test.model, test.workspace, &test.weights, &window, 1,
                test.gradient); // libraries warm up
    size_t before = small_heap();
    small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
    small_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
    assert_int_equal(before, small_heap());
    small_case_destroy(&test);
}

typedef struct told {
    const seq_model *model;
    float *gradient, *early; // what was final when it was told
    size_t end;
    size_t parts;
} told;

static void copy_part(void *context, size_t begin, size_t end) {
    told *told = context;
    size_t begins[SEQ_MAX_GRADIENT_PARTS], count = seq_model_gradient_parts(told->model, begins);
    assert_true(told->parts < count && begins[told->parts++] == begin);
    assert_true(end == told->end && begin <= end);
    memcpy(told->early + begin, told->gradient + begin, (end - begin) * sizeof(float));
    told->end = begin;
}

// What backward calls final it leaves alone.
static void parts_become_final_from_the_end(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int shape = 0; shape < 2 * small_shapes(); shape++) {
            small_case test;
            seq_model_config config = small_config(*cell, shape % small_shapes());
            config.output = shape / small_shapes(); // full, sampled
            config.samples = 2;
            small_case_create(&test, &config, 3, 6, 11);
            size_t size = test.table->size;
            float *early = calloc(size, sizeof *early);
            told told = {test.model, test.gradient, early, size, 0};
            small_window window = small_window_of(&test);
            window.ready = copy_part;
            window.ready_context = &told;
            small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
            assert_int_equal(told.end, 0);
            assert_memory_equal(early, test.gradient, size * sizeof *early);
            free(early);
            small_case_destroy(&test);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluation_matches_reference),
        cmocka_unit_test(state_is_carried),
        cmocka_unit_test(steps_give_normalised_probabilities),
        cmocka_unit_test(dropout_leaves_evaluation_alone_and_is_keyed),
        cmocka_unit_test(dropout_gradient_matches_differences),
        cmocka_unit_test(gradient_flow_matches_differences),
        cmocka_unit_test(training_allocates_nothing),
        cmocka_unit_test(parts_become_final_from_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
