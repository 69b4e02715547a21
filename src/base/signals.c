#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

// A handler has nowhere else to write to (nor to read from). Waiting for the signals in a
// descriptor instead would need them blocked in every thread, and libraries start theirs before
// main.
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

static struct {
    void (*_Atomic tell)(void *context, int signal);
    void *_Atomic context;
    struct sigaction before[NSIG];
} seq_deaths;

static void die(int signal, siginfo_t *info, void *unused) {
    (void)unused;
    void (*tell)(void *, int) = seq_deaths.tell;
    tell(seq_deaths.context, signal);
    sigaction(signal, &seq_deaths.before[signal], NULL);
    if (info->si_code <= 0) raise(signal); // sent; a fault happens again when we return
}

void seq_signals_tell_death(const int *signals, void (*tell)(void *context, int signal),
                            void *context) {
    struct sigaction action = {.sa_sigaction = die, .sa_flags = SA_SIGINFO}, before;
    sigemptyset(&action.sa_mask);
    seq_deaths.context = context;
    seq_deaths.tell = tell;
    for (; *signals; signals++)
        if (!sigaction(*signals, &action, &before) && before.sa_sigaction != die)
            seq_deaths.before[*signals] = before;
}
