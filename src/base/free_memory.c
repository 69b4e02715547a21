// Reads MemAvailable and SwapFree, the control groups of this process from its own up to the root,
// and statvfs. A group's page cache of files counts as free: the kernel gives it back first.
// Invariant: only open, read and close, into memory of the stack. Numbers are cut, never rounded
// up: what is called free is there. Tests: tests/unit/base/test_free_memory.c and
// tests/fault/shared_memory.sh.
#include <seqtrain/base/free_memory.h>
#include <fcntl.h>
#include <seqtrain/base/control_groups.h>
#include <seqtrain/base/file.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { TEXT = 8192 };
static const uint64_t UNLIMITED = UINT64_C(1) << 60; // cgroup 1 says "no limit" by a number

// The beginning of a file of /proc or /sys; false: it is not there.
static bool read_text(const char *path, char out[TEXT]) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t got = 0;
    while (descriptor >= 0 && used < TEXT - 1 &&
           (got = read(descriptor, out + used, TEXT - 1 - used)) > 0)
        used += (size_t)got;
    out[used] = '\0';
    if (descriptor >= 0) close(descriptor);
    return descriptor >= 0 && got >= 0;
}

// The number behind a name at the beginning of a line; `other` when there is none.
static uint64_t number_after(const char *text, const char *name, uint64_t other) {
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0) return strtoull(line + length, NULL, 10);
    }
    return other;
}

// "max": no limit.
static uint64_t number_in(const char *directory, const char *name, uint64_t other) {
    char text[64];
    if (!seq_control_group_read(directory, name, text, sizeof text) || *text < '0' || *text > '9')
        return other;
    return strtoull(text, NULL, 10);
}

// A group may take what each group above it may take.
static void take_group(void *context, const char *directory, bool is_first) {
    seq_free_memory *out = context;
    char path[SEQ_PATH], text[TEXT];
    uint64_t limit =
        number_in(directory, is_first ? "memory.limit_in_bytes" : "memory.max", UNLIMITED);
    if (limit >= UNLIMITED) return;
    uint64_t cached = 0,
             used = number_in(directory, is_first ? "memory.usage_in_bytes" : "memory.current", 0);
    snprintf(path, sizeof path, "%s/memory.stat", directory);
    if (read_text(path, text))
        cached = number_after(text, "total_inactive_file ",
                              number_after(text, "inactive_file ", 0)); // cgroup 1, cgroup 2
    used -= cached < used ? cached : used;
    uint64_t left = limit > used ? limit - used : 0;
    if (out->group_limit && out->group_free <= left) return;
    out->group_limit = limit;
    out->group_free = left;
}

void seq_free_memory_read(seq_free_memory *out) {
    char text[TEXT];
    struct statvfs shm;
    *out = (seq_free_memory){.host_free = UNLIMITED};
    if (read_text("/proc/meminfo", text) && strstr(text, "MemAvailable:")) {
        out->host_total =
            1024 * (number_after(text, "MemTotal:", 0) + number_after(text, "SwapTotal:", 0));
        out->host_free =
            1024 * (number_after(text, "MemAvailable:", 0) + number_after(text, "SwapFree:", 0));
    }
    seq_control_groups_visit("", "memory", take_group, out);
    if (statvfs("/dev/shm", &shm) == 0) {
        out->shm_total = (uint64_t)shm.f_blocks * shm.f_frsize;
        out->shm_free = (uint64_t)shm.f_bavail * shm.f_frsize;
    }
    if (read_text("/proc/vmstat", text)) out->kills = number_after(text, "oom_kill ", 0);
#ifdef SEQ_FAULT_INJECTION
    const char *told = getenv("SEQ_FREE_MEMORY"); // bytes: a small host
    if (told) out->host_total = out->host_free = strtoull(told, NULL, 10);
#endif
}

uint64_t seq_free_memory_least(const seq_free_memory *memory) {
    bool group = memory->group_limit && memory->group_free < memory->host_free;
    return group ? memory->group_free : memory->host_free;
}

const char *seq_amount(uint64_t bytes, char out[24]) {
    uint64_t unit = bytes >= 1000000000 ? 1000000000 : 1000000; // no floating point: see above
    snprintf(out, 24, "%llu.%llu %s", (unsigned long long)(bytes / unit),
             (unsigned long long)(bytes % unit / (unit / 10)), unit == 1000000 ? "MB" : "GB");
    return out;
}

const char *seq_limits_describe(char *out, size_t size) {
    static const struct {
        int resource;
        const char *name, *taken;
    } limits[] = {{RLIMIT_AS, "ulimit -v", "VmSize:"}, {RLIMIT_DATA, "ulimit -d", "VmData:"}};
    char text[TEXT], all[24], left[24];
    size_t used = 0;
    *out = '\0';
    if (!read_text("/proc/self/status", text)) *text = '\0';
    for (size_t i = 0; i < sizeof limits / sizeof *limits && used < size; i++) {
        struct rlimit limit;
        if (getrlimit(limits[i].resource, &limit) || limit.rlim_cur == RLIM_INFINITY) continue;
        uint64_t allowed = limit.rlim_cur, taken = 1024 * number_after(text, limits[i].taken, 0);
        used += (size_t)snprintf(out + used, size - used,
                                 "; %s allows this process %s, of which %s are left",
                                 limits[i].name, seq_amount(allowed, all),
                                 seq_amount(taken < allowed ? allowed - taken : 0, left));
    }
    return out;
}

const char *seq_free_memory_describe(const seq_free_memory *memory, char *out, size_t size) {
    char left[24], all[24];
    size_t used = 0;
    const struct {
        uint64_t total, left;
        const char *where;
    } places[] = {{memory->host_total, memory->host_free, "on the host"},
                  {memory->group_limit, memory->group_free, "in the control group"},
                  {memory->shm_total, memory->shm_free, "in /dev/shm"}};
    *out = '\0';
    for (int i = 0; i < 3; i++) {
        if (!places[i].total || used >= size) continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s of %s free %s", used ? ", " : "",
                                 seq_amount(places[i].left, left), seq_amount(places[i].total, all),
                                 places[i].where);
    }
    return out;
}

// Only what is known to be a disk of this host is called one.
static seq_file_system kind_of(unsigned long magic) {
    static const unsigned long disks[] = {
        0xEF53,     0x58465342, 0x9123683E, 0xF2F52010, 0x2FC12FC1, // ext, xfs, btrfs, f2fs, zfs
        0x52654973, 0x3153464a, 0xca451a4e, 0x794c7630}; // reiserfs, jfs, bcachefs, overlay
    if (magic == 0x01021994 || magic == 0x858458f6) return SEQ_FS_MEMORY; // tmpfs, ramfs
    for (size_t i = 0; i < sizeof disks / sizeof *disks; i++)
        if (magic == disks[i]) return SEQ_FS_DISK;
    return SEQ_FS_OTHER;
}

seq_file_system seq_free_space_read(const char *directory, uint64_t *out_free) {
    struct statfs kind;
    struct statvfs space;
    *out_free = 0;
    if (statfs(directory, &kind) || statvfs(directory, &space)) return SEQ_FS_NONE;
    *out_free = (uint64_t)space.f_bavail * space.f_frsize;
    return kind_of((unsigned long)kind.f_type & 0xffffffff);
}
