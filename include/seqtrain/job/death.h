// What is said of a rank that dies of a signal. Most such deaths on a cluster are for want of
// memory: SIGBUS where a page was promised and is not there, SIGKILL by the system or the batch
// system.
#ifndef SEQTRAIN_JOB_DEATH_H
#define SEQTRAIN_JOB_DEATH_H

#include <stddef.h>
#include <stdint.h>

// "the likely reason is want of memory: the host's ranks share 7.9 GB, 0.1 GB of 8.0 GB free on the
// host ...; the system has killed 1 process(es) for want of memory since the job began".
// `reserved`: seq_comm_reserved; `kills`: seq_free_memory's at the job's beginning; UINT64_MAX:
// unknown. Takes no memory and no lock. Returns `out`.
const char *seq_death_reason(uint64_t reserved, uint64_t kills, char *out, size_t size);

// Before MPI is opened: a bus error of this process names memory as the likely reason, with the
// figures, and ends it with exit code 7.
void seq_death_tell_bus_errors(void);

// Signals that a dying process can note: all but SIGKILL. Ends with 0.
extern const int seq_death_signals[];

#endif
