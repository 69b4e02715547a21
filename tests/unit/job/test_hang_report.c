// What the nodes tell each other when a job does not get on: every field of
// every rank comes back as it was written; answers of another session, of
// another form or cut short are none. Checks src/job/hang_report.c.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hang_report.h"
#include <seqtrain/job/watchdog.h>

static const seq_watched told[] = {
    {true, true, false, false, true, 10.125, 12, SEQ_STAGE_REPORT, 0},
    {false, true, false, true, false, 0.5, 1234567890123, SEQ_STAGE_COMPUTE, 11},
    {false, true, true, false, false, 3600, 0, SEQ_STAGE_END, 0},
    {true, true, false, true, true, 7, 13, SEQ_STAGE_EXCHANGE, 7},
};
enum { COUNT = sizeof told / sizeof *told };

static void begin(char *run, seq_hang_report *report) {
    seq_error error = {0};
    strcpy(run, "/tmp/seq-hang-XXXXXX");
    assert_non_null(mkdtemp(run));
    assert_int_equal(seq_hang_report_open(report, run, 77, &error), SEQ_OK);
}

static void end(const char *run, const seq_hang_report *report) {
    seq_hang_report_clear(report);
    assert_int_equal(rmdir(run), 0);
}

static void an_answer_comes_back_whole(void **state) {
    (void)state;
    char run[40];
    seq_hang_report report, later;
    seq_watched found[COUNT];
    begin(run, &report);
    seq_hang_report_answer(&report, 3, 5, told, COUNT);
    assert_int_equal(seq_hang_report_read(&report, 3, found, COUNT), 5);
    for (int rank = 0; rank < COUNT; rank++) {
        assert_int_equal(found[rank].alive, told[rank].alive);
        assert_int_equal(found[rank].known, told[rank].known);
        assert_int_equal(found[rank].left, told[rank].left);
        assert_int_equal(found[rank].dead, told[rank].dead);
        assert_int_equal(found[rank].waiting, told[rank].waiting);
        assert_true(found[rank].age == told[rank].age);
        assert_true(found[rank].step == told[rank].step);
        assert_int_equal(found[rank].stage, told[rank].stage);
        assert_int_equal(found[rank].signal, told[rank].signal);
    }
    assert_int_equal(seq_hang_report_read(&report, 2, found, COUNT), 0); // nobody has answered
    later = report;
    later.session++;
    assert_int_equal(seq_hang_report_read(&later, 3, found, COUNT), 0);
    end(run, &report);
}

static void what_is_no_answer_is_not_read(void **state) {
    (void)state;
    static const char *const texts[] = {
        "77 5\n1 0 0 1 2.500 12 1 0\n",       // cut short
        "77 5\n1 0 0 1 2.500 12 1\nend\n",    // without the signal
        "77 5\n1 0 0 1 2.500 12 99 0\nend\n", // no such stage
        "77 5\nend\n",
        "",
    };
    char run[40], path[80];
    seq_hang_report report;
    seq_watched found[1];
    begin(run, &report);
    seq_hang_report_answer(&report, 0, 5, told, 1);
    assert_int_equal(seq_hang_report_read(&report, 0, found, 1), 5);
    snprintf(path, sizeof path, "%s/hang/node-0", run);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        FILE *stream = fopen(path, "we");
        assert_non_null(stream);
        fputs(texts[i], stream);
        fclose(stream);
        assert_int_equal(seq_hang_report_read(&report, 0, found, 1), 0);
    }
    end(run, &report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_back_whole),
        cmocka_unit_test(what_is_no_answer_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
