// Signals are remembered by a handler; the program asks for them where it can stop. The handler
// calls only functions that POSIX allows there. An ignored signal is never taken from whoever
// ignored it. Tests: tests/fault/signals.sh, tests/fault/streams.sh.
#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stddef.h>
#include <time.h>

enum { ONE_WISH = 200 }; // milliseconds: what comes together is one wish

// A handler has nowhere else to write to. Waiting for the signals in a descriptor instead would
// need them blocked in every thread, and libraries start theirs before main.
static struct {
    atomic_int last;          // any thread may ask
    atomic_llong interrupted; // milliseconds: the first SIGINT, 0: none
} seq_stop_signal;

static long long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1 + now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void seq_signals_end(int signal) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t alone;
    sigemptyset(&standard.sa_mask);
    sigaction(signal, &standard, NULL);
    sigemptyset(&alone);
    sigaddset(&alone, signal);
    pthread_sigmask(SIG_UNBLOCK, &alone, NULL);
    raise(signal);
}

static void remember(int signal) {
    if (signal == SIGINT) {
        long long now = milliseconds(), first = 0;
        if (!atomic_compare_exchange_strong(&seq_stop_signal.interrupted, &first, now) &&
            now - first >= ONE_WISH)
            seq_signals_end(SIGINT);
    }
    seq_stop_signal.last = signal;
}

// Signals that whoever started this process had ignored; bit s - 1 is signal s.
static uint64_t ignored_at_start;

// Runs before the constructors of libraries. UCX, below Open MPI 5 and MPICH, takes SIGHUP for
// itself as it is loaded (UCX_DEBUG_SIGNO), also where it was ignored.
static void note_ignored(void) {
    struct sigaction now;
    for (int signal = 1; signal <= 31; signal++)
        if (!sigaction(signal, NULL, &now) && now.sa_handler == SIG_IGN)
            ignored_at_start |= UINT64_C(1) << (signal - 1);
}
__attribute__((used, section(".preinit_array"))) static void (*const first)(void) = note_ignored;

void seq_signals_catch(const int *signals, bool restart) {
    struct sigaction action = {.sa_handler = remember, .sa_flags = restart ? SA_RESTART : 0},
                     ignore = {.sa_handler = SIG_IGN}, before;
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    for (; *signals; signals++) {
        bool ignored = ignored_at_start >> (*signals - 1) & 1;
        if (!sigaction(*signals, NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(*signals, ignored ? &ignore : &action, NULL);
    }
}

int seq_signals_caught(void) {
    return seq_stop_signal.last;
}

void seq_signals_release(void) {
    struct sigaction standard = {.sa_handler = SIG_DFL}, now;
    sigemptyset(&standard.sa_mask);
    for (int signal = 1; signal < NSIG; signal++)
        if (!sigaction(signal, NULL, &now) && now.sa_handler == remember)
            sigaction(signal, &standard, NULL);
    if (seq_stop_signal.last) seq_signals_end(seq_stop_signal.last);
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
