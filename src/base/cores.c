// Affinity from the scheduler; quotas from the control groups, of version 2 (cpu.max) and 1
// (cpu.cfs_quota_us), both of which a host may have. Any group on the way from the process's own to
// the root of the mount may have a quota, and the least counts. Tests:
// tests/unit/base/test_cores.c.
#include <seqtrain/base/cores.h>
#include <sched.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

// A word of a list with commas.
static bool has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strncmp(list, word, length) == 0 && (!list[length] || list[length] == ',')) return true;
    return false;
}

static FILE *open_at(const char *system, const char *directory, const char *name) {
    char path[3 * SEQ_PATH];
    snprintf(path, sizeof path, "%s%s/%s", system, directory, name);
    return fopen(path, "re");
}

// "12:cpu,cpuacct:/docker/1234", version 2 "0::/user.slice": the path of this process's group.
static bool find_group(const char *system, bool second, char out[SEQ_PATH]) {
    char line[SEQ_PATH];
    bool found = false;
    FILE *file = open_at(system, "/proc/self", "cgroup");
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':'), *path = controllers;
        if (controllers) path = strchr(++controllers, ':');
        if (!path) continue;
        *path++ = '\0';
        found = second ? strcmp(line, "0:") == 0 && !*controllers : has_word(controllers, "cpu");
        if (found) snprintf(out, SEQ_PATH, "%s", path);
    }
    if (file) fclose(file);
    return found;
}

// "32 31 0:29 ROOT POINT rw shared:9 - cgroup cgroup rw,cpu": where the groups are mounted, and
// which group is the mount's root.
static bool find_mount(const char *system, bool second, char root[SEQ_PATH], char point[SEQ_PATH]) {
    char line[3 * SEQ_PATH], type[32], options[1024];
    bool found = false;
    FILE *file = open_at(system, "/proc/self", "mountinfo");
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *end = strstr(line, " - ");
        found = end && sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) == 2 &&
                sscanf(end, " - %31s %*s %1023s", type, options) == 2 &&
                (second ? strcmp(type, "cgroup2") == 0
                        : strcmp(type, "cgroup") == 0 && has_word(options, "cpu"));
    }
    if (file) fclose(file);
    return found;
}

static bool read_text(const char *system, const char *directory, const char *name, char out[64]) {
    FILE *file = open_at(system, directory, name);
    bool read = file && fgets(out, 64, file);
    if (file) fclose(file);
    return read;
}

// Cores of the group alone; 0: no limit. "max 100000" and -1 are none.
static double read_quota(const char *system, const char *directory, bool second) {
    char text[64], length[64];
    double quota = 0, period = 0;
    if (second) {
        if (!read_text(system, directory, "cpu.max", text)) return 0;
        if (sscanf(text, "%lf %lf", &quota, &period) != 2) return 0;
    } else {
        if (!read_text(system, directory, "cpu.cfs_quota_us", text) ||
            !read_text(system, directory, "cpu.cfs_period_us", length))
            return 0;
        quota = strtod(text, NULL);
        period = strtod(length, NULL);
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}

static void take_quota(const char *system, const char *directory, bool second, seq_cores *out) {
    char path[3 * SEQ_PATH];
    struct stat status;
    double quota = read_quota(system, directory, second);
    if (quota == 0 || (out->quota > 0 && quota >= out->quota)) return;
    out->quota = quota;
    snprintf(path, sizeof path, "%s%s", system, directory);
    out->group = stat(path, &status) ? 0 : (uint64_t)status.st_ino ^ (uint64_t)status.st_dev << 40;
}

// A group that lies outside of the mount (in a container with a view of its own) is its root.
static const char *below_root(const char *group, const char *root) {
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool inside = strncmp(group, root, length) == 0 && (!group[length] || group[length] == '/');
    return inside && !strstr(group, "/..") ? group + length : "";
}

static void find_quota(const char *system, bool second, seq_cores *out) {
    char group[SEQ_PATH], root[SEQ_PATH], point[SEQ_PATH], directory[2 * SEQ_PATH];
    if (!find_group(system, second, group) || !find_mount(system, second, root, point)) return;
    snprintf(directory, sizeof directory, "%s%s", point, below_root(group, root));
    for (size_t least = strlen(point); strlen(directory) > least; *strrchr(directory, '/') = '\0')
        take_quota(system, directory, second, out);
    take_quota(system, point, second, out);
}

void seq_cores_find(const char *system, seq_cores *out) {
    *out = (seq_cores){.count = 1};
    find_affinity(out);
    find_quota(system, true, out);
    find_quota(system, false, out);
}

int seq_cores_usable(void) {
    seq_cores cores;
    seq_cores_find("", &cores);
    if (cores.quota == 0 || cores.quota >= cores.count) return cores.count;
    return cores.quota < 1 ? 1 : (int)cores.quota;
}
