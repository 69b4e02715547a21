// On what machines a job runs: kernels that every rank's CPU has, cores for every thread, and the
// CPU of the last session on this run directory.
#ifndef SEQTRAIN_JOB_CPU_CHECK_H
#define SEQTRAIN_JOB_CPU_CHECK_H

#include <seqtrain/comm/comm.h>
#include <seqtrain/kernels/compute.h>
#include <stdbool.h>

enum { SEQ_CPU_NAME = 100 };

// Collective, agreed upon: the kernels that all ranks compute with. `chosen`: this rank's place in
// seq_kernels_names(). 0, "auto", is the best that every rank's CPU has, or what another rank has
// chosen.
seq_status seq_cpu_choose_kernels(seq_comm *comm, int chosen, const char **out_name,
                                  seq_error *error);
// Collective: warns when ranks add in different orders, when threads have less than a core each, or
// when a library computes on another CPU than that of the last session. Writes RUN/cpu.txt.
seq_status seq_cpu_check(seq_comm *comm, const seq_compute *compute, const char *run, bool resumed,
                         seq_error *error);
void seq_cpu_name(char *out, size_t size);
// What cpu.txt of the run directory says; false: there is none.
bool seq_cpu_last(const char *run, char out[SEQ_CPU_NAME]);

#endif
