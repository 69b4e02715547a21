// Places where a test kills the process, in builds with SEQ_FAULT_INJECTION; nothing elsewhere.
#ifndef SEQTRAIN_BASE_FAULT_H
#define SEQTRAIN_BASE_FAULT_H

// The environment's SEQ_CRASH_AT=name[:N[:rank]] raises SIGKILL the N-th time (default 1) that this
// process passes the point `name`, on the rank that mpirun numbers so only when one is given.
#ifdef SEQ_FAULT_INJECTION
void seq_fault_point(const char *name);
#else
static inline void seq_fault_point(const char *name) {
    (void)name;
}
#endif

#endif
