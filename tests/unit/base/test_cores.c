// Quotas of control groups, read from files as the system writes them: version
// 1 and 2, containers with and without a view of their own, and the affinity of
// this process. Checks src/base/cores.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <seqtrain/base/control_groups.h>
#include <seqtrain/base/cores.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "temporary.h"

static temporary own;

static void write_file(const char *system, const char *name, const char *text) {
    char path[1000];
    seq_error error = {0};
    snprintf(path, sizeof path, "%s/%s/%s", own.directory, system, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(seq_directory_create(path, &error), SEQ_OK);
    *slash = '/';
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static seq_cores find(const char *system) {
    char path[1000];
    seq_cores cores;
    snprintf(path, sizeof path, "%s/%s", own.directory, system);
    seq_cores_find(path, &cores);
    return cores;
}

#define SECOND_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
#define FIRST_MOUNT                                                                                \
    "31 23 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"                                            \
    "33 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"                            \
    "32 31 0:28 %s /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"

static void write_first(const char *system, const char *root, const char *group) {
    char text[1000];
    snprintf(text, sizeof text, FIRST_MOUNT, root);
    write_file(system, "proc/self/mountinfo", text);
    snprintf(text, sizeof text, "9:cpuset:/other\n4:cpu,cpuacct:%s\n0::/\n", group);
    write_file(system, "proc/self/cgroup", text);
}

typedef struct visited {
    char text[2000];
} visited;

static void note_group(void *context, const char *directory, bool is_first) {
    visited *out = context;
    size_t used = strlen(out->text);
    snprintf(out->text + used, sizeof out->text - used, "%d %s\n", is_first ? 1 : 2,
             strstr(directory, "/sys/") + 4);
}

// Own group first, up to the root; version 2 before version 1; long lines of other mounts between.
static void groups_of_a_host_with_both(void **state) {
    (void)state;
    char mounts[9000], path[1000];
    visited found = {""};
    int used =
        snprintf(mounts, sizeof mounts, "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 1 0:30 / /");
    memset(mounts + used, 'x', 7000);
    snprintf(mounts + used + 7000, sizeof mounts - (size_t)used - 7000,
             " rw - overlay overlay rw\n"
             "31 23 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
             "32 31 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
             "33 31 0:29 /docker/7 /sys/fs/cgroup/memory rw shared:3 - cgroup cgroup rw,memory\n"
             "34 31 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n");
    write_file("both", "proc/self/mountinfo", mounts);
    write_file("both", "proc/self/cgroup",
               "9:memory:/docker/7/step\n8:cpu:/\n1:name=systemd:/x\n0::/user.slice/a:b\n");
    snprintf(path, sizeof path, "%s/both", own.directory);
    seq_control_groups_visit(path, "memory", note_group, &found);
    assert_string_equal(found.text, "2 /fs/cgroup/unified/user.slice/a:b\n"
                                    "2 /fs/cgroup/unified/user.slice\n"
                                    "2 /fs/cgroup/unified\n"
                                    "1 /fs/cgroup/memory/step\n"
                                    "1 /fs/cgroup/memory\n");
    *found.text = '\0';
    seq_control_groups_visit(path, "cpu", note_group, &found);
    assert_non_null(strstr(found.text, "unified\n1 /fs/cgroup/cpu\n"));
    *found.text = '\0';
    seq_control_groups_visit("/nowhere", "cpu", note_group, &found);
    assert_string_equal(found.text, "");
}

static void second_version(void **state) {
    (void)state;
    write_file("two", "proc/self/mountinfo", SECOND_MOUNT);
    write_file("two", "proc/self/cgroup", "0::/job/step\n");
    assert_true(find("two").quota == 0); // no files: the root has none
    write_file("two", "sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
    assert_true(find("two").quota == 0);
    write_file("two", "sys/fs/cgroup/job/cpu.max", "250000 100000\n");
    assert_true(find("two").quota == 2.5); // of a group above
    uint64_t group = find("two").group;
    write_file("two", "proc/self/cgroup", "0::/job/other\n");
    assert_true(find("two").quota == 2.5 && find("two").group == group); // shared
    write_file("two", "sys/fs/cgroup/job/other/cpu.max", "50000 100000\n");
    assert_true(find("two").quota == 0.5 && find("two").group != group);
}

// In a container with a view of its own, the group is "/" and the mount's root has the file.
static void container(void **state) {
    (void)state;
    write_file("box", "proc/self/mountinfo", SECOND_MOUNT);
    write_file("box", "proc/self/cgroup", "0::/\n");
    write_file("box", "sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_true(find("box").quota == 2);
    write_file("box", "proc/self/cgroup", "0::/../outside\n");
    assert_true(find("box").quota == 2);
}

static void first_version(void **state) {
    (void)state;
    write_first("one", "/", "/job");
    write_file("one", "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
    write_file("one", "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
    assert_true(find("one").quota == 0);
    write_file("one", "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n");
    assert_true(find("one").quota == 3);
    // A container without a view of its own: the mount's root is its group.
    write_first("docker", "/docker/1234", "/docker/1234");
    write_file("docker", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    write_file("docker", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "400000\n");
    assert_true(find("docker").quota == 4);
}

static void affinity(void **state) {
    (void)state;
    cpu_set_t all, one;
    seq_cores cores;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    seq_cores_find("/nowhere", &cores);
    assert_int_equal(cores.count, CPU_COUNT(&all));
    assert_true(cores.quota == 0);
    int core = 0;
    while (!CPU_ISSET(core, &all))
        core++;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    seq_cores_find("/nowhere", &cores);
    assert_int_equal(cores.count, 1);
    assert_true(cores.mask[core / 64] == (uint64_t)1 << core % 64);
    assert_int_equal(seq_cores_usable(), 1);
    sched_setaffinity(0, sizeof all, &all);
}

static int set_up(void **state) {
    (void)state;
    temporary_create(&own);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    temporary_destroy(&own);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_a_host_with_both), cmocka_unit_test(second_version),
        cmocka_unit_test(container), cmocka_unit_test(first_version), cmocka_unit_test(affinity)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
