// On what a run computes, and whether its threads have a core each. A
// checkpoint names the order of arithmetic, which decides the bits. The CPU's
// name is kept beside the checkpoints, so that equal states stay equal files on
// different CPUs. Tests: tests/cli/warnings.sh, tests/fault/ranks_differ.sh.
#include <seqtrain/job/cpu_check.h>
#include <seqtrain/base/cores.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { RECORD_LIMIT = 4096 };

typedef struct machine {
    char host[64], cpu[SEQ_CPU_NAME], arithmetic[200];
    seq_cores cores;
    int threads, online; // cores of the host
} machine;

// "model name\t: AMD EPYC ..." of /proc/cpuinfo; elsewhere the architecture.
void seq_cpu_name(char *out, size_t size) {
    char line[256];
    struct utsname system;
    FILE *file = fopen("/proc/cpuinfo", "re");
    *out = '\0';
    while (file && !*out && fgets(line, sizeof line, file)) {
        char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) != 0 || !value) continue;
        snprintf(out, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
    }
    if (file) fclose(file);
    if (!*out) snprintf(out, size, "%s", uname(&system) ? "unknown" : system.machine);
}

// What a rank's CPU can run, for --kernels auto.
typedef struct offer {
    char host[64], cpu[SEQ_CPU_NAME];
    uint32_t kernels; // bit i: seq_kernels_names()[i]
    int32_t chosen;   // place in seq_kernels_names(), 0: auto
} offer;

static int place_of(const char *name) {
    int place = 1;
    while (strcmp(seq_kernels_names()[place], name) != 0)
        place++;
    return place;
}

static void fill_offer(int chosen, offer *out) {
    *out = (offer){.chosen = chosen};
    gethostname(out->host, sizeof out->host - 1);
    seq_cpu_name(out->cpu, sizeof out->cpu);
    for (int i = 1; seq_kernels_names()[i]; i++) {
        const seq_kernels *kernels = seq_kernels_of(seq_kernels_names()[i]);
        bool own = kernels && strcmp(kernels->name, seq_kernels_names()[i]) == 0;
        out->kernels |= (uint32_t)own << i;
        // "portable" is another table on a CPU without fused multiply-adds: all take that one.
        if (kernels && !own && out->chosen == i) out->chosen = place_of(kernels->name);
    }
}

// The names are in the order of speed.
static int best_of(uint32_t kernels) {
    int place = 1;
    while (!(kernels >> place & 1))
        place++;
    return place;
}

static void warn_of_slower(const offer *offers, int ranks, int best, int common) {
    for (int rank = 0; rank < ranks; rank++) {
        if (offers[rank].kernels >> best & 1) continue;
        seq_log_warning("rank %d on host %s (%s) has no %s: all ranks compute with %s, the best "
                        "that all have",
                        rank, offers[rank].host, offers[rank].cpu, seq_kernels_names()[best],
                        seq_kernels_names()[common]);
        return;
    }
}

seq_status seq_cpu_choose_kernels(seq_comm *comm, int chosen, const char **out_name,
                                  seq_error *error) {
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    uint32_t common = UINT32_MAX, any = 0;
    offer *offers = NULL;
    seq_allocate(&offers, (size_t)ranks, sizeof *offers, "the kernels of the ranks", error);
    if (seq_comm_agree(comm, error)) goto out;
    fill_offer(chosen, &offers[rank]);
    chosen = 0;
    if (seq_comm_gather(comm, offers, sizeof *offers, error)) goto out;
    for (int other = 0; other < ranks; other++) {
        common &= offers[other].kernels;
        any |= offers[other].kernels;
        if (offers[other].chosen > chosen) chosen = offers[other].chosen;
    }
    const int portable = place_of("portable");
    if (chosen == portable && !(common >> portable & 1)) chosen = place_of("unfused");
    if (!chosen) {
        chosen = best_of(common); // unfused, at least
        if (chosen != best_of(any)) warn_of_slower(offers, ranks, best_of(any), chosen);
    }
    *out_name = seq_kernels_names()[chosen];
out:
    free(offers);
    return error->status;
}

static void describe(const seq_compute *compute, machine *out) {
    *out = (machine){.host = ""};
    gethostname(out->host, sizeof out->host - 1);
    seq_cpu_name(out->cpu, sizeof out->cpu);
    snprintf(out->arithmetic, sizeof out->arithmetic, "%s", seq_compute_arithmetic(compute));
    seq_cores_find("", &out->cores);
    out->threads = seq_team_size(compute->team);
    out->online = (int)sysconf(_SC_NPROCESSORS_ONLN);
}

static void compare_ranks(const machine *machines, int ranks) {
    for (int rank = 1; rank < ranks; rank++) {
        if (strcmp(machines[rank].arithmetic, machines[0].arithmetic) == 0) continue;
        seq_log_warning(
            "rank %d on host %s (%s) computes with arithmetic %s, rank 0 on host %s (%s) with %s: "
            "the bits depend on which rank does what; choose one of --kernels, or one --blas",
            rank, machines[rank].host, machines[rank].cpu, machines[rank].arithmetic,
            machines[0].host, machines[0].cpu, machines[0].arithmetic);
        return;
    }
}

// What the ranks of a host, or those of them that share a quota, want and may have.
typedef struct load {
    int ranks, threads, cores;
} load;

static load add_up(const machine *machines, int ranks, const machine *like, bool quota) {
    load sum = {0};
    uint64_t mask[SEQ_CORES_WORDS] = {0};
    for (const machine *it = machines; it < machines + ranks; it++) {
        if (strcmp(it->host, like->host) != 0 || (quota && it->cores.group != like->cores.group))
            continue;
        sum.ranks++;
        sum.threads += it->threads;
        for (int i = 0; i < SEQ_CORES_WORDS; i++)
            mask[i] |= it->cores.mask[i];
    }
    for (int i = 0; i < SEQ_CORES_WORDS; i++)
        sum.cores += __builtin_popcountll(mask[i]);
    if (sum.cores == 0) sum.cores = like->cores.count; // the mask is not known
    return sum;
}

static const char *plural(int count) {
    return count == 1 ? "" : "s";
}

static bool warn_of_load(const machine *machines, int ranks, int rank) {
    const machine *own = &machines[rank], *last = own - (rank > 0);
    load host = {0}, group = {0};
    if (own == last || strcmp(own->host, last->host) || own->cores.group != last->cores.group) {
        host = add_up(machines, ranks, own, false); // once a host: its ranks follow each other
        group = add_up(machines, ranks, own, true);
    }
    if (own->cores.quota > 0 && group.threads > own->cores.quota)
        seq_log_warning("host %s: %d rank%s with %d thread%s in all may use the time of %.3g cores "
                        "(cpu.max or cpu.cfs_quota_us of the control group) and wait when it is "
                        "used up%s",
                        own->host, group.ranks, plural(group.ranks), group.threads,
                        plural(group.threads), own->cores.quota,
                        group.threads > 1 ? "; start fewer ranks or threads" : "");
    else if (host.threads > host.cores)
        seq_log_warning("host %s: %d rank%s with %d threads in all share %d core%s and wait for "
                        "each other; start fewer ranks or threads%s",
                        own->host, host.ranks, plural(host.ranks), host.threads, host.cores,
                        plural(host.cores),
                        host.cores < own->online ? ", or allow more of the host's cores (taskset, "
                                                   "cpuset, mpirun --bind-to none)"
                                                 : "");
    else if (own->threads > own->cores.count)
        seq_log_warning("host %s: the %d threads of rank %d share the %d core%s to which it is "
                        "bound and wait for each other: mpirun --bind-to none, or --map-by "
                        "slot:PE=%d",
                        own->host, own->threads, rank, own->cores.count, plural(own->cores.count),
                        own->threads);
    else
        return false;
    return true;
}

bool seq_cpu_last(const char *run, char out[SEQ_CPU_NAME]) {
    char path[SEQ_PATH], *last = NULL;
    size_t size = 0;
    uint64_t listed;
    seq_error ignored = {0};
    if (seq_path_join(path, run, "cpu.txt", &ignored) ||
        seq_file_size(path, &listed, &ignored) || // a pipe would keep the reader waiting
        seq_file_read(path, RECORD_LIMIT, &last, &size, &ignored))
        return false;
    snprintf(out, SEQ_CPU_NAME, "%.*s", (int)strcspn(last, "\n"), last);
    free(last);
    return true;
}

// A library may choose its code by more of the CPU than it tells.
static void compare_with_last(const char *run, const seq_compute *compute, const char *cpu) {
    char last[SEQ_CPU_NAME];
    if (!seq_cpu_last(run, last) || strcmp(last, cpu) == 0) return;
    if (strcmp(compute->kernels->name, "openblas") == 0)
        seq_log_warning("the run was on a CPU %s, this is %s: a library such as %s may add in "
                        "another order here",
                        last, cpu, seq_compute_arithmetic(compute));
    else
        seq_log_info("the run was on a CPU %s, this is %s: the same order of arithmetic gives the "
                     "same bits on both",
                     last, cpu);
}

static seq_status record(const char *run, const seq_compute *compute, const char *cpu, bool resumed,
                         seq_error *error) {
    char path[SEQ_PATH], line[SEQ_CPU_NAME + 1];
    seq_status status = seq_path_join(path, run, "cpu.txt", error);
    if (status) return status;
    if (resumed) compare_with_last(run, compute, cpu);
    int length = snprintf(line, sizeof line, "%s\n", cpu);
    return seq_file_write_atomic(path, line, (size_t)length, error);
}

seq_status seq_cpu_check(seq_comm *comm, const seq_compute *compute, const char *run, bool resumed,
                         seq_error *error) {
    int rank = seq_comm_rank(comm), ranks = seq_comm_size(comm);
    machine *machines = NULL;
    seq_allocate(&machines, (size_t)ranks, sizeof *machines, "the names of the machines", error);
    if (seq_comm_agree(comm, error)) goto out;
    describe(compute, &machines[rank]);
    if (seq_comm_gather(comm, machines, sizeof *machines, error)) goto out;
    if (rank == 0) {
        compare_ranks(machines, ranks);
        for (int i = 0; i < ranks && !warn_of_load(machines, ranks, i); i++) {
        } // one is enough
        record(run, compute, machines[0].cpu, resumed, error);
    }
    seq_comm_agree(comm, error);
out:
    free(machines);
    return error->status;
}
