// Word vectors in text form: what a vocabulary takes from them, and what is
// refused. Checks src/data/word_vectors.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/random.h>
#include <seqtrain/data/word_vectors.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "temporary.h"

enum { WORDS = 8, WIDTH = 3 };
static temporary place;
static seq_vocabulary *vocabulary;
static float table[WORDS * WIDTH];
static seq_word_matches matches;
static seq_error error;

static const char words_file[] =
    "# seqtrain vocabulary 1\tunit=word\tpunctuation=split\tlower=no\tnfc=no\teos=line"
    "\tinvalid=error\n"
    "0\t5\t<unk>\n1\t7\t<eos>\n2\t9\tThe\n3\t4\tthe\n4\t4\tTHE\n5\t2\t\xc3\x84pfel\n6\t1\t2009\n"
    "7\t1\tNone\n";

static int begin(void **state) {
    (void)state;
    temporary_create(&place);
    write_bytes(temporary_path(&place, "vocabulary.tsv"), words_file, strlen(words_file));
    return seq_vocabulary_read(place.path, SEQ_BAD_INPUT, &vocabulary, &error);
}

static int end(void **state) {
    (void)state;
    seq_vocabulary_destroy(vocabulary);
    temporary_destroy(&place);
    return 0;
}

static seq_status read_file(const char *path) {
    error = (seq_error){0};
    for (int i = 0; i < WORDS * WIDTH; i++)
        table[i] = -1;
    return seq_word_vectors_read(path, vocabulary, WIDTH, table, &matches, &error);
}

static seq_status read_bytes_as(const char *name, const void *bytes, size_t size) {
    write_bytes(temporary_path(&place, name), bytes, size);
    return read_file(place.path);
}

static seq_status read_text(const char *text) {
    return read_bytes_as("vectors.txt", text, strlen(text));
}

static void assert_row(int id, float a, float b, float c) {
    const float *row = table + id * WIDTH;
    assert_true(row[0] == a && row[1] == b && row[2] == c);
}

static void exact_then_lowered(void **state) {
    (void)state;
    const char *text = "the 1 2 3\nunknown 4 5 6\nTHE 7 8 9\n\xc3\xa4pfel -1e-1 .5 2E1\n"
                       "2009 1 1 1\nTHE 0 0 0\na b c 9 9 9\n";
    assert_int_equal(read_text(text), SEQ_OK);
    assert_row(2, 1, 2, 3); // The: in lower case
    assert_row(3, 1, 2, 3); // the: as it is
    assert_row(4, 7, 8, 9); // THE: its own, of the first line that has it
    assert_row(5, -0.1F, 0.5F, 20);
    assert_row(6, 1, 1, 1); // a word of digits
    assert_row(7, -1, -1, -1);
    assert_row(0, -1, -1, -1);
    assert_int_equal(matches.lines, 7);
    assert_int_equal(matches.exact, 3);
    assert_int_equal(matches.lowered, 2);
    assert_int_equal(matches.missing, 3);
    assert_int_equal(matches.duplicates, 1);
    assert_int_equal(matches.covered, 9 + 4 + 4 + 2 + 1);
    assert_int_equal(matches.total, 33);
}

// word2vec's header and blanks at the ends of lines, Windows' line ends, a mark at the start, tabs.
static void forms(void **state) {
    (void)state;
    assert_int_equal(read_text("2 3\nthe 1 2 3 \nThe 4 5 6 \n"), SEQ_OK);
    assert_row(2, 4, 5, 6);
    assert_row(4, 1, 2, 3);
    assert_int_equal(read_text("\xef\xbb\xbfThe\t4\t5\t6\r\nthe  1  2 3"), SEQ_OK);
    assert_row(2, 4, 5, 6);
    assert_row(3, 1, 2, 3);
    gzFile file = gzopen(temporary_path(&place, "vectors.gz"), "wb");
    gzputs(file, "the 1 2 3\n");
    gzclose(file);
    assert_int_equal(read_file(place.path), SEQ_OK);
    assert_row(3, 1, 2, 3);
}

// Lines and words that need the buffer to grow.
static void long_words(void **state) {
    (void)state;
    enum { SIZE = 300000 };
    char *text = malloc(SIZE + 40);
    memset(text, 'w', SIZE);
    strcpy(text + SIZE, " 1 2 3\nthe 4 5 6\n");
    assert_int_equal(read_text(text), SEQ_OK);
    assert_row(3, 4, 5, 6);
    free(text);
    text = malloc(5 << 20);
    memset(text, 'w', 5 << 20);
    assert_int_equal(read_bytes_as("long.txt", text, 5 << 20), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "line 1"));
    free(text);
}

static void assert_refused(const char *text, const char *line, const char *why) {
    assert_int_equal(read_text(text), SEQ_BAD_INPUT);
    if (!strstr(error.text, line) || !strstr(error.text, why) || !strstr(error.text, "vectors.txt"))
        fail_msg("%s: expected %s and %s", error.text, line, why);
}

static void refused(void **state) {
    (void)state;
    assert_refused("a 1 2 3\nthe 1 2\n", "line 2", "found columns: 3");
    assert_refused("a 1 2 3\n\n", "line 2", "found columns: 0");
    assert_refused("a 1 2 3\n 1 2 3\n", "line 2", "found");
    assert_refused("a 1 2 3\nb 1 nan 3\n", "line 2", "'nan'");
    assert_refused("a 1 2 3\nb 1 inf 3\n", "line 2", "'inf'");
    assert_refused("a 1 2 3\nb 1 0x1 3\n", "line 2", "'0x1'");
    assert_refused("a 1 2 3\nthe 1 1e99 3\n", "line 2", "'1e99', which is no finite number");
    assert_refused("a 1 2 3\nthe 1 1.2.3 3\n", "line 2", "'1.2.3'");
    assert_refused("a 1 2 3 4\n", "line 1", "--embed 4");
    assert_refused("1 4\n", "line 1", "--embed 4");
    assert_refused("no vectors here\n", "line 1", "no number");
    assert_refused("3 3\nthe 1 2 3\n", "promises 3 words", "1 follow");
    assert_refused("", "it has none", "");
    assert_int_equal(read_bytes_as("binary", "1 3\nthe \0\1\2\3\0\0\0", 15), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "binary"));
    assert_int_equal(read_bytes_as("archive", "PK\3\4xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 30),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "zip"));
    assert_int_equal(read_file(place.directory), SEQ_BAD_INPUT);
    assert_int_not_equal(read_file("/nonexistent/vectors"), SEQ_OK);
}

static void damaged_gzip(void **state) {
    (void)state;
    size_t size;
    gzFile file = gzopen(temporary_path(&place, "whole.gz"), "wb");
    for (int i = 0; i < 5000; i++)
        gzprintf(file, "w%d %d %d %d\n", i, i, i * 7919 % 1000, i * 104729 % 1000);
    gzclose(file);
    assert_int_equal(read_file(place.path), SEQ_OK);
    char *bytes = read_bytes(place.path, &size);
    assert_int_equal(read_bytes_as("cut.gz", bytes, size - 100), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "gzip"));
    bytes[size / 2] ^= 0x55;
    assert_int_equal(read_bytes_as("damaged.gz", bytes, size), SEQ_BAD_INPUT);
    free(bytes);
}

// Whatever stands in the file: it is refused, or what was read is finite.
static void random_changes(void **state) {
    (void)state;
    const char *text = "3 3\nthe 1 2 3\nTHE 7.5 -8e2 9\n2009 1 1 1\n";
    for (uint32_t trial = 0; trial < 200; trial++) {
        char changed[64];
        uint32_t words[4];
        size_t size = strlen(text);
        memcpy(changed, text, size);
        seq_random_words((seq_random_key){7, 0}, trial, 0, 0, words);
        changed[words[0] % size] = words[1] % 3 ? "0 \n.-e\t9"[words[2] % 8] : (char)words[2];
        changed[words[3] % size] = "0 \n.-e\t9"[words[3] >> 8 & 7];
        if (read_bytes_as("changed.txt", changed, size)) continue;
        for (int i = 0; i < WORDS * WIDTH; i++)
            assert_true(isfinite(table[i]));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_then_lowered), cmocka_unit_test(forms),
        cmocka_unit_test(long_words),         cmocka_unit_test(refused),
        cmocka_unit_test(damaged_gzip),       cmocka_unit_test(random_changes),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
