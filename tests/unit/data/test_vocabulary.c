// vocabulary.tsv there and back, encoding and decoding, and a reader that
// stands up to any bytes: a file changed at random is refused, or what was read
// is consistent. Checks src/data/vocabulary.c, vocabulary_file.c and encode.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/random.h>
#include <seqtrain/data/vocabulary.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "temporary.h"

static temporary place;

static int begin(void **state) {
    (void)state;
    temporary_create(&place);
    return 0;
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

#define RULES(unit, punctuation, eos)                                                              \
    "# seqtrain vocabulary 1\tunit=" unit "\tpunctuation=" punctuation                             \
    "\tlower=no\tnfc=no\teos=" eos "\tinvalid=error\n"
static const char words_file[] =
    RULES("word", "split", "line") "0\t5\t<unk>\n1\t7\t<eos>\n2\t9\tthe\n3\t4\tcat\n4\t4\t,"
                                   "\n5\t2\ta\\\\b\\x01\n6\t1\t(\n7\t1\t)\n";

static seq_status read_text(const char *text, size_t size, seq_vocabulary **out, seq_error *error) {
    *error = (seq_error){0};
    *out = NULL;
    write_bytes(temporary_path(&place, "vocabulary.tsv"), text, size);
    return seq_vocabulary_read(place.path, SEQ_BAD_INPUT, out, error);
}

static void there_and_back(void **state) {
    (void)state;
    seq_vocabulary *vocabulary;
    seq_error error;
    size_t size;
    assert_int_equal(read_text(words_file, strlen(words_file), &vocabulary, &error), SEQ_OK);
    assert_int_equal(seq_vocabulary_size(vocabulary), 8);
    assert_int_equal(seq_vocabulary_unk(vocabulary), 0);
    assert_int_equal(seq_vocabulary_eos(vocabulary), 1);
    assert_string_equal(seq_vocabulary_text(vocabulary, 5, &size), "a\\b\x01");
    assert_int_equal(size, 4);
    assert_int_equal(seq_vocabulary_count(vocabulary, 2), 9);
    assert_int_equal(seq_vocabulary_find(vocabulary, "cat", 3), 3);
    assert_int_equal(seq_vocabulary_find(vocabulary, "ca", 2), SEQ_NO_ID);
    assert_int_equal(seq_vocabulary_characters(vocabulary, 2), 4); // and the blank behind it
    assert_int_equal(seq_vocabulary_characters(vocabulary, 1), 1);
    assert_int_equal(seq_vocabulary_write(vocabulary, temporary_path(&place, "again.tsv"), &error),
                     SEQ_OK);
    char *bytes = read_bytes(place.path, &size);
    assert_string_equal(bytes, words_file);
    free(bytes);
    seq_vocabulary_destroy(vocabulary);
}

static void encodes_and_decodes(void **state) {
    (void)state;
    seq_vocabulary *vocabulary;
    seq_error error;
    int32_t *ids;
    size_t count;
    assert_int_equal(read_text(words_file, strlen(words_file), &vocabulary, &error), SEQ_OK);
    const char *text = "the cat, the (dog)\nthe";
    const int32_t expected[] = {2, 3, 4, 2, 6, 0, 7, 1, 2, 1};
    assert_int_equal(
        seq_vocabulary_encode(vocabulary, text, strlen(text), true, "text", &ids, &count, &error),
        SEQ_OK);
    assert_int_equal(count, 10);
    assert_memory_equal(ids, expected, sizeof expected);
    char out[10 * SEQ_DECODED];
    size_t used = 0;
    seq_detokenizer decoder = {0};
    for (size_t i = 0; i < count; i++)
        used += seq_detokenize(&decoder, vocabulary, ids[i], out + used, SEQ_DECODED);
    out[used] = '\0';
    assert_string_equal(out, "the cat, the (<unk>)\nthe\n");
    free(ids);
    seq_vocabulary_destroy(vocabulary);
    const char no_unk[] = RULES("char", "keep", "none") "0\t5\ta\n1\t7\tb\n";
    assert_int_equal(read_text(no_unk, strlen(no_unk), &vocabulary, &error), SEQ_OK);
    assert_int_equal(
        seq_vocabulary_encode(vocabulary, "abc", 3, false, "--prime", &ids, &count, &error),
        SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "--prime, byte offset 2: 'c' is not in the vocabulary"));
    seq_vocabulary_destroy(vocabulary);
}

// Primes and lines that are no text: the byte is named, and no option that the program lacks.
static void bad_text_is_told_with_its_byte(void **state) {
    (void)state;
    static const char file[] = RULES("char", "keep", "none") "0\t5\ta\n1\t7\tb\n2\t7\t<unk>\n";
    static const struct {
        const char *text;
        size_t size;
        const char *message; // NULL: it is text
    } cases[] = {
        {"ab\xFF", 3, "text, byte offset 2: byte 0xff is not UTF-8"},
        {"\xE4\xBD"
         "ab",
         4, "text, byte offset 0: byte 0xe4 is not UTF-8"},
        {"ab\xC3", 3, "text, byte offset 2: byte 0xc3 is not UTF-8"},
        {"a\0b", 3, "text, byte offset 1: a NUL byte"},
        {"\0\xFF", 2, "text, byte offset 0: a NUL byte"},
        {"\xFF\0", 2, "text, byte offset 0: byte 0xff"},
        {"a\x1Bz", 3, NULL},
        {"", 0, NULL},
    };
    seq_vocabulary *vocabulary;
    seq_error error;
    assert_int_equal(read_text(file, strlen(file), &vocabulary, &error), SEQ_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t *ids = NULL;
        size_t count = 0;
        seq_error reason = {0};
        seq_vocabulary_encode(vocabulary, cases[i].text, cases[i].size, false, "text", &ids, &count,
                              &reason);
        assert_int_equal(reason.status, cases[i].message ? SEQ_BAD_INPUT : SEQ_OK);
        if (cases[i].message)
            assert_true(strncmp(reason.text, cases[i].message, strlen(cases[i].message)) == 0 &&
                        !strstr(reason.text, "--"));
        else
            assert_int_equal(count, cases[i].size);
        free(ids);
    }
    seq_vocabulary_destroy(vocabulary);
}

static void bad_files_are_told_with_their_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "line 0"},
        {"hello\n", "line 1: not a vocabulary"},
        {"# seqtrain vocabulary 12\n", "line 1"},
        {"# seqtrain vocabulary 1\n", "line 1"},
        {RULES("word", "split", "line"), "no tokens"},
        {RULES("syllable", "split", "line") "0\t1\ta\n", "line 1"},
        {RULES("word", "split", "line") "1\t1\ta\n", "line 2: the ids"},
        {RULES("word", "split", "line") "0\t1\ta\n1\t1\ta\n", "line 3"},
        {RULES("word", "split", "line") "0\t-1\ta\n", "line 2"},
        {RULES("word", "split", "line") "0\t99999999999999999999\ta\n", "line 2"},
        {RULES("word", "split", "line") "0\t1\ta\\q\n", "line 2: the token"},
        {RULES("word", "split", "line") "0\t1\t\xFF\n", "line 2: the token"},
        {RULES("word", "split", "line") "0\t1\t\n", "line 2: the token"},
        {RULES("word", "split", "line") "0\t1\ta", "cut off"},
        {RULES("byte", "keep", "none") "0\t1\ta\n", "256"},
    };
    seq_vocabulary *vocabulary;
    seq_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(read_text(bad[i].text, strlen(bad[i].text), &vocabulary, &error),
                         SEQ_BAD_INPUT);
        if (!strstr(error.text, bad[i].message))
            fail_msg("case %zu: '%s' does not say '%s'", i, error.text, bad[i].message);
    }
    assert_int_equal(read_text("# seq\0", 6, &vocabulary, &error), SEQ_BAD_INPUT);
    assert_int_equal(seq_vocabulary_read("/nonexistent", SEQ_BAD_INPUT, &vocabulary, &error),
                     SEQ_BAD_INPUT);
}

// A file changed at random is read or refused; what is read is consistent.
static void random_changes(void **state) {
    (void)state;
    int accepted = 0;
    for (uint32_t round = 0; round < 4000; round++) {
        char text[sizeof words_file];
        uint32_t words[4];
        size_t size = sizeof words_file - 1;
        seq_vocabulary *vocabulary;
        seq_error error;
        memcpy(text, words_file, sizeof text);
        for (uint32_t i = 0; i < 1 + round % 3; i++) {
            seq_random_words((seq_random_key){2, SEQ_RANDOM_TEST}, round, i, 0, words);
            text[words[0] % size] =
                words[1] % 3 ? words_file[words[2] % size] : (char)(words[2] & 255);
        }
        if (words[3] % 5 == 0) size = words[3] / 5 % size;
        if (read_text(text, size, &vocabulary, &error)) continue;
        accepted++;
        for (int id = 0; id < seq_vocabulary_size(vocabulary); id++) {
            size_t length;
            const char *token = seq_vocabulary_text(vocabulary, id, &length);
            assert_int_equal(seq_vocabulary_find(vocabulary, token, length), id);
        }
        seq_vocabulary_destroy(vocabulary);
    }
    assert_in_range(accepted, 100, 3900);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(encodes_and_decodes),
        cmocka_unit_test(bad_text_is_told_with_its_byte),
        cmocka_unit_test(bad_files_are_told_with_their_line),
        cmocka_unit_test(random_changes),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
