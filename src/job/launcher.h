// The process that has started this rank on its host: mpirun, or a daemon of it (orted, prted,
// hydra_pmi_proxy). One that has lost the other hosts waits for them for ever, long after its own
// ranks have left.
#ifndef SEQ_JOB_LAUNCHER_H
#define SEQ_JOB_LAUNCHER_H

typedef struct seq_launcher {
    char process[24], start[24]; // as /proc tells them; empty: none that is ours to end
} seq_launcher;

void seq_launcher_find(seq_launcher *out);
// For a rank that leaves: a process of its own gives the launcher the time that it takes when all
// is well, and then ends it. Takes no lock and touches neither MPI nor the run directory.
void seq_launcher_outlive(const seq_launcher *launcher);

#endif
