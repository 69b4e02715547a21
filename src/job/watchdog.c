// A thread of each rank looks several times a second at its own progress and at the memory of its
// node's ranks. A rank without progress for the limit starts an inquiry by files among the nodes
// (hang_report.h); hang_diagnosis.h names who hangs. A second thread, the guard, touches no file.
// Invariant: one message a job, and every rank leaves. Tests: tests/fault/hang.sh,
// tests/fault/blocked_directory.sh, tests/mpi/two_hosts.sh.
#include <seqtrain/job/watchdog.h>
#include <seqtrain/job/fence.h>
#include <seqtrain/job/death.h>
#include "hang_report.h"
#include "launcher.h"
#include <errno.h>
#include <pthread.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/free_memory.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/base/thread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_HUNG = 6, EXIT_NO_MEMORY = 7, LONGEST_GRACE = 60 };
static const double shortest_tick = 0.02, longest_tick = 0.25, shortest_grace = 1;

// Of one rank, in memory that the ranks of its node share.
typedef struct record {
    seq_comm_calls calls;
    _Atomic uint64_t notes;
    _Atomic int64_t step;
    _Atomic int stage;
    _Atomic uint64_t beat; // of the rank's watchdog
    _Atomic double age;    // seconds without progress, as its watchdog counts
    _Atomic bool left;
    _Atomic int signal;   // that the rank dies of
    _Atomic bool told;    // of the node's first rank: somebody here has said why the job ends
    pthread_mutex_t life; // held by the rank's main thread: robust, so its death is seen
} record;

// A rank of this node as this watchdog sees it.
typedef struct neighbour {
    uint64_t beat;
    double quiet; // seconds without a beat
    bool dead;
} neighbour;

struct seq_watchdog {
    seq_comm *comm;
    int rank, size, node, nodes, node_rank, node_size;
    const char *run;
    uint64_t session;
    double limit, grace, tick;
    record **records; // (M)
    record *own;
    neighbour *neighbours; // (M)
    seq_rank_place *places;
    seq_watched *ranks, *answer; // (P), (M): scratch
    bool *guilty;                // (P)
    seq_watched *ranks_here;     // (P): the guard's own
    bool *guilty_here;           // (P)
    uint64_t *beats;             // (N): of the nodes' answers when this rank began to ask
    seq_hang_report report;
    bool launched;
    pid_t parent;
    seq_launcher launcher;
    uint64_t kills; // see seq_death_reason

    uint64_t progress;
    double age, asking; // seconds
    double unlooked;    // since the files were looked at
    double ending;      // since a signal that ends the job found this rank waiting
    bool told;
    long long traffic;    // bytes that the watched threads have read and written
    _Atomic pid_t worker; // see seq_watchdog_touch

    pthread_mutex_t mutex; // guards `ends`
    pthread_cond_t changed;
    bool ends;
    pthread_t threads[2];
    int running;
};

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); // stands still while the machine is suspended
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// Returns false when the watchdog is to end.
static bool sleep_for(seq_watchdog *dog, double length) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double nanoseconds = (double)until.tv_nsec + length * 1e9;
    until.tv_sec += (time_t)(nanoseconds / 1e9);
    until.tv_nsec = (long)(nanoseconds - (double)(time_t)(nanoseconds / 1e9) * 1e9);
    pthread_mutex_lock(&dog->mutex);
    int code = 0;
    while (!dog->ends && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&dog->changed, &dog->mutex, &until);
    bool goes_on = !dog->ends;
    pthread_mutex_unlock(&dog->mutex);
    return goes_on;
}

static bool is_waiting(record *it) {
    return atomic_load(&it->calls.ended) != atomic_load(&it->calls.begun);
}

static uint64_t progress_of(record *it) {
    return atomic_load(&it->notes) + atomic_load(&it->calls.begun) + atomic_load(&it->calls.ended);
}

static long long traffic_of(pid_t thread) {
    char path[64];
    long long read = 0, written = 0;
    snprintf(path, sizeof path, "/proc/self/task/%ld/io", (long)thread);
    FILE *stream = fopen(path, "re");
    if (!stream) return 0;
    if (fscanf(stream, "rchar: %lld wchar: %lld", &read, &written) != 2) read = written = 0;
    fclose(stream);
    return read + written;
}

// A long read or write on a slow file system is progress; what MPI reads while a rank waits is not.
static bool reads_or_writes(seq_watchdog *dog) {
    pid_t worker = atomic_load(&dog->worker);
    long long traffic = traffic_of(getpid()) + (worker ? traffic_of(worker) : 0);
    bool changed = traffic != dog->traffic;
    dog->traffic = traffic;
    return changed;
}

static void count_age(seq_watchdog *dog, double passed) {
    uint64_t progress = progress_of(dog->own);
    bool looks = !is_waiting(dog->own) && dog->age > dog->limit / 4;
    dog->age += passed;
    if (progress != dog->progress || (looks && reads_or_writes(dog))) dog->age = 0;
    dog->progress = progress;
    atomic_store(&dog->own->age, dog->age);
    atomic_fetch_add(&dog->own->beat, 1);
}

static bool has_died(record *it) {
    int code = pthread_mutex_trylock(&it->life);
    if (code == 0 || code == EOWNERDEAD) {
        if (code == EOWNERDEAD) pthread_mutex_consistent(&it->life);
        pthread_mutex_unlock(&it->life);
    }
    return code != EBUSY && !atomic_load(&it->left);
}

// Returns whether one has died.
static bool look_at_node(seq_watchdog *dog, double passed) {
    bool dead = false;
    for (int i = 0; i < dog->node_size; i++) {
        neighbour *it = &dog->neighbours[i];
        uint64_t beat = atomic_load(&dog->records[i]->beat);
        it->quiet = beat == it->beat ? it->quiet + passed : 0;
        it->beat = beat;
        if (i != dog->node_rank && !it->dead) it->dead = has_died(dog->records[i]);
        dead |= it->dead;
    }
    return dead;
}

static void describe_node(seq_watchdog *dog, seq_watched *out) {
    for (int i = 0; i < dog->node_size; i++) {
        record *it = dog->records[i];
        out[i] = (seq_watched){.alive = dog->neighbours[i].quiet < dog->grace / 2 &&
                                        !dog->neighbours[i].dead,
                               .known = true,
                               .left = atomic_load(&it->left),
                               .dead = dog->neighbours[i].dead,
                               .waiting = is_waiting(it),
                               .age = atomic_load(&it->age),
                               .step = atomic_load(&it->step),
                               .stage = atomic_load(&it->stage),
                               .signal = atomic_load(&it->signal)};
    }
}

// The lowest rank of the node whose watchdog is awake writes for all.
static bool is_writer(const seq_watchdog *dog) {
    for (int i = 0; i < dog->node_rank; i++)
        if (dog->neighbours[i].quiet < dog->grace / 2 && !dog->neighbours[i].dead) return false;
    return true;
}

static void answer(seq_watchdog *dog) {
    if (!is_writer(dog)) return;
    describe_node(dog, dog->answer);
    seq_hang_report_answer(&dog->report, dog->node, atomic_load(&dog->own->beat), dog->answer,
                           dog->node_size);
}

static void read_nodes(seq_watchdog *dog) {
    for (int node = 0; node < dog->nodes; node++) {
        seq_watched *ranks = dog->ranks + node * dog->node_size;
        memset(ranks, 0, (size_t)dog->node_size * sizeof *ranks);
        if (node == dog->node) {
            describe_node(dog, ranks);
            continue;
        }
        uint64_t beat = seq_hang_report_read(&dog->report, node, dog->answer, dog->node_size);
        if (beat == 0) continue;
        memcpy(ranks, dog->answer, (size_t)dog->node_size * sizeof *ranks);
        for (int i = 0; beat == dog->beats[node] && i < dog->node_size; i++)
            ranks[i].alive = ranks[i].known = false; // of an earlier inquiry
    }
}

static _Noreturn void leave_with(const seq_watchdog *dog, int exit_code) {
    if (is_writer(dog)) seq_launcher_outlive(&dog->launcher);
    seq_comm_leave(exit_code);
}

static _Noreturn void leave(const seq_watchdog *dog) {
    leave_with(dog, EXIT_HUNG);
}

// We slept through the end of our job, and another one has the run directory.
static void leave_if_superseded(const seq_watchdog *dog) {
    if (!seq_fence_is_current(dog->run, dog->session)) leave(dog);
}

static void begin_asking(seq_watchdog *dog) {
    leave_if_superseded(dog);
    for (int node = 0; node < dog->nodes; node++)
        dog->beats[node] = node == dog->node ? 0
                                             : seq_hang_report_read(&dog->report, node, dog->answer,
                                                                    dog->node_size);
    seq_hang_report_ask(&dog->report);
}

// One system call: ranks that print at the same time do not mix.
static void print(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static bool has_checkpoint(const seq_watchdog *dog) {
    char path[SEQ_PATH], manifest[SEQ_PATH + 300], **names = NULL;
    size_t count = 0;
    seq_error ignored = {0};
    bool found = false;
    if (seq_path_join(path, dog->run, "checkpoints", &ignored) ||
        seq_directory_list(path, &names, &count, &ignored))
        return false;
    for (size_t i = 0; i < count && !found; i++) {
        snprintf(manifest, sizeof manifest, "%s/%.255s/manifest.json", path, names[i]);
        found = seq_path_exists(manifest);
    }
    seq_names_free(names, count);
    return found;
}

// A rank of this host that was killed could not note a signal.
static bool was_killed(const seq_watchdog *dog) {
    for (int i = 0; i < dog->node_size; i++)
        if (dog->neighbours[i].dead && !atomic_load(&dog->records[i]->signal)) return true;
    return false;
}

static void tell(seq_watchdog *dog, const seq_hang_case *facts, const char *name, const char *why) {
    char ranks[2000], hosts[2000], reason[600] = "", text[2900], escaped[5800], line[6000];
    seq_hang_describe(facts, dog->guilty, ranks, sizeof ranks);
    seq_hang_hosts(facts, dog->guilty, hosts, sizeof hosts);
    if (was_killed(dog)) {
        strcpy(reason, "; it was killed (SIGKILL), ");
        seq_death_reason(seq_comm_reserved(dog->comm), dog->kills, reason + strlen(reason),
                         sizeof reason - strlen(reason));
    }
    snprintf(text, sizeof text, "%s: %s%s; the job ends%s", why, ranks, reason,
             has_checkpoint(dog) ? ", the same command line continues from its last checkpoint"
                                 : " before its first checkpoint, the same command line starts it "
                                   "again");
    seq_escape(text, strlen(text), false, escaped, sizeof escaped);
    snprintf(line, sizeof line, "seqtrain: error: %s\n", escaped);
    bool first = seq_hang_report_conclude(&dog->report, name, text, hosts);
    if (first) atomic_store(&dog->records[0]->told, true);
    if (first) print(line);
}

static seq_hang_case gather_facts(seq_watchdog *dog) {
    read_nodes(dog);
    return (seq_hang_case){dog->size, dog->ranks, dog->places, dog->rank, dog->limit, dog->grace};
}

static void judge(seq_watchdog *dog) {
    char why[100];
    seq_hang_case facts = gather_facts(dog);
    if (!seq_hang_find(&facts, dog->guilty)) return;
    snprintf(why, sizeof why, "no progress for %g s (--hang-timeout)", dog->limit);
    tell(dog, &facts, "verdict", why);
    leave(dog);
}

// Who dies of a bus error says so.
static void leave_if_it_has_told(const seq_watchdog *dog) {
    for (int i = 0; i < dog->node_size; i++)
        if (dog->neighbours[i].dead && atomic_load(&dog->records[i]->signal) == SIGBUS)
            leave_with(dog, EXIT_NO_MEMORY);
}

// Who dies after the launcher has begun to end the job is killed by it.
static void report_death(seq_watchdog *dog) {
    leave_if_it_has_told(dog);
    if (seq_hang_report_is_concluded(&dog->report, "lost")) leave(dog);
    seq_hang_case facts = gather_facts(dog);
    for (int rank = 0; rank < dog->size; rank++)
        dog->guilty[rank] = facts.ranks[rank].dead;
    tell(dog, &facts, "verdict", "a rank is gone");
    leave(dog);
}

// The launcher ends the job (SIGTERM; it kills soon after) and this rank waits: who is gone?
static void report_loss(seq_watchdog *dog) {
    seq_hang_case facts = gather_facts(dog);
    int missing = 0;
    for (int rank = 0; rank < dog->size; rank++) {
        const seq_watched *it = &facts.ranks[rank];
        dog->guilty[rank] = it->dead || (!it->alive && !it->left);
        missing += dog->guilty[rank];
    }
    if (missing) tell(dog, &facts, "lost", "the launcher ends the job");
    dog->told = true;
}

// Rank 0 decides; the others stand in for it, one after the other.
static double delay(const seq_watchdog *dog) {
    int place = dog->rank < 64 ? dog->rank : 64;
    return place ? dog->grace * (0.5 + place / 64.0) : 0;
}

static void watch_limit(seq_watchdog *dog, double passed) {
    if (dog->age <= dog->limit - dog->grace) {
        if (dog->asking > 0) seq_hang_report_withdraw(&dog->report);
        dog->asking = 0;
        return;
    }
    if (dog->asking == 0) begin_asking(dog);
    dog->asking += passed;
    seq_hang_report_ask(&dog->report); // another may have withdrawn
    if (dog->age > dog->limit && dog->asking > dog->grace + delay(dog)) judge(dog);
}

static void watch_ending(seq_watchdog *dog, double passed) {
    const double patience = 1, grace = 2; // mpirun kills 10 s after SIGTERM (launch/common.sh)
    bool waits = seq_signals_caught() == SIGTERM && dog->launched && dog->age > patience;
    if (!waits || dog->told) return;
    if (dog->ending == 0) begin_asking(dog);
    dog->ending += passed;
    if (dog->ending > grace + delay(dog) / dog->grace) report_loss(dog);
}

static void leave_if_alone(const seq_watchdog *dog) {
    if (dog->launched && getppid() != dog->parent)
        seq_comm_leave(EXIT_HUNG); // the launcher is dead
}

// Seldom while all is well: a shared file system has other things to do.
static void look_at_files(seq_watchdog *dog, double passed) {
    bool suspects = dog->age > dog->limit - dog->grace, ends = seq_signals_caught() == SIGTERM;
    dog->unlooked += passed;
    if (!suspects && !ends && (dog->unlooked < dog->grace / 8 || !is_writer(dog))) return;
    dog->unlooked = 0;
    if (!suspects && !ends && !seq_hang_report_is_asked(&dog->report)) return;
    if (seq_hang_report_is_concluded(&dog->report, "verdict")) leave(dog);
    answer(dog);
}

static void tick(seq_watchdog *dog, double passed) {
    leave_if_alone(dog);
    if (passed > 4 * dog->tick) leave_if_superseded(dog);
    if (passed > 4 * dog->tick) passed = 4 * dog->tick; // we were stopped
    count_age(dog, passed);
    if (look_at_node(dog, passed)) report_death(dog);
    look_at_files(dog, passed);
    watch_limit(dog, passed);
    watch_ending(dog, passed);
}

// This rank dies of a signal.
static void note_death(void *context, int signal) {
    seq_watchdog *dog = context;
    char place[200], reason[600], line[1100];
    int none = 0;
    if (!atomic_compare_exchange_strong(&dog->own->signal, &none, signal) || signal != SIGBUS)
        return;
    seq_hang_place(atomic_load(&dog->own->step), atomic_load(&dog->own->stage), place,
                   sizeof place);
    snprintf(line, sizeof line,
             "seqtrain: error: rank %d (host %s, process %ld): bus error (SIGBUS) in %s; %s; the "
             "job ends\n",
             dog->rank, dog->places[dog->rank].host, (long)getpid(), place,
             seq_death_reason(seq_comm_reserved(dog->comm), dog->kills, reason, sizeof reason));
    atomic_store(&dog->records[0]->told, true);
    print(line);
    seq_comm_leave(EXIT_NO_MEMORY);
}

static void *watch(void *argument) {
    seq_watchdog *dog = argument;
    double before = seconds();
    while (sleep_for(dog, dog->tick)) {
        double now = seconds(), passed = now - before;
        before = now;
        tick(dog, passed);
    }
    return NULL;
}

// Who does not wait for others holds up the node's ranks; when all wait, it is none of them.
static int blame_here(seq_watchdog *dog, bool waiting) {
    int count = 0;
    for (int rank = 0; rank < dog->size; rank++) {
        const seq_watched *it = &dog->ranks_here[rank];
        dog->guilty_here[rank] = !it->left && it->waiting == waiting;
        count += dog->guilty_here[rank];
    }
    return count;
}

// Of other nodes nothing can be known now.
static void tell_of_node(seq_watchdog *dog, double stuck) {
    char ranks[2000], line[2500];
    const seq_hang_case facts = {dog->size, dog->ranks_here, dog->places,
                                 dog->rank, dog->limit,      dog->grace};
    if (atomic_exchange(&dog->records[0]->told, true)) return;
    for (int rank = 0; rank < dog->size; rank++)
        dog->ranks_here[rank] = (seq_watched){.left = true};
    for (int i = 0; i < dog->node_size; i++) {
        record *it = dog->records[i];
        dog->ranks_here[dog->node * dog->node_size + i] =
            (seq_watched){.alive = true,
                          .known = true,
                          .left = atomic_load(&it->left),
                          .waiting = is_waiting(it),
                          .step = atomic_load(&it->step),
                          .stage = atomic_load(&it->stage),
                          .signal = 0}; // named, or gcc 10 warns
    }
    if (!blame_here(dog, false)) blame_here(dog, true);
    seq_hang_describe(&facts, dog->guilty_here, ranks, sizeof ranks);
    snprintf(line, sizeof line,
             "seqtrain: error: no progress, and the run directory has not answered for %.3g s: %s; "
             "the job ends, the same command line goes on\n",
             stuck, ranks);
    print(line);
}

// A file system that hangs holds the watchdog, too; this thread touches none.
static void *guard(void *argument) {
    seq_watchdog *dog = argument;
    uint64_t beat = 0, progress = 0;
    double stuck = 0, period = dog->grace / 4;
    while (sleep_for(dog, period)) {
        leave_if_alone(dog);
        bool same = atomic_load(&dog->own->beat) == beat && progress_of(dog->own) == progress;
        beat = atomic_load(&dog->own->beat);
        progress = progress_of(dog->own);
        stuck = same ? stuck + period : 0;
        if (stuck <= dog->limit + 2 * dog->grace) continue;
        tell_of_node(dog, stuck);
        seq_launcher_outlive(&dog->launcher);
        seq_comm_leave(EXIT_HUNG);
    }
    return NULL;
}

static seq_status start_threads(seq_watchdog *dog, seq_error *error) {
    void *(*const bodies[])(void *) = {watch, guard};
    for (int i = 0; i < 2; i++) {
        if (seq_thread_start(&dog->threads[i], true, bodies[i], dog)) break;
        dog->running++;
    }
    if (dog->running == 2) return SEQ_OK;
    return seq_error_set(error, SEQ_NO_MEMORY,
                         "starting the watchdog: out of memory or of threads");
}

static void prepare_waiting(seq_watchdog *dog) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&dog->mutex, NULL);
    pthread_cond_init(&dog->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void set_times(seq_watchdog *dog, double limit) {
    dog->limit = limit;
    dog->grace = limit / 5 > LONGEST_GRACE ? LONGEST_GRACE : limit / 5;
    if (dog->grace < shortest_grace) dog->grace = shortest_grace;
    if (dog->grace > limit / 2) dog->grace = limit / 2;
    dog->tick = limit / 40 > longest_tick    ? longest_tick
                : limit / 40 < shortest_tick ? shortest_tick
                                             : limit / 40;
}

static seq_status allocate(seq_watchdog *dog, seq_error *error) {
    const char *what = "the watchdog";
    size_t size = (size_t)dog->size, node = (size_t)dog->node_size, nodes = (size_t)dog->nodes;
    seq_status status = seq_allocate(&dog->records, node, sizeof *dog->records, what, error);
    if (!status)
        status = seq_allocate(&dog->neighbours, node, sizeof *dog->neighbours, what, error);
    if (!status) status = seq_allocate(&dog->places, size, sizeof *dog->places, what, error);
    if (!status) status = seq_allocate(&dog->ranks, size, sizeof *dog->ranks, what, error);
    if (!status) status = seq_allocate(&dog->answer, node, sizeof *dog->answer, what, error);
    if (!status) status = seq_allocate(&dog->guilty, size, sizeof *dog->guilty, what, error);
    if (!status)
        status = seq_allocate(&dog->ranks_here, size, sizeof *dog->ranks_here, what, error);
    if (!status)
        status = seq_allocate(&dog->guilty_here, size, sizeof *dog->guilty_here, what, error);
    return status ? status : seq_allocate(&dog->beats, nodes, sizeof *dog->beats, what, error);
}

static seq_status live(record *own, seq_error *error) {
    pthread_mutexattr_t robust;
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    int code = pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
    if (!code) code = pthread_mutex_init(&own->life, &robust);
    pthread_mutexattr_destroy(&robust);
    if (!code) code = pthread_mutex_lock(&own->life);
    return code ? seq_error_set(error, SEQ_RANK_FAILED, "the watchdog's mutex: %s", strerror(code))
                : SEQ_OK;
}

static seq_status exchange_places(seq_watchdog *dog, seq_error *error) {
    seq_rank_place *own = &dog->places[dog->rank];
    if (gethostname(own->host, sizeof own->host - 1)) strcpy(own->host, "unknown");
    own->process = getpid();
    return seq_comm_gather(dog->comm, dog->places, sizeof *dog->places, error);
}

static seq_status share_records(seq_watchdog *dog, seq_error *error) {
    seq_status status = seq_comm_share_each(dog->comm, sizeof(record), (void **)dog->records,
                                            "the watchdog", error);
    if (status) return status;
    record *own = dog->records[dog->node_rank];
    if (!live(own, error)) dog->own = own;
    if (dog->rank == 0) seq_hang_report_clear(&dog->report);
    return seq_comm_agree(dog->comm, error);
}

static seq_status begin(seq_watchdog *dog, const char *run, uint64_t session, seq_error *error) {
    seq_free_memory memory;
    allocate(dog, error);
    seq_hang_report_open(&dog->report, run, session, error);
    if (seq_comm_agree(dog->comm, error) || exchange_places(dog, error) ||
        share_records(dog, error))
        return error->status;
    dog->launched = seq_comm_launched(dog->comm);
    dog->parent = getppid();
    if (dog->launched) seq_launcher_find(&dog->launcher);
    seq_free_memory_read(&memory);
    dog->kills = memory.kills;
    start_threads(dog, error);
    if (!error->status) seq_signals_tell_death(seq_death_signals, note_death, dog);
    if (!seq_comm_agree(dog->comm, error)) seq_comm_watch(dog->comm, &dog->own->calls);
    return error->status;
}

seq_status seq_watchdog_create(seq_comm *comm, const char *run, uint64_t session, double limit,
                               seq_watchdog **out, seq_error *error) {
    seq_watchdog *dog = NULL;
    *out = NULL;
    if (limit <= 0) return SEQ_OK;
    seq_allocate(&dog, 1, sizeof *dog, "the watchdog", error);
    if (seq_comm_agree(comm, error)) {
        free(dog);
        return error->status;
    }
    dog->comm = comm;
    dog->run = run;
    dog->session = session;
    dog->rank = seq_comm_rank(comm);
    dog->size = seq_comm_size(comm);
    dog->nodes = seq_comm_nodes(comm);
    dog->node_rank = seq_comm_node_rank(comm);
    dog->node_size = seq_comm_node_size(comm);
    dog->node = dog->rank / dog->node_size;
    set_times(dog, limit);
    prepare_waiting(dog);
    *out = dog;
    return begin(dog, run, session, error);
}

static void stop_threads(seq_watchdog *dog) {
    pthread_mutex_lock(&dog->mutex);
    dog->ends = true;
    pthread_cond_broadcast(&dog->changed);
    pthread_mutex_unlock(&dog->mutex);
    for (int i = 0; i < dog->running; i++)
        pthread_join(dog->threads[i], NULL);
}

void seq_watchdog_destroy(seq_watchdog *dog) {
    if (!dog) return;
    seq_death_tell_bus_errors(); // no signal finds this watchdog any more
    seq_comm_watch(dog->comm, NULL);
    stop_threads(dog);
    if (dog->own) {
        atomic_store(&dog->own->left, true);
        pthread_mutex_unlock(&dog->own->life);
    }
    pthread_cond_destroy(&dog->changed);
    pthread_mutex_destroy(&dog->mutex);
    free(dog->records);
    free(dog->neighbours);
    free(dog->places);
    free(dog->ranks);
    free(dog->answer);
    free(dog->guilty);
    free(dog->ranks_here);
    free(dog->guilty_here);
    free(dog->beats);
    free(dog);
}

#ifdef SEQ_FAULT_INJECTION
// SEQ_HANG="RANK STEP STAGE" (numbers, STEP counts updates done): that rank's main thread stops
// there.
static void hang_as_told(const seq_watchdog *dog, int64_t step, seq_stage stage) {
    const char *told = getenv("SEQ_HANG");
    int rank, at;
    long long when;
    if (!told || sscanf(told, "%d %lld %d", &rank, &when, &at) != 3) return;
    while (rank == dog->rank && when == step && at == (int)stage)
        pause();
}
#endif

void seq_watchdog_note(seq_watchdog *dog, int64_t step, seq_stage stage) {
    if (!dog || !dog->own) return;
    atomic_store(&dog->own->step, step);
    atomic_store(&dog->own->stage, stage);
    atomic_fetch_add(&dog->own->notes, 1);
#ifdef SEQ_FAULT_INJECTION
    hang_as_told(dog, step, stage);
#endif
}

void seq_watchdog_touch(seq_watchdog *dog) {
    if (!dog || !dog->own) return;
    atomic_store(&dog->worker, (pid_t)syscall(SYS_gettid));
    atomic_fetch_add(&dog->own->notes, 1);
}
