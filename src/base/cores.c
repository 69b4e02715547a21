// Affinity from the scheduler; quotas from the control groups, of version 2 (cpu.max) and 1
// (cpu.cfs_quota_us), both of which a host may have. Any group on the way from the process's own to
// the root of the mount may have a quota, and the least counts. Tests:
// tests/unit/base/test_cores.c.
#include <seqtrain/base/cores.h>
#include <sched.h>
#include <seqtrain/base/control_groups.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void find_affinity(seq_cores *out) {
    cpu_set_t *set = (cpu_set_t *)out->mask;
    if (sched_getaffinity(0, sizeof out->mask, set) == 0) {
        out->count = CPU_COUNT_S(sizeof out->mask, set);
        return;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN); // more cores than the mask holds
    out->count = online > 0 ? (int)online : 1;
}

// Cores of the group alone; 0: no limit. "max 100000" and -1 are none.
static double read_quota(const char *directory, bool is_first) {
    char text[64], length[64];
    double quota = 0, period = 0;
    if (!is_first) {
        if (!seq_control_group_read(directory, "cpu.max", text, sizeof text)) return 0;
        if (sscanf(text, "%lf %lf", &quota, &period) != 2) return 0;
    } else {
        if (!seq_control_group_read(directory, "cpu.cfs_quota_us", text, sizeof text) ||
            !seq_control_group_read(directory, "cpu.cfs_period_us", length, sizeof length))
            return 0;
        quota = strtod(text, NULL);
        period = strtod(length, NULL);
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}

static void take_quota(void *context, const char *directory, bool is_first) {
    seq_cores *out = context;
    struct stat status;
    double quota = read_quota(directory, is_first);
    if (quota == 0 || (out->quota > 0 && quota >= out->quota)) return;
    out->quota = quota;
    out->group =
        stat(directory, &status) ? 0 : (uint64_t)status.st_ino ^ (uint64_t)status.st_dev << 40;
}

void seq_cores_find(const char *system, seq_cores *out) {
    *out = (seq_cores){.count = 1};
    find_affinity(out);
    seq_control_groups_visit(system, "cpu", take_quota, out);
}

int seq_cores_usable(void) {
    seq_cores cores;
    seq_cores_find("", &cores);
    if (cores.quota == 0 || cores.quota >= cores.count) return cores.count;
    return cores.quota < 1 ? 1 : (int)cores.quota;
}
