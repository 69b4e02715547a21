// A stopwatch for each phase of a session; entering a phase stops the one
// before. Invariant: the sums add up to the time since seq_phases_begin,
// because a rank is in one phase at each moment. Test: tests/mpi/summary.sh.
#include "trainer.h"

const char *seq_phase_name(seq_phase phase) {
    static const char *const names[SEQ_PHASES] = {"other",  "data",       "compute", "exchange",
                                                  "update", "validation", "saving"};
    return names[phase];
}

void seq_phases_begin(seq_trainer *trainer) {
    trainer->phases = (seq_phases){.now = SEQ_PHASE_OTHER, .since = seq_clock_seconds()};
}

seq_phase seq_phase_enter(seq_trainer *trainer, seq_phase phase) {
    seq_phases *phases = &trainer->phases;
    seq_phase was = phases->now;
    double now = seq_clock_seconds();
    phases->seconds[was] += now - phases->since;
    phases->since = now;
    phases->now = phase;
    return was;
}
