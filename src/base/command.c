// posix_spawnp starts the program, and a pipe collects what it prints. The pipe
// is read with poll() against a deadline on CLOCK_MONOTONIC; what does not fit
// is read and dropped, so a talkative program does not block. Whoever closes
// its output and runs on meets the same deadline. Invariant: on every path the
// child has been waited for, so none stays as a zombie. Test:
// tests/unit/base/test_command.c.
#include <seqtrain/base/command.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int spawn(char *const argv[], int output, pid_t *out) {
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code) return code;
    code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (!code)
        code = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!code) code = posix_spawnp(out, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

// Until the end of the stream; false: that did not come in time. What does not fit is read and
// dropped.
static bool read_until(int input, double end, char *out, size_t size) {
    size_t used = 0;
    char rest[256];
    for (;;) {
        struct pollfd wait = {.fd = input, .events = POLLIN};
        double left = end - now();
        if (left <= 0) return false;
        if (poll(&wait, 1, (int)(left * 1000) + 1) <= 0) continue; // a signal, or the time is up
        bool fits = used + 1 < size;
        ssize_t got = read(input, fits ? out + used : rest, fits ? size - 1 - used : sizeof rest);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (fits) used += (size_t)got;
    }
    while (used && strchr(" \t\r\n", out[used - 1]))
        used--;
    out[used] = '\0';
    return true;
}

// Most end as they close their output, so the first looks come soon. False: not in time.
static bool ends_until(pid_t child, double end, int *status) {
    for (long pause = 100000;; pause = pause < 10000000 ? 2 * pause : pause) { // ns
        pid_t found = waitpid(child, status, WNOHANG);
        if (found == child) return true;
        if (now() > end) return false;
        nanosleep(&(struct timespec){.tv_nsec = pause}, NULL);
    }
}

static seq_status conclude(pid_t child, bool complete, double end, const char *name, double seconds,
                           seq_error *error) {
    int status = 0;
    complete = complete && ends_until(child, end, &status);
    if (!complete) {
        kill(child, SIGKILL);
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
    }
    if (!complete)
        return seq_error_set(error, SEQ_IO, "%s: no answer within %.0f s", name, seconds);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return SEQ_OK;
    return seq_error_set(error, SEQ_IO, "%s: failed with %s %d", name,
                         WIFEXITED(status) ? "exit code" : "signal",
                         WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

seq_status seq_command_ask(char *const argv[], double seconds, char *out, size_t size,
                           seq_error *error) {
    int ends[2];
    pid_t child;
    *out = '\0';
    if (pipe2(ends, O_CLOEXEC)) return seq_error_set_errno(error, "%s: a pipe for it", argv[0]);
    double end = now() + seconds;
    int code = spawn(argv, ends[1], &child);
    close(ends[1]);
    seq_status status =
        code ? seq_error_set(error, SEQ_IO, "%s: cannot be started: %s", argv[0], strerror(code))
             : conclude(child, read_until(ends[0], end, out, size), end, argv[0], seconds, error);
    close(ends[0]);
    return status;
}
