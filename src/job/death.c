// Tells why a rank has died. The handler of SIGBUS runs while the thread that has touched the
// missing page stands still, so it only reads files of /proc, prints with one write and leaves with
// exit code 7; what other signals do is left to what was there before.
// Tests: tests/fault/shared_memory.sh.
#include <seqtrain/job/death.h>
#include <seqtrain/base/free_memory.h>
#include <seqtrain/base/launch.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/comm/comm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const int seq_death_signals[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT, 0};

const char *seq_death_reason(uint64_t reserved, uint64_t kills, char *out, size_t size) {
    char figures[200], shared[24];
    seq_free_memory memory;
    seq_free_memory_read(&memory);
    seq_free_memory_describe(&memory, figures, sizeof figures);
    int used = reserved
                   ? snprintf(out, size,
                              "the likely reason is want of memory: the host's ranks share %s, %s",
                              seq_amount(reserved, shared), figures)
                   : snprintf(out, size, "the likely reason is want of memory: %s", figures);
    if (memory.kills >= kills && (size_t)used < size)
        snprintf(out + used, size - (size_t)used,
                 "; the system has killed %llu process(es) for want of memory since the job began",
                 (unsigned long long)(memory.kills - kills));
    return out;
}

// Where there is no watchdog (yet). The launcher's environment knows the rank before MPI does.
static void tell_bus_error(void *context, int signal) {
    char host[64] = "unknown", reason[500], line[800];
    seq_launch launch;
    (void)context, (void)signal;
    seq_launch_read(&launch);
    gethostname(host, sizeof host - 1);
    int size = snprintf(line, sizeof line,
                        "seqtrain: error: rank %d (host %s, process %ld): bus error (SIGBUS); %s\n",
                        launch.rank, host, (long)getpid(),
                        seq_death_reason(0, UINT64_MAX, reason, sizeof reason));
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written;
    seq_comm_leave(seq_status_exit_code(SEQ_NO_SPACE));
}

void seq_death_tell_bus_errors(void) {
    seq_signals_tell_death((const int[]){SIGBUS, 0}, tell_bus_error, NULL);
}
