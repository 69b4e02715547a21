// Blocks and threads of seqprep leave no trace. Whatever lies at the border of
// a block, the data set has the units that a tokenizer finds in the whole text.
// Errors name the same place. Checks src/prep/text_blocks.c, ordered_pipeline.c, interner.c
// and id_spool.c with 1 to 3 threads.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "temporary.h"
#include "text_blocks.h"
#include <seqtrain/base/log.h>
#include <seqtrain/base/random.h>
#include <seqtrain/prep/prepare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 5 * SEQ_TEXT_BLOCK / 2, THREADS = 3 };
static temporary place;
static char text[LARGE];

// Units' texts, each followed by 0xFE, which no text has.
typedef struct units {
    char *bytes;
    size_t size, capacity;
} units;

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static seq_status add(void *context, const char *from, size_t size, size_t count,
                      seq_error *error) {
    units *out = context;
    (void)error;
    if (out->size + count * (size + 1) > out->capacity) {
        out->capacity = 2 * (out->capacity + count * (size + 1));
        out->bytes = realloc(out->bytes, out->capacity);
        assert_non_null(out->bytes);
    }
    for (size_t i = 0; i < count; i++, from += size) {
        memcpy(out->bytes + out->size, from, size);
        out->size += size;
        out->bytes[out->size++] = '\xFE';
    }
    return SEQ_OK;
}

static units cut_whole(const seq_text_rules *rules, size_t size) {
    units found = {0};
    seq_tokenizer *tokenizer = NULL;
    seq_error error = {0};
    assert_int_equal(seq_tokenizer_create(rules, add, &found, &tokenizer, &error), SEQ_OK);
    assert_int_equal(seq_tokenizer_feed(tokenizer, text, size, &error), SEQ_OK);
    assert_int_equal(seq_tokenizer_end(tokenizer, &error), SEQ_OK);
    seq_tokenizer_destroy(tokenizer);
    return found;
}

static seq_status prepare(const seq_text_rules *rules, size_t size, int threads, const char *output,
                          seq_error *error) {
    static char input[200];
    const char *inputs[] = {input};
    snprintf(input, sizeof input, "%s", temporary_path(&place, "border.txt"));
    write_bytes(input, text, size);
    const seq_prepare plan = {.rules = *rules,
                              .output = output,
                              .force = true,
                              .inputs = inputs,
                              .input_count = 1,
                              .min_count = 1,
                              .shard_tokens = 100000,
                              .threads = threads,
                              .pipeline = {SEQ_COMPRESS_ZSTD, 1}};
    *error = (seq_error){0};
    return seq_prepare_run(&plan, error);
}

static units read_all(const char *path) {
    units found = {0};
    seq_dataset *dataset = NULL;
    seq_error error = {0};
    assert_int_equal(seq_dataset_open(path, &dataset, &error), SEQ_OK);
    size_t count = (size_t)seq_dataset_tokens(dataset, SEQ_TRAIN);
    int32_t *ids = malloc(count * sizeof *ids);
    assert_non_null(ids);
    assert_int_equal(seq_dataset_read(dataset, SEQ_TRAIN, 0, count, ids, &error), SEQ_OK);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *one = seq_vocabulary_text(seq_dataset_vocabulary(dataset), ids[i], &size);
        add(&found, one, size, 1, &error);
    }
    free(ids);
    seq_dataset_close(dataset);
    return found;
}

static void check(const seq_text_rules *rules, size_t size) {
    char output[220];
    units expected = cut_whole(rules, size);
    for (int threads = 1; threads <= THREADS; threads++) {
        seq_error error;
        snprintf(output, sizeof output, "%s", temporary_path(&place, "border.data"));
        if (prepare(rules, size, threads, output, &error)) fail_msg("%s", error.text);
        units found = read_all(output);
        assert_int_equal(found.size, expected.size);
        assert_memory_equal(found.bytes, expected.bytes, found.size);
        free(found.bytes);
    }
    free(expected.bytes);
}

// Fills `text` with pieces drawn from a list; returns its size.
static size_t draw(const char *const *pieces, uint32_t count, uint32_t seed) {
    size_t size = 0;
    uint32_t words[4];
    for (uint32_t i = 0;; i++) {
        seq_random_words((seq_random_key){seed, SEQ_RANDOM_TEST}, 0, i, 0, words);
        const char *piece = pieces[words[0] % count];
        if (size + strlen(piece) > LARGE) return size;
        memcpy(text + size, piece, strlen(piece));
        size += strlen(piece);
    }
}

static const seq_text_rules all_rules[] = {
    {.unit = SEQ_UNIT_BYTE, .eos = SEQ_EOS_LINE},
    {.unit = SEQ_UNIT_CHAR, .invalid = SEQ_INVALID_REPLACE},
    {.unit = SEQ_UNIT_CHAR,
     .nfc = true,
     .lower = true,
     .eos = SEQ_EOS_LINE,
     .invalid = SEQ_INVALID_REPLACE},
    {.unit = SEQ_UNIT_WORD, .eos = SEQ_EOS_LINE, .invalid = SEQ_INVALID_REPLACE},
    {.unit = SEQ_UNIT_WORD,
     .nfc = true,
     .lower = true,
     .punctuation = SEQ_PUNCTUATION_SPLIT,
     .eos = SEQ_EOS_DOCUMENT,
     .invalid = SEQ_INVALID_REPLACE},
};
enum { RULES = sizeof all_rules / sizeof *all_rules };

// So dense that every border has something of it: characters of 2 to 4 bytes and broken ones, CRLF,
// BOM, words, combining marks.
static void dense_borders(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "\xC3\xA9",     "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\r\n",     "\r",       "\n", " ",
        "\xEF\xBB\xBF", "Word",         "e\xCC\x81",        "\xE2\x82", "\xC2\xA0", "x,", "\xFF",
        "it's "};
    size_t size = draw(pieces, sizeof pieces / sizeof *pieces, 1);
    for (size_t i = 0; i < RULES; i++)
        check(&all_rules[i], size);
}

// Nowhere to cut: neither ASCII nor, for words, its blanks. Hangul that composes across any border.
static void seamless_text(void **state) {
    (void)state;
    static const char *const pieces[] = {"\xE1\x84\x80", "\xE1\x85\xA1", "\xE1\x86\xA8",
                                         "\xE3\x80\x80", "\xC3\xA9",     "\xCC\x81"};
    size_t size = draw(pieces, sizeof pieces / sizeof *pieces, 2);
    for (size_t i = 1; i < RULES; i++)
        check(&all_rules[i], size);
}

// Whether a document ends in <eos> is known from a block long before its last one.
static void ends_far_behind(void **state) {
    (void)state;
    const size_t begins[] = {0, 4};
    for (size_t i = 0; i < RULES; i++)
        for (size_t k = 0; all_rules[i].unit == SEQ_UNIT_WORD && k < 2; k++) {
            memset(text, ' ', LARGE);
            memcpy(text, "word", begins[k]);
            memcpy(text + 10, "word\nword", 9);
            check(&all_rules[i], LARGE);
        }
}

// Long runs of one byte with a specimen that begins at each of the places around a border.
static void exact_borders(void **state) {
    (void)state;
    static const char *const specimens[] = {"\xF0\x9F\x98\x80", "\r\n", "\xEF\xBB\xBF", " word ",
                                            "\xE2\x82 "};
    for (size_t i = 0; i < sizeof specimens / sizeof *specimens; i++)
        for (size_t back = 0; back <= strlen(specimens[i]); back++) {
            memset(text, 'a', LARGE);
            for (size_t at = 1000; at < LARGE; at += 1000)
                text[at] = ' ';
            memcpy(text + SEQ_TEXT_BLOCK - back, specimens[i], strlen(specimens[i]));
            check(&all_rules[1 + 2 * (back % 2)], LARGE);
        }
}

// Expects "line LINE, byte offset OFFSET" for whatever number of threads.
static void check_refused(const seq_text_rules *rules, size_t offset) {
    char output[220], expected[80];
    snprintf(output, sizeof output, "%s", temporary_path(&place, "refused.data"));
    snprintf(expected, sizeof expected, "border.txt line %zu, byte offset %zu:", offset / 8 + 1,
             offset);
    for (int threads = 1; threads <= THREADS; threads++) {
        seq_error error;
        assert_int_equal(prepare(rules, LARGE, threads, output, &error), SEQ_BAD_INPUT);
        if (!strstr(error.text, expected)) fail_msg("'%s' does not say '%s'", error.text, expected);
    }
}

static void errors_at_borders(void **state) {
    (void)state;
    static const char *const broken[] = {"\xFF", "\xE2\x82", "\xF0\x9F\x98", "\x80"};
    const seq_text_rules rules[] = {{.unit = SEQ_UNIT_CHAR}, {.unit = SEQ_UNIT_WORD, .nfc = true}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        for (size_t shift = 0; shift < 6; shift++) {
            size_t at = 2 * SEQ_TEXT_BLOCK - 3 + shift;
            for (size_t k = 0; k < LARGE; k++)
                text[k] = k % 8 == 7 ? '\n' : k % 8 == 3 ? ' ' : 'a';
            text[LARGE - 9] = '\xFE';                     // a later one that must not win
            if (at % 8 + strlen(broken[i]) > 7) continue; // the line end stays
            memcpy(text + at, broken[i], strlen(broken[i]));
            check_refused(&rules[shift % 2], at);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_borders),     cmocka_unit_test(seamless_text),
        cmocka_unit_test(ends_far_behind),   cmocka_unit_test(exact_borders),
        cmocka_unit_test(errors_at_borders),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
