// Output layers of a whole model: sampled against its own differences, against full and against its
// distribution; what each of them owes to evaluation, to single steps and to the gradient vector's
// other rows.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <reference_model.h>
#include <small_model.h>
#include <stdlib.h>
#include <string.h>

enum { V = 41, B = 3, T = 5 };

// Shape 2 of the small models (not tied) or 3 (tied), V words, 17 units on top of it where nothing
// is tied.
static seq_model_config config_of(const char *output, int shape) {
    seq_model_config config = small_config("gru", shape);
    config.vocabulary = V;
    config.output = seq_output_find(output);
    if (strcmp(output, "sampled") == 0) config.samples = 9;
    if (strcmp(output, "adaptive") == 0) {
        config.cutoff_count = 2;
        config.cutoffs[0] = 6;
        config.cutoffs[1] = 15;
    }
    if (!config.tied) config.dense[1] = 17;
    return config;
}

static seq_window window_of(small_case *test, uint32_t step) {
    seq_window window = small_window(test);
    window.seed = 5;
    window.step = step;
    window.first_stream = 6;
    for (size_t i = 0; i < seq_model_state_size(test->model, B); i++)
        test->state[i] = (float)test->wide_state[i];
    return window;
}

static double train(small_case *test, float *gradient) {
    seq_window window = window_of(test, 2);
    return seq_model_train(test->model, test->workspace, &test->weights, &window, 1, gradient).sum;
}

// Fixed candidates make the loss a fixed function of the parameters.
static void sampled_gradient_matches_differences(void **state) {
    (void)state;
    for (int shape = 2; shape < 4; shape++) {
        small_case test;
        seq_model_config config = config_of("sampled", shape);
        small_case_create(&test, &config, B, T, 4);
        size_t size = test.table->size;
        float *scratch = calloc(size, sizeof *scratch);
        train(&test, test.gradient);
        double worst = 0, largest = 0;
        for (size_t i = 0; i < size; i += 3) {
            double loss[2];
            float middle = test.parameters[i];
            for (int side = 0; side < 2; side++) {
                test.parameters[i] = middle + (side ? 5e-3f : -5e-3f);
                small_case_pack(&test);
                loss[side] = train(&test, scratch);
            }
            test.parameters[i] = middle;
            small_case_pack(&test);
            worst = fmax(worst, fabs((loss[1] - loss[0]) / 1e-2 - test.gradient[i]));
            largest = fmax(largest, fabs(test.gradient[i]));
        }
        assert_true(largest > 1);
        assert_true(worst < 2e-3 * largest); // differences in single precision
        free(scratch);
        small_case_destroy(&test);
    }
}

// With all words drawn, Q = 1.
static void sampling_all_words_is_full(void **state) {
    (void)state;
    for (int shape = 2; shape < 4; shape++) {
        small_case full, sampled;
        seq_model_config config = config_of("full", shape);
        small_case_create(&full, &config, B, T, 4);
        config = config_of("sampled", shape);
        config.samples = V;
        small_case_create(&sampled, &config, B, T, 4);
        double expected = train(&full, full.gradient), found = train(&sampled, sampled.gradient);
        assert_true(fabs(found - expected) < 1e-6 * expected);
        for (size_t i = 0; i < full.table->size; i++)
            assert_true(fabs(sampled.gradient[i] - full.gradient[i]) < 1e-6);
        small_case_destroy(&full);
        small_case_destroy(&sampled);
    }
}

static bool holds(const int32_t *words, size_t count, int word) {
    size_t times = 0;
    for (size_t i = 0; i < count; i++)
        times += words[i] == word;
    assert_true(times < 2);
    return times == 1;
}

// A row is overwritten when it is one of the words (or, tied, an input), and left alone otherwise.
static void sampled_writes_its_words_alone(void **state) {
    (void)state;
    for (int shape = 2; shape < 4; shape++) {
        small_case test;
        seq_model_config config = config_of("sampled", shape);
        small_case_create(&test, &config, B, T, 4);
        float *once = calloc(test.table->size, sizeof *once);
        train(&test, once);
        for (size_t i = 0; i < test.table->size; i++)
            test.gradient[i] = 77;
        seq_window window = window_of(&test, 2);
        size_t count = 0, early = 0;
        int32_t before[V];
        const int32_t *words = seq_model_output_words(test.model, test.workspace, &window, &early);
        memcpy(before, words, early * sizeof *words);
        train(&test, test.gradient);
        words = seq_workspace_output_words(test.workspace, &count);
        assert_int_equal(count, early);
        assert_memory_equal(words, before, count * sizeof *words);
        assert_true(count >= 9 && count < V);
        for (int i = 0; i < B * T; i++)
            assert_true(test.targets[i] < 0 || holds(words, count, test.targets[i]));
        const seq_parameter *weight = seq_parameter_find(
                                test.table, config.tied ? "embedding.weight" : "output.weight"),
                            *bias = seq_parameter_find(test.table, "output.bias");
        for (int word = 0; word < V; word++) {
            size_t at = weight->offset + (size_t)word * weight->columns;
            bool written = holds(words, count, word), input = false;
            for (int i = 0; i < B * T; i++)
                input |= config.tied && test.inputs[i] == word;
            assert_true((test.gradient[bias->offset + (size_t)word] == 77) == !written);
            for (size_t j = 0; j < weight->columns; j++)
                assert_true(test.gradient[at + j] == (written || input ? once[at + j] : 77));
        }
        free(once);
        small_case_destroy(&test);
    }
}

static void full_and_adaptive_write_all_rows(void **state) {
    (void)state;
    static const char *const outputs[] = {"full", "adaptive"};
    for (int kind = 0; kind < 2; kind++) {
        small_case test;
        seq_model_config config = config_of(outputs[kind], 2);
        small_case_create(&test, &config, B, T, 4);
        float *once = calloc(test.table->size, sizeof *once);
        for (int i = 0; i < B * T; i++) // a cluster without any target, too
            test.targets[i] = test.targets[i] < 15 ? test.targets[i] : 3;
        train(&test, once);
        for (size_t i = 0; i < test.table->size; i++)
            test.gradient[i] = 77;
        train(&test, test.gradient);
        size_t count;
        assert_null(seq_workspace_output_words(test.workspace, &count));
        for (int row = 1; row < test.table->count; row++)
            assert_memory_equal(once + test.table->items[row].offset,
                                test.gradient + test.table->items[row].offset,
                                seq_parameter_size(&test.table->items[row]) * sizeof *once);
        free(once);
        small_case_destroy(&test);
    }
}

// How often each word is drawn, against Q = 1 - (1 - p)^T with T such that they sum to the samples;
// and the key.
static void draws_follow_zipf(void **state) {
    (void)state;
    enum { WINDOWS = 4000 };
    small_case test;
    seq_model_config config = config_of("sampled", 2);
    small_case_create(&test, &config, B, T, 4);
    int drawn[V] = {0}, same = 0;
    int32_t first[9];
    for (int i = 0; i < B * T; i++)
        test.targets[i] = SEQ_NO_ID;
    for (uint32_t step = 0; step < WINDOWS; step++) {
        seq_window window = window_of(&test, step);
        window.steps = 1;
        assert_true(
            seq_model_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient)
                .sum == 0);
        size_t count;
        const int32_t *words = seq_workspace_output_words(test.workspace, &count);
        assert_int_equal(count, 9);
        for (size_t i = 0; i < count; i++)
            drawn[words[i]]++;
        same += step && memcmp(first, words, sizeof first) == 0;
        if (!step) memcpy(first, words, sizeof first);
    }
    assert_true(same < 3);
    double low = 0, high = 1000;
    for (int halving = 0; halving < 100; halving++) {
        double tries = (low + high) / 2, sum = 0;
        for (int w = 0; w < V; w++)
            sum += 1 - pow(1 - log((w + 2.0) / (w + 1.0)) / log(V + 1.0), tries);
        *(sum < 9 ? &low : &high) = tries;
    }
    for (int w = 0; w < V; w++) {
        double expected = 1 - pow(1 - log((w + 2.0) / (w + 1.0)) / log(V + 1.0), low);
        assert_true(fabs((double)drawn[w] / WINDOWS - expected) < 0.03);
    }
    small_case_destroy(&test);
}

// Log-probabilities of evaluation and of single steps agree, sum to one, and say which word is
// best.
static void words_agree_everywhere(void **state) {
    (void)state;
    for (const char *const *output = seq_output_names(); *output; output++) {
        small_case test;
        seq_model_config config = config_of(*output, 2);
        config.init_scale = 1.5; // some rows are sure of a word, some are not
        small_case_create(&test, &config, B, T, 4);
        for (int i = 0; i < B * T; i++)
            test.targets[i] = i % 2 ? 6 + 2 * i : i % 6;
        float found[B * T];
        double expected[B * T], copy[64];
        memcpy(copy, test.wide_state, seq_model_state_size(test.model, B) * sizeof *copy);
        reference_loss(&config, test.table, test.wide_parameters, B, T, test.inputs, test.targets,
                       copy, expected);
        seq_window window = window_of(&test, 0);
        seq_loss loss =
            seq_model_evaluate(test.model, test.workspace, &test.weights, &window, found);
        int64_t correct = 0;
        window_of(&test, 0);
        for (int t = 0; t < T; t++) {
            float logits[B * V];
            seq_model_step(test.model, test.workspace, &test.weights, B, test.inputs + t * B,
                           test.state, logits);
            for (int b = 0; b < B; b++) {
                double sum = 0;
                int best = 0, target = test.targets[t * B + b];
                for (int v = 0; v < V; v++) {
                    sum += exp(logits[b * V + v]);
                    best = logits[b * V + v] > logits[b * V + best] ? v : best;
                }
                correct += best == target;
                assert_true(fabs(logits[b * V + target] - log(sum) - found[t * B + b]) < 1e-5);
                assert_true(fabs(found[t * B + b] - expected[t * B + b]) < 2e-5);
            }
        }
        assert_int_equal(loss.correct, correct);
        assert_int_equal(loss.count, B * T);
        small_case_destroy(&test);
    }
}

// Words whose probability no float can hold, nor a denormal number.
static void improbable_words_keep_their_logarithm(void **state) {
    (void)state;
    for (const char *const *output = seq_output_names(); *output; output++) {
        small_case test;
        seq_model_config config = config_of(*output, 2);
        small_case_create(&test, &config, B, T, 4);
        for (int row = 0; row < test.table->count; row++) {
            const seq_parameter *parameter = &test.table->items[row];
            if (strncmp(parameter->name, "output.", 7) != 0) continue;
            for (size_t i = 0; i < seq_parameter_size(parameter); i++) {
                test.parameters[parameter->offset + i] *= 512;
                test.wide_parameters[parameter->offset + i] *= 512;
            }
        }
        small_case_pack(&test);
        for (int i = 0; i < B * T; i++)
            test.targets[i] = i % 2 ? 6 + 2 * i : i % 6;
        float found[B * T];
        double expected[B * T], copy[64], least = 0;
        memcpy(copy, test.wide_state, seq_model_state_size(test.model, B) * sizeof *copy);
        reference_loss(&config, test.table, test.wide_parameters, B, T, test.inputs, test.targets,
                       copy, expected);
        seq_window window = window_of(&test, 0);
        seq_model_evaluate(test.model, test.workspace, &test.weights, &window, found);
        for (int i = 0; i < B * T; i++) {
            if (isinf(expected[i])) // not even a double holds it
                assert_true(isfinite(found[i]) && found[i] < -700);
            else
                assert_true(fabs(found[i] - expected[i]) < 1e-3);
            least = fmin(least, found[i]);
        }
        assert_true(least < -150); // 2^-149 is e^-103
        small_case_destroy(&test);
    }
}

// The best word of rows is found among all words, also in clusters that hold no target.
static void accuracy_is_exact(void **state) {
    (void)state;
    int64_t inside = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        small_case test;
        seq_model_config config = config_of("adaptive", 2);
        config.init_scale = 2.5;
        small_case_create(&test, &config, B, T, seed);
        window_of(&test, 0);
        for (int t = 0; t < T; t++) {
            float logits[B * V];
            seq_model_step(test.model, test.workspace, &test.weights, B, test.inputs + t * B,
                           test.state, logits);
            for (int b = 0; b < B; b++) {
                int best = 0;
                for (int v = 0; v < V; v++)
                    best = logits[b * V + v] > logits[b * V + best] ? v : best;
                test.targets[t * B + b] = best;
                inside += best >= 6;
            }
        }
        seq_window window = window_of(&test, 0);
        assert_int_equal(
            seq_model_evaluate(test.model, test.workspace, &test.weights, &window, NULL).correct,
            B * T);
        for (int i = 0; i < B * T; i++)
            test.targets[i] = (test.targets[i] + 20) % V;
        window = window_of(&test, 0);
        assert_int_equal(
            seq_model_evaluate(test.model, test.workspace, &test.weights, &window, NULL).correct,
            0);
        small_case_destroy(&test);
    }
    assert_true(inside > 50);
}

// Packed for evaluation or, of sampled, not at all: the same bits. A second workspace works as
// well.
static void packing_does_not_matter(void **state) {
    (void)state;
    for (const char *const *output = seq_output_names(); *output; output++) {
        small_case test;
        seq_error error = {0};
        seq_workspace *workspace;
        void *packed;
        float found[2][B * T];
        seq_model_config config = config_of(*output, 2);
        small_case_create(&test, &config, B, T, 4);
        seq_workspace_create(test.model, B, T, SEQ_USE_EVALUATION, &workspace, &error);
        seq_allocate(&packed, seq_model_packed_bytes(test.model, SEQ_USE_EVALUATION), 1, "test",
                     &error);
        assert_int_equal(error.status, SEQ_OK);
        seq_model_pack(test.model, SEQ_USE_EVALUATION, test.parameters, 0, 1, packed);
        seq_weights weights = {test.parameters, packed, SEQ_USE_EVALUATION};
        seq_window window = window_of(&test, 0);
        seq_model_evaluate(test.model, test.workspace, &test.weights, &window, found[0]);
        window = window_of(&test, 0);
        seq_model_evaluate(test.model, workspace, &weights, &window, found[1]);
        assert_memory_equal(found[0], found[1], sizeof *found);
        free(packed);
        seq_workspace_destroy(workspace);
        small_case_destroy(&test);
    }
}

// V beyond a block and a chunk: every kind in memory far below rows x V.
static void memory_is_bounded(void **state) {
    (void)state;
    for (const char *const *output = seq_output_names(); *output; output++) {
        seq_model *model;
        seq_workspace *workspace;
        seq_compute compute;
        seq_error error = {0};
        seq_model_config config = config_of(*output, 0);
        config.vocabulary = 300000;
        config.hidden[0] = 16;
        seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
        seq_model_create(&config, &compute, &model, &error);
        for (int use = 0; use < 2; use++) {
            seq_workspace_create(model, 20, 35, (seq_workspace_use)use, &workspace, &error);
            assert_int_equal(error.status, SEQ_OK);
            assert_true(seq_workspace_bytes(workspace) < 64e6); // rows x V: 840e6
            seq_workspace_destroy(workspace);
        }
        seq_model_destroy(model);
    }
}

// More rows and words than a block of sampled's evaluation holds.
static void blocks_add_up(void **state) {
    (void)state;
    enum { WORDS = 9001, ROWS = 64 * 16 };
    double nats[2];
    int64_t correct[2];
    for (int kind = 0; kind < 2; kind++) {
        small_case test;
        seq_model_config config = small_config("rnn", 0);
        config.vocabulary = WORDS;
        config.output = kind ? seq_output_find("sampled") : 0;
        config.samples = kind ? 20 : 0;
        small_case_create(&test, &config, 64, 16, 8);
        for (int i = 0; i < ROWS; i++)
            test.targets[i] =
                test.targets[i] >= 0 && i % 2 ? (i % 4 == 1) * 4095 + i % 3 : test.targets[i];
        seq_window window = small_window(&test);
        seq_loss loss =
            seq_model_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
        nats[kind] = loss.sum;
        correct[kind] = loss.correct;
        small_case_destroy(&test);
    }
    assert_true(fabs(nats[0] - nats[1]) < 1e-6 * nats[0]);
    assert_int_equal(correct[0], correct[1]);
}

static void training_allocates_nothing(void **state) {
    (void)state;
    for (const char *const *output = seq_output_names(); *output; output++) {
        small_case test;
        seq_model_config config = config_of(*output, 2);
        small_case_create(&test, &config, B, T, 1);
        train(&test, test.gradient); // libraries warm up
        seq_window window = window_of(&test, 0);
        size_t before = small_heap();
        train(&test, test.gradient);
        seq_model_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
        assert_int_equal(before, small_heap());
        small_case_destroy(&test);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sampled_gradient_matches_differences),
        cmocka_unit_test(sampling_all_words_is_full),
        cmocka_unit_test(sampled_writes_its_words_alone),
        cmocka_unit_test(full_and_adaptive_write_all_rows),
        cmocka_unit_test(draws_follow_zipf),
        cmocka_unit_test(words_agree_everywhere),
        cmocka_unit_test(improbable_words_keep_their_logarithm),
        cmocka_unit_test(accuracy_is_exact),
        cmocka_unit_test(packing_does_not_matter),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(blocks_add_up),
        cmocka_unit_test(training_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
