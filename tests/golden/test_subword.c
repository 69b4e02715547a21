// Subwords against generate_subword.py, and against subword-nmt where SEQ_REFERENCES names its
// files; version 0.1; glossaries; what may be taken for a mark or for <unk>; words of any length;
// damaged files. Checks src/data/subword*.c, vocabulary_file.c and encode.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/data/subword.h>
#include <seqtrain/data/vocabulary_builder.h>
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

// ---- Units as text.

typedef struct text {
    char *bytes;
    size_t size, capacity;
} text;

static void add(text *out, const char *bytes, size_t size) {
    if (out->size + size + 1 > out->capacity) {
        out->capacity = 2 * (out->size + size + 1);
        out->bytes = realloc(out->bytes, out->capacity);
        assert_non_null(out->bytes);
    }
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
    out->bytes[out->size] = '\0';
}

static seq_status take(void *context, const char *unit, size_t size, size_t count,
                       seq_error *error) {
    text *out = context;
    (void)error;
    assert_int_equal(count, 1);
    if (out->size && out->bytes[out->size - 1] != '\n') add(out, " ", 1);
    add(out, unit, size);
    return SEQ_OK;
}

// Each line's words, separated by blanks, as units.
static text cut(const seq_subword *subword, const seq_string_table *kept, int64_t least,
                const char *lines) {
    text out = {0};
    seq_subword_cutter *cutter;
    seq_error error = {0};
    add(&out, "", 0);
    assert_int_equal(seq_subword_cutter_create(subword, kept, least, take, &out, &cutter, &error),
                     SEQ_OK);
    for (const char *at = lines; *at;) {
        size_t word = strcspn(at, " \n");
        assert_int_equal(seq_subword_take(cutter, at, word, 1, &error), SEQ_OK);
        at += word;
        if (*at == '\n') add(&out, "\n", 1);
        at += *at != '\0';
    }
    seq_subword_cutter_destroy(cutter);
    return out;
}

static void count_words(const char *lines, seq_string_table *out) {
    seq_error error = {0};
    size_t number;
    for (const char *at = lines; *at; at += strspn(at, " \n")) {
        size_t word = strcspn(at, " \n");
        assert_int_equal(seq_string_table_add(out, at, word, &number, &error), SEQ_OK);
        out->items[number].count++;
        at += word;
    }
}

static seq_subword *learn(const char *lines, int64_t merges, const char *glossaries) {
    const seq_subword_learning learning = {.merges = merges, .least = 2, .glossaries = glossaries};
    seq_string_table words = {0};
    seq_subword *subword = NULL;
    seq_error error = {0};
    count_words(lines, &words);
    assert_int_equal(seq_subword_learn(&learning, &words, &subword, &error), SEQ_OK);
    seq_string_table_clear(&words);
    return subword;
}

static seq_status read_text(const char *bytes, size_t size, const char *glossaries,
                            seq_subword **out, seq_error *error) {
    *error = (seq_error){0};
    *out = NULL;
    write_bytes(temporary_path(&place, "merges.txt"), bytes, size);
    return seq_subword_read(place.path, glossaries, SEQ_BAD_INPUT, out, error);
}

static seq_subword *merges(const char *bytes, const char *glossaries) {
    seq_subword *subword;
    seq_error error;
    assert_int_equal(read_text(bytes, strlen(bytes), glossaries, &subword, &error), SEQ_OK);
    return subword;
}

static void cuts_to(const seq_subword *subword, const char *words, const char *expected) {
    text out = cut(subword, NULL, 0, words);
    assert_string_equal(out.bytes, expected);
    free(out.bytes);
}

static void same_file(const char *path, const char *expected) {
    size_t size, expected_size;
    char *bytes = read_bytes(path, &size), *others = read_bytes(expected, &expected_size);
    assert_int_equal(size, expected_size);
    assert_memory_equal(bytes, others, size);
    free(bytes);
    free(others);
}

// ---- Against others.

static void check_against(const char *folder, const char *corpus, int64_t count,
                          const char *learned, const char *applied) {
    char path[4096];
    size_t size;
    seq_error error = {0};
    snprintf(path, sizeof path, "%s/%s", folder, corpus);
    char *lines = read_bytes(path, &size);
    seq_subword *subword = learn(lines, count, NULL), *again;
    assert_int_equal(seq_subword_merges(subword), count);
    assert_int_equal(seq_subword_write(subword, temporary_path(&place, "merges.txt"), &error),
                     SEQ_OK);
    snprintf(path, sizeof path, "%s/%s", folder, learned);
    same_file(place.path, path);
    seq_subword_destroy(subword);
    assert_int_equal(seq_subword_read(path, NULL, SEQ_BAD_INPUT, &again, &error), SEQ_OK);
    text out = cut(again, NULL, 0, lines);
    snprintf(path, sizeof path, "%s/%s", folder, applied);
    char *expected = read_bytes(path, &size);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.bytes, expected, size);
    out.size = seq_subword_join(out.bytes, out.size);
    assert_int_equal(out.size, strlen(lines));
    assert_memory_equal(out.bytes, lines, out.size);
    seq_subword_destroy(again);
    free(out.bytes);
    free(expected);
    free(lines);
}

static void golden(void **state) {
    (void)state;
    check_against(GOLDEN_DIRECTORY "/subword", "corpus.txt", 150, "merges.txt", "whole.txt");
}

static void reference(void **state) {
    (void)state;
    char folder[4096], path[4200];
    const char *references = getenv("SEQ_REFERENCES");
    snprintf(folder, sizeof folder, "%s/bpe", references ? references : "");
    snprintf(path, sizeof path, "%s/bpe.ref", folder);
    FILE *in = references ? fopen(path, "re") : NULL;
    if (!in) {
        print_message("not tested: SEQ_REFERENCES names no folder that has bpe/bpe.ref\n");
        skip();
    }
    fclose(in);
    check_against(folder, "corpus.en", 1000, "bpe.ref", "corpus.bpe.ref.en");
}

static void threshold(void **state) {
    (void)state;
    size_t size;
    seq_error error = {0};
    char *lines = read_bytes(GOLDEN_DIRECTORY "/subword/corpus.txt", &size),
         *expected = read_bytes(GOLDEN_DIRECTORY "/subword/threshold.txt", &size);
    seq_subword *subword = learn(lines, 150, NULL);
    seq_string_table words = {0}, units = {0};
    seq_subword_map map;
    text out = {0};
    int64_t counted = 0, mapped = 0;
    count_words(lines, &words);
    assert_int_equal(seq_subword_map_words(subword, &words, 12, NULL, &units, &map, &error),
                     SEQ_OK);
    add(&out, "", 0);
    for (const char *at = lines; *at;) {
        size_t word = strcspn(at, " \n"), number = seq_string_table_find(&words, at, word);
        for (size_t k = number ? map.ends[number - 1] : 0; k < map.ends[number]; k++, mapped++)
            take(&out, seq_string_table_text(&units, map.units[k]), units.items[map.units[k]].size,
                 1, &error);
        at += word;
        if (*at == '\n') add(&out, "\n", 1);
        at += *at != '\0';
    }
    assert_string_equal(out.bytes, expected);
    for (size_t i = 0; i < units.count; i++)
        counted += units.items[i].count;
    assert_int_equal(counted, mapped);
    // What was kept cuts the words as they were cut.
    text again = cut(subword, &units, 0, lines);
    assert_string_equal(again.bytes, expected);
    seq_subword_map_clear(&map);
    seq_string_table_clear(&words);
    seq_string_table_clear(&units);
    seq_subword_destroy(subword);
    free(again.bytes);
    free(out.bytes);
    free(lines);
    free(expected);
}

// ---- Words.

static void versions(void **state) {
    (void)state;
    seq_subword *subword = merges("#version: 0.2\nl o\nlo w</w>\ne r</w>\n", NULL);
    cuts_to(subword, "low lower lo l xyz", "low lo@@ w@@ er l@@ o l x@@ y@@ z");
    seq_subword_destroy(subword);
    subword = merges("l o\nlo w\nlow </w>\nr </w>\ne r</w>\r\n\n", NULL); // 0.1
    cuts_to(subword, "low lower lo", "low low@@ er lo");
    seq_error error = {0};
    assert_int_equal(seq_subword_write(subword, temporary_path(&place, "again.txt"), &error),
                     SEQ_OK);
    seq_subword_destroy(subword);
    size_t size;
    char *bytes = read_bytes(place.path, &size);
    assert_string_equal(bytes, "#version: 0.1\nl o\nlo w\nlow </w>\nr </w>\ne r</w>\n");
    free(bytes);
    // Of equal merges the first counts, and a merge is made from left to right.
    subword = merges("#version: 0.2\na a\nb a\na a\n", NULL);
    cuts_to(subword, "aaaaax baax", "aa@@ aa@@ a@@ x b@@ aa@@ x");
    seq_subword_destroy(subword);
}

static void glossaries(void **state) {
    (void)state;
    const char *text = "#version: 0.2\nt h\nth e</w>\nU S\n1 9</w>\n";
    seq_subword *subword = merges(text, "USA;[0-9]+;^the$");
    cuts_to(subword, "theUSAx USA 1984USA12the the", "the@@ USA@@ x USA 1984@@ USA@@ 12@@ the the");
    seq_subword_destroy(subword);
    subword = merges(text, "."); // bytes of one character are not torn apart
    cuts_to(subword, "theß", "t@@ h@@ e@@ ß");
    seq_subword_destroy(subword);
    subword = merges(text, "x*");
    cuts_to(subword, "axxthe", "a@@ xx@@ the");
    seq_subword_destroy(subword);
    const char *const bad[] = {"(", "a{2}", "(a)\\1", "a;;b", ";", "a\tb"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        seq_error error;
        assert_int_equal(read_text(text, strlen(text), bad[i], &subword, &error), SEQ_BAD_USAGE);
        assert_non_null(strstr(error.text, "glossary"));
    }
}

// A last unit is never taken for one that goes on, nor for <unk>.
static void marks(void **state) {
    (void)state;
    const char *file = "#version: 0.2\n@ @</w>\na @@</w>\n< u\n<u n\n<un k\n<unk ></w>\n";
    const char *words = "a@@ @@ x<unk> <unk> <eos> @";
    seq_subword *subword = merges(file, NULL);
    cuts_to(subword, words, "a@@ @@@ @ @@@ @ x@@ <@@ u@@ n@@ k@@ > <unk> <eos> @");
    text out = cut(subword, NULL, 0, words);
    out.size = seq_subword_join(out.bytes, out.size);
    assert_int_equal(out.size, strlen(words));
    assert_memory_equal(out.bytes, words, out.size);
    free(out.bytes);
    seq_subword_destroy(subword);
    char joined[] = "lo@@ wer@@\nx@@ y@@";
    size_t size = seq_subword_join(joined, strlen(joined));
    assert_int_equal(size, strlen("lower\nxy"));
    assert_memory_equal(joined, "lower\nxy", size);
}

// A word of 64 KB, of letters that merge all the way up.
static void long_word(void **state) {
    (void)state;
    static char word[1 << 16];
    char file[1 << 12] = "#version: 0.2\n", part[512] = "a";
    for (int i = 0; i < 8; i++) {
        snprintf(file + strlen(file), sizeof file - strlen(file), "%s %s\n", part, part);
        memmove(part + strlen(part), part, strlen(part) + 1);
    }
    memset(word, 'a', sizeof word - 1);
    seq_subword *subword = merges(file, NULL);
    text out = cut(subword, NULL, 0, word);
    size_t units = 1;
    for (size_t i = 0; i < out.size; i++)
        units += out.bytes[i] == ' ';
    // 65534 letters and the last one: 255 of 256, then 254 as 128 64 32 16 8 4 2, and "a".
    assert_int_equal(units, 255 + 7 + 1);
    free(out.bytes);
    seq_subword_destroy(subword);
}

// ---- Vocabularies.

static void append(seq_vocabulary *vocabulary, const char *text, int64_t count) {
    seq_error error = {0};
    assert_int_equal(seq_vocabulary_append(vocabulary, text, strlen(text), count, &error), SEQ_OK);
}

static void vocabularies(void **state) {
    (void)state;
    const seq_text_rules rules = {.unit = SEQ_UNIT_SUBWORD, .eos = SEQ_EOS_LINE};
    static const char *const texts[] = {"<unk>", "<eos>", "lo@@", "low", "w@@", "er", "e@@", "r"};
    seq_error error = {0};
    seq_vocabulary *vocabulary, *again;
    seq_subword *subword = merges("#version: 0.2\nl o\nlo w</w>\ne r</w>\nn e\nne w\n", "[0-9]+");
    assert_int_equal(seq_vocabulary_create(&rules, &vocabulary, &error), SEQ_OK);
    seq_vocabulary_set_subword(vocabulary, subword);
    seq_subword_destroy(subword);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        append(vocabulary, texts[i], 3);
    assert_int_equal(
        seq_vocabulary_write(vocabulary, temporary_path(&place, "vocabulary-words.tsv"), &error),
        SEQ_OK);
    seq_vocabulary_destroy(vocabulary);
    assert_int_equal(seq_vocabulary_read(place.path, SEQ_NO_CHECKPOINT, &again, &error), SEQ_OK);
    assert_string_equal(seq_subword_glossaries(seq_vocabulary_subword(again)), "[0-9]+");
    assert_int_equal(seq_vocabulary_characters(again, 2), 2);
    assert_int_equal(seq_vocabulary_characters(again, 3), 4);

    // "newer": "new@@" is not kept, nor are its parts but w; 19 is a glossary that it has not.
    static const int32_t expected[] = {3, 2, 4, 5, 0, 6, 4, 5, 0, 1};
    int32_t *ids;
    size_t count;
    const char *line = "low lower newer 19";
    assert_int_equal(
        seq_vocabulary_encode(again, line, strlen(line), true, "line", &ids, &count, &error),
        SEQ_OK);
    assert_int_equal(count, sizeof expected / sizeof *expected);
    assert_memory_equal(ids, expected, sizeof expected);
    char out[SEQ_DECODED];
    size_t size = 0;
    seq_detokenizer decoder = {0};
    for (size_t i = 0; i < count; i++)
        size += seq_detokenize(&decoder, again, ids[i], out + size, SEQ_DECODED - 64);
    size += seq_detokenize(&decoder, again, 2, out + size, SEQ_DECODED - 64); // ends inside a word
    const char text[] = "low lower <unk> ewer <unk>\nlo";
    assert_int_equal(size, strlen(text));
    assert_memory_equal(out, text, size);
    free(ids);
    seq_vocabulary_destroy(again);

    // Other merges, or none.
    write_bytes(temporary_path(&place, "merges-words.txt"), "#version: 0.2\nl o\n", 18);
    temporary_path(&place, "vocabulary-words.tsv");
    assert_int_equal(seq_vocabulary_read(place.path, SEQ_NO_CHECKPOINT, &again, &error),
                     SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "have"));
    remove(temporary_path(&place, "merges-words.txt"));
    temporary_path(&place, "vocabulary-words.tsv");
    error = (seq_error){0};
    assert_int_equal(seq_vocabulary_read(place.path, SEQ_NO_CHECKPOINT, &again, &error),
                     SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "merges-words.txt"));
}

// ---- Files.

static void damaged(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"#version: 0.2\n", "holds no merges"},
        {"", "holds no merges"},
        {"#version: 0.3\na b\n", "line 1: its version"},
        {"#version: 0.2\na b\nab\n", "line 3: expected two symbols"},
        {"#version: 0.2\na b c\n", "line 2: expected two symbols"},
        {"#version: 0.2\na  b\n", "line 2: expected two symbols"},
        {"#version: 0.2\na b\n\nc d\n", "line 3: expected two symbols"},
        {"#version: 0.2\na\tb\n", "line 2: expected two symbols"},
        {"#version: 0.2\na \xff\n", "not UTF-8"},
        {"\x0A\x0E\x0A\x05<unk>\x15 more of it", "a model of SentencePiece"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seq_subword *subword;
        seq_error error;
        assert_int_equal(read_text(cases[i].text, strlen(cases[i].text), NULL, &subword, &error),
                         SEQ_BAD_INPUT);
        if (!strstr(error.text, cases[i].why)) fail_msg("%zu: %s", i, error.text);
    }
    seq_subword *subword;
    seq_error error;
    assert_int_equal(read_text("a b\n\0 c\n", 8, NULL, &subword, &error), SEQ_BAD_INPUT);
    // Nothing to learn from, and words of counts that are 0.
    const seq_subword_learning learning = {.merges = 9, .least = 2};
    seq_string_table words = {0};
    size_t number;
    error = (seq_error){0};
    assert_int_equal(seq_string_table_add(&words, "abab", 4, &number, &error), SEQ_OK);
    assert_int_equal(seq_subword_learn(&learning, &words, &subword, &error), SEQ_BAD_INPUT);
    seq_string_table_clear(&words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(golden, begin, end),
        cmocka_unit_test_setup_teardown(reference, begin, end),
        cmocka_unit_test(threshold),
        cmocka_unit_test_setup_teardown(versions, begin, end),
        cmocka_unit_test_setup_teardown(glossaries, begin, end),
        cmocka_unit_test_setup_teardown(marks, begin, end),
        cmocka_unit_test_setup_teardown(long_word, begin, end),
        cmocka_unit_test_setup_teardown(vocabularies, begin, end),
        cmocka_unit_test_setup_teardown(damaged, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
