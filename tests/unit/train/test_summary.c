// The figures of a session from its ranks' phases, against numbers worked out
// by hand; a session without a step has NaN for figures that need one. Checks
// src/train/report/summary.c.
#include "report/summary.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// The library's header needs those above.
#include <cmocka.h>

static void near(double expected, double found) {
    if (fabs(expected - found) > 1e-12 * fabs(expected))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static seq_summary_part part(const char *host, double compute, double exchange) {
    seq_summary_part part = {.seconds = {[SEQ_PHASE_OTHER] = 1,
                                         [SEQ_PHASE_DATA] = 2,
                                         [SEQ_PHASE_COMPUTE] = compute,
                                         [SEQ_PHASE_EXCHANGE] = exchange,
                                         [SEQ_PHASE_UPDATE] = 8,
                                         [SEQ_PHASE_VALIDATION] = 5,
                                         [SEQ_PHASE_SAVING] = 4}};
    strcpy(part.host, host);
    return part;
}

static void test_figures(void **state) {
    (void)state;
    const seq_summary_part parts[] = {part("a", 60, 20), part("a", 50, 30), part("b", 70, 10)};
    seq_summary summary = {.steps = 10, .tokens = 900, .clipped = 5};
    seq_summary_add_up(parts, 3, &summary);
    near(100, summary.seconds);
    near(0.6, summary.shares[SEQ_PHASE_COMPUTE]);
    near(0.2, summary.shares[SEQ_PHASE_EXCHANGE]);
    near(0.05, summary.shares[SEQ_PHASE_VALIDATION]);
    near(0.04, summary.shares[SEQ_PHASE_SAVING]);
    near(90, summary.step_seconds); // data, compute, exchange, update
    near(10, summary.tokens_per_second);
    near(70.0 / 90, summary.efficiency);
    assert_int_equal(2, summary.slowest);
    near(70.0 / 60, summary.imbalance);
    assert_string_equal("b", summary.slowest_host);
}

static void test_no_step(void **state) {
    (void)state;
    const seq_summary_part none = {.host = "a"};
    seq_summary summary = {0};
    seq_summary_add_up(&none, 1, &summary);
    assert_true(isnan(summary.efficiency) && isnan(summary.imbalance));
    assert_true(isnan(summary.tokens_per_second));
    assert_int_equal(0, summary.slowest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
