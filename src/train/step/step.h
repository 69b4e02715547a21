// What makes a step: windows, the report to the other ranks, the update; and what comes between
// steps.
#ifndef SEQ_TRAIN_STEP_H
#define SEQ_TRAIN_STEP_H

#include "trainer.h"

// exchange.c. Collective: every rank's report and the losses of its replicas (in trainer->losses
// from first_replica on) become known to all. *out combines the reports; a status other than SEQ_OK
// is agreed upon and returned.
seq_status seq_train_share_reports(seq_trainer *trainer, const seq_rank_report *own,
                                   seq_rank_report *out, seq_error *error);
// The sum over replicas in the fixed tree.
seq_loss seq_train_total_loss(const seq_trainer *trainer);

// stop.c. seq_train_find_limit (rank 0 may have to ask the batch system, some seconds) comes before
// all else.
void seq_train_find_limit(seq_trainer *trainer);
void seq_train_print_limit(seq_trainer *trainer);
// This rank's wish to stop: a signal, or on rank 0 the time limit.
seq_stop_reason seq_train_stop_reason(seq_trainer *trainer);
// Of this rank's wish: "SIGUSR1", "the time limit" ..., or that another rank has one.
const char *seq_train_stop_name(seq_trainer *trainer);
// Collective, before the first step: SEQ_STOPPED when a rank wishes to stop, or this rank's earlier
// failure.
seq_status seq_train_heed_stop(seq_trainer *trainer, seq_error *error);

// step.c. Collective: one update, or the setback that comes in its place (after SEQ_ROLLED_BACK the
// position is another one). SEQ_BAD_NUMBER names step, rank and layer.
seq_status seq_train_step(seq_trainer *trainer, seq_step_result *out, seq_error *error);

// update.c. Collective: ends the round of the exchange, clips, updates the parameters.
// seq_train_mark_live says before it begins, from the rows that the batches touch, which part of
// this rank's gradient may be nonzero.
void seq_train_mark_live(seq_trainer *trainer);
seq_exchange_options seq_train_exchange_options(const seq_trainer *trainer);
seq_status seq_train_update(seq_trainer *trainer, seq_step_result *out, seq_error *error);
// Reads the next window of each of this rank's replicas, once a step, and adds it to the audit.
seq_status seq_train_read_batches(seq_trainer *trainer, seq_error *error);
// One of this rank's replicas: its batch, state and keys.
seq_feed seq_train_feed(const seq_trainer *trainer, int replica);
// A step with fewer items than replicas has nothing for this one: it does not run the model.
static inline bool seq_train_is_empty(const seq_feed *feed) {
    return feed->batch->axes[0].sequences == 0;
}
// Loss and gradient of a replica: what is live of the vector is written, in parts where the feed
// wants to be told.
seq_loss seq_train_gradient(const seq_trainer *trainer, const seq_feed *feed, float *gradient);

// validate.c. Collective: all of the validation split. *out_complete is false
// when a stop request or the time limit cut it short; position and schedule are then unchanged.
seq_status seq_train_validate(seq_trainer *trainer, bool *out_complete, seq_setback *out_setback,
                              seq_error *error);

// saturation.c: the signs of layers that learn no more (nn/saturation.h), for the report of a
// validation. add_units comes after the backward pass of the step before it, add_values with each
// window of it. gather is collective: the sums of all ranks, L of them.
// report is collective, after a step that was trained: the report of a run without a validation
// split, where that run would validate; otherwise nothing.
void seq_train_saturation_add_units(seq_trainer *trainer, int replica, const seq_feed *feed);
void seq_train_saturation_add_values(seq_trainer *trainer, const seq_batch *batch);
seq_status seq_train_saturation_gather(seq_trainer *trainer, seq_saturation *out_layers,
                                       seq_error *error);
seq_status seq_train_saturation_report(seq_trainer *trainer, seq_error *error);
// Warns of a layer when more than half of it is saturated or idle, once until it is better.
void seq_train_saturation_warn(seq_trainer *trainer, const seq_saturation *layers);

// flow.c: when it is due, norms of dL/dh by layer and distance on replica 0 (rank 0), to the log
// and metrics.jsonl. The step's batches have been read.
void seq_train_gradient_flow(seq_trainer *trainer);

#endif
