// Which parameters of another model are taken, under which names, and which
// rows. Checks src/train/initial/sources.c and transfer.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "initial/transfer.h"
#include "temporary.h"

static temporary place;
static seq_vocabulary *words[2];
static seq_schema schema;

static seq_vocabulary *read_words(const char *lines) {
    char text[400];
    seq_vocabulary *out = NULL;
    seq_error error = {0};
    snprintf(text, sizeof text,
             "# seqtrain vocabulary 1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=none"
             "\tinvalid=error\n%s",
             lines);
    write_bytes(temporary_path(&place, "vocabulary.tsv"), text, strlen(text));
    if (seq_vocabulary_read(place.path, SEQ_BAD_INPUT, &out, &error)) fail_msg("%s", error.text);
    return out;
}

static int begin(void **state) {
    (void)state;
    temporary_create(&place);
    words[0] = read_words("0\t9\ta\n1\t8\tb\n2\t7\tc\n");
    words[1] = read_words("0\t50\tc\n1\t40\td\n2\t10\ta\n3\t0\te\n");
    seq_schema_set_tokens(&schema);
    return 0;
}

static int end(void **state) {
    (void)state;
    seq_schema_clear(&schema);
    seq_vocabulary_destroy(words[0]);
    seq_vocabulary_destroy(words[1]);
    temporary_destroy(&place);
    return 0;
}

// ---- sources

static void sources(void **state) {
    (void)state;
    seq_sources found;
    seq_error error = {0};
    assert_int_equal(
        seq_sources_parse("run;a:b/c:rnn=encoder,_l0=_l0_reverse@0.25;back@2/@0;x:output=", &found,
                          &error),
        SEQ_OK);
    assert_int_equal(found.count, 4);
    assert_string_equal(found.items[0].path, "run");
    assert_string_equal(found.items[0].parts, "");
    assert_true(found.items[0].rate == 1);
    assert_string_equal(found.items[1].path, "a:b/c");
    assert_string_equal(found.items[1].parts, "rnn=encoder,_l0=_l0_reverse");
    assert_true(found.items[1].rate == 0.25);
    assert_string_equal(found.items[2].path, "back@2/");
    assert_true(found.items[2].rate == 0);
    assert_string_equal(found.items[3].parts, "output=");
    seq_sources_clear(&found);
    const char *bad[] = {
        "",         "run;",   "run@x", "run@-1",  "run@nan",  "run:",    "run:=a", "run:a=b=c",
        "run:a,,b", "run:a,", ":a=b",  "run:a b", "run:a\tb", "run@1e9", "@0.5",   "run:a;:b=c"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error = (seq_error){0};
        if (seq_sources_parse(bad[i], &found, &error) != SEQ_BAD_USAGE)
            fail_msg("'%s' was accepted", bad[i]);
        seq_sources_clear(&found);
    }
    const double rates[] = {0, 0.1, 1.0 / 3, 100};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char text[40];
        seq_source_print_rate(rates[i], text);
        assert_true(strtod(text + 1, NULL) == rates[i]);
    }
}

// NULL: not taken.
static const char *rename_to(const char *parts, const char *name) {
    static char out[SEQ_PARAMETER_NAME];
    uint64_t used = 0;
    return seq_source_rename(parts, name, out, &used) ? out : NULL;
}

static void names(void **state) {
    (void)state;
    assert_string_equal(rename_to("", "rnn.weight_ih_l0"), "rnn.weight_ih_l0");
    assert_string_equal(rename_to("rnn=encoder", "rnn.weight_ih_l0"), "encoder.weight_ih_l0");
    assert_null(rename_to("rnn=encoder", "embedding.weight"));
    assert_string_equal(rename_to("rnn=encoder,embedding", "embedding.weight"), "embedding.weight");
    assert_null(rename_to("rnn=encoder,output=", "embedding.weight"));
    assert_string_equal(rename_to("rnn=encoder,_l0=_l0_reverse", "rnn.bias_hh_l0"),
                        "encoder.bias_hh_l0_reverse");
    assert_null(rename_to("_l1=_l1_reverse", "rnn.bias_hh_l11"));
    assert_string_equal(rename_to("weight_ih_l0=weight_ih_l0_reverse", "rnn.weight_ih_l0"),
                        "rnn.weight_ih_l0_reverse");
    assert_null(rename_to("ih_l0=x", "rnn.weight_ih_l0"));
    assert_null(rename_to("output=", "output.bias"));
    assert_string_equal(rename_to("output.bias=", "output.weight"), "output.weight");
    assert_null(rename_to("embedding,rnn=encoder", "output.bias"));
    assert_string_equal(rename_to("embedding,rnn=encoder", "embedding.weight"), "embedding.weight");
    assert_string_equal(rename_to("embedding,rnn=encoder", "rnn.bias_hh_l0"), "encoder.bias_hh_l0");
    uint64_t used = 0;
    char out[SEQ_PARAMETER_NAME];
    seq_source_rename("a=b,rnn,c", "rnn.weight_ih_l0", out, &used);
    assert_int_equal(used, 2);
}

// ---- values

static seq_parameter matrix(const char *name, size_t rows, size_t columns, int vocabulary) {
    seq_parameter out = {.dimensions = 2,
                         .rows = rows,
                         .columns = columns,
                         .offset = 16,
                         .vocabulary = vocabulary,
                         .predicts = -1};
    snprintf(out.name, sizeof out.name, "%s", name);
    return out;
}

static float here[32], there[32];
static seq_transfer moved;
static seq_error error;

static seq_status move(seq_parameter from, seq_parameter to) {
    const seq_parameter_table tables[2] = {{&from, 1, 32, 32}, {&to, 1, 32, 32}};
    const seq_vocabulary *one[] = {words[0]}, *other[] = {words[1]};
    const seq_meaning source = {&tables[0], &schema, one}, target = {&tables[1], &schema, other};
    error = (seq_error){0};
    for (int i = 0; i < 32; i++) {
        there[i] = (float)i;
        here[i] = -1;
    }
    return seq_transfer_parameter(&source, 0, there, &target, 0, here, &moved, &error);
}

static void rows_by_symbol(void **state) {
    (void)state;
    assert_int_equal(move(matrix("embedding.weight", 3, 2, 0), matrix("e", 4, 2, 0)), SEQ_OK);
    const float expected[] = {20, 21, -1, -1, 16, 17, -1, -1, -1}; // c, d, a, e
    for (int i = 0; i < 9; i++)
        assert_true(here[16 + i] == expected[i]);
    assert_true(here[15] == -1);
    assert_true(moved.by_symbol);
    assert_int_equal(moved.matched, 2);
    assert_int_equal(moved.rows, 4);
    assert_int_equal(moved.covered, 60);
    assert_int_equal(moved.total, 100);
}

static void equal_shapes(void **state) {
    (void)state;
    assert_int_equal(move(matrix("a", 3, 2, -1), matrix("b", 3, 2, -1)), SEQ_OK);
    assert_true(!moved.by_symbol && here[16] == 16 && here[21] == 21);
    assert_true(here[22] == -1);
    assert_int_equal(move(matrix("a", 3, 2, -1), matrix("b", 2, 3, -1)), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "a has 3 x 2 values, b here 2 x 3"));
    assert_int_equal(move(matrix("a", 3, 2, 0), matrix("b", 4, 3, 0)), SEQ_BAD_USAGE);
    assert_int_equal(move(matrix("a", 3, 2, 0), matrix("b", 4, 2, -1)), SEQ_BAD_USAGE);
}

// Transitions between labels: another list of labels is another meaning.
static void whole_lists(void **state) {
    (void)state;
    seq_parameter from = matrix("transitions", 2, 2, -1);
    from.predicts = 0;
    assert_int_equal(move(from, from), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "another list"));
    seq_vocabulary *kept = words[1];
    words[1] = words[0];
    assert_int_equal(move(from, from), SEQ_OK);
    assert_true(here[16] == 16);
    words[1] = kept;
    assert_int_equal(move(from, matrix("b", 2, 2, -1)), SEQ_BAD_USAGE);
    assert_int_equal(move(matrix("b", 2, 2, -1), from), SEQ_BAD_USAGE);
}

static void words_are_no_labels(void **state) {
    (void)state;
    seq_schema labels;
    seq_schema_begin(&labels, "classify");
    seq_schema_add_vocabulary(&labels, "label");
    seq_schema_add_field(&labels, "label", SEQ_FIELD_LABEL, 0, 0, 1);
    seq_parameter row = matrix("output.weight", 3, 2, 0);
    const seq_parameter_table table = {&row, 1, 32, 32};
    const seq_vocabulary *list[] = {words[0]};
    const seq_meaning source = {&table, &schema, list}, target = {&table, &labels, list};
    error = (seq_error){0};
    here[16] = -1;
    assert_int_equal(seq_transfer_parameter(&source, 0, there, &target, 0, here, &moved, &error),
                     SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "for labels"));
    error = (seq_error){0};
    assert_true(here[16] == -1);
    assert_int_equal(seq_transfer_parameter(&target, 0, there, &target, 0, here, &moved, &error),
                     SEQ_OK);
    assert_int_equal(moved.matched, 3);
    seq_schema_clear(&labels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources),        cmocka_unit_test(names),
        cmocka_unit_test(rows_by_symbol), cmocka_unit_test(equal_shapes),
        cmocka_unit_test(whole_lists),    cmocka_unit_test(words_are_no_labels),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
