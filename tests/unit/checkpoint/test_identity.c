// RUN/identity.txt: a checkpoint fits to any one line, what differs is named,
// and a file that seqtrain does not write is refused, whichever way it is none.
// Checks src/checkpoint/identity.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/checkpoint/identity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "temporary.h"

#define HEADER                                                                                     \
    "# What decides the numbers of this run; checkpoints with other values are of another run.\n"

static const char *const fields[] = {"cell", "seed", NULL};

static void describe(seq_manifest *out, const char *cell, const char *seed) {
    seq_error error = {0};
    seq_record *options = seq_manifest_section_get(out, "options"),
               *data = seq_manifest_section_get(out, "data");
    seq_record_set_text(options, "cell", cell, &error);
    seq_record_set_text(options, "seed", seed, &error);
    seq_record_set_text(data, "hash", "d1", &error);
    assert_int_equal(seq_record_set_text(data, "vocabulary_hash", "v1", &error), SEQ_OK);
}

static void a_line_that_fits_is_enough(void **state) {
    (void)state;
    temporary place;
    seq_error error = {0};
    seq_manifest first = {0}, second = {0}, third = {0};
    describe(&first, "lstm", "1");
    describe(&second, "lstm", "2");
    describe(&third, "gru", "3");
    temporary_create(&place);
    assert_int_equal(seq_identity_check(place.directory, "it", &third, NULL, &error), SEQ_OK);
    for (int time = 0; time < 2; time++) {
        assert_int_equal(seq_identity_add(place.directory, fields, &first, &error), SEQ_OK);
        assert_int_equal(seq_identity_add(place.directory, fields, &second, &error), SEQ_OK);
    }
    size_t size;
    char *text = read_bytes(temporary_path(&place, "identity.txt"), &size);
    assert_string_equal(text, HEADER "cell=lstm\tseed=1\tvocabulary=v1\tdata=d1\n"
                                     "cell=lstm\tseed=2\tvocabulary=v1\tdata=d1\n");
    free(text);
    assert_int_equal(seq_identity_check(place.directory, "it", &first, NULL, &error), SEQ_OK);
    assert_int_equal(seq_identity_check(place.directory, "it", &second, NULL, &error), SEQ_OK);
    assert_int_equal(seq_identity_check(place.directory, "it", &third, "seed", &error),
                     SEQ_NO_CHECKPOINT);
    assert_string_equal(error.text, "it is of another run: cell gru (this run has lstm); "
                                    "seqtrain --override cell takes it nevertheless");
    error = (seq_error){0};
    assert_int_equal(seq_identity_check(place.directory, "it", &third, "cell,seed", &error),
                     SEQ_OK);
    seq_manifest_clear(&first);
    seq_manifest_clear(&second);
    seq_manifest_clear(&third);
    temporary_destroy(&place);
}

// lm's lines have no task and no schema; a checkpoint of another task does not fit to them, nor the
// other way round.
static void absent_fields_are_defaults(void **state) {
    (void)state;
    temporary place;
    seq_error error = {0};
    seq_manifest lm = {0}, tag = {0}, other = {0};
    describe(&lm, "lstm", "1");
    for (int i = 0; i < 2; i++) {
        seq_manifest *to = i ? &other : &tag;
        describe(to, "lstm", "1");
        assert_int_equal(
            seq_record_set_text(seq_manifest_section_get(to, "schema"), "task", "tag", &error),
            SEQ_OK);
        assert_int_equal(seq_record_set_text(seq_manifest_section_get(to, "data"), "schema_hash",
                                             i ? "s2" : "s1", &error),
                         SEQ_OK);
    }
    temporary_create(&place);
    assert_int_equal(seq_identity_add(place.directory, fields, &lm, &error), SEQ_OK);
    assert_int_equal(seq_identity_check(place.directory, "it", &lm, NULL, &error), SEQ_OK);
    assert_int_equal(seq_identity_check(place.directory, "it", &tag, NULL, &error),
                     SEQ_NO_CHECKPOINT);
    assert_string_equal(error.text,
                        "it is of another run: task tag (this run has lm), schema s1 (this run has "
                        "none)");
    remove(temporary_path(&place, "identity.txt"));
    error = (seq_error){0};
    assert_int_equal(seq_identity_add(place.directory, fields, &tag, &error), SEQ_OK);
    size_t size;
    char *text = read_bytes(temporary_path(&place, "identity.txt"), &size);
    assert_string_equal(text,
                        HEADER "cell=lstm\tseed=1\ttask=tag\tschema=s1\tvocabulary=v1\tdata=d1\n");
    free(text);
    assert_int_equal(seq_identity_check(place.directory, "it", &tag, NULL, &error), SEQ_OK);
    assert_int_equal(seq_identity_check(place.directory, "it", &lm, "schema", &error),
                     SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "run: task lm (this run has tag)"));
    error = (seq_error){0};
    assert_int_equal(seq_identity_check(place.directory, "it", &other, NULL, &error),
                     SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "run: schema s2 (this run has s1)"));
    seq_manifest_clear(&lm);
    seq_manifest_clear(&tag);
    seq_manifest_clear(&other);
    temporary_destroy(&place);
}

// First values from elsewhere: a run without a source and one with it are two runs, either way.
static void sources_count_where_they_are_absent(void **state) {
    (void)state;
    static const char *const more[] = {"cell", "init-from", NULL};
    seq_error error = {0};
    seq_manifest manifests[3] = {0};
    const char *names[] = {NULL, "h1", "h2:rnn=encoder@0.5"};
    for (int i = 0; i < 3; i++) {
        describe(&manifests[i], "lstm", "1");
        if (names[i])
            seq_record_set_text(seq_manifest_section_get(&manifests[i], "initial"), "init-from",
                                names[i], &error);
    }
    for (int own = 0; own < 3; own++) {
        temporary place;
        temporary_create(&place);
        assert_int_equal(seq_identity_add(place.directory, more, &manifests[own], &error), SEQ_OK);
        for (int other = 0; other < 3; other++) {
            error = (seq_error){0};
            assert_int_equal(
                seq_identity_check(place.directory, "it", &manifests[other], NULL, &error),
                own == other ? SEQ_OK : SEQ_NO_CHECKPOINT);
            if (own != other) assert_non_null(strstr(error.text, "--override init-from takes"));
            error = (seq_error){0};
            assert_int_equal(
                seq_identity_check(place.directory, "it", &manifests[other], "init-from", &error),
                SEQ_OK);
        }
        temporary_destroy(&place);
    }
    for (int i = 0; i < 3; i++)
        seq_manifest_clear(&manifests[i]);
}

static void what_seqtrain_does_not_write_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "garbage\n",
        HEADER,
        HEADER "\n",
        HEADER "\n\n",
        HEADER "\t\n",
        HEADER "no field\n",
        HEADER "cell=lstm\tseed\tdata=d1\n",
        HEADER "cell=lstm\tdata=d1",
        HEADER "cell=lstm\tdata=d1\t",
        HEADER "cell=lstm\tdata=d1\n\n",
        HEADER "\ncell=lstm\tdata=d1\n",
    };
    temporary place;
    seq_manifest manifest = {0};
    describe(&manifest, "lstm", "1");
    temporary_create(&place);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        seq_error error = {0}, adding = {0};
        write_bytes(temporary_path(&place, "identity.txt"), texts[i], strlen(texts[i]));
        if (seq_identity_check(place.directory, "it", &manifest, NULL, &error) != SEQ_BAD_INPUT)
            fail_msg("text %zu: %d, %s", i, error.status, error.text);
        assert_non_null(strstr(error.text, "identity.txt: not as seqtrain writes it"));
        assert_int_equal(seq_identity_add(place.directory, fields, &manifest, &adding),
                         SEQ_BAD_INPUT);
    }
    seq_manifest_clear(&manifest);
    temporary_destroy(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_fits_is_enough),
        cmocka_unit_test(absent_fields_are_defaults),
        cmocka_unit_test(sources_count_where_they_are_absent),
        cmocka_unit_test(what_seqtrain_does_not_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
