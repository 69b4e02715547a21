// Signals are remembered by a handler; the program asks for them where it can stop. The handler
// calls only functions that POSIX allows there. An ignored signal is never taken from whoever
// ignored it, also where a library has taken it before main. Tests: tests/fault/signals.sh,
// tests/fault/streams.sh.
#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

enum { ONE_WISH = 200 }; // milliseconds: what comes together is one wish

// A handler has nowhere else to write to. Waiting for the signals in a descriptor instead would
// need them blocked in every thread, and libraries start theirs before main.
static struct {
    atomic_int last;          // any thread may ask
    atomic_llong interrupted; // milliseconds: the first SIGINT, 0: none
    bool ignored[NSIG];       // when the process began
} seq_stop_signal;

static bool is_ignored(int signal) {
    struct sigaction now;
    return !sigaction(signal, NULL, &now) && now.sa_handler == SIG_IGN;
}

// UCX, below MPICH and Open MPI, takes SIGHUP as it is loaded (UCX_DEBUG_SIGNO). Where the MPI
// library is linked with it, that comes before main. Only what this array names comes earlier; a C
// library that passes over it (musl) leaves `ignored` false, and main's view counts.
static void see_ignored(void) {
    for (int signal = 1; signal < NSIG; signal++)
        seq_stop_signal.ignored[signal] = is_ignored(signal);
}
__attribute__((section(".preinit_array"), used)) static void (*seq_see_ignored)(void) = see_ignored;

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

void seq_signals_catch(const int *signals, bool restart) {
    struct sigaction caught = {.sa_handler = remember, .sa_flags = restart ? SA_RESTART : 0},
                     ignored = {.sa_handler = SIG_IGN};
    sigemptyset(&caught.sa_mask);
    sigemptyset(&ignored.sa_mask);
    for (; *signals; signals++) {
        if (seq_stop_signal.ignored[*signals])
            sigaction(*signals, &ignored, NULL);
        else if (!is_ignored(*signals))
            sigaction(*signals, &caught, NULL);
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
