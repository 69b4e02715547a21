// Scores of a sequence: the same as the model's evaluation, whatever the
// windows; the probabilities of all next tokens sum to 1. Without --carry a
// sequence has the bits that it has alone. Checks src/infer/score.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/infer/score.h>
#include <seqtrain/nn/cell.h>
#include <stdlib.h>
#include <string.h>
#include "small_model.h"

enum { COUNT = 700 };

static void fill(int32_t *ids, int vocabulary) {
    for (int i = 0; i < COUNT; i++)
        ids[i] = (i * i + i / 7) % vocabulary;
}

static void sums_agree(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++) {
        const seq_model_config config = small_config(*cell, 1);
        int32_t ids[COUNT], inputs[COUNT];
        float scores[COUNT], pieces[COUNT];
        seq_error error = {0};
        seq_scorer *scorer = NULL;
        small_case test;
        small_case_create(&test, &config, 1, COUNT, 8);
        fill(ids, config.vocabulary);
        assert_int_equal(seq_scorer_create(test.model, &test.weights, true, &scorer, &error),
                         SEQ_OK);
        seq_scorer_run(scorer, ids, COUNT, scores);
        seq_scorer_destroy(scorer);
        assert_int_equal(seq_scorer_create(test.model, &test.weights, true, &scorer, &error),
                         SEQ_OK);
        for (size_t at = 0, piece = 1; at < COUNT; at += piece, piece += 37) {
            if (piece > COUNT - at) piece = COUNT - at;
            seq_scorer_run(scorer, ids + at, piece, pieces + at);
        }
        seq_scorer_destroy(scorer);
        inputs[0] = SEQ_NO_ID;
        memcpy(inputs + 1, ids, (COUNT - 1) * sizeof *ids);
        memset(test.state, 0, seq_model_state_size(test.model, 1) * sizeof *test.state);
        seq_window window = {
            .batch = 1, .steps = COUNT, .inputs = inputs, .targets = ids, .state = test.state};
        seq_loss loss =
            seq_model_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
        double sum = 0;
        for (int i = 0; i < COUNT; i++) {
            sum -= scores[i];
            assert_true(fabsf(scores[i] - pieces[i]) < 1e-5F);
        }
        assert_true(fabs(sum - loss.sum) < 1e-4 * loss.sum);
        assert_int_equal(loss.count, COUNT);
        small_case_destroy(&test);
    }
}

static void next_tokens_sum_to_one(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int shape = 0; shape < small_shapes(); shape++) {
            const seq_model_config config = small_config(*cell, shape);
            int32_t ids[20];
            float scores[20];
            double total = 0;
            small_case test;
            small_case_create(&test, &config, 1, 1, 8);
            for (int i = 0; i < 19; i++)
                ids[i] = i * 5 % config.vocabulary;
            for (int next = 0; next < config.vocabulary; next++) {
                seq_error error = {0};
                seq_scorer *scorer = NULL;
                ids[19] = next;
                assert_int_equal(
                    seq_scorer_create(test.model, &test.weights, false, &scorer, &error), SEQ_OK);
                seq_scorer_run(scorer, ids, 20, scores);
                total += exp(scores[19]);
                seq_scorer_destroy(scorer);
            }
            assert_true(fabs(total - 1) < 1e-5);
            small_case_destroy(&test);
        }
}

static void without_carry_each_sequence_is_alone(void **state) {
    (void)state;
    const seq_model_config config = small_config("gru", 0);
    const int32_t first[] = {1, 2, 3}, second[] = {2, 2, 4};
    float alone[3], behind[3], carried[3], unused[3];
    seq_error error = {0};
    seq_scorer *scorer = NULL;
    small_case test;
    small_case_create(&test, &config, 1, 1, 8);
    for (int carry = 0; carry < 2; carry++) {
        assert_int_equal(seq_scorer_create(test.model, &test.weights, carry, &scorer, &error),
                         SEQ_OK);
        seq_scorer_run(scorer, first, 3, unused);
        seq_scorer_run(scorer, second, 3, carry ? carried : behind);
        seq_scorer_destroy(scorer);
    }
    assert_int_equal(seq_scorer_create(test.model, &test.weights, false, &scorer, &error), SEQ_OK);
    seq_scorer_run(scorer, second, 3, alone);
    seq_scorer_destroy(scorer);
    assert_memory_equal(alone, behind, sizeof alone);
    assert_memory_not_equal(alone, carried, sizeof alone);
    small_case_destroy(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_agree),
        cmocka_unit_test(next_tokens_sum_to_one),
        cmocka_unit_test(without_carry_each_sequence_is_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
