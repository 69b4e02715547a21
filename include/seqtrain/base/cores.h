// The cores that this process may use: those of its affinity (taskset, a launcher's binding,
// cpusets), and the processor time that its control groups grant (containers, batch systems).
#ifndef SEQTRAIN_BASE_CORES_H
#define SEQTRAIN_BASE_CORES_H

#include <stdint.h>

enum { SEQ_CORES_WORDS = 64 };

typedef struct seq_cores {
    int count;                      // by affinity
    uint64_t mask[SEQ_CORES_WORDS]; // which; all zero when that is not known
    double quota;   // cores that the granted time is worth, the least of all groups; 0: no limit
    uint64_t group; // identity of the group that has it: processes in it share the quota
} seq_cores;

// `system` is "" (tests: a directory with files like those below /proc and /sys/fs/cgroup).
void seq_cores_find(const char *system, seq_cores *out);
// How many threads make sense: the smaller of count and quota, at least 1.
int seq_cores_usable(void);

#endif
