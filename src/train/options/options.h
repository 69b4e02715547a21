// From options to configurations, and which of them a resume may change.
#ifndef SEQ_TRAIN_OPTIONS_H
#define SEQ_TRAIN_OPTIONS_H

#include "trainer.h"
#include <seqtrain/train/configure.h>

// configure.c, beside the functions of seqtrain/train/configure.h.
void seq_train_schedule_config(const seq_train_options *options, int64_t total_steps,
                               seq_schedule_config *out);
seq_pipeline seq_train_pipeline(const seq_train_options *options);
double seq_train_loss_limit(const seq_trainer *trainer);

// override.c: --override, a list of fields that may differ from the checkpoint.
seq_status seq_train_check_overrides(const seq_parsed *parsed, seq_error *error);
bool seq_train_overrides(const seq_train_options *options, const char *field);
// What a checkpoint records of --kernels: "auto" for all that add in the order of the best, so that
// a run may go on with any of them; "unfused" and "openblas" are other orders.
const char *seq_train_general_kernels(const char *name);
// The recorded value of an option; its `absent` when the record is older. May be NULL.
const char *seq_train_recorded(const seq_record *record, const seq_option *option);
bool seq_train_is_altered(const seq_trainer *trainer, const seq_manifest *manifest);
// The model has the parameters that the checkpoint in `directory` has.
seq_status seq_train_check_shapes(const seq_trainer *trainer, const char *directory,
                                  seq_error *error);
void seq_train_keep_fitting(seq_trainer *trainer, const seq_manifest *manifest, seq_state *state);
// SEQ_BAD_USAGE with the numbers of ranks that divide the replicas.
seq_status seq_train_refuse_ranks(const seq_trainer *trainer, seq_error *error);

#endif
