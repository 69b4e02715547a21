// Fields of a file's name by --label-pattern, and conditions on fields. Checks
// src/prep/items/name_fields.c and src/prep/items/item_condition.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "items/item_condition.h"
#include "items/name_fields.h"
#include <string.h>

// Fields as "name=value;...", "-" when there is no way, "*" when there are several.
static void match(const char *text, const char *path, char out[200]) {
    seq_name_pattern pattern;
    seq_name_part parts[SEQ_NAME_FIELDS];
    seq_error error = {0};
    size_t used = 0;
    if (seq_name_pattern_parse(text, &pattern, &error)) fail_msg("%s", error.text);
    int ways = seq_name_pattern_match(&pattern, path, parts);
    snprintf(out, 200, "%s", ways ? "*" : "-");
    for (int i = 0; ways == 1 && i < pattern.count; i++)
        used += (size_t)snprintf(out + used, 200 - used, "%s=%.*s;", pattern.fields[i],
                                 (int)parts[i].size, parts[i].at);
    seq_name_pattern_clear(&pattern);
}

static void names_are_cut(void **state) {
    static const struct {
        const char *pattern, *path, *fields;
    } cases[] = {
        {"{label}_{group}_{index}.wav", "data/0_george_10.wav", "label=0;group=george;index=10;"},
        {"{label}_{group}_{index}.wav", "data/0_george_10.wav.gz", "-"},
        {"{label}_{group}_{index}.wav", "0_george.wav", "-"},
        {"{label}_{group}_{index}.wav", "__.wav", "-"},
        {"{label}_{index}.wav", "left_arm_3.wav", "*"},
        {"a{label}_s{subject}_e{index}_skeleton.txt", "x/a01_s02_e03_skeleton.txt",
         "label=01;subject=02;index=03;"},
        {"{group}/{label}_{index}.npy", "data/ann/7_1.npy", "group=ann;label=7;index=1;"},
        {"{group}/{label}_{index}.npy", "7_1.npy", "-"},
        {"{label}", "a/b c.csv", "label=b c.csv;"},
        {"x{label}", "x", "-"},
        {"{a}x{b}x", "1x2x", "a=1;b=2;"},
        {"{a}x{b}", "xxxx", "*"},
        {"{a}x{b}", "xxx", "a=x;b=x;"},
    };
    char found[200];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        match(cases[i].pattern, cases[i].path, found);
        assert_string_equal(found, cases[i].fields);
    }
}

// A name of a thousand letters has as many ways as there are, and they are not walked.
static void long_names_end(void **state) {
    char name[1025] = "", found[200];
    (void)state;
    memset(name, '_', 1024);
    match("{a}_{b}_{c}_{d}_{e}_{f}_{g}_{h}_", name, found);
    assert_string_equal(found, "*");
    match("{a}_{b}_{c}_{d}_{e}_{f}_{g}_{h}!", name, found);
    assert_string_equal(found, "-");
}

static void patterns_are_refused(void **state) {
    static const char *const texts[] = {
        "x.wav",      "{label",       "{}.wav",
        "{a}{b}.wav", "{a}_{a}",      "{a b}",
        "{file}_1",   "{a}_{frames}", "{a}1{b}2{c}3{d}4{e}5{f}6{g}7{h}8{i}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        seq_name_pattern pattern;
        seq_error error = {0};
        assert_int_equal(seq_name_pattern_parse(texts[i], &pattern, &error), SEQ_BAD_USAGE);
        assert_non_null(strstr(error.text, "--label-pattern"));
        seq_name_pattern_clear(&pattern);
    }
}

static void conditions_hold(void **state) {
    static const struct {
        const char *condition;
        bool holds;
    } cases[] = {
        {"index<10", true},         {"index<9", false},  {"index<=09", true},
        {"index>=9", true},         {"index>10", false}, {"index=9.0", true},
        {"index!=9", false},        {"who=ann", true},   {"who<b", true},
        {"who>=9", true},           {"who!=bob", true},  {"who=ann,index>8", true},
        {"who=ann,index>9", false},
    };
    const seq_value values[] = {{"9", 1, 0, 0}, {"ann", 3, 0, 0}};
    const seq_item_field fields[] = {{"index", &values[0], 1, false},
                                     {"who", &values[1], 1, false}};
    const seq_item item = {.fields = fields, .field_count = 2, .file = "f"};
    seq_condition condition;
    seq_error error = {0};
    bool holds;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(seq_is_condition(cases[i].condition));
        assert_int_equal(seq_condition_parse("test", cases[i].condition, &condition, &error), 0);
        assert_int_equal(seq_condition_holds(&condition, &item, &holds, &error), SEQ_OK);
        if (holds != cases[i].holds) fail_msg("%s", cases[i].condition);
        seq_condition_clear(&condition);
    }
    assert_int_equal(seq_condition_parse("test", "other=1", &condition, &error), SEQ_OK);
    assert_int_equal(seq_condition_holds(&condition, &item, &holds, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "'other'"));
    seq_condition_clear(&condition);
    assert_int_equal(seq_condition_parse("test", NULL, &condition, &error), SEQ_OK);
    assert_int_equal(seq_condition_holds(&condition, &item, &holds, &error), SEQ_OK);
    assert_false(holds);
}

static void conditions_are_told_apart(void **state) {
    static const char *const others[] = {"0.1", "10%", "a/b=c.txt", "-", "=3", "test.txt"};
    static const char *const wrong[] = {"index<", "index<1,", "a=1,b", "a!1"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(seq_is_condition(others[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        seq_condition condition;
        seq_error error = {0};
        assert_int_equal(seq_condition_parse("valid", wrong[i], &condition, &error), SEQ_BAD_USAGE);
        assert_non_null(strstr(error.text, "--valid"));
        seq_condition_clear(&condition);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cut),
        cmocka_unit_test(long_names_end),
        cmocka_unit_test(patterns_are_refused),
        cmocka_unit_test(conditions_hold),
        cmocka_unit_test(conditions_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
