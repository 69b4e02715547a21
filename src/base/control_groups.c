// Finds control groups: the path of this process's group in /proc/self/cgroup, the place where its
// controller is mounted in /proc/self/mountinfo. In a container the path may be the host's, and the
// mount's root tells which part of it is seen here.
// Invariant: only open, read and close, into memory of the stack: a signal handler may ask.
// Tests: tests/unit/base/test_cores.c, tests/unit/base/test_free_memory.c.
#include <seqtrain/base/control_groups.h>
#include <fcntl.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 3 * SEQ_PATH, BLOCK = 1024 };

typedef struct lines {
    int descriptor;
    size_t used, filled;
    char block[BLOCK];
} lines;

static lines open_lines(const char *system, const char *directory, const char *name) {
    char path[LINE];
    snprintf(path, sizeof path, "%s%s/%s", system, directory, name);
    return (lines){.descriptor = open(path, O_RDONLY | O_CLOEXEC)};
}

static void close_lines(lines *lines) {
    if (lines->descriptor >= 0) close(lines->descriptor);
}

// -1 at the end.
static int next_byte(lines *lines) {
    if (lines->used == lines->filled) {
        ssize_t got =
            lines->descriptor < 0 ? 0 : read(lines->descriptor, lines->block, sizeof lines->block);
        if (got <= 0) return -1;
        lines->used = 0;
        lines->filled = (size_t)got;
    }
    return (unsigned char)lines->block[lines->used++];
}

// Cut where it is longer than `size`. False at the end.
static bool next_line(lines *lines, char *out, size_t size) {
    size_t length = 0;
    int byte;
    while ((byte = next_byte(lines)) >= 0 && byte != '\n')
        if (length + 1 < size) out[length++] = (char)byte;
    out[length] = '\0';
    return byte >= 0 || length > 0;
}

// A word of a list with commas.
static bool has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strncmp(list, word, length) == 0 && (!list[length] || list[length] == ',')) return true;
    return false;
}

// Cuts the word up to the separator off; NULL when there is none left.
static char *take_word(char **text, char separator) {
    char *word = *text, *end = word ? strchr(word, separator) : NULL;
    *text = end ? end + 1 : NULL;
    if (end) *end = '\0';
    return word;
}

// "12:cpu,cpuacct:/docker/1234", version 2 "0::/user.slice": the path of this process's group.
static bool find_group(const char *system, const char *controller, bool is_first,
                       char out[SEQ_PATH]) {
    char line[LINE];
    bool found = false;
    lines lines = open_lines(system, "/proc/self", "cgroup");
    while (!found && next_line(&lines, line, sizeof line)) {
        char *rest = line, *number = take_word(&rest, ':'), *controllers = take_word(&rest, ':');
        if (!rest) continue;
        found = is_first ? has_word(controllers, controller)
                         : strcmp(number, "0") == 0 && !*controllers;
        if (found) snprintf(out, SEQ_PATH, "%s", rest);
    }
    close_lines(&lines);
    return found;
}

// "32 31 0:29 ROOT POINT rw shared:9 - cgroup cgroup rw,cpu": where the groups are mounted, and
// which group is the mount's root.
static bool find_mount(const char *system, const char *controller, bool is_first,
                       char root[SEQ_PATH], char point[SEQ_PATH]) {
    char line[LINE];
    bool found = false;
    lines lines = open_lines(system, "/proc/self", "mountinfo");
    while (!found && next_line(&lines, line, sizeof line)) {
        char *fields[5] = {NULL}, *rest = line, *kind = strstr(line, " - ");
        if (!kind) continue;
        *kind = '\0';
        kind += 3;
        for (int i = 0; i < 5; i++)
            fields[i] = take_word(&rest, ' ');
        char *type = take_word(&kind, ' '), *options = kind ? strchr(kind, ' ') : NULL;
        if (!fields[4] || !options) continue;
        found = is_first ? strcmp(type, "cgroup") == 0 && has_word(options + 1, controller)
                         : strcmp(type, "cgroup2") == 0;
        if (!found) continue;
        snprintf(root, SEQ_PATH, "%s", fields[3]);
        snprintf(point, SEQ_PATH, "%s", fields[4]);
    }
    close_lines(&lines);
    return found;
}

// A group that lies outside of the mount (in a container with a view of its own) is its root.
static const char *below_root(const char *group, const char *root) {
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool inside = strncmp(group, root, length) == 0 && (!group[length] || group[length] == '/');
    return inside && !strstr(group, "/..") ? group + length : "";
}

static void visit_version(const char *system, const char *controller, bool is_first,
                          seq_group_visitor *visit, void *context) {
    char group[SEQ_PATH], root[SEQ_PATH], point[SEQ_PATH], directory[LINE];
    if (!find_group(system, controller, is_first, group) ||
        !find_mount(system, controller, is_first, root, point))
        return;
    size_t least = strlen(system) + strlen(point);
    int length = snprintf(directory, sizeof directory, "%s%s%s", system, point,
                          strcmp(group, "/") == 0 ? "" : below_root(group, root));
    if (length < 0 || (size_t)length >= sizeof directory) return;
    for (; strlen(directory) > least; *strrchr(directory, '/') = '\0')
        visit(context, directory, is_first);
    visit(context, directory, is_first);
}

void seq_control_groups_visit(const char *system, const char *controller, seq_group_visitor *visit,
                              void *context) {
    visit_version(system, controller, false, visit, context);
    visit_version(system, controller, true, visit, context);
}

bool seq_control_group_read(const char *directory, const char *name, char *out, size_t size) {
    lines lines = open_lines("", directory, name);
    bool read = next_line(&lines, out, size);
    close_lines(&lines);
    return read;
}
