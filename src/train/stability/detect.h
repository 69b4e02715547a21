// What is done about numeric anomalies (anomaly.h): stop, skip the step, roll back to a checkpoint.
// All functions that can fail are collective; every rank comes to the same conclusion.
#ifndef SEQ_TRAIN_DETECT_H
#define SEQ_TRAIN_DETECT_H

#include "anomaly.h"
#include <seqtrain/comm/exchange.h>

struct seq_trainer;
struct seq_step_result;

// Not collective: memory, and options that need the model (--inject). SEQ_BAD_USAGE, SEQ_NO_MEMORY.
seq_status seq_train_stability_create(struct seq_trainer *trainer, seq_error *error);
void seq_train_stability_clear(struct seq_trainer *trainer);

// This rank's states of a replica as they are before a window: a skipped step brings them back.
void seq_train_keep_state(struct seq_trainer *trainer, int replica);
// This rank's part of the report of a step: nonzero when it has found something.
int32_t seq_train_has_anomaly(const struct seq_trainer *trainer);

// True, the same on every rank: something is to be settled (seq_train_settle), which the caller
// does next. After the losses are known to all; `reported`: a rank has found something else.
bool seq_train_judge_losses(struct seq_trainer *trainer, bool reported);
// After the gradients are summed, before the update.
bool seq_train_judge_norm(struct seq_trainer *trainer, const seq_exchanged *sum);
// After a validation: losses of all replicas are in trainer->losses.
bool seq_train_judge_validation(struct seq_trainer *trainer);
// The step counts: its numbers enter the rolling windows. Before the position moves on.
void seq_train_accept(struct seq_trainer *trainer, const struct seq_step_result *result);

// respond.c: shares what the ranks have found and acts. SEQ_BAD_NUMBER when that is to stop. Called
// before anything is written, too: no checkpoint holds a parameter that is not finite.
seq_status seq_train_settle(struct seq_trainer *trainer, seq_setback *out, seq_error *error);

// rollback.c: parameters and position of the checkpoint that a rollback because of a window goes
// back to, or of the beginning.
seq_status seq_train_go_back(struct seq_trainer *trainer, int64_t window, seq_error *error);

// The next window was excluded by a rollback.
bool seq_train_is_excluded(const struct seq_trainer *trainer);
void seq_train_report_excluded(struct seq_trainer *trainer);
// For the end of the run: metrics of the line that is being written, and text (empty when nothing
// happened).
void seq_train_count_setbacks(struct seq_trainer *trainer, char *out, size_t size);

#endif
