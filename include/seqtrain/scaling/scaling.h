// seqtrain --dry-run: what a step of this model would take on 1, 2, 4 ... ranks. Measures some
// seconds of training on synthetic tokens, predicts, prints. Writes no file.
#ifndef SEQTRAIN_SCALING_SCALING_H
#define SEQTRAIN_SCALING_SCALING_H

#include <seqtrain/comm/comm.h>
#include <seqtrain/train/train.h>

// Collective, agreed upon: the whole of --dry-run. The report goes to rank 0's standard output.
// SEQ_BAD_USAGE when the options (seq_train_options and the groups) lack what the plan needs.
seq_status seq_scaling_report(const seq_parsed *parsed, seq_comm *comm, seq_error *error);

#endif
