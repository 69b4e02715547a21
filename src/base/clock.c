// Seconds since an unknown moment, for durations and time limits. The source is
// CLOCK_MONOTONIC. Invariant: setting the system's time does not move it. Test:
// tests/unit/base/test_clock.c.
#include <seqtrain/base/clock.h>
#include <time.h>

double seq_clock_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
