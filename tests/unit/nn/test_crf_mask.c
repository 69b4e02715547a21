// Which labels may follow each other under BIO and IOBES, adjacent entities
// included, and what the checks of such a table refuse. Checks
// src/nn/crf_mask.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/nn/crf.h>
#include <string.h>

enum { MOST = 8, LINE = MOST + 1 };

// A line of the table as text: '1' where a label, and last the end, may follow.
static void expect_line(const unsigned char *allowed, int count, int from, const char *expected) {
    char found[LINE + 1] = {0};
    for (int to = 0; to <= count; to++)
        found[to] = (char)('0' + allowed[from * (count + 1) + to]);
    assert_string_equal(found, expected);
}

static void bio(void **state) {
    (void)state;
    static const char *const labels[] = {"O", "B-per", "I-per", "B-loc", "I-loc"};
    static const char *const lines[] = {"110101", "111101", "111101", "110111", "110111", "110101"};
    unsigned char allowed[LINE * LINE];
    seq_error error = {0};
    assert_int_equal(seq_crf_allow(SEQ_TAGS_BIO, labels, 5, allowed, &error), SEQ_OK);
    for (int from = 0; from <= 5; from++)
        expect_line(allowed, 5, from, lines[from]);
    assert_int_equal(seq_crf_check(allowed, labels, 5, 50, &error), SEQ_OK);
    const int32_t adjacent[] = {1, 3, 4, 1, 1, 2}, broken[] = {1, 4}, first[] = {2};
    assert_int_equal(seq_crf_first_forbidden(allowed, 5, adjacent, 6), -1);
    assert_int_equal(seq_crf_first_forbidden(allowed, 5, broken, 2), 1);
    assert_int_equal(seq_crf_first_forbidden(allowed, 5, first, 1), 0);
    assert_int_equal(seq_crf_first_forbidden(allowed, 5, first, 0), -1);
}

static void iobes(void **state) {
    (void)state;
    static const char *const labels[] = {"O", "B-a", "I-a", "E-a", "S-a", "B-b", "E-b"};
    static const char *const lines[] = {"11001101", "00110000", "00110000", "11001101",
                                        "11001101", "00000010", "11001101", "11001101"};
    unsigned char allowed[LINE * LINE];
    seq_error error = {0};
    assert_int_equal(seq_crf_allow(SEQ_TAGS_IOBES, labels, 7, allowed, &error), SEQ_OK);
    for (int from = 0; from <= 7; from++)
        expect_line(allowed, 7, from, lines[from]);
    assert_int_equal(seq_crf_check(allowed, labels, 7, 50, &error), SEQ_OK);
    const int32_t good[] = {1, 3, 5, 6, 4}, open[] = {0, 1, 2};
    assert_int_equal(seq_crf_first_forbidden(allowed, 7, good, 5), -1);
    assert_int_equal(seq_crf_first_forbidden(allowed, 7, open, 3), 3);
}

static void expect_refusal(seq_status status, const seq_error *error, const char *text) {
    assert_int_equal(status, SEQ_BAD_INPUT);
    if (!strstr(error->text, text)) fail_msg("\"%s\" lacks \"%s\"", error->text, text);
}

static void refusals(void **state) {
    (void)state;
    static const char *const odd[] = {"O", "E-a"}, *const none[] = {"O", "I-a"},
                             *const blank[] = {"B-"};
    unsigned char allowed[LINE * LINE];
    seq_error error = {0};
    expect_refusal(seq_crf_allow(SEQ_TAGS_BIO, odd, 2, allowed, &error), &error,
                   "label 2 of 2, \"E-a\"");
    error = (seq_error){0};
    expect_refusal(seq_crf_allow(SEQ_TAGS_IOBES, blank, 1, allowed, &error), &error, "\"B-\"");
    error = (seq_error){0};
    assert_int_equal(seq_crf_allow(SEQ_TAGS_BIO, none, 2, allowed, &error), SEQ_OK);
    expect_refusal(seq_crf_check(allowed, none, 2, 5, &error), &error,
                   "label 2 of 2, \"I-a\": no allowed sequence of labels has it");
    // B and E alone: each length that is even.
    static const char *const pair[] = {"B", "E"};
    error = (seq_error){0};
    memset(allowed, 0, sizeof allowed);
    allowed[0 * 3 + 1] = allowed[1 * 3 + 0] = allowed[2 * 3 + 0] = allowed[1 * 3 + 2] = 1;
    expect_refusal(seq_crf_check(allowed, pair, 2, 9, &error), &error,
                   "no sequence of length 1 is allowed");
    // A label that leads nowhere; nothing at all.
    error = (seq_error){0};
    assert_int_equal(seq_crf_allow(SEQ_TAGS_FREE, pair, 2, allowed, &error), SEQ_OK);
    assert_int_equal(seq_crf_check(allowed, pair, 2, 9, &error), SEQ_OK);
    memset(allowed + 3, 0, 3);
    expect_refusal(seq_crf_check(allowed, pair, 2, 9, &error), &error,
                   "\"E\": no allowed sequence of labels has it: it leads to no end");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bio), cmocka_unit_test(iobes),
                                       cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
