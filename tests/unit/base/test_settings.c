// Groups of options behind a program's own: every value has a place of its own,
// the defaults are in no record, and a record gives back what it was written
// from. Checks src/base/option_groups.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/settings.h>
#include <string.h>

typedef struct own {
    int64_t steps;
    bool quiet;
} own;
typedef struct pool {
    int64_t size;
    bool deep;
    char *name;
} pool;
typedef struct rate {
    double value;
} rate;

static const seq_option own_options[] = {
    {SEQ_OPTION_INTEGER, "steps", "N", offsetof(own, steps), "7", .help = "."},
    {SEQ_OPTION_FLAG, "quiet", NULL, offsetof(own, quiet), "no", .help = "."},
    {.type = SEQ_OPTION_END},
};
static const seq_option pool_options[] = {
    {SEQ_OPTION_HEADING, .help = "Pool"},
    {SEQ_OPTION_INTEGER, "size", "N", offsetof(pool, size), "3", 1, 9, .help = "."},
    {SEQ_OPTION_FLAG, "deep", NULL, offsetof(pool, deep), "yes", .help = "."},
    {SEQ_OPTION_TEXT, "name", "NAME", offsetof(pool, name), .help = "."},
    {.type = SEQ_OPTION_END},
};
static const seq_option rate_options[] = {
    {SEQ_OPTION_HEADING, .help = "Rate"},
    {SEQ_OPTION_REAL, "rate", "X", offsetof(rate, value), "0.5", .help = "."},
    {.type = SEQ_OPTION_END},
};
static const seq_option_group pool_group = {pool_options, sizeof(pool)},
                              rate_group = {rate_options, sizeof(rate)},
                              strange_group = {rate_options, sizeof(rate)};
static const seq_option_group *const groups[] = {&pool_group, &rate_group, NULL};
static const seq_program program = {
    .name = "test", .synopsis = "", .options = own_options, .size = sizeof(own), .groups = groups};

static void parse(int count, char **arguments, seq_settings *out) {
    seq_error error = {0};
    if (seq_settings_parse(&program, count, arguments, out, &error)) fail_msg("%s", error.text);
}

static void every_value_has_its_place(void **state) {
    char *arguments[] = {"test",     "--steps", "11",   "--size=8", "--name",
                         "deep one", "--rate",  "0.25", "--no-deep"};
    seq_settings settings;
    (void)state;
    parse(9, arguments, &settings);
    const own *first = settings.parsed.values;
    const pool *second = seq_option_values(&settings.parsed, &pool_group);
    const rate *third = seq_option_values(&settings.parsed, &rate_group);
    assert_int_equal(first->steps, 11);
    assert_int_equal(second->size, 8);
    assert_false(second->deep);
    assert_string_equal(second->name, "deep one");
    assert_true(third->value == 0.25);
    assert_null(seq_option_values(&settings.parsed, &strange_group));
    seq_settings_clear(&settings);
}

static bool is_absent(const seq_settings *settings, const char *name) {
    int index = seq_option_find(&settings->program, name);
    assert_true(index >= 0);
    return seq_option_is_absent(&settings->parsed, (size_t)index);
}

static void defaults_are_in_no_record(void **state) {
    char *arguments[] = {"test", "--size=3", "--no-deep"};
    seq_settings settings;
    (void)state;
    parse(3, arguments, &settings);
    assert_true(is_absent(&settings, "size"));
    assert_true(is_absent(&settings, "name"));
    assert_true(is_absent(&settings, "rate"));
    assert_false(is_absent(&settings, "deep"));
    assert_false(is_absent(&settings, "steps")); // a program's own option always is
    seq_settings_clear(&settings);
}

static void a_record_gives_them_back(void **state) {
    seq_record record = {0};
    seq_settings settings;
    seq_error error = {0};
    (void)state;
    seq_record_set_text(&record, "steps", "99", &error);
    seq_record_set_text(&record, "size", "5", &error);
    assert_int_equal(seq_settings_read(groups, &record, &settings, &error), SEQ_OK);
    const pool *values = seq_option_values(&settings.parsed, &pool_group);
    assert_int_equal(values->size, 5);
    assert_true(values->deep);
    seq_settings_clear(&settings);
    seq_record_set_text(&record, "size", "10", &error);
    assert_int_equal(seq_settings_read(groups, &record, &settings, &error), SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "size"));
    assert_non_null(strstr(error.text, "1 to 9"));
    seq_record_clear(&record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_its_place),
        cmocka_unit_test(defaults_are_in_no_record),
        cmocka_unit_test(a_record_gives_them_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
