// Schemas: what is written is read, each rule has its message, the schema of a
// language model's data set, and what the hash covers. Checks src/data/schema.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "item_sets.h"

static void comes_back(void **state) {
    (void)state;
    seq_schema schema, again;
    seq_manifest manifest = {0};
    seq_error error = {0};
    item_schema(&schema);
    seq_field *score = &schema.fields[ITEM_SCORE];
    score->mean = malloc(sizeof(double));
    score->deviation = malloc(sizeof(double));
    *score->mean = 0.1;
    *score->deviation = 1.0 / 3;
    assert_int_equal(seq_schema_write(&schema, &manifest, &error), SEQ_OK);
    assert_int_equal(seq_schema_read(&again, &manifest, &error), SEQ_OK);
    assert_string_equal(again.task, "tag");
    assert_int_equal(again.axis_count, 4);
    assert_int_equal(again.axes[ITEM_AXIS_LETTERS].parent, ITEM_AXIS_TEXT);
    assert_int_equal(again.field_count, ITEM_FIELDS);
    for (int i = 0; i < ITEM_FIELDS; i++) {
        const seq_field *a = &schema.fields[i], *b = &again.fields[i];
        assert_string_equal(a->name, b->name);
        assert_true(a->kind == b->kind && a->axis == b->axis && a->vocabulary == b->vocabulary &&
                    a->width == b->width);
    }
    assert_true(again.fields[ITEM_SCORE].mean[0] == 0.1);
    assert_true(again.fields[ITEM_SCORE].deviation[0] == 1.0 / 3);
    assert_true(again.target == ITEM_TAG && again.length_axis == ITEM_AXIS_TEXT);
    assert_true(again.groups && again.raw && !again.streams);
    assert_string_equal(seq_record_text(&again.reader, "reader"), "conll");
    seq_schema_clear(&schema);
    seq_schema_clear(&again);
    seq_manifest_clear(&manifest);
}

static void language_models_have_one(void **state) {
    (void)state;
    seq_schema schema;
    seq_manifest manifest = {0};
    seq_error error = {0};
    char hash[33];
    assert_int_equal(seq_schema_read(&schema, &manifest, &error), SEQ_OK);
    assert_true(schema.streams && schema.field_count == 1 && schema.vocabulary_count == 1);
    assert_string_equal(schema.fields[0].name, "tokens");
    char name[SEQ_VOCABULARY_FILE];
    seq_schema_vocabulary_file(&schema, 0, name);
    assert_string_equal(name, "vocabulary.tsv");
    assert_int_equal(seq_schema_hash(&schema, hash, &error), SEQ_OK);
    assert_string_equal(hash, "");
    assert_int_equal(seq_schema_check(&schema, &error), SEQ_OK);
    seq_schema_clear(&schema);
}

typedef void change(seq_schema *schema);
static void bad_name(seq_schema *s) {
    strcpy(s->fields[0].name, "Text");
}
static void same_name(seq_schema *s) {
    strcpy(s->fields[1].name, "text");
}
static void long_name(seq_schema *s) {
    memset(s->axes[1].name, 'a', SEQ_FIELD_NAME);
}
static void late_parent(seq_schema *s) {
    s->axes[1].parent = 2;
}
static void no_vocabulary(seq_schema *s) {
    s->fields[0].vocabulary = 3;
}
static void idle_vocabulary(seq_schema *s) {
    s->fields[0].vocabulary = 1;
}
static void no_axis(seq_schema *s) {
    s->fields[0].axis = 4;
}
static void wide(seq_schema *s) {
    s->fields[ITEM_SOUND].width = SEQ_WIDTH_MOST + 1;
}
static void wide_label(seq_schema *s) {
    s->fields[ITEM_TAG].width = 2;
}
static void no_target(seq_schema *s) {
    s->target = ITEM_FIELDS;
}
static void no_fields(seq_schema *s) {
    s->field_count = 0;
    s->target = -1;
}

static void rules_are_told(void **state) {
    (void)state;
    static const struct {
        change *change;
        const char *expected;
    } cases[] = {{bad_name, "fields 0 is called \"Text\""},
                 {same_name, "two of its fields are called text"},
                 {long_name, "axes 1 is called"},
                 {late_parent, "axis text: its parent is 2"},
                 {no_vocabulary, "field text: it has no vocabulary"},
                 {idle_vocabulary, "vocabulary words: no field has it"},
                 {no_axis, "field text: it has no axis"},
                 {wide, "field sound: its width is not within 1 to 65536"},
                 {wide_label, "field tag: its width is not 1"},
                 {no_target, "its target"},
                 {no_fields, "it has no fields"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seq_schema schema;
        seq_manifest manifest = {0};
        seq_error error = {0};
        item_schema(&schema);
        int fields = schema.field_count;
        cases[i].change(&schema);
        assert_int_equal(seq_schema_write(&schema, &manifest, &error), SEQ_BAD_INPUT);
        if (!strstr(error.text, cases[i].expected)) fail_msg("%s", error.text);
        schema.field_count = fields;
        seq_schema_clear(&schema);
        seq_manifest_clear(&manifest);
    }
}

static void hash_of(const seq_schema *schema, char out[33]) {
    seq_error error = {0};
    assert_int_equal(seq_schema_hash(schema, out, &error), SEQ_OK);
}

// Fields and reader settings decide, statistics of the data do not.
static void hashes(void **state) {
    (void)state;
    seq_schema schema, other;
    seq_error error = {0};
    char one[33], two[33], differences[400];
    item_schema(&schema);
    item_schema(&other);
    other.fields[ITEM_SCORE].mean = calloc(1, sizeof(double));
    other.fields[ITEM_SCORE].deviation = calloc(1, sizeof(double));
    hash_of(&schema, one);
    hash_of(&other, two);
    assert_string_equal(one, two);
    assert_int_equal(seq_schema_compare(&schema, &other, differences, 400, &error), SEQ_OK);
    assert_string_equal(differences, "");
    seq_record_set_text(&other.reader, "columns", "text=2,tag=1", &error);
    hash_of(&other, two);
    assert_string_not_equal(one, two);
    other.target = ITEM_SCORE;
    seq_record_set_text(&other.reader, "comment", "#", &error);
    assert_int_equal(seq_schema_compare(&schema, &other, differences, 400, &error), SEQ_OK);
    assert_string_equal(differences, "target tag, not score; reader.columns text=1,tag=2, not "
                                     "text=2,tag=1; reader.comment none, not #");
    assert_int_equal(seq_schema_compare(&other, &schema, differences, 400, &error), SEQ_OK);
    assert_string_equal(differences, "target score, not tag; reader.columns text=2,tag=1, not "
                                     "text=1,tag=2; reader.comment #, not none");
    assert_int_equal(seq_schema_compare(&schema, &other, differences, 20, &error), SEQ_OK);
    assert_string_equal(differences, "target tag, not sco");
    strcpy(schema.fields[0].name, "words");
    hash_of(&schema, two);
    assert_string_not_equal(one, two);
    seq_schema_clear(&schema);
    seq_schema_clear(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(language_models_have_one),
        cmocka_unit_test(rules_are_told),
        cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
