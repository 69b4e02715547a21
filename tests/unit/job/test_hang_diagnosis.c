// Who is blamed for a job that does not get on: the dead, the silent, those
// that work on one thing, and of those that wait the last. The whole sentence
// is compared. Checks src/job/hang_diagnosis.c.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include "hang_diagnosis.h"
#include <seqtrain/job/watchdog.h>

enum { P = 4 };

typedef struct fixture {
    seq_watched ranks[P];
    seq_rank_place places[P];
    bool guilty[P];
    seq_hang_case facts;
} fixture;

// All wait for each other in the reports of step 13 since the limit.
static void set_up(fixture *it) {
    memset(it, 0, sizeof *it);
    for (int rank = 0; rank < P; rank++) {
        it->ranks[rank] = (seq_watched){.alive = true,
                                        .known = true,
                                        .waiting = true,
                                        .age = 10.1,
                                        .step = 12,
                                        .stage = SEQ_STAGE_REPORT};
        it->places[rank] = (seq_rank_place){.process = 100 + rank};
        strcpy(it->places[rank].host, rank < 2 ? "node" : "node-b");
    }
    it->facts = (seq_hang_case){P, it->ranks, it->places, 0, 10, 2};
}

static void expect_guilty(fixture *it, int expected, const char *text, const char *hosts) {
    char out[600];
    int count = 0;
    for (int rank = 0; rank < P; rank++)
        count += expected >> rank & 1;
    assert_int_equal(seq_hang_find(&it->facts, it->guilty), count);
    for (int rank = 0; rank < P; rank++)
        assert_int_equal(it->guilty[rank], expected >> rank & 1);
    if (!count) return;
    seq_hang_describe(&it->facts, it->guilty, out, sizeof out);
    assert_string_equal(out, text);
    seq_hang_hosts(&it->facts, it->guilty, out, sizeof out);
    assert_string_equal(out, hosts);
}

static void test_who_works_on_one_thing_hangs(void **state) {
    (void)state;
    fixture it;
    set_up(&it);
    it.ranks[3].waiting = false;
    it.ranks[3].stage = SEQ_STAGE_READ;
    expect_guilty(&it, 8, "rank 3 (host node-b, process 103) hangs in step 13, reading data",
                  "node-b");
    it.ranks[3].age = 9.9; // slow, but it may be alive
    expect_guilty(&it, 0, NULL, NULL);
}

static void test_who_does_not_answer_is_named_with_what_is_known(void **state) {
    (void)state;
    fixture it;
    set_up(&it);
    it.ranks[0].alive = false;
    it.ranks[0].stage = SEQ_STAGE_COMPUTE;
    it.facts.judge = 1;
    expect_guilty(&it, 1,
                  "rank 0 (host node, process 100) does not answer (stopped, dead or cut off) in "
                  "step 13, forward and backward",
                  "node");
    it.ranks[0].known = false;
    expect_guilty(&it, 1,
                  "rank 0 (host node, process 100) does not answer (stopped, dead or cut off) in "
                  "step 13, the ranks' reports or shortly before",
                  "node");
    it.ranks[0].left = true; // in good order
    it.ranks[1].age = it.ranks[2].age = it.ranks[3].age = 8.5;
    expect_guilty(&it, 14,
                  "rank 1 (host node, process 101) waits for a message that does not come (the "
                  "network?) in step 13, the ranks' reports; rank 2 (host node-b, process 102) "
                  "waits for a message that does not come (the network?) in step 13, the ranks' "
                  "reports; rank 3 (host node-b, process 103) waits for a message that does not "
                  "come (the network?) in step 13, the ranks' reports",
                  "");
}

static void test_the_missing_and_the_stuck_are_named_together(void **state) {
    (void)state;
    fixture it;
    set_up(&it);
    it.ranks[1].dead = true;
    it.ranks[2].alive = false;
    it.ranks[3].waiting = false;
    expect_guilty(&it, 14,
                  "rank 1 (host node, process 101) has died in step 13, the ranks' reports; rank 2 "
                  "(host node-b, process 102) does not answer (stopped, dead or cut off) in step "
                  "13, the ranks' reports; rank 3 (host node-b, process 103) hangs in step 13, the "
                  "ranks' reports",
                  "node node-b");
}

// A signal that the rank has noted is named, whichever rank judges; without one it is not guessed.
static void test_the_signal_of_a_death_is_named(void **state) {
    (void)state;
    fixture it;
    set_up(&it);
    it.ranks[3].dead = true;
    it.ranks[3].stage = SEQ_STAGE_COMPUTE;
    it.ranks[3].signal = SIGSEGV;
    for (it.facts.judge = 0; it.facts.judge < 3; it.facts.judge++)
        expect_guilty(&it, 8,
                      "rank 3 (host node-b, process 103) has died of signal 11 (Segmentation "
                      "fault) in step 13, forward and backward",
                      "node-b");
    it.ranks[3].signal = 0;
    expect_guilty(&it, 8,
                  "rank 3 (host node-b, process 103) has died in step 13, forward and backward",
                  "node-b");
}

static void test_of_those_that_wait_the_last_are_behind(void **state) {
    (void)state;
    fixture it;
    set_up(&it);
    it.ranks[2].stage = SEQ_STAGE_EXCHANGE;
    it.ranks[0].stage = SEQ_STAGE_EXCHANGE;
    it.ranks[1].step = 13;
    it.ranks[1].stage = SEQ_STAGE_VALIDATE;
    expect_guilty(&it, 8,
                  "rank 3 (host node-b, process 103) waits for a message that does not come (the "
                  "network?) in step 13, the ranks' reports",
                  "");
    it.ranks[0].age = 7; // began to wait a moment ago: it got on
    expect_guilty(&it, 0, NULL, NULL);
}

static void test_many_are_not_all_named(void **state) {
    (void)state;
    enum { MANY = 12 };
    seq_watched ranks[MANY] = {{0}};
    seq_rank_place places[MANY] = {{{0}, 0}};
    bool guilty[MANY];
    char text[2000];
    seq_hang_case facts = {MANY, ranks, places, 0, 10, 2};
    assert_int_equal(seq_hang_find(&facts, guilty), MANY);
    seq_hang_describe(&facts, guilty, text, sizeof text);
    assert_non_null(strstr(text, "rank 7"));
    assert_null(strstr(text, "rank 8"));
    assert_non_null(strstr(text, "; and 4 more"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_works_on_one_thing_hangs),
        cmocka_unit_test(test_who_does_not_answer_is_named_with_what_is_known),
        cmocka_unit_test(test_the_missing_and_the_stuck_are_named_together),
        cmocka_unit_test(test_the_signal_of_a_death_is_named),
        cmocka_unit_test(test_of_those_that_wait_the_last_are_behind),
        cmocka_unit_test(test_many_are_not_all_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
