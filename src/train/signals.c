#include "trainer.h"
#include <signal.h>

// A handler has nowhere else to write to. Waiting for the signals in a descriptor instead would
// need them blocked in every thread, and libraries start theirs before main.
static volatile sig_atomic_t seq_stop_signal;

static void remember(int signal) {
    seq_stop_signal = signal;
}

void seq_train_catch_signals(void) {
    struct sigaction action = {.sa_handler = remember, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int seq_train_stop_requested(void) {
    return seq_stop_signal;
}
