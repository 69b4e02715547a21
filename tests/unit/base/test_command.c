// Answers of a shell come back cut to fit, failures are told with exit code or
// signal, and a silent program is killed in time. More than a pipe holds leaves
// nobody waiting. Checks src/base/command.c.
#include <seqtrain/base/command.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static seq_status ask(const char *script, double seconds, char *out, size_t size,
                      seq_error *error) {
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
    *error = (seq_error){0};
    return seq_command_ask(argv, seconds, out, size, error);
}

static void answers_come_back(void **state) {
    (void)state;
    char out[16];
    seq_error error;
    assert_int_equal(
        ask("echo '  two words  '; echo unheard >&2; cat", 600, out, sizeof out, &error), SEQ_OK);
    assert_string_equal(out, "  two words");
    assert_int_equal(ask(":", 600, out, sizeof out, &error), SEQ_OK);
    assert_string_equal(out, "");
    // More than fits, and more than a pipe holds: cut, and the other side is not left waiting.
    assert_int_equal(ask("printf %0300000d 7", 600, out, sizeof out, &error), SEQ_OK);
    assert_string_equal(out, "000000000000000");
}

static void failures_are_told(void **state) {
    (void)state;
    char out[16], *missing[] = {(char *)"seq-no-such-program", NULL};
    seq_error error;
    assert_int_equal(ask("echo 1; exit 3", 600, out, sizeof out, &error), SEQ_IO);
    assert_non_null(strstr(error.text, "exit code 3"));
    assert_int_equal(ask("kill -9 $$", 600, out, sizeof out, &error), SEQ_IO);
    assert_non_null(strstr(error.text, "signal 9"));
    error = (seq_error){0};
    assert_int_equal(seq_command_ask(missing, 600, out, sizeof out, &error), SEQ_IO);
    assert_non_null(strstr(error.text, "seq-no-such-program: cannot be started"));
}

// It would sleep for longer than a test may take.
static void silence_has_an_end(void **state) {
    (void)state;
    char out[16];
    seq_error error;
    assert_int_equal(ask("exec sleep 100000", 0.1, out, sizeof out, &error), SEQ_IO);
    assert_non_null(strstr(error.text, "no answer"));
}

// Its answer is there and its output closed, but it runs on: it is killed all the same.
static void a_closed_output_is_no_end(void **state) {
    (void)state;
    char out[16];
    seq_error error;
    assert_int_equal(ask("echo $$; exec sleep 100000 >&-", 0.1, out, sizeof out, &error), SEQ_IO);
    assert_non_null(strstr(error.text, "no answer"));
    pid_t child = (pid_t)strtol(out, NULL, 10);
    assert_true(child > 1);
    assert_int_equal(kill(child, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(ask("echo 5; exec sleep 0.02 >&-", 600, out, sizeof out, &error), SEQ_OK);
    assert_string_equal(out, "5");
    assert_int_equal(ask("exec >&-; sleep 0.02; exit 3", 600, out, sizeof out, &error), SEQ_IO);
    assert_non_null(strstr(error.text, "exit code 3"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_back),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(silence_has_an_end),
        cmocka_unit_test(a_closed_output_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
