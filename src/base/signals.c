#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdatomic.h>

// A handler has nowhere else to write to. Waiting for the signals in a descriptor instead would
// need them blocked in every thread, and libraries start theirs before main.
static atomic_int seq_stop_signal; // any thread may ask

static void remember(int signal) {
    seq_stop_signal = signal;
}

void seq_signals_catch(const int *signals, bool restart) {
    struct sigaction action = {.sa_handler = remember, .sa_flags = restart ? SA_RESTART : 0};
    sigemptyset(&action.sa_mask);
    for (; *signals; signals++)
        sigaction(*signals, &action, NULL);
}

int seq_signals_caught(void) {
    return seq_stop_signal;
}
