// A configuration comes back from its record; hostile records and misfits are
// refused with the name of the option. The parameter table has PyTorch's names
// and shapes. Checks src/model/config.c, parameters.c and initialise.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <small_model.h>
#include <seqtrain/nn/cell.h>
#include <stdlib.h>
#include <string.h>

static void record_round_trip(void **state) {
    (void)state;
    for (int shape = 0; shape < small_shapes(); shape++) {
        seq_model_config config = small_config("gru", shape), copy;
        seq_record record = {0};
        seq_error error = {0};
        config.dropout_input = 0.1;
        if (shape == 1) {
            config.output = seq_output_find("sampled");
            config.samples = 3;
        }
        if (shape == 0) {
            config.output = seq_output_find("adaptive");
            config.cutoff_count = 1;
            config.cutoffs[0] = 4;
        }
        assert_int_equal(seq_model_config_write(&config, &record, &error), SEQ_OK);
        assert_int_equal(seq_model_config_read(&copy, &record, &error), SEQ_OK);
        assert_memory_equal(&config, &copy, sizeof config);
        seq_record_clear(&record);
    }
}

static void hostile_records_are_refused(void **state) {
    (void)state;
    static const char *const bad[][2] = {{"vocabulary", "-1"},
                                         {"vocabulary", "99999999999"},
                                         {"embedding", "0"},
                                         {"hidden", ""},
                                         {"hidden", "5,x"},
                                         {"hidden", "70000"},
                                         {"cell", "lsmt"},
                                         {"tied", "2"},
                                         {"dropout_input", "2"},
                                         {"dropout_input", "nan"},
                                         {"dense", "0"},
                                         {"output", "none"},
                                         {"output", "sampled"},
                                         {"output", "adaptive"},
                                         {"samples", "0"},
                                         {"cutoffs", "0"},
                                         {"cutoffs", "1,2,3,4,5,6,7,8,9"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        seq_model_config config = small_config("lstm", 1), copy;
        seq_record record = {0};
        seq_error error = {0};
        seq_model_config_write(&config, &record, &error);
        seq_record_set_text(&record, bad[i][0], bad[i][1], &error);
        assert_int_equal(error.status, SEQ_OK);
        if (seq_model_config_read(&copy, &record, &error) != SEQ_NO_CHECKPOINT)
            fail_msg("%s = %s was accepted", bad[i][0], bad[i][1]);
        seq_record_clear(&record);
    }
}

static void misfits_name_the_option(void **state) {
    (void)state;
    seq_error error = {0};
    seq_model_config config = small_config("lstm", 0);
    config.tied = 1;
    seq_model *model = NULL;
    seq_compute compute;
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    assert_int_equal(seq_model_create(&config, &compute, &model, &error), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "--tied"));
    static const struct {
        const char *output, *option;
        int tied, samples, cutoff_count, cutoffs[3];
    } bad[] = {
        {"sampled", "--samples", 0, 0, 0, {0}},     {"adaptive", "--cutoffs", 0, 0, 0, {0}},
        {"adaptive", "--cutoffs", 0, 0, 1, {7}},    {"adaptive", "--cutoffs", 0, 0, 2, {3, 3}},
        {"adaptive", "--cutoffs", 0, 0, 2, {2, 4}}, // 6 units have no sixteenth
        {"adaptive", "--tied", 1, 0, 1, {2}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        config = small_config("lstm", 0);
        error = (seq_error){0};
        config.output = seq_output_find(bad[i].output);
        config.samples = bad[i].samples;
        config.cutoff_count = bad[i].cutoff_count;
        memcpy(config.cutoffs, bad[i].cutoffs, sizeof bad[i].cutoffs);
        config.tied = bad[i].tied;
        config.embedding = 6;
        assert_int_equal(seq_model_config_check(&config, &error), SEQ_BAD_USAGE);
        assert_non_null(strstr(error.text, bad[i].option));
    }
}

static void initialisation_keeps_its_bounds(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 1);
    config.initialisation = SEQ_INITIALISE_SCALED;
    config.forget_bias = 2.5;
    small_case_create(&test, &config, 1, 1, 3);
    float *again = malloc(test.table->size * sizeof *again);
    seq_model_initialise(test.model, 3, again);
    assert_memory_equal(again, test.parameters, test.table->size * sizeof *again);
    const seq_parameter *weight = seq_parameter_find(test.table, "rnn.weight_hh_l1"),
                        *bias = seq_parameter_find(test.table, "rnn.bias_ih_l0");
    float largest = 0;
    for (size_t i = 0; i < seq_parameter_size(weight); i++)
        largest = fmaxf(largest, fabsf(test.parameters[weight->offset + i]));
    assert_true(largest <= 1 / sqrtf(3) && largest > 0.4f);
    for (int j = 0; j < 6; j++)
        assert_true(test.parameters[bias->offset + 6 + (size_t)j] == 2.5f);
    free(again);
    small_case_destroy(&test);
}

static void table_is_pytorchs(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm-peephole", 2);
    small_case_create(&test, &config, 1, 1, 3);
    const seq_parameter *weight = seq_parameter_find(test.table, "rnn.weight_ih_l1");
    assert_int_equal(weight->rows, 4 * 3);
    assert_int_equal(weight->columns, 6);
    assert_non_null(seq_parameter_find(test.table, "rnn.weight_ch_l0"));
    assert_non_null(seq_parameter_find(test.table, "dense.1.bias"));
    for (int row = 0; row < test.table->count; row++) {
        const seq_parameter *parameter = &test.table->items[row];
        assert_int_equal(parameter->offset % 16, 0);
        assert_ptr_equal(seq_parameter_at(test.table, parameter->offset), parameter);
    }
    assert_null(seq_parameter_at(test.table, test.table->size));
    small_case_destroy(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_round_trip), cmocka_unit_test(hostile_records_are_refused),
        cmocka_unit_test(misfits_name_the_option),
        cmocka_unit_test(initialisation_keeps_its_bounds), cmocka_unit_test(table_is_pytorchs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
