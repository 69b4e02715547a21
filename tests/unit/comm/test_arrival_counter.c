// No wake-up of a tally is lost between two processes: in many rounds each is
// busy for about as long as a waiting rank spins before it sleeps, then raises
// a counter and waits until it is full. What the other has written before is
// there then. A lost wake-up is a hang, which the alarm ends; each hundredth round
// sets it anew, so a busy machine is no hang. Checks src/comm/arrival_counter.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "delay.h"
#include "arrival_counter.h"

enum { RANKS = 2, TALLIES = 2, ROUNDS = 6000, LIMIT = 100 };

typedef struct shared {
    uint64_t (*told)[TALLIES]; // (RANKS)
    seq_arrival_counters *tallies;
} shared;

// The two counters of a round are raised in it one after the other. Returns rounds that went well.
static uint64_t run(const shared *shared, int rank) {
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        if (round % 100 == 1) alarm(LIMIT);
        for (size_t tally = 0; tally < TALLIES; tally++) {
            delay((uint32_t)(round * TALLIES + tally) * RANKS + (uint32_t)rank);
            shared->told[rank][tally] = round;
            seq_arrival_raise(shared->tallies, tally);
            seq_arrival_wait(shared->tallies, tally, round);
            if (shared->told[1 - rank][tally] != round) return round - 1;
        }
    }
    alarm(0);
    return ROUNDS;
}

static void *map(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    return memory;
}

static void every_round_ends(void **state) {
    (void)state;
    shared shared = {map(RANKS * sizeof *shared.told), map(seq_arrival_counters_bytes(TALLIES))};
    seq_arrival_counters_init(shared.tallies, RANKS);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(run(&shared, 1) == ROUNDS ? 0 : 1);
    assert_int_equal(run(&shared, 0), ROUNDS);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_round_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
