// Manifests: what is written is read; every single-bit flip, every cut and
// everything foreign is refused. Forged content has a hash of its own that
// fits. Checks src/storage/manifest.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/storage/manifest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "temporary.h"

static const char kind[] = "seqtrain dataset";

static void fill(seq_manifest *manifest) {
    seq_error error = {0};
    seq_digest digest;
    *manifest = (seq_manifest){.version = 1};
    strcpy(manifest->kind, kind);
    seq_record *record = seq_manifest_section_get(manifest, "text");
    assert_int_equal(seq_record_set_text(record, "rule", "a \"quoted\" \\ \t line\n", &error),
                     SEQ_OK);
    assert_int_equal(seq_record_set_text(record, "\xC3\xA9t\xC3\xA9", "\xE6\xBC\xA2", &error),
                     SEQ_OK);
    seq_manifest_section_get(manifest, "empty");
    seq_digest_bytes("abc", 3, &digest);
    assert_int_equal(seq_manifest_add_file(manifest, "part-0000.h5", &digest, &error), SEQ_OK);
    assert_int_equal(seq_manifest_add_file(manifest, "b\".tsv", &digest, &error), SEQ_OK);
}

static seq_status read_back(temporary *place, seq_manifest *out, seq_error *error) {
    *error = (seq_error){0};
    return seq_manifest_read(out, place->directory, "m.json", kind, 1, SEQ_BAD_INPUT, error);
}

static void round_trip(void **state) {
    (void)state;
    temporary place;
    seq_manifest written, read;
    seq_error error = {0};
    temporary_create(&place);
    fill(&written);
    assert_int_equal(seq_manifest_write(&written, place.directory, "m.json", &error), SEQ_OK);
    assert_int_equal(read_back(&place, &read, &error), SEQ_OK);
    assert_int_equal(read.section_count, written.section_count);
    for (int i = 0; i < written.section_count; i++) {
        const seq_record *a = &written.sections[i].record, *b = &read.sections[i].record;
        assert_string_equal(written.sections[i].name, read.sections[i].name);
        assert_int_equal(a->count, b->count);
        for (size_t j = 0; j < a->count; j++) {
            assert_string_equal(a->entries[j].key, b->entries[j].key);
            assert_string_equal(a->entries[j].text, b->entries[j].text);
        }
    }
    assert_int_equal(read.file_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(read.files[i].name, written.files[i].name);
        assert_memory_equal(&read.files[i].digest, &written.files[i].digest, sizeof(seq_digest));
    }
    assert_int_equal(seq_manifest_section_find(&read, "absent")->count, 0);
    seq_manifest_clear(&read);
    seq_manifest_clear(&written);
    temporary_destroy(&place);
}

// The name of a file may be any bytes; JSON is UTF-8.
static void bytes_that_are_no_text_can_be_read(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"d\xFF/\xC3", "d\xEF\xBF\xBD/\xEF\xBF\xBD"},
        {"\xC0\xAFx\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF4\x8F\xBF\xBF\xC2\x80\xE0\xA0\x80", "\xF4\x8F\xBF\xBF\xC2\x80\xE0\xA0\x80"},
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    temporary place;
    temporary_create(&place);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seq_manifest written, read;
        seq_error error = {0};
        fill(&written);
        seq_record_set_text(seq_manifest_section_get(&written, "text"), "path", cases[i][0],
                            &error);
        assert_int_equal(seq_manifest_write(&written, place.directory, "m.json", &error), SEQ_OK);
        assert_int_equal(read_back(&place, &read, &error), SEQ_OK);
        assert_string_equal(seq_record_text(seq_manifest_section_find(&read, "text"), "path"),
                            cases[i][1]);
        seq_manifest_clear(&read);
        seq_manifest_clear(&written);
    }
    temporary_destroy(&place);
}

static void every_flip_and_cut_is_refused(void **state) {
    (void)state;
    temporary place;
    seq_manifest manifest;
    seq_error error = {0};
    size_t size;
    temporary_create(&place);
    fill(&manifest);
    assert_int_equal(seq_manifest_write(&manifest, place.directory, "m.json", &error), SEQ_OK);
    seq_manifest_clear(&manifest);
    char *bytes = read_bytes(temporary_path(&place, "m.json"), &size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_bytes(place.path, bytes, size);
        assert_int_equal(read_back(&place, &manifest, &error), SEQ_BAD_INPUT);
        assert_non_null(strstr(error.text, "m.json"));
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t length = 0; length < size; length++) {
        write_bytes(place.path, bytes, length);
        assert_int_equal(read_back(&place, &manifest, &error), SEQ_BAD_INPUT);
    }
    free(bytes);
    temporary_destroy(&place);
}

// A manifest as an attacker would write it: its own hash fits, its content does not.
static seq_status read_forged(temporary *place, const char *body, seq_error *error) {
    char text[4096], hash[33];
    seq_digest digest;
    seq_manifest manifest;
    seq_digest_bytes(body, strlen(body), &digest);
    seq_digest_text(&digest, hash);
    int size = snprintf(text, sizeof text, "%s  \"hash\": \"%s\"\n}\n", body, hash);
    write_bytes(temporary_path(place, "m.json"), text, (size_t)size);
    seq_status status = read_back(place, &manifest, error);
    if (!status) seq_manifest_clear(&manifest);
    return status;
}

static void forged_content_is_refused(void **state) {
    (void)state;
#define FILES(files)                                                                               \
    "{\n \"kind\": \"seqtrain dataset\", \"version\": 1, \"sections\": {}, \"files\": " files ","  \
    "\n"
#define FILE_NAMED(name)                                                                           \
    FILES("[{\"name\": \"" name                                                                    \
          "\", \"size\": 3, \"xxh3_128\": \"00000000000000000000000000000000\"}]")
    static const char *const bad[] = {
        FILE_NAMED("../up"),
        FILE_NAMED("/etc/passwd"),
        FILE_NAMED(".."),
        FILE_NAMED("."),
        FILE_NAMED(""),
        FILES("[{\"name\": \"a\", \"size\": -1, \"xxh3_128\": "
              "\"00000000000000000000000000000000\"}]"),
        FILES("[{\"name\": \"a\", \"size\": 1.5, \"xxh3_128\": "
              "\"00000000000000000000000000000000\"}]"),
        FILES("[{\"name\": \"a\", \"size\": 1, \"xxh3_128\": \"xyz\"}]"),
        FILES("[7]"),
        FILES("7"),
        FILES("[{}]"),
        "{\n \"kind\": \"seqtrain dataset\", \"version\": 2, \"sections\": {}, \"files\": [],\n",
        "{\n \"kind\": \"seqtrain dataset\", \"version\": 0, \"sections\": {}, \"files\": [],\n",
        "{\n \"kind\": \"seqtrain dataset\", \"version\": \"1\", \"sections\": {}, \"files\": "
        "[],\n",
        "{\n \"kind\": \"seqtrain checkpoint\", \"version\": 1, \"sections\": {}, \"files\": [],\n",
        "{\n \"kind\": \"seqtrain dataset\", \"version\": 1, \"sections\": {\"a\": 1}, \"files\": "
        "[],\n",
        "{\n \"kind\": \"seqtrain dataset\", \"version\": 1, \"sections\": {\"a\": {\"b\": 1}}, "
        "\"files\": [],\n",
        "{\n \"kind\": \"seqtrain dataset\", \"kind\": \"seqtrain dataset\", \"version\": 1, "
        "\"sections\": {}, \"files\": [],\n",
        "[[[[[[[[[[[[[[[[\n",
        "\n",
    };
    temporary place;
    seq_error error;
    temporary_create(&place);
    assert_int_equal(read_forged(&place, FILE_NAMED("plain"), &error), SEQ_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_forged(&place, bad[i], &error), SEQ_BAD_INPUT);
    temporary_destroy(&place);
}

static void files_are_verified(void **state) {
    (void)state;
    temporary place;
    seq_manifest manifest = {.version = 1};
    seq_error error = {0};
    seq_digest digest;
    temporary_create(&place);
    strcpy(manifest.kind, kind);
    seq_digest_bytes("abcd", 4, &digest);
    assert_int_equal(seq_manifest_add_file(&manifest, "f", &digest, &error), SEQ_OK);
    const struct {
        const char *content;
        seq_status status;
        const char *message;
    } cases[] = {{"abcd", SEQ_OK, ""},
                 {"abce", SEQ_BAD_INPUT, "damaged"},
                 {"abc", SEQ_BAD_INPUT, "3 bytes, expected 4"}};
    for (size_t i = 0; i < 3; i++) {
        write_bytes(temporary_path(&place, "f"), cases[i].content, strlen(cases[i].content));
        error = (seq_error){0};
        assert_int_equal(
            seq_manifest_verify_file(&manifest, place.directory, 0, SEQ_BAD_INPUT, &error),
            cases[i].status);
        assert_non_null(strstr(error.text, cases[i].message));
    }
    remove(place.path);
    error = (seq_error){0};
    assert_int_equal(
        seq_manifest_verify_file(&manifest, place.directory, 0, SEQ_NO_CHECKPOINT, &error),
        SEQ_NO_CHECKPOINT);
    seq_manifest_clear(&manifest);
    temporary_destroy(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(bytes_that_are_no_text_can_be_read),
        cmocka_unit_test(every_flip_and_cut_is_refused),
        cmocka_unit_test(forged_content_is_refused),
        cmocka_unit_test(files_are_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
