// The remedies: what is done once the ranks know that one of them is in
// trouble. They gather all findings and take the gravest of the lowest rank;
// then they stop, skip or roll back. Invariant: nothing but a parameter has
// changed by then. After a rollback, newer checkpoints go only when the
// manifest has been renewed. Tests: tests/fault/numeric_policy.sh,
// tests/fault/numbers.sh.
#include "checkpoints/checkpoints.h"
#include "policy.h"
#include "proofs/proofs.h"
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <string.h>

static bool is_spike(const seq_trouble *trouble) {
    return trouble->kind == SEQ_LOSS_SPIKE || trouble->kind == SEQ_NORM_SPIKE;
}

static bool is_done(const seq_trouble *trouble) {
    return trouble->kind >= SEQ_BAD_VALIDATION;
}

// What all ranks do about a trouble; *out_why: why it is not what was asked for, or empty.
static seq_remedy choose(const seq_trainer *trainer, const seq_trouble *trouble, char *out_why,
                         size_t size) {
    const seq_train_options *options = trainer->options;
    seq_remedy remedy =
        (seq_remedy)(is_spike(trouble) ? options->on_spike : options->on_bad_numbers);
    *out_why = '\0';
    if (remedy == SEQ_REMEDY_SKIP && is_done(trouble)) {
        snprintf(out_why, size,
                 "; the step is done and cannot be skipped (--on-bad-numbers "
                 "rollback goes back behind it)");
        return SEQ_REMEDY_NONE;
    }
    if (remedy == SEQ_REMEDY_SKIP && trainer->setbacks.skipped >= options->max_skips) {
        snprintf(out_why, size, "; %lld steps were skipped already (--max-skips)",
                 (long long)trainer->setbacks.skipped);
        return SEQ_REMEDY_NONE;
    }
    if (remedy == SEQ_REMEDY_ROLL_BACK && trainer->setbacks.rollbacks >= options->max_rollbacks) {
        snprintf(out_why, size, "; the run was rolled back %lld times already (--max-rollbacks)",
                 (long long)trainer->setbacks.rollbacks);
        return SEQ_REMEDY_NONE;
    }
    return remedy;
}

// The gravest finding, of the lowest rank that has it; *out_rank is -1 when it is no rank's own.
static const seq_trouble *gravest(const seq_trainer *trainer, int *out_rank) {
    const seq_trouble *worst = NULL;
    for (int rank = 0; rank < seq_comm_size(trainer->comm); rank++) {
        const seq_trouble *trouble = &trainer->troubles[rank];
        if (trouble->kind == SEQ_NO_TROUBLE || (worst && trouble->kind <= worst->kind)) continue;
        worst = trouble;
        *out_rank = trouble->kind == SEQ_NORM_SPIKE || trouble->kind == SEQ_BAD_NORM ? -1 : rank;
    }
    return worst;
}

// "rank 1: step 12, epoch 1, replica 1: the gradient of ... is not finite"
static void describe(const seq_trainer *trainer, const seq_trouble *trouble, int rank, char *out,
                     size_t size) {
    char who[32] = "", replica[32] = "";
    if (rank >= 0 && seq_comm_size(trainer->comm) > 1) snprintf(who, sizeof who, "rank %d: ", rank);
    if (trouble->replica >= 0) snprintf(replica, sizeof replica, ", replica %d", trouble->replica);
    snprintf(out, size, "%sstep %lld, epoch %lld%s: %s", who, (long long)trouble->window + 1,
             (long long)trouble->epoch, replica, trouble->text);
}

static void begin_event(seq_trainer *trainer, const seq_trouble *trouble, int rank,
                        const char *action) {
    static const char *const what[] = {"",     "loss",     "norm",       "norm",     "state",
                                       "loss", "gradient", "validation", "parameter"};
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, is_spike(trouble) ? "spike" : "bad_number");
    seq_event_integer(events, "step", trouble->window + 1);
    seq_event_integer(events, "epoch", trouble->epoch);
    seq_event_integer(events, "window", trouble->window_of_epoch);
    seq_event_text(events, "what", what[trouble->kind]);
    if (rank >= 0) seq_event_integer(events, "rank", rank);
    if (trouble->replica >= 0) seq_event_integer(events, "replica", trouble->replica);
    if (*trouble->place) seq_event_text(events, "layer", trouble->place);
    seq_event_real(events, "value", trouble->value);
    seq_event_real(events, "limit", trouble->limit);
    seq_event_text(events, "message", trouble->text);
    seq_event_text(events, "action", action);
}

static seq_status stop(seq_trainer *trainer, const seq_trouble *trouble, int rank, const char *why,
                       seq_error *error) {
    char text[600], checkpoint[SEQ_PATH] = "there is no checkpoint yet";
    if (seq_train_finish_save(trainer, error)) return error->status; // the message names the last
    if (trainer->saved_step >= 0)
        snprintf(checkpoint, sizeof checkpoint,
                 "the last good checkpoint is %s/checkpoints/step-%09lld", trainer->options->run,
                 (long long)trainer->saved_step);
    begin_event(trainer, trouble, rank, "stop");
    seq_event_end(&trainer->events);
    describe(trainer, trouble, rank, text, sizeof text);
    return seq_error_set(
        error, SEQ_BAD_NUMBER, "%s%s; %s; try a lower --lr or %s", text, why, checkpoint,
        trainer->options->clip_norm > 0 ? "--clip-norm" : "--clip-norm 5 (it is off)");
}

// The window is as if it had not been seen: the next one goes on from the states before it. A state
// that was bad even then starts again at zero.
static void skip(seq_trainer *trainer, const seq_trouble *trouble, int rank) {
    char text[600];
    size_t size = trainer->state_size;
    float *states = trainer->states + (size_t)trainer->first_replica * size;
    memcpy(states, trainer->states_before, (size_t)trainer->own_replicas * size * sizeof(float));
    for (int i = 0; i < trainer->own_replicas; i++)
        if (!seq_train_is_finite_state(trainer, trainer->first_replica + i))
            memset(states + (size_t)i * size, 0, size * sizeof(float));
    trainer->setbacks.skipped++;
    describe(trainer, trouble, rank, text, sizeof text);
    seq_log_warning("%s; the step is skipped (%lld of at most %lld)", text,
                    (long long)trainer->setbacks.skipped, (long long)trainer->options->max_skips);
    begin_event(trainer, trouble, rank, "skip");
    seq_event_integer(&trainer->events, "skipped_steps", trainer->setbacks.skipped);
    seq_event_end(&trainer->events);
}

static void report_rollback(seq_trainer *trainer, const seq_trouble *trouble, int rank) {
    char text[600];
    const seq_setbacks *setbacks = &trainer->setbacks;
    describe(trainer, trouble, rank, text, sizeof text);
    seq_log_warning("%s; rolled back to step %lld (%lld of at most %lld times), learning rate "
                    "times %.4g, the data of step %lld will be passed over",
                    text, (long long)trainer->position.step, (long long)setbacks->rollbacks,
                    (long long)trainer->options->max_rollbacks, setbacks->rate_factor,
                    (long long)trouble->window + 1);
    begin_event(trainer, trouble, rank, "rollback");
    seq_event_integer(&trainer->events, "to_step", trainer->position.step);
    seq_event_real(&trainer->events, "rate_factor", setbacks->rate_factor);
    seq_event_integer(&trainer->events, "rollbacks", setbacks->rollbacks);
    seq_event_end(&trainer->events);
}

// The checkpoint is renewed at once: whoever resumes from it knows of the rollback. Only then newer
// ones go, with what its retention removes: there is always one.
static seq_status roll_back(seq_trainer *trainer, const seq_trouble *trouble, int rank,
                            seq_error *error) {
    seq_setbacks kept = trainer->setbacks;
    seq_setbacks_roll_back(&kept, trouble->window, trainer->options->rollback_factor);
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_SAVING);
    seq_status status = seq_train_go_back(trainer, trouble->window, error);
    seq_phase_enter(trainer, was);
    if (status) return status;
    seq_setbacks_keep(&trainer->setbacks, &kept);
    report_rollback(trainer, trouble, rank);
    seq_train_print_recut(trainer);
    seq_progress_restart(trainer);
    status = seq_train_save(trainer, error);
    return status ? status : seq_train_finish_save(trainer, error);
}

seq_status seq_train_settle(seq_trainer *trainer, seq_setback *out, seq_error *error) {
    char why[160];
    int rank = -1;
    *out = SEQ_NO_SETBACK;
    trainer->troubles[seq_comm_rank(trainer->comm)] = trainer->found;
    trainer->found = (seq_trouble){.kind = SEQ_NO_TROUBLE};
    seq_status status =
        seq_comm_gather(trainer->comm, trainer->troubles, sizeof *trainer->troubles, error);
    const seq_trouble *trouble = status ? NULL : gravest(trainer, &rank);
    if (!trouble) return status;
    seq_remedy remedy = choose(trainer, trouble, why, sizeof why);
    if (remedy == SEQ_REMEDY_NONE) return stop(trainer, trouble, rank, why, error);
    *out = remedy == SEQ_REMEDY_SKIP ? SEQ_STEP_SKIPPED : SEQ_ROLLED_BACK;
    if (remedy == SEQ_REMEDY_ROLL_BACK) return roll_back(trainer, trouble, rank, error);
    skip(trainer, trouble, rank);
    return SEQ_OK;
}
