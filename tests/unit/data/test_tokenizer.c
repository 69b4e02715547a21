// Text -> units: a table of cases, each fed whole, byte by byte and in two
// pieces cut anywhere; UTF-8 by table 3-7 of the Unicode standard; random
// bytes. Checks src/data/tokenizer.c and tokenizer_units.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct joined {
    char text[1 << 16];
    size_t size;
} joined;

static seq_status join(void *context, const char *text, size_t size, size_t count,
                       seq_error *error) {
    joined *out = context;
    (void)error;
    for (size_t i = 0; i < count; i++, text += size) {
        assert_true(out->size + size + 1 < sizeof out->text);
        memcpy(out->text + out->size, text, size);
        out->size += size;
        out->text[out->size++] = '|';
    }
    return SEQ_OK;
}

// Units joined by '|'; `cuts` holds the piece sizes' pattern: pieces of `first` bytes, then of
// `rest`.
static seq_status tokenize(const seq_text_rules *rules, const char *text, size_t size, size_t first,
                           size_t rest, joined *out, seq_error *error) {
    seq_tokenizer *tokenizer = NULL;
    *error = (seq_error){0};
    out->size = 0;
    assert_int_equal(seq_tokenizer_create(rules, join, out, &tokenizer, error), SEQ_OK);
    seq_tokenizer_begin(tokenizer, (seq_text_place){.name = "case.txt", .line = 1});
    seq_status status = SEQ_OK;
    for (size_t at = 0, piece = first; !status && at < size; at += piece, piece = rest) {
        if (piece > size - at) piece = size - at;
        status = seq_tokenizer_feed(tokenizer, text + at, piece, error);
    }
    if (!status) status = seq_tokenizer_end(tokenizer, error);
    seq_tokenizer_destroy(tokenizer);
    out->text[out->size] = '\0';
    return status;
}

#define BYTES                                                                                      \
    { .unit = SEQ_UNIT_BYTE }
#define CHARS                                                                                      \
    { .unit = SEQ_UNIT_CHAR }
#define WORDS                                                                                      \
    { .unit = SEQ_UNIT_WORD, .eos = SEQ_EOS_LINE }
static const struct {
    seq_text_rules rules;
    const char *text, *units;
} cases[] = {
    {BYTES, "a\r\n\xFF", "a|\r|\n|\xFF|"},
    {{.unit = SEQ_UNIT_BYTE, .eos = SEQ_EOS_DOCUMENT}, "ab", "a|b|<eos>|"},
    {CHARS, "a\xC3\xA9\xF0\x9F\x98\x80", "a|\xC3\xA9|\xF0\x9F\x98\x80|"},
    {CHARS, "\xEF\xBB\xBFx", "x|"},
    {CHARS, "x\xEF\xBB\xBF", "x|\xEF\xBB\xBF|"},
    {CHARS, "a\r\nb\rc\r\r\n", "a|\n|b|\n|c|\n|\n|"},
    {CHARS, "a\xC2\x85\v\f\xE2\x80\xA8\xE2\x80\xA9", "a|\n|\v|\f|\xE2\x80\xA8|\xE2\x80\xA9|"},
    {{.unit = SEQ_UNIT_CHAR, .keeps_carriage = true},
     "a\r\nb\rc\r\r\n\xC2\x85",
     "a|\n|b|\r|c|\r|\n|\xC2\x85|"},
    {{.unit = SEQ_UNIT_CHAR, .eos = SEQ_EOS_LINE, .nfc = true},
     "e\r\xCC\x81",
     "e|<eos>|\xCC\x81|<eos>|"},
    {{.unit = SEQ_UNIT_BYTE, .eos = SEQ_EOS_LINE}, "a\r\nb\r", "a|\r|<eos>|b|\r|<eos>|"},
    {WORDS,
     "a\rb\r\nc\xC2\x85"
     "d\r\re",
     "a|<eos>|b|<eos>|c|<eos>|d|<eos>|<eos>|e|<eos>|"},
    {WORDS,
     "a\vb\fc\xE2\x80\xA8"
     "d\xE2\x80\xA9"
     "e\r",
     "a|b|c|d|e|<eos>|"},
    {WORDS,
     "\xEF\xBB\xBF"
     "a\r",
     "a|<eos>|"},
    {{.unit = SEQ_UNIT_CHAR, .eos = SEQ_EOS_LINE}, "a\nb", "a|<eos>|b|<eos>|"},
    {{.unit = SEQ_UNIT_CHAR, .eos = SEQ_EOS_LINE}, "a\nb\n", "a|<eos>|b|<eos>|"},
    {{.unit = SEQ_UNIT_CHAR, .nfc = true},
     "e\xCC\x81"
     "a",
     "\xC3\xA9|a|"},
    {{.unit = SEQ_UNIT_CHAR, .nfc = true}, "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8", "\xEA\xB0\x81|"},
    {{.unit = SEQ_UNIT_CHAR, .lower = true}, "A\xC3\x89\xD0\x96", "a|\xC3\xA9|\xD0\xB6|"},
    {WORDS, "  the  cat, sat\n\nhere", "the|cat,|sat|<eos>|<eos>|here|<eos>|"},
    {WORDS,
     "a\xC2\xA0"
     "b\xE3\x80\x80"
     "c\td\n",
     "a|b|c|d|<eos>|"},
    {{.unit = SEQ_UNIT_WORD}, "a b\nc", "a|b|c|"},
    {{.unit = SEQ_UNIT_WORD, .eos = SEQ_EOS_DOCUMENT}, "a b\nc\n", "a|b|c|<eos>|"},
    {{.unit = SEQ_UNIT_WORD, .punctuation = SEQ_PUNCTUATION_SPLIT},
     "Stop, \"he\" said\xE2\x80\xA6",
     "Stop|,|\"|he|\"|said|\xE2\x80\xA6|"},
    {{.unit = SEQ_UNIT_WORD, .punctuation = SEQ_PUNCTUATION_DROP}, "don't, 3.5 -- x", "dont|35|x|"},
    {{.unit = SEQ_UNIT_WORD, .lower = true, .nfc = true},
     "E\xCC\x81T\xC3\x89",
     "\xC3\xA9t\xC3\xA9|"},
    {WORDS, "<unk> the <eos>\n", "<unk>|the|<eos>|<eos>|"},
    {WORDS, "", ""},
    {{.unit = SEQ_UNIT_CHAR, .invalid = SEQ_INVALID_REPLACE},
     "a\xFF"
     "b\xE2\x82",
     "a|\xEF\xBF\xBD|b|\xEF\xBF\xBD|"},
};

static void cases_in_all_pieces(void **state) {
    (void)state;
    static joined found;
    seq_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].text);
        for (size_t first = 0; first <= size; first++) { // 0: byte by byte
            assert_int_equal(tokenize(&cases[i].rules, cases[i].text, size, first ? first : 1,
                                      first ? size : 1, &found, &error),
                             SEQ_OK);
            assert_string_equal(found.text, cases[i].units);
        }
    }
}

// Unicode 15, table 3-7: well-formed sequences end where it says, everything else is refused at its
// byte.
static void utf8_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        long offset; // of the byte that the message names; -1: valid
    } table[] = {
        {"ab\x80", 2},
        {"a\xC0\x80", 1},
        {"\xC1\xBF", 0},
        {"\xC2", 0},
        {"a\xC2"
         "b",
         1},
        {"\xE0\x80\x80", 0},
        {"\xE0\x9F\xBF", 0},
        {"\xE0\xA0\x80", -1},
        {"\xED\x9F\xBF", -1},
        {"\xED\xA0\x80", 0},
        {"\xED\xBF\xBF", 0},
        {"\xEE\x80\x80", -1},
        {"\xEF\xBF\xBF", -1},
        {"\xF0\x80\x80\x80", 0},
        {"\xF0\x8F\xBF\xBF", 0},
        {"\xF0\x90\x80\x80", -1},
        {"\xF4\x8F\xBF\xBF", -1},
        {"\xF4\x90\x80\x80", 0},
        {"\xF5\x80\x80\x80", 0},
        {"\xFE", 0},
        {"\xFF", 0},
        {"x\xE2\x82", 1},
        {"\xF0\x9F\x98", 0},
    };
    static joined found;
    const seq_text_rules rules = CHARS;
    seq_error error;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (size_t first = 1; first <= 4; first++) {
            char expected[64];
            seq_status status =
                tokenize(&rules, table[i].text, strlen(table[i].text), first, 1, &found, &error);
            assert_int_equal(status, table[i].offset < 0 ? SEQ_OK : SEQ_BAD_INPUT);
            snprintf(expected, sizeof expected, "byte offset %ld", table[i].offset);
            if (status && !strstr(error.text, expected))
                fail_msg("case %zu: '%s' does not say '%s'", i, error.text, expected);
        }
    const char *text = "one\ntwo\nth\xFFree";
    assert_int_equal(tokenize(&rules, text, strlen(text), 5, 5, &found, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "case.txt"));
    assert_non_null(strstr(error.text, "line 3"));
    assert_non_null(strstr(error.text, "byte offset 10"));
}

// NUL is a symbol for bytes, and nothing that a text has.
static void nul_is_no_text(void **state) {
    (void)state;
    static joined found;
    static const char text[] = "one\r\ntwo\rth\0ree";
    const size_t size = sizeof text - 1;
    seq_error error;
    for (size_t first = 1; first <= size; first++)
        for (seq_unit unit = SEQ_UNIT_BYTE; unit <= SEQ_UNIT_WORD; unit++) {
            seq_text_rules rules = {.unit = unit};
            seq_status status = tokenize(&rules, text, size, first, 3, &found, &error);
            assert_int_equal(status, unit == SEQ_UNIT_BYTE ? SEQ_OK : SEQ_BAD_INPUT);
            if (status) assert_non_null(strstr(error.text, "line 3, byte offset 11: byte 0x00"));
            if (!status) assert_int_equal(found.size, 2 * size);
            if (!status) assert_memory_equal(found.text + 22, "\0|", 2);
            rules.invalid = SEQ_INVALID_REPLACE;
            assert_int_equal(tokenize(&rules, text, size, first, 3, &found, &error), SEQ_OK);
            if (unit == SEQ_UNIT_WORD)
                assert_string_equal(found.text, "one|two|th\xEF\xBF\xBDree|");
        }
}

static seq_status tally(void *context, const char *text, size_t size, size_t count,
                        seq_error *error) {
    size_t *units = context;
    (void)error;
    if (size == 5 && memcmp(text, "<unk>", 5) == 0) units[1] += count;
    units[0] += count;
    return size > 1 << 16 ? SEQ_BAD_INPUT : SEQ_OK;
}

// A word of 64 KB is one, a longer one is refused, becomes <unk> or nothing, and is counted,
// however the text is cut.
static void long_words(void **state) {
    (void)state;
    enum { LIMIT = 1 << 16, MORE = 3 * LIMIT };
    static char text[MORE + 20];
    for (size_t length = LIMIT - 1; length <= LIMIT + 2; length++)
        for (int i = 0; i < 12; i++) {
            seq_text_rules rules = {.unit = SEQ_UNIT_WORD,
                                    .lower = i & 1,
                                    .nfc = i & 2,
                                    .long_words = (seq_long_words)(i / 4)};
            size_t pieces[] = {MORE, 1000, LIMIT / 2 + 1}, units[2] = {0, 0},
                   size = length == LIMIT + 2 ? MORE : length; // the last one much longer
            bool passes = size <= LIMIT || rules.long_words != SEQ_LONG_ERROR;
            seq_tokenizer *tokenizer = NULL;
            seq_error error = {0};
            seq_status status = seq_tokenizer_create(&rules, tally, units, &tokenizer, &error);
            memset(text, 'x', sizeof text);
            memcpy(text + size, " two three", 10);
            size += 10;
            for (size_t at = 0, piece; !status && at < size; at += piece) {
                piece = pieces[length % 3] < size - at ? pieces[length % 3] : size - at;
                status = seq_tokenizer_feed(tokenizer, text + at, piece, &error);
            }
            if (!status) status = seq_tokenizer_end(tokenizer, &error);
            assert_int_equal(status, passes ? SEQ_OK : SEQ_BAD_INPUT);
            bool longer = size > LIMIT + 10;
            if (passes) {
                assert_int_equal(seq_tokenizer_counts(tokenizer)->long_words, longer);
                assert_int_equal(units[0], 3 - (longer && rules.long_words == SEQ_LONG_DROP));
                assert_int_equal(units[1], longer && rules.long_words == SEQ_LONG_UNK);
            } else {
                assert_non_null(strstr(error.text, "--long-words"));
            }
            seq_tokenizer_destroy(tokenizer);
        }
}

// What the counts say of the ends of lines and of BOMs.
static void line_ends_are_counted(void **state) {
    (void)state;
    static const char text[] = "\xEF\xBB\xBF"
                               "a\nb\r\nc\rd\xC2\x85"
                               "e\r\n\xEF\xBB\xBF"
                               "f\n\xEF\xBB\xBF\xEF\xBB\xBF\r";
    joined *found = calloc(1, sizeof *found);
    seq_tokenizer *tokenizer = NULL;
    seq_error error = {0};
    const seq_text_rules rules = WORDS;
    assert_int_equal(seq_tokenizer_create(&rules, join, found, &tokenizer, &error), SEQ_OK);
    assert_int_equal(seq_tokenizer_feed(tokenizer, text, sizeof text - 1, &error), SEQ_OK);
    assert_int_equal(seq_tokenizer_end(tokenizer, &error), SEQ_OK);
    const seq_text_counts *counts = seq_tokenizer_counts(tokenizer);
    assert_int_equal(counts->line_feeds, 4);
    assert_int_equal(counts->crlf, 2);
    assert_int_equal(counts->carriages, 2);
    assert_int_equal(counts->next_lines, 1);
    assert_int_equal(counts->marks, 2);
    assert_int_equal(counts->replaced, 0);
    assert_int_equal(seq_count_lines(text, sizeof text - 1), 6); // NEL is no line of an editor's
    seq_tokenizer_destroy(tokenizer);
    free(found);
}

// Any bytes at all, replaced where invalid, give the same units however they are cut, and valid
// UTF-8 in all of them.
static void random_bytes(void **state) {
    (void)state;
    static joined whole, pieces, again;
    static const unsigned char likely[] = {'a',  'B',  ' ',  '\n', '\r', '.',  0xC3,
                                           0xA9, 0xCC, 0x81, 0xE2, 0x80, 0xA6, 0xEF,
                                           0xBB, 0xBF, 0xF0, 0x9F, 0x98, 0xFF};
    for (uint32_t round = 0; round < 3000; round++) {
        uint32_t words[4];
        char text[64];
        seq_error error;
        for (uint32_t i = 0; i < sizeof text; i++) {
            seq_random_words((seq_random_key){9, SEQ_RANDOM_TEST}, round, i, 0, words);
            text[i] = (char)(words[0] % 4 ? likely[words[1] % sizeof likely] : words[1] & 255);
        }
        seq_random_words((seq_random_key){9, SEQ_RANDOM_TEST}, round, 99, 0, words);
        seq_text_rules rules = {.unit = words[0] % 2 ? SEQ_UNIT_CHAR : SEQ_UNIT_WORD,
                                .punctuation = (seq_punctuation)(words[0] / 2 % 3),
                                .lower = words[1] & 1,
                                .nfc = words[1] & 2,
                                .eos = (seq_eos)(words[2] % 3),
                                .invalid = SEQ_INVALID_REPLACE};
        size_t size = words[3] % sizeof text;
        assert_int_equal(tokenize(&rules, text, size, sizeof text, sizeof text, &whole, &error),
                         SEQ_OK);
        assert_int_equal(
            tokenize(&rules, text, size, 1 + words[1] % 7, 1 + words[2] % 3, &pieces, &error),
            SEQ_OK);
        assert_int_equal(whole.size, pieces.size);
        assert_memory_equal(whole.text, pieces.text, whole.size);
        const seq_text_rules strict = CHARS;
        assert_int_equal(tokenize(&strict, whole.text, whole.size, 64, 64, &again, &error), SEQ_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_in_all_pieces),   cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(nul_is_no_text),        cmocka_unit_test(long_words),
        cmocka_unit_test(line_ends_are_counted), cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
