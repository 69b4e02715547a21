// No wake-up of a team is lost: in many rounds each part and the caller are
// busy for about as long as a waiting thread spins before it sleeps, so that
// looking, falling asleep and waking meet in every order. Each part works once
// in each round. A lost wake-up is a hang, which the alarm ends; each hundredth
// round sets it anew, so a busy machine is no hang. Checks src/base/team.c.
#include <seqtrain/base/team.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "delay.h"

enum { THREADS = 3, ROUNDS = 6000, LIMIT = 100 };

typedef struct rounds {
    uint32_t round, done[THREADS];
} rounds;

static void work(void *context, int part, int parts) {
    rounds *rounds = context;
    if (part < parts - 1) delay(rounds->round * THREADS + (uint32_t)part);
    rounds->done[part]++;
}

static void every_round_ends(void **state) {
    (void)state;
    rounds rounds = {0};
    seq_team *team = NULL;
    seq_error error = {0};
    assert_int_equal(seq_team_create(THREADS, &team, &error), SEQ_OK);
    for (rounds.round = 1; rounds.round <= ROUNDS; rounds.round++) {
        if (rounds.round % 100 == 1) alarm(LIMIT);
        seq_team_run(team, work, &rounds);
        for (int part = 0; part < THREADS; part++)
            assert_int_equal(rounds.done[part], rounds.round);
        delay(rounds.round); // meanwhile the others fall asleep
    }
    seq_team_destroy(team);
    alarm(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_round_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
