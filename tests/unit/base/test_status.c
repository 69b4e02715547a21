// A message of any length keeps its beginning and its reason, whatever it is
// made of and however it grows. Paths of characters of two bytes find cuts
// within a character. Checks src/base/status.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/status.h>
#include <stdio.h>
#include <string.h>

static void check(const seq_error *error, const char *begin, const char *end) {
    size_t size = strlen(error->text);
    assert_true(size < SEQ_ERROR_TEXT && size >= strlen(end));
    assert_memory_equal(error->text, begin, strlen(begin));
    assert_string_equal(error->text + size - strlen(end), end);
    assert_int_equal(seq_utf8_invalid(error->text, size), size);
}

static void long_paths_leave_the_reason(void **state) {
    (void)state;
    static char path[5001];
    for (size_t length = 0; length < 2500; length += length < 900 || length > 1100 ? 50 : 1) {
        for (size_t i = 0; i < length; i++) // of two bytes each
            memcpy(path + 2 * i, "\xC3\xBC", 3);
        path[2 * length] = '\0';
        seq_error error = {0};
        errno = ENOENT;
        assert_int_equal(seq_error_set_errno(&error, "opening %.3000s", path), SEQ_BAD_INPUT);
        check(&error, "opening ", ": No such file or directory");
        seq_error_add_context(&error, "reading %.2000s", path);
        check(&error, "reading ", ": No such file or directory");
        error = (seq_error){0};
        seq_error_set(&error, SEQ_BAD_INPUT, "data set %.2900s: it is a run", path);
        check(&error, "data set ", ": it is a run");
    }
}

static void short_texts_stay(void **state) {
    (void)state;
    seq_error error = {0};
    seq_error_set(&error, SEQ_IO, "%1023d", 7);
    assert_int_equal(strlen(error.text), 1023);
    assert_int_equal(strspn(error.text, " "), 1022);
    error = (seq_error){0};
    seq_error_set(&error, SEQ_IO, "one");
    seq_error_add_context(&error, "two %d", 2);
    seq_error_set(&error, SEQ_BAD_USAGE, "three"); // the first failure wins
    assert_string_equal(error.text, "two 2: one");
    assert_int_equal(error.status, SEQ_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_paths_leave_the_reason),
        cmocka_unit_test(short_texts_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
