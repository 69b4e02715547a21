// Whole runs in the process of a foreign program. Words that occur in the first window only leave
// moments that fade away: nothing that a checkpoint holds is ever a denormal number. What the
// caller has set of its floating-point arithmetic is as it was after every call. A run that was
// begun by an earlier version says once that its arithmetic changes.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fenv.h>
#include <seqtrain/base/log.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <seqtrain/comm/exchange.h>
#include <seqtrain/prep/prepare.h>
#include <seqtrain/optim/optimizer.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/train/train.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "small_model.h"
#include "temporary.h"

static temporary place;

static void prepare_data(const char *output) {
    char input[200];
    const char *inputs[] = {input};
    seq_error error = {0};
    snprintf(input, sizeof input, "%s", temporary_path(&place, "text"));
    FILE *text = fopen(input, "w");
    assert_non_null(text);
    fputs("once upon a time there was nothing", text);
    for (int i = 0; i < 700; i++)
        fputs(i % 3 ? " here and" : " now or", text);
    fclose(text);
    seq_prepare prepare = {.rules = {.unit = SEQ_UNIT_WORD},
                           .output = output,
                           .inputs = inputs,
                           .input_count = 1,
                           .min_count = 1,
                           .shard_tokens = 10000,
                           .pipeline = {SEQ_COMPRESS_NONE, 0}};
    if (seq_prepare_run(&prepare, &error)) fail_msg("%s", error.text);
}

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    if (seq_storage_begin(&error)) return 1;
    char data[200];
    snprintf(data, sizeof data, "%s", temporary_path(&place, "data"));
    prepare_data(data);
    return 0;
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

// seqtrain with `options`, which NULL ends; what it says goes to `log`, or nowhere.
static void train(const char *run, const char *const *options, FILE *log) {
    char data[200];
    const char *arguments[40] = {
        "seqtrain", "--data",         data, "--run",         run,   "--layers", "1", "--hidden",
        "8",        "--embed",        "6",  "--batch",       "1",   "--window", "8", "--keep",
        "99",       "--hang-timeout", "0",  "--compression", "none"};
    int count = 21;
    seq_settings settings;
    seq_error error = {0};
    seq_comm *comm;
    snprintf(data, sizeof data, "%s", temporary_path(&place, "data"));
    while (*options)
        arguments[count++] = *options++;
    assert_int_equal(seq_comm_open_self(&comm, &error), SEQ_OK);
    if (seq_settings_parse(seq_train_program(), count, (char **)arguments, &settings, &error))
        fail_msg("%s", error.text);
    seq_log_open(log, SEQ_LOG_INFO, "test");
    if (seq_train_run(&settings.parsed, comm, "test", &error)) fail_msg("%s", error.text);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    seq_settings_clear(&settings);
    seq_comm_close(comm);
}

static bool is_denormal(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7f800000) == 0 && (bits & 0x007fffff) != 0;
}

// Every vector of a checkpoint: parameters, moments, states of the streams.
static void nothing_is_denormal(const char *run, int64_t step, const char *rule) {
    char directory[SEQ_PATH];
    seq_error error = {0};
    seq_manifest manifest = {0};
    seq_state state = {.count = 0};
    if (seq_checkpoint_directory(run, step, directory, &error) ||
        seq_checkpoint_read_manifest(directory, &manifest, &error))
        fail_msg("%s", error.text);
    const seq_record *record = seq_manifest_section_find(&manifest, "state");
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->entries[i].key, "shards") == 0) continue;
        size_t count = strtoul(record->entries[i].text, NULL, 10);
        state.vectors[state.count++] =
            (seq_state_vector){record->entries[i].key, malloc(count * sizeof(float)), count};
    }
    assert_int_equal(state.count, 2 + seq_optimizer_find(rule)->states);
    if (seq_checkpoint_read(directory, &manifest, &state, 0, 1, &error)) fail_msg("%s", error.text);
    for (int v = 0; v < state.count; v++) {
        const seq_state_vector *vector = &state.vectors[v];
        size_t found = 0;
        for (size_t i = 0; i < vector->count; i++)
            found += is_denormal(vector->values[i]);
        if (found)
            fail_msg("%s, step %lld: %zu of the %zu numbers of %s are denormal", rule,
                     (long long)step, found, vector->count, vector->name);
        free(vector->values);
    }
    assert_string_equal(
        seq_record_text(seq_manifest_section_find(&manifest, "program"), "denormals"), "flushed");
    seq_manifest_clear(&manifest);
}

// Halved at each step, they come to the denormal numbers by step 125, and by step 150 through them.
static void nothing_fades_into_denormals(void **state) {
    (void)state;
    static const struct {
        const char *rule, *option;
    } rules[] = {{"adam", "--beta1"}, {"rmsprop", "--beta2"}, {"momentum", "--momentum"}};
    for (int i = 0; i < 3; i++) {
        char run[200];
        snprintf(run, sizeof run, "%s", temporary_path(&place, rules[i].rule));
        train(run,
              (const char *[]){"--optimizer", rules[i].rule, rules[i].option, "0.5", "--steps",
                               "150", "--checkpoint-every", "125", NULL},
              NULL);
        for (int64_t step = 125; step <= 150; step += 25)
            nothing_is_denormal(run, step, rules[i].rule);
    }
}

// Of a checkpoint of an earlier version: the same without the line.
static void forget_denormals(const char *run, int64_t step) {
    char directory[SEQ_PATH];
    seq_error error = {0};
    seq_manifest manifest = {0};
    if (seq_checkpoint_directory(run, step, directory, &error) ||
        seq_checkpoint_read_manifest(directory, &manifest, &error))
        fail_msg("%s", error.text);
    seq_record *record = seq_manifest_section_get(&manifest, "program");
    size_t at = 0;
    while (at < record->count && strcmp(record->entries[at].key, "denormals") != 0)
        at++;
    assert_true(at < record->count);
    free(record->entries[at].key);
    free(record->entries[at].text);
    record->count--;
    memmove(record->entries + at, record->entries + at + 1,
            (record->count - at) * sizeof *record->entries);
    if (seq_manifest_write(&manifest, directory, "manifest.json", &error))
        fail_msg("%s", error.text);
    seq_manifest_clear(&manifest);
}

// How often `text` is in what a run up to `steps` says.
static int said(const char *run, const char *steps, const char *text) {
    char *log = NULL;
    size_t size = 0;
    int count = 0;
    FILE *stream = open_memstream(&log, &size);
    assert_non_null(stream);
    train(run, (const char *[]){"--steps", steps, NULL}, stream);
    fclose(stream);
    for (const char *at = log; (at = strstr(at, text)); at++)
        count++;
    free(log);
    return count;
}

static void older_runs_say_once_that_arithmetic_changes(void **state) {
    (void)state;
    static const char warning[] = "denormal numbers kept, here they are flushed: results are equal "
                                  "in statistics, not in bits, from here";
    char run[200];
    snprintf(run, sizeof run, "%s", temporary_path(&place, "older"));
    assert_int_equal(said(run, "2", "denormal"), 0);
    assert_int_equal(said(run, "4", "denormal"), 0);
    forget_denormals(run, 4);
    assert_int_equal(said(run, "6", warning), 1);
    assert_int_equal(said(run, "8", "denormal"), 0);
}

static bool keeps_denormals(void) {
    volatile float small = 0x1p-100f, product = small * 0x1p-40f;
    return is_denormal(product);
}

static bool rounds_downward(void) { // to nearest, 1 / 3 is rounded up
    volatile float one = 1, three = 3, third = one / three;
    return third * 3.0 < 1;
}

static bool is_foreign(void) {
    return rounds_downward() && keeps_denormals();
}

static void note_ready(void *context, size_t first, size_t last) {
    (void)first, (void)last;
    *(bool *)context |= keeps_denormals() || rounds_downward();
}

static void update(small_case *test) {
    const seq_optimizer *rule = seq_optimizer_find("sgd");
    seq_optimizer_config config = {0};
    seq_optimizer_step step = {rule, &config,          test->table,    0.1, 1,
                               1,    test->parameters, test->gradient, NULL};
    seq_optimizer_apply(&step, 0, test->table->size);
    seq_optimizer_apply_zero(&step, 0, test->table->size);
}

static void exchange(const small_case *test) {
    seq_error error = {0};
    seq_comm *comm;
    seq_exchange *exchange;
    seq_exchanged sum;
    const seq_kernels *kernels;
    assert_int_equal(seq_kernels_find("auto", SEQ_FP32, &kernels, &error), SEQ_OK);
    assert_int_equal(seq_comm_open_self(&comm, &error), SEQ_OK);
    seq_exchange_config config = {.count = test->table->size};
    assert_int_equal(seq_exchange_create(comm, kernels, &config, &exchange, &error), SEQ_OK);
    assert_int_equal(
        seq_exchange_sum(exchange, &(seq_exchange_options){.updates_all = true}, &sum, &error),
        SEQ_OK);
    seq_exchange_destroy(exchange);
    seq_comm_close(comm);
}

// Another rounding and denormals that are kept: as before after each call, ours in between.
static void callers_arithmetic_is_as_it_was(void **state) {
    (void)state;
    small_case test;
    seq_model_config config = small_config("lstm", 1);
    bool foreign_within = false;
    double squares[2 * 4];
    float logits[2 * 7];
    char run[200];
    small_case_create(&test, &config, 2, 4, 1);
    small_window window = small_window_of(&test);
    window.ready = note_ready;
    window.ready_context = &foreign_within;
    fesetround(FE_DOWNWARD);
    small_train(test.model, test.workspace, &test.weights, &window, 1, test.gradient);
    bool after_train = is_foreign();
    small_evaluate(test.model, test.workspace, &test.weights, &window, NULL);
    bool after_evaluate = is_foreign();
    small_step(test.model, test.workspace, &test.weights, 2, test.inputs, test.state, logits);
    bool after_step = is_foreign();
    small_flow(test.model, test.workspace, &test.weights, &window, test.gradient, squares);
    bool after_flow = is_foreign();
    update(&test);
    bool after_update = is_foreign();
    small_case_pack(&test);
    bool after_pack = is_foreign();
    exchange(&test);
    bool after_exchange = is_foreign();
    snprintf(run, sizeof run, "%s", temporary_path(&place, "foreign"));
    train(run, (const char *[]){"--steps", "2", NULL}, NULL);
    bool after_run = is_foreign();
    fesetround(FE_TONEAREST);
    assert_false(foreign_within);
    assert_true(after_train && after_evaluate && after_step && after_flow);
    assert_true(after_update && after_pack && after_exchange && after_run);
    small_case_destroy(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_fades_into_denormals),
        cmocka_unit_test(older_runs_say_once_that_arithmetic_changes),
        cmocka_unit_test(callers_arithmetic_is_as_it_was)};
    return cmocka_run_group_tests(tests, begin, end);
}
