// What of a transcript's layout is dropped. Checks src/data/transcript.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/data/transcript.h>
#include <string.h>

static void is(const char *text, const char *expected) {
    char bytes[64] = "";
    size_t size = strlen(text), used;
    memcpy(bytes, text, size);
    used = seq_transcript_trim(bytes, size, bytes);
    assert_int_equal(used, strlen(expected));
    assert_memory_equal(bytes, expected, used);
}

static void trim(void **state) {
    (void)state;
    is("", "");
    is(" \t\r\n", "");
    is("a", "a");
    is(" one  two\r\nthree\n\n", "one two three");
    is("a\xC2\xA0"
       "b",
       "a\xC2\xA0"
       "b"); // a blank that does not break is a character
    assert_true(seq_transcript_rules(SEQ_UNIT_CHAR).nfc);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trim)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
