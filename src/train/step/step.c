// One training step: every replica's window becomes a leaf of the tree, the
// ranks report to each other, then comes the update or what stands in its
// place. With overlap, parts of the last leaf are handed to the exchange as
// they become final. Invariant: a rank that fails hands in its gradient and
// reports all the same, so all ranks take the same branch. Tests:
// tests/mpi/train_bytes.sh, tests/mpi/overlap.sh,
// tests/fault/numeric_policy.sh.
#include "step.h"
#include "saving/saving.h"
#include "fault_injection.h"
#include "verify/verify.h"
#include <math.h>
#include <seqtrain/base/fault.h>
#include <string.h>

// Of this rank's last replica: with a part of its gradient, the sum of this rank's is final, too.
static void hand_in(void *context, size_t begin, size_t end) {
    seq_trainer *trainer = context;
    seq_tree_add_part(trainer->tree, begin, end);
    seq_exchange_ready(trainer->exchange, begin);
}

static void add_part(void *context, size_t begin, size_t end) {
    seq_trainer *trainer = context;
    seq_tree_add_part(trainer->tree, begin, end);
}

typedef void receiver(void *context, size_t begin, size_t end);

static receiver *receiver_of(const seq_trainer *trainer, int replica) {
    bool last = replica + 1 == trainer->first_replica + trainer->own_replicas;
    return last ? hand_in : add_part;
}

// One replica's window: its gradient becomes the tree's next leaf.
static void train_replica(seq_trainer *trainer, int replica) {
    seq_feed feed = seq_train_feed(trainer, replica);
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_COMPUTE);
    seq_inject_before_window(trainer, replica);
    seq_train_find_state(trainer, replica, true);
    seq_train_keep_state(trainer, replica);
    feed.ready = seq_inject_waits(trainer) ? NULL : receiver_of(trainer, replica);
    feed.ready_context = trainer;
    float *gradient = seq_tree_next(trainer->tree);
    trainer->losses[replica] = seq_train_gradient(trainer, &feed, gradient);
    seq_train_saturation_add_units(trainer, replica, &feed);
    seq_inject_after_window(trainer, replica, gradient);
    if (!feed.ready) receiver_of(trainer, replica)(trainer, 0, trainer->table->size);
    if (isfinite(trainer->losses[replica].sum)) // otherwise the loss is the finding
        seq_train_find_state(trainer, replica, false);
    seq_tree_close(trainer->tree);
    seq_fault_point("train-backward");
}

// The exchange begins and gets all of the gradient in any case: the other ranks wait for it.
static seq_status train_own_replicas(seq_trainer *trainer, seq_error *error) {
    const seq_exchange_options how = seq_train_exchange_options(trainer);
    seq_status status = seq_train_read_batches(trainer, error);
    if (!status) {
        seq_train_gradient_flow(trainer);
        seq_train_mark_live(trainer);
    }
    seq_exchange_begin(trainer->exchange, &how);
    if (!status) seq_tree_begin(trainer->tree, seq_exchange_live(trainer->exchange));
    for (int replica = trainer->first_replica;
         !status && replica < trainer->first_replica + trainer->own_replicas; replica++)
        train_replica(trainer, replica);
    seq_exchange_ready(trainer->exchange, 0);
    return status;
}

static bool save_is_due(const seq_trainer *trainer) {
    double interval = trainer->options->checkpoint_interval;
    return seq_comm_rank(trainer->comm) == 0 && interval > 0 && !seq_train_is_saving(trainer) &&
           seq_clock_seconds() - trainer->last_save > interval;
}

static void begin_epoch(seq_trainer *trainer) {
    seq_position *position = &trainer->position;
    seq_fault_point("train-epoch");
    position->epoch++;
    position->window = 0;
    position->epoch_nats = 0;
    position->epoch_tokens = 0;
    position->epoch_clipped = 0;
    seq_train_audit_begin(trainer);
    if (trainer->states)
        memset(trainer->states + (size_t)trainer->first_replica * trainer->state_size, 0,
               (size_t)trainer->own_replicas * trainer->state_size * sizeof(float));
}

static seq_status advance(seq_trainer *trainer, const seq_step_result *result,
                          const seq_coverage *read, seq_error *error) {
    seq_position *position = &trainer->position;
    position->step++;
    position->window++;
    position->epoch_nats += result->nats;
    position->epoch_tokens += result->tokens;
    position->epoch_clipped += result->clipped;
    seq_train_audit_advance(trainer, read);
    if (position->window < trainer->windows) return SEQ_OK;
    seq_status status = seq_train_audit_epoch(trainer, error);
    if (!status) begin_epoch(trainer);
    return status;
}

static seq_step_result result_of(const seq_trainer *trainer, const seq_rank_report *all) {
    seq_loss total = seq_train_total_loss(trainer);
    return (seq_step_result){
        .nats = total.sum,
        .tokens = total.count,
        .frames = total.frames,
        .blanks = total.blanks,
        .window = trainer->position.window,
        .epoch = trainer->position.epoch,
        .stop = (seq_stop_reason)all->stop,
        .save = all->save,
        .writing = all->writing,
    };
}

// A excluded window is read like others, and nothing is made of it.
static seq_status pass_over_window(seq_trainer *trainer, seq_error *error) {
    seq_train_report_excluded(trainer);
    for (int own = 0; own < trainer->own_replicas; own++)
        trainer->losses[trainer->first_replica + own] = (seq_loss){0};
    return seq_train_read_batches(trainer, error);
}

// This rank's part of the step; what all ranks need to know of each other.
static seq_status do_own_part(seq_trainer *trainer, bool excluded, seq_rank_report *out_all,
                              seq_error *error) {
    seq_rank_report own = {0};
    seq_inject_flip(trainer);
    seq_phase_enter(trainer, SEQ_PHASE_COMPUTE);
    own.status =
        (int32_t)(excluded ? pass_over_window(trainer, error) : train_own_replicas(trainer, error));
    if (!own.status) own.status = (int32_t)seq_train_check_presence(trainer, false, error);
    if (!own.status) own.status = (int32_t)seq_event_log_status(&trainer->events, error);
    own.stop = seq_train_stop_reason(trainer);
    own.save = save_is_due(trainer);
    own.writing = seq_train_is_writing(trainer);
    own.anomaly = seq_train_has_anomaly(trainer);
    own.read = trainer->window_read;
    seq_phase_enter(trainer, SEQ_PHASE_EXCHANGE);
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_REPORT);
    return seq_train_share_reports(trainer, &own, out_all, error);
}

// Ends the round of the exchange that this step has begun, if it has; no update comes of it.
static seq_status give_up(seq_trainer *trainer, bool excluded, seq_status status) {
    seq_error late = {0};
    if (!excluded && status != SEQ_RANK_FAILED) seq_exchange_abandon(trainer->exchange, &late);
    return status;
}

// The update, unless something is found that speaks against it.
static seq_status judge_and_update(seq_trainer *trainer, bool excluded, bool anomaly,
                                   seq_step_result *out, seq_error *error) {
    seq_status status = SEQ_OK;
    if (seq_train_judge_losses(trainer, anomaly))
        status = seq_train_settle(trainer, &out->setback, error);
    if (status || out->setback || excluded) return give_up(trainer, excluded, status);
    status = seq_train_update(trainer, out, error);
    if (!status && !out->setback) seq_train_accept(trainer, out);
    return status;
}

seq_status seq_train_step(seq_trainer *trainer, seq_step_result *out, seq_error *error) {
    double begun = seq_clock_seconds();
    bool excluded = seq_train_is_excluded(trainer);
    seq_rank_report all;
    seq_status status = excluded ? SEQ_OK : seq_trainer_pack_for(trainer, true, error);
    if (status) return status;
    status = do_own_part(trainer, excluded, &all, error);
    if (status) return give_up(trainer, excluded, status);
    *out = result_of(trainer, &all);
    if (all.anomaly || !excluded)
        status = judge_and_update(trainer, excluded, all.anomaly, out, error);
    seq_phase_enter(trainer, SEQ_PHASE_OTHER);
    if (status || out->setback == SEQ_ROLLED_BACK) return status;
    if (excluded) out->setback = SEQ_WINDOW_EXCLUDED;
    if (out->setback) out->nats = 0, out->tokens = 0;
    status = advance(trainer, out, &all.read, error);
    if (status) return status;
    double seconds = seq_clock_seconds() - begun;
    trainer->longest_step = seconds > trainer->longest_step ? seconds : trainer->longest_step;
    return SEQ_OK;
}
