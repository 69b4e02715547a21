// Closed descriptors are opened the wrong way round (0 for writing, 1 and 2 for reading): reading
// or writing them fails with EBADF, as if they were closed, and nothing is lost in silence. SIGPIPE
// is ignored, so only a main decides what a lost reader means. Test: tests/fault/streams.sh.
#include <seqtrain/base/standard.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seqtrain/base/signals.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

// In ascending order: open takes the lowest number that is free.
static void occupy_closed(void) {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++)
        if (fcntl(number, F_GETFD) < 0)
            (void)!open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void seq_standard_begin(seq_standard *standard) {
    occupy_closed();
    signal(SIGXFSZ, SIG_IGN);
    standard->ends_by_pipe = signal(SIGPIPE, SIG_IGN) != SIG_IGN;
}

seq_status seq_standard_flush(const char *what, seq_error *error) {
    errno = 0;
    bool failed = fflush(stdout) != 0;
    if (!failed && !ferror(stdout)) return SEQ_OK;
    if (error->status) return error->status;
    if (errno)
        seq_error_set_errno(error, "%s", what);
    else
        seq_error_set(error, SEQ_NO_SPACE, "%s: a part of it could not be written (a full device?)",
                      what);
    return error->status = SEQ_NO_SPACE; // whatever ails it
}

static bool reader_is_gone(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

void seq_standard_end(const seq_standard *standard, seq_error *error) {
    seq_error failure = {0};
    if (!seq_standard_flush("writing to standard output", &failure)) return;
    if (standard->ends_by_pipe && reader_is_gone()) seq_signals_end(SIGPIPE);
    seq_error_set(error, failure.status, "%s", failure.text);
}
