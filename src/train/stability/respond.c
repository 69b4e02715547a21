// The remedies: what is done once the ranks know that one of them has
// found an anomaly. They gather all findings and take the gravest of the lowest rank;
// then they stop, skip or roll back. Invariant: nothing but a parameter has
// changed by then. After a rollback, newer checkpoints go only when the
// manifest has been renewed. Tests: tests/fault/numeric_policy.sh,
// tests/fault/numbers.sh.
#include "saving/saving.h"
#include "detect.h"
#include "verify/verify.h"
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <string.h>

static bool is_spike(const seq_anomaly *anomaly) {
    return anomaly->kind == SEQ_LOSS_SPIKE || anomaly->kind == SEQ_NORM_SPIKE;
}

static bool is_done(const seq_anomaly *anomaly) {
    return anomaly->kind >= SEQ_BAD_VALIDATION;
}

// What all ranks do about an anomaly; *out_why: why it is not what was asked for, or empty.
static seq_remedy choose(const seq_trainer *trainer, const seq_anomaly *anomaly, char *out_why,
                         size_t size) {
    const seq_train_options *options = trainer->options;
    seq_remedy remedy =
        (seq_remedy)(is_spike(anomaly) ? options->on_spike : options->on_bad_numbers);
    *out_why = '\0';
    if (remedy == SEQ_REMEDY_SKIP && is_done(anomaly)) {
        snprintf(out_why, size,
                 "; the step is done and cannot be skipped (--on-bad-numbers "
                 "rollback goes back behind it)");
        return SEQ_REMEDY_NONE;
    }
    if (remedy == SEQ_REMEDY_SKIP && trainer->history.skipped >= options->max_skips) {
        snprintf(out_why, size, "; %lld steps were skipped already (--max-skips)",
                 (long long)trainer->history.skipped);
        return SEQ_REMEDY_NONE;
    }
    if (remedy == SEQ_REMEDY_ROLL_BACK && trainer->history.rollbacks >= options->max_rollbacks) {
        snprintf(out_why, size, "; the run was rolled back %lld times already (--max-rollbacks)",
                 (long long)trainer->history.rollbacks);
        return SEQ_REMEDY_NONE;
    }
    return remedy;
}

// The gravest finding, of the lowest rank that has it; *out_rank is -1 when it is no rank's own.
static const seq_anomaly *gravest(const seq_trainer *trainer, int *out_rank) {
    const seq_anomaly *worst = NULL;
    for (int rank = 0; rank < seq_comm_size(trainer->comm); rank++) {
        const seq_anomaly *anomaly = &trainer->anomalies[rank];
        if (anomaly->kind == SEQ_NO_ANOMALY || (worst && anomaly->kind <= worst->kind)) continue;
        worst = anomaly;
        *out_rank = anomaly->kind == SEQ_NORM_SPIKE || anomaly->kind == SEQ_BAD_NORM ? -1 : rank;
    }
    return worst;
}

// "rank 1: step 12, epoch 1, replica 1: the gradient of ... is not finite"
static void describe(const seq_trainer *trainer, const seq_anomaly *anomaly, int rank, char *out,
                     size_t size) {
    char who[32] = "", replica[32] = "";
    if (rank >= 0 && seq_comm_size(trainer->comm) > 1) snprintf(who, sizeof who, "rank %d: ", rank);
    if (anomaly->replica >= 0) snprintf(replica, sizeof replica, ", replica %d", anomaly->replica);
    snprintf(out, size, "%sstep %lld, epoch %lld%s: %s", who, (long long)anomaly->window + 1,
             (long long)anomaly->epoch, replica, anomaly->text);
}

static void begin_event(seq_trainer *trainer, const seq_anomaly *anomaly, int rank,
                        const char *action) {
    static const char *const what[] = {"",     "loss",     "norm",       "norm",     "state",
                                       "loss", "gradient", "validation", "parameter"};
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, is_spike(anomaly) ? "spike" : "bad_number");
    seq_event_integer(events, "step", anomaly->window + 1);
    seq_event_integer(events, "epoch", anomaly->epoch);
    seq_event_integer(events, "window", anomaly->window_of_epoch);
    seq_event_text(events, "what", what[anomaly->kind]);
    if (rank >= 0) seq_event_integer(events, "rank", rank);
    if (anomaly->replica >= 0) seq_event_integer(events, "replica", anomaly->replica);
    if (*anomaly->place) seq_event_text(events, "layer", anomaly->place);
    seq_event_real(events, "value", anomaly->value);
    seq_event_real(events, "limit", anomaly->limit);
    seq_event_text(events, "message", anomaly->text);
    seq_event_text(events, "action", action);
}

static seq_status stop(seq_trainer *trainer, const seq_anomaly *anomaly, int rank, const char *why,
                       seq_error *error) {
    char text[600], checkpoint[SEQ_PATH] = "there is no checkpoint yet";
    if (seq_train_finish_save(trainer, error)) return error->status; // the message names the last
    if (trainer->saved_step >= 0)
        snprintf(checkpoint, sizeof checkpoint,
                 "the last good checkpoint is %s/checkpoints/step-%09lld", trainer->options->run,
                 (long long)trainer->saved_step);
    begin_event(trainer, anomaly, rank, "stop");
    seq_event_end(&trainer->events);
    describe(trainer, anomaly, rank, text, sizeof text);
    return seq_error_set(
        error, SEQ_BAD_NUMBER, "%s%s; %s; try a lower --lr or %s", text, why, checkpoint,
        trainer->options->clip_norm > 0 ? "--clip-norm" : "--clip-norm 5 (it is off)");
}

// A state that was bad even then starts again at zero.
static void restore_states(seq_trainer *trainer) {
    if (!trainer->states) return;
    size_t size = trainer->state_size;
    float *states = trainer->states + (size_t)trainer->first_replica * size;
    memcpy(states, trainer->states_before, (size_t)trainer->own_replicas * size * sizeof(float));
    for (int i = 0; i < trainer->own_replicas; i++)
        if (!seq_train_is_finite_state(trainer, trainer->first_replica + i))
            memset(states + (size_t)i * size, 0, size * sizeof(float));
}

// The window is as if it had not been seen: the next one goes on from the states before it.
static void skip(seq_trainer *trainer, const seq_anomaly *anomaly, int rank) {
    char text[600];
    restore_states(trainer);
    trainer->history.skipped++;
    describe(trainer, anomaly, rank, text, sizeof text);
    seq_log_warning("%s; the step is skipped (%lld of at most %lld)", text,
                    (long long)trainer->history.skipped, (long long)trainer->options->max_skips);
    begin_event(trainer, anomaly, rank, "skip");
    seq_event_integer(&trainer->events, "skipped_steps", trainer->history.skipped);
    seq_event_end(&trainer->events);
}

static void report_rollback(seq_trainer *trainer, const seq_anomaly *anomaly, int rank) {
    char text[600];
    const seq_recovery_history *history = &trainer->history;
    describe(trainer, anomaly, rank, text, sizeof text);
    seq_log_warning("%s; rolled back to step %lld (%lld of at most %lld times), learning rate "
                    "times %.4g, the data of step %lld will be passed over",
                    text, (long long)trainer->position.step, (long long)history->rollbacks,
                    (long long)trainer->options->max_rollbacks, history->rate_factor,
                    (long long)anomaly->window + 1);
    begin_event(trainer, anomaly, rank, "rollback");
    seq_event_integer(&trainer->events, "to_step", trainer->position.step);
    seq_event_real(&trainer->events, "rate_factor", history->rate_factor);
    seq_event_integer(&trainer->events, "rollbacks", history->rollbacks);
    seq_event_end(&trainer->events);
}

// The checkpoint is renewed at once: whoever resumes from it knows of the rollback. Only then newer
// ones go, with what its retention removes: there is always one.
static seq_status roll_back(seq_trainer *trainer, const seq_anomaly *anomaly, int rank,
                            seq_error *error) {
    seq_recovery_history kept = trainer->history;
    seq_recovery_roll_back(&kept, anomaly->window, trainer->options->rollback_factor);
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_SAVING);
    seq_status status = seq_train_go_back(trainer, anomaly->window, error);
    seq_phase_enter(trainer, was);
    if (status) return status;
    seq_recovery_keep(&trainer->history, &kept);
    report_rollback(trainer, anomaly, rank);
    seq_train_print_repartition(trainer);
    seq_progress_restart(trainer);
    status = seq_train_save(trainer, error);
    return status ? status : seq_train_finish_save(trainer, error);
}

seq_status seq_train_settle(seq_trainer *trainer, seq_setback *out, seq_error *error) {
    char why[160];
    int rank = -1;
    *out = SEQ_NO_SETBACK;
    trainer->anomalies[seq_comm_rank(trainer->comm)] = trainer->found;
    trainer->found = (seq_anomaly){.kind = SEQ_NO_ANOMALY};
    seq_status status =
        seq_comm_gather(trainer->comm, trainer->anomalies, sizeof *trainer->anomalies, error);
    const seq_anomaly *anomaly = status ? NULL : gravest(trainer, &rank);
    if (!anomaly) return status;
    seq_remedy remedy = choose(trainer, anomaly, why, sizeof why);
    if (remedy == SEQ_REMEDY_NONE) return stop(trainer, anomaly, rank, why, error);
    *out = remedy == SEQ_REMEDY_SKIP ? SEQ_STEP_SKIPPED : SEQ_ROLLED_BACK;
    if (remedy == SEQ_REMEDY_ROLL_BACK) return roll_back(trainer, anomaly, rank, error);
    skip(trainer, anomaly, rank);
    return SEQ_OK;
}
