// First values of a run that do not come from chance: --init-from, --embeddings.
#ifndef SEQ_TRAIN_INITIAL_H
#define SEQ_TRAIN_INITIAL_H

#include "trainer.h"

// What a run has taken; NULL where both options are absent. It acts at the
// first start; what a resume needs is in the checkpoint (section "initial" of the
// manifest): which sources, by their hashes, and the rates of parameters.
typedef struct seq_first_values seq_first_values;

// Collective, agreed upon, before the model is made. `resumed`: the checkpoint's
// manifest, or NULL: a first start, for which rank 0 loads the sources. On a
// resume, options that were given must fit to the record, as far as the sources
// are still there: SEQ_BAD_USAGE.
seq_status seq_initial_open(seq_trainer *trainer, const seq_manifest *resumed, seq_error *error);
void seq_initial_close(seq_trainer *trainer);
// Collective, once initial values are drawn: rank 0 puts what was taken in their
// place, and all get it. After a rollback to the start, sources are loaded again;
// SEQ_NO_CHECKPOINT where they are not what they were.
seq_status seq_initial_fill(seq_trainer *trainer, seq_error *error);
// To the log: what was taken, and what was not; on a resume, the rates.
void seq_initial_print(seq_trainer *trainer);
// Makes the model again where a parameter has a rate of its own. SEQ_BAD_USAGE: all are frozen.
seq_status seq_initial_set_rates(seq_trainer *trainer, seq_error *error);
// Adds the section "initial", unless nothing was taken.
seq_status seq_initial_describe(const seq_trainer *trainer, seq_manifest *out, seq_error *error);

#endif
