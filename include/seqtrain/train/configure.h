// From the options of seqtrain to the configurations of the layers below.
#ifndef SEQTRAIN_TRAIN_CONFIGURE_H
#define SEQTRAIN_TRAIN_CONFIGURE_H

#include <seqtrain/comm/comm.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/model/model.h>
#include <seqtrain/optim/optimizer.h>
#include <seqtrain/task/task.h>
#include <seqtrain/train/train.h>

// The model that the options describe, over `vocabulary` tokens. SEQ_BAD_USAGE names the option.
seq_status seq_train_model_config(const seq_train_options *options, int vocabulary,
                                  seq_model_config *out, seq_error *error);
// The task that a data set was prepared for, and the model that the options describe for it.
// `rates`: as in seq_task_model_at_rates. SEQ_BAD_USAGE: an option does not fit the task or the
// model; SEQ_BAD_INPUT: an unknown task.
seq_status seq_train_create_model(const seq_parsed *parsed, const seq_dataset *dataset,
                                  const seq_compute *compute, const seq_rates *rates,
                                  const seq_task **out_task, seq_model **out, seq_error *error);
// Collective, for a run that does not begin: checks --init-from and --embeddings as its first start
// would, and tells what it would take. `dataset`: NULL where there is none yet; then they are
// SEQ_BAD_USAGE. Takes memory for the sources and for one vector of parameters meanwhile.
seq_status seq_train_preview_initial(const seq_parsed *parsed, seq_comm *comm,
                                     const seq_compute *compute, seq_dataset *dataset,
                                     seq_error *error);
// The numbers of the update rule `optimizer`; what was not given is the rule's default.
void seq_train_rule_config(const seq_train_options *options, const seq_optimizer *optimizer,
                           seq_optimizer_config *out);
// How a task's sampler reads the training part; replicas, first and count are the caller's.
seq_sampler_settings seq_train_sampler_settings(const seq_parsed *parsed);

#endif
