// Points where a test build can be told to signal itself, so that tests reach every step of a
// protocol. Without SEQ_FAULT_INJECTION nothing of it is compiled. The environment says where (N-th
// time that this process passes the point; that rank of an MPI job only):
//   SEQ_CRASH_AT=NAME[:N[:RANK]]   SIGKILL there
//   SEQ_HOLD_AT=NAME[:N[:RANK]]    SIGSTOP there: whoever tests sends signals, and SIGCONT
//   SEQ_CRASH_LIST=FILE            appends each name once, as it is passed
#ifndef SEQTRAIN_BASE_FAULT_H
#define SEQTRAIN_BASE_FAULT_H

#ifdef SEQ_FAULT_INJECTION
void seq_fault_point(const char *name);
// The point "FILE.what" of the last component of a path.
void seq_fault_point_of(const char *path, const char *what);
#else
static inline void seq_fault_point(const char *name) {
    (void)name;
}
static inline void seq_fault_point_of(const char *path, const char *what) {
    (void)path;
    (void)what;
}
#endif

#endif
