// The control groups of this process, from its own up to the root of what is mounted: of version 2
// (nested), version 1, and hosts that have both. launch/common.sh has the same rule in shell.
#ifndef SEQTRAIN_BASE_CONTROL_GROUPS_H
#define SEQTRAIN_BASE_CONTROL_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

// `directory` is the group's, `is_first` tells version 1, whose files have other names.
typedef void seq_group_visitor(void *context, const char *directory, bool is_first);

// Calls `visit` for each group, its own first; version 2 before version 1. `controller`: "cpu",
// "memory" ... `system` is "" (tests: a directory with files like those below /proc and
// /sys/fs/cgroup). Safe in a signal handler: open, read and close, into memory of the stack.
void seq_control_groups_visit(const char *system, const char *controller, seq_group_visitor *visit,
                              void *context);
// The first line of a group's file, without its end; false: it is not there.
bool seq_control_group_read(const char *directory, const char *name, char *out, size_t size);

#endif
