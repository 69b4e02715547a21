// Busy for 0 to 50 microseconds, by a number: about as long as a waiting thread
// spins before it sleeps (base/team.c, comm/arrival_counter.c).
#ifndef SEQ_TESTS_DELAY_H
#define SEQ_TESTS_DELAY_H

#include <stdint.h>
#include <time.h>

static inline int64_t delay_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline void delay(uint32_t number) {
    int64_t end = delay_now() + (number * 2654435761u >> 8) % 50000;
    while (delay_now() < end) {
    }
}

#endif
