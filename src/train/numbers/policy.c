// Judges the numbers of a step; what is done about bad ones stands in remedy.c.
// A spike lies more than sigma standard deviations above the mean of the last
// updates. Of the gradient's norm, the logarithm is judged (source below).
// Invariant: each verdict follows from numbers that all ranks have, so all take
// the same branch. Tests: tests/fault/numeric_policy.sh,
// tests/fault/numeric_spikes.sh.
#include "policy.h"
#include "inject.h"
#include "options/options.h"
#include "step/step.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool needs_states(const seq_train_options *options) {
    return options->on_bad_numbers == SEQ_REMEDY_SKIP || options->on_spike == SEQ_REMEDY_SKIP;
}

seq_status seq_train_policy_create(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    size_t ranks = (size_t)seq_comm_size(trainer->comm);
    size_t states = (size_t)trainer->own_replicas * trainer->state_size;
    seq_status status = seq_inject_create(trainer, error);
    if (!status)
        status = seq_setbacks_create(
            &trainer->setbacks,
            options->on_spike == SEQ_REMEDY_NONE ? 0 : (int)options->spike_window, error);
    if (!status)
        status = seq_allocate(&trainer->troubles, ranks, sizeof *trainer->troubles,
                              "what the ranks find", error);
    if (!status && needs_states(options))
        status = seq_allocate(&trainer->states_before, states, sizeof(float),
                              "the states before a window", error);
    return status;
}

void seq_train_policy_clear(seq_trainer *trainer) {
    seq_inject_clear(trainer);
    seq_setbacks_clear(&trainer->setbacks);
    free(trainer->troubles);
    free(trainer->states_before);
}

void seq_train_keep_state(seq_trainer *trainer, int replica) {
    if (!trainer->states_before) return;
    size_t size = trainer->state_size;
    memcpy(trainer->states_before + (size_t)(replica - trainer->first_replica) * size,
           trainer->states + (size_t)replica * size, size * sizeof(float));
}

int32_t seq_train_has_trouble(const seq_trainer *trainer) {
    return trainer->found.kind != SEQ_NO_TROUBLE;
}

static bool is_own(const seq_trainer *trainer, int replica) {
    return replica >= trainer->first_replica &&
           replica < trainer->first_replica + trainer->own_replicas;
}

static bool is_bad_loss(const seq_trainer *trainer, seq_loss loss) {
    return !isfinite(loss.sum) || loss.sum > seq_train_loss_limit(trainer) * (double)loss.count;
}

static bool find_bad_losses(seq_trainer *trainer) {
    bool bad = false;
    for (int replica = 0; replica < trainer->replicas; replica++) {
        if (!is_bad_loss(trainer, trainer->losses[replica])) continue;
        bad = true;
        if (is_own(trainer, replica)) seq_train_find_loss(trainer, replica);
    }
    return bad;
}

// The last window of an epoch is shorter than the others, its mean is more uncertain: neither
// judged nor counted.
static bool is_comparable(const seq_trainer *trainer) {
    return trainer->options->on_spike != SEQ_REMEDY_NONE &&
           seq_train_window_steps(trainer) == trainer->window;
}

static int highest_loss(const seq_trainer *trainer) {
    int highest = 0;
    for (int replica = 1; replica < trainer->replicas; replica++)
        if (trainer->losses[replica].sum > trainer->losses[highest].sum) highest = replica;
    return highest;
}

static bool find_loss_spike(seq_trainer *trainer) {
    if (!is_comparable(trainer)) return false;
    seq_loss total = seq_train_total_loss(trainer);
    double loss = total.sum / (double)total.count,
           limit = seq_rolling_limit(&trainer->setbacks.losses, trainer->options->spike_sigma);
    int replica = highest_loss(trainer);
    if (loss <= limit) return false;
    if (is_own(trainer, replica)) seq_train_find_loss_spike(trainer, replica, loss, limit);
    return true;
}

seq_status seq_train_judge_losses(seq_trainer *trainer, bool reported, seq_setback *out,
                                  seq_error *error) {
    *out = SEQ_NO_SETBACK;
    bool trouble = find_bad_losses(trainer) || reported;
    if (!trouble) trouble = find_loss_spike(trainer);
    return trouble ? seq_train_settle(trainer, out, error) : SEQ_OK;
}

// Norms of gradients are products of many random factors, so their logarithms are nearly normal
// (Hanin and Nica 2020, Products of many large random matrices and gradients in deep neural
// networks): deviations are taken of the logarithm. With the norms themselves the long right tail
// would look like spikes.
static bool find_norm_spike(seq_trainer *trainer, double norm) {
    if (!is_comparable(trainer) || norm <= 0) return false;
    double limit = seq_rolling_limit(&trainer->setbacks.norms, trainer->options->spike_sigma);
    if (log(norm) <= limit) return false;
    seq_train_find_norm_spike(trainer, norm, exp(limit));
    return true;
}

seq_status seq_train_judge_norm(seq_trainer *trainer, const seq_exchanged *sum, seq_setback *out,
                                seq_error *error) {
    *out = SEQ_NO_SETBACK;
    if (isfinite(sum->norm))
        return find_norm_spike(trainer, sum->norm) ? seq_train_settle(trainer, out, error) : SEQ_OK;
    if (sum->bad)
        seq_train_find_gradient(trainer, sum->bad_index);
    else // graver findings come first
        seq_train_find_norm(trainer, sum->norm);
    return seq_train_settle(trainer, out, error);
}

seq_status seq_train_judge_validation(seq_trainer *trainer, seq_setback *out, seq_error *error) {
    bool bad = false;
    *out = SEQ_NO_SETBACK;
    for (int replica = 0; replica < trainer->replicas; replica++) {
        if (isfinite(trainer->losses[replica].sum)) continue;
        bad = true;
        if (is_own(trainer, replica)) seq_train_find_validation(trainer, replica);
    }
    return bad ? seq_train_settle(trainer, out, error) : SEQ_OK;
}

void seq_train_accept(seq_trainer *trainer, const seq_step_result *result) {
    if (!is_comparable(trainer) || result->norm <= 0) return;
    seq_rolling_add(&trainer->setbacks.losses, result->nats / (double)result->tokens);
    seq_rolling_add(&trainer->setbacks.norms, log(result->norm));
}

bool seq_train_is_condemned(const seq_trainer *trainer) {
    return seq_setbacks_jumps(&trainer->setbacks, trainer->position.step);
}

void seq_train_report_jump(seq_trainer *trainer) {
    const seq_position *position = &trainer->position;
    seq_log_warning("step %lld, epoch %lld: its data is passed over since a rollback",
                    (long long)position->step + 1, (long long)position->epoch);
    seq_metrics_begin(&trainer->metrics, "jump");
    seq_metrics_integer(&trainer->metrics, "step", position->step + 1);
    seq_metrics_integer(&trainer->metrics, "epoch", position->epoch);
    seq_metrics_integer(&trainer->metrics, "window", position->window);
    seq_metrics_end(&trainer->metrics);
}

void seq_train_count_setbacks(seq_trainer *trainer, char *out, size_t size) {
    const seq_setbacks *setbacks = &trainer->setbacks;
    int64_t jumped = seq_setbacks_jumped(setbacks, trainer->position.step);
    seq_metrics_integer(&trainer->metrics, "skipped_steps", setbacks->skipped);
    seq_metrics_integer(&trainer->metrics, "rollbacks", setbacks->rollbacks);
    seq_metrics_integer(&trainer->metrics, "jumped_steps", jumped);
    *out = '\0';
    if (setbacks->skipped || setbacks->rollbacks)
        snprintf(out, size,
                 "; %lld steps skipped, rolled back %lld times, %lld windows passed over",
                 (long long)setbacks->skipped, (long long)setbacks->rollbacks, (long long)jumped);
}
