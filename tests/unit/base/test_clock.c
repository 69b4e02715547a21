// The clock counts seconds and never goes back. Checks src/base/clock.c.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <time.h>
#include <seqtrain/base/clock.h>

static void a_pause_lasts_at_least_as_long_as_asked(void **state) {
    (void)state;
    double before = seq_clock_seconds();
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    assert_true(seq_clock_seconds() - before >= 0.02);
}

static void it_never_goes_back(void **state) {
    (void)state;
    double last = seq_clock_seconds();
    for (int i = 0; i < 1000; i++) {
        double now = seq_clock_seconds();
        assert_true(now >= last);
        last = now;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_lasts_at_least_as_long_as_asked),
        cmocka_unit_test(it_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
