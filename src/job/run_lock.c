// Locks a run directory by flock: rank 0 takes .lock alone, the others share
// .lock-ranks. The text in .lock (host, process, its start in ticks) tells a
// living holder from a dead one where the file system has no locks. Invariant:
// the text is overwritten in one write and cut afterwards, so nobody reads an
// empty one. Tests: tests/fault/two_jobs.sh, tests/fault/run_directory.sh.
#include <seqtrain/job/run_lock.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <seqtrain/base/fault.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 10 }; // seconds, for ranks that outlive the last job's rank 0

// What .lock says of a job: `running HOST PID BIRTH SINCE JOB`. BIRTH is the process's start in
// ticks since the host's, which tells it from a later process with the same number.
typedef struct holder {
    char state[16], host[128], since[32], job[64];
    long pid;
    unsigned long long birth;
} holder;

static const char format[] = "%s %s %ld %llu %s %s\n";

// 0 when there is no such process, or no /proc.
static unsigned long long birth_of(long pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *stream = fopen(path, "re");
    size_t size = stream ? fread(text, 1, sizeof text - 1, stream) : 0;
    if (stream) fclose(stream);
    text[size] = '\0';
    const char *at =
        strrchr(text, ')'); // field 2, a name with anything in it; the start is field 22
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static const char *batch_job(void) {
    static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value && !strpbrk(value, " \n")) return value;
    }
    return "-";
}

static void describe_self(holder *self) {
    time_t now = time(NULL);
    struct tm utc;
    *self = (holder){.state = "running", .pid = getpid(), .birth = birth_of(getpid())};
    if (gethostname(self->host, sizeof self->host - 1) || !*self->host)
        snprintf(self->host, sizeof self->host, "unknown");
    strftime(self->since, sizeof self->since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    snprintf(self->job, sizeof self->job, "%s", batch_job());
}

static bool read_holder(int descriptor, holder *out) {
    char text[512];
    ssize_t size = pread(descriptor, text, sizeof text - 1, 0);
    *out = (holder){0};
    if (size <= 0) return false;
    text[size] = '\0';
    if (sscanf(text, "%15s %127s %ld %llu %31s %63s", out->state, out->host, &out->pid, &out->birth,
               out->since, out->job) == 6)
        return true;
    *out = (holder){0}; // cut off, or written by somebody else
    return false;
}

// One write over what stands there, so that a reader never finds an empty file.
static seq_status write_holder(int descriptor, const holder *holder, const char *path,
                               seq_error *error) {
    char text[512];
    int size = snprintf(text, sizeof text, format, holder->state, holder->host, holder->pid,
                        holder->birth, holder->since, holder->job);
    if (pwrite(descriptor, text, (size_t)size, 0) != size || ftruncate(descriptor, size))
        return seq_error_set_errno(error, "locking %s", path);
    return SEQ_OK;
}

static void name_holder(const holder *holder, char *out, size_t size) {
    bool has_job = strcmp(holder->job, "-") != 0;
    snprintf(out, size, "host %s, process %ld%s%s, since %s", holder->host, holder->pid,
             has_job ? ", batch job " : "", has_job ? holder->job : "", holder->since);
}

static bool is_here(const holder *holder) {
    struct holder self;
    describe_self(&self);
    return strcmp(holder->host, self.host) == 0;
}

static bool is_alive(const holder *holder) {
    if (holder->pid <= 0 || holder->pid > INT_MAX) return false; // kill would ask all processes
    if (kill((pid_t)holder->pid, 0) && errno != EPERM) return false;
    unsigned long long birth = birth_of(holder->pid);
    return !birth || !holder->birth || birth == holder->birth;
}

static bool is_running(const holder *holder) {
    return strcmp(holder->state, "running") == 0;
}

static seq_status refuse(const char *run, const holder *holder, seq_error *error) {
    char name[400] = "it has just started";
    if (is_running(holder)) name_holder(holder, name, sizeof name);
    return seq_error_set(error, SEQ_BAD_USAGE, "--run: %s is in use by another seqtrain (%s)", run,
                         name);
}

// The file system cannot lock: the word of the last holder must do. Two jobs that start in the same
// moment are not told apart.
static seq_status judge_by_content(const char *run, const holder *last, seq_error *error) {
    char name[400];
    seq_log_warning(
        "%s is on a file system without locks: what %s/.lock says of its holder decides", run, run);
    if (!is_running(last)) return SEQ_OK;
    if (is_here(last)) return is_alive(last) ? refuse(run, last, error) : SEQ_OK;
    name_holder(last, name, sizeof name);
    return seq_error_set(
        error, SEQ_BAD_USAGE,
        "--run: %s was last used by a seqtrain on another host (%s), and nobody can "
        "tell from here whether that is alive: when it is not, remove %s/.lock and "
        "start again",
        run, name, run);
}

// False: a file system without locks.
static bool can_lock(int failure) {
    return failure != ENOLCK && failure != EOPNOTSUPP && failure != ENOSYS && failure != EINVAL;
}

static seq_status open_lock(const char *run, const char *name, char path[SEQ_PATH],
                            int *out_descriptor, seq_error *error) {
    uint64_t size;
    if (seq_path_join(path, run, name, error)) return error->status;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) return seq_error_set_errno(error, "locking %s", path);
    if (seq_file_size(path, &size, error)) { // no file
        close(descriptor);
        return error->status;
    }
    *out_descriptor = descriptor;
    return SEQ_OK;
}

static void tell_of_dead_job(const holder *last) {
    char name[400];
    if (!is_running(last)) return;
    name_holder(last, name, sizeof name);
    seq_log_warning("the last job on this run (%s) ended without finishing; its lock is free",
                    name);
}

// Creates RUN where it is missing and tries its .lock; *out_failed: errno. The last holder may take
// RUN away between the two: then what was locked is no longer the directory's.
static seq_status try_job_lock(seq_run_lock *lock, const char *run, char path[SEQ_PATH],
                               int *out_failed, seq_error *error) {
    struct stat found = {.st_nlink = 0};
    for (int descriptor = -1; !found.st_nlink;) {
        bool is_new = !seq_path_is_directory(run);
        if (lock->descriptor) close(lock->descriptor - 1);
        *lock = (seq_run_lock){0};
        if (seq_directory_create(run, error) || open_lock(run, ".lock", path, &descriptor, error))
            return error->status;
        *lock = (seq_run_lock){.descriptor = descriptor + 1, .made_run = is_new};
        seq_fault_point("lock.opened");
        *out_failed = flock(descriptor, LOCK_EX | LOCK_NB) ? errno : 0;
        if (*out_failed || fstat(descriptor, &found)) break;
    }
    return SEQ_OK;
}

static seq_status take_job_lock(seq_run_lock *lock, const char *run, seq_error *error) {
    char path[SEQ_PATH];
    int failed = 0;
    holder last, self;
    if (try_job_lock(lock, run, path, &failed, error)) return error->status;
    int descriptor = lock->descriptor - 1;
    read_holder(descriptor, &last);
    if (failed == EWOULDBLOCK) return refuse(run, &last, error);
    if (failed && can_lock(failed)) {
        errno = failed;
        return seq_error_set_errno(error, "locking %s", path);
    }
    if (failed && judge_by_content(run, &last, error)) return error->status;
    tell_of_dead_job(&last);
    seq_fault_point("lock.taken");
    describe_self(&self);
    seq_status status = write_holder(descriptor, &self, path, error);
    lock->is_job = !status;
    seq_fault_point("lock.written");
    return status;
}

static void pause_a_moment(void) {
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
}

// Rank 0, which holds .lock: until no rank of an earlier job holds the other. One that is stopped
// or cut off may hold it for ever; when it wakes, it finds the newer session (fence.h) and
// leaves.
static seq_status wait_for_ranks(const char *run, seq_error *error) {
    char path[SEQ_PATH];
    int descriptor = -1;
    if (open_lock(run, ".lock-ranks", path, &descriptor, error)) return error->status;
    int failed, tries = 0;
    while ((failed = flock(descriptor, LOCK_EX | LOCK_NB) ? errno : 0) == EWOULDBLOCK &&
           tries++ < 10 * PATIENCE) {
        if (tries == 1) seq_log_warning("waiting for ranks of the last job on %s to end", run);
        pause_a_moment();
    }
    close(descriptor);
    if (failed == EWOULDBLOCK)
        seq_log_warning("ranks of the last job on %s have not ended in %d s: going on; they leave "
                        "when they find that the run is another job's",
                        run, PATIENCE);
    return SEQ_OK;
}

static seq_status take_rank_lock(seq_run_lock *lock, const char *run, seq_error *error) {
    char path[SEQ_PATH];
    int descriptor = -1;
    if (open_lock(run, ".lock-ranks", path, &descriptor, error))
        return seq_error_add_context(error, "--run: all ranks need one that every host sees");
    *lock = (seq_run_lock){.descriptor = descriptor + 1};
    if (flock(descriptor, LOCK_SH | LOCK_NB) && can_lock(errno))
        return seq_error_set_errno(error, "locking %s", path);
    return SEQ_OK;
}

seq_status seq_run_lock_take(seq_run_lock *lock, const char *run, seq_comm *comm,
                             seq_error *error) {
    bool is_root = seq_comm_rank(comm) == 0;
    if (is_root && !take_job_lock(lock, run, error)) wait_for_ranks(run, error);
    seq_status status = seq_comm_agree(comm, error);
    if (status) return status;
    if (!is_root) take_rank_lock(lock, run, error);
    return seq_comm_agree(comm, error);
}

static void remove_run(const char *run) {
    static const char *const own[] = {".session", ".lock-ranks", ".lock"};
    char path[SEQ_PATH];
    seq_error ignored = {0};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!seq_path_join(path, run, own[i], &ignored)) unlink(path);
    rmdir(run);
}

void seq_run_lock_release(seq_run_lock *lock, const char *run, bool begun) {
    holder self;
    seq_error ignored = {0};
    if (!lock->descriptor) return;
    if (lock->is_job && lock->made_run && !begun) remove_run(run);
    if (lock->is_job) {
        describe_self(&self);
        snprintf(self.state, sizeof self.state, "ended");
        write_holder(lock->descriptor - 1, &self, ".lock", &ignored);
    }
    seq_fault_point("lock.releasing");
    close(lock->descriptor - 1);
    *lock = (seq_run_lock){0};
}
