// Finds mpirun or its daemon among this process's ancestors (proc(5)), and
// leaves a shell behind that ends it by SIGKILL if it stays. Invariant: a
// process is known by number and start time, so no other with that number is
// ever killed. Test: tests/fault/first_host.sh.
#include "launcher.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WRAPPERS = 8, MOST_FILES = 1024 };

// Arguments: process, its start (a number may be given anew), seconds. Not SIGTERM: an mpirun that
// has lost a daemon crashes on its way out.
static const char watching[] = "cd /\n"
                               "process=$1 start=$2 left=$3\n"
                               "there() {\n"
                               "  read -r line <\"/proc/$process/stat\" && set -- ${line##*) } &&\n"
                               "    [ \"$1\" != Z ] && [ \"${20}\" = \"$start\" ]\n"
                               "}\n"
                               "while there; do\n"
                               "  [ \"$left\" -gt 0 ] || kill -KILL \"$process\"\n"
                               "  sleep 1\n"
                               "  left=$((left - 1))\n"
                               "done\n";

typedef struct ancestor {
    char name[64], start[24];
    long parent;
} ancestor;

// PID (NAME) STATE PARENT ... START, the 22nd: proc(5).
static bool look_up(long process, ancestor *out) {
    char path[64], line[1024], *end;
    snprintf(path, sizeof path, "/proc/%ld/stat", process);
    FILE *stream = fopen(path, "re");
    if (!stream) return false;
    bool got = fgets(line, sizeof line, stream);
    fclose(stream);
    char *name = got ? strchr(line, '(') : NULL;
    if (!name || !(end = strrchr(line, ')'))) return false;
    *end = '\0';
    snprintf(out->name, sizeof out->name, "%s", name + 1);
    return sscanf(
               end + 1,
               " %*c %ld %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %23s",
               &out->parent, out->start) == 2;
}

// Those of Open MPI, PRRTE and Hydra. A batch system ends its own (srun's slurmstepd).
static bool is_launcher(const char *name) {
    static const char *const names[] = {"orted", "mpirun", "mpiexec", "orterun", "prte", "hydra_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
    return false;
}

void seq_launcher_find(seq_launcher *out) {
    ancestor it;
    long process = getppid();
    *out = (seq_launcher){0};
    for (int i = 0; i < MOST_WRAPPERS && process > 1 && look_up(process, &it); i++) {
        if (is_launcher(it.name)) {
            snprintf(out->process, sizeof out->process, "%ld", process);
            snprintf(out->start, sizeof out->start, "%s", it.start);
            return;
        }
        process = it.parent;
    }
}

// Open MPI asks ranks to end, waits, kills, and waits again before it ends with a code but 0.
static long usual_seconds(void) {
    const char *timeout = getenv("OMPI_MCA_odls_base_sigkill_timeout");
    long each = timeout ? strtol(timeout, NULL, 10) : 1;
    return 10 + 2 * (each < 0 ? 0 : each > 300 ? 300 : each);
}

static int close_all(posix_spawn_file_actions_t *actions) {
    int code = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDOUT_FILENO);
    if (!code) code = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDERR_FILENO);
    long limit = sysconf(_SC_OPEN_MAX); // of MPI: not all are closed by exec
    for (int file = STDERR_FILENO + 1; !code && file < limit && file < MOST_FILES; file++)
        code = posix_spawn_file_actions_addclose(actions, file);
    return code;
}

void seq_launcher_outlive(const seq_launcher *launcher) {
    posix_spawn_file_actions_t actions;
    char shell[] = "/bin/sh", option[] = "-c", script[sizeof watching], name[] = "seqtrain-left";
    char path[] = "PATH=/usr/bin:/bin", process[24], start[24], seconds[24];
    char *arguments[] = {shell, option, script, name, process, start, seconds, NULL};
    char *environment[] = {path, NULL};
    pid_t child;
    if (!*launcher->process || posix_spawn_file_actions_init(&actions)) return;
    memcpy(script, watching, sizeof script);
    memcpy(process, launcher->process, sizeof process);
    memcpy(start, launcher->start, sizeof start);
    snprintf(seconds, sizeof seconds, "%ld", usual_seconds());
    if (!close_all(&actions))
        posix_spawn(&child, shell, &actions, NULL, arguments, environment); // or it is not ended
    posix_spawn_file_actions_destroy(&actions);
}
