// How much memory and space a job may still get, as far as the system tells: of the host, of this
// process's control group (cgroup 1 and 2), in a directory. What cannot be read sets no limit.
// seq_free_memory_read and seq_free_memory_describe take no memory and no lock: a signal handler
// may call them.
#ifndef SEQTRAIN_BASE_FREE_MEMORY_H
#define SEQTRAIN_BASE_FREE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

// Bytes.
typedef struct seq_free_memory {
    uint64_t host_total, host_free;   // memory and swap; free: without driving anybody out
    uint64_t group_limit, group_free; // the narrowest control group; limit 0: there is none
    uint64_t shm_total, shm_free;     // /dev/shm; total 0: there is none
    uint64_t kills; // processes killed for want of memory: on the host, since it was started
} seq_free_memory;

void seq_free_memory_read(seq_free_memory *out);
// What a process can still get: the least of host and control group.
uint64_t seq_free_memory_least(const seq_free_memory *memory);
// "8.1 of 16.0 GB free on the host, 0.2 of 2.0 GB in its control group, ..." Returns `out`.
const char *seq_free_memory_describe(const seq_free_memory *memory, char *out, size_t size);
// Limits of this process: "; ulimit -v allows it 400.0 MB, of which 1.2 MB are left", "" when it
// has none. Returns `out`.
const char *seq_limits_describe(char *out, size_t size);
// "12.5 MB": 1 MB is 10^6 bytes. Returns `out`.
const char *seq_amount(uint64_t bytes, char out[24]);

typedef enum seq_file_system {
    SEQ_FS_NONE,   // no such directory
    SEQ_FS_MEMORY, // tmpfs: its files take memory
    SEQ_FS_DISK,   // a disk of this host
    SEQ_FS_OTHER,  // a network, or unknown
} seq_file_system;
// Of a directory, and what a file there may still take.
seq_file_system seq_free_space_read(const char *directory, uint64_t *out_free);

#endif
