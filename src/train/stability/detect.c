// Judges the numbers of a step; what is done about bad ones stands in respond.c.
// A spike lies more than sigma standard deviations above the mean of the last
// updates. Of the gradient's norm, the logarithm is judged (source below).
// Invariant: each verdict follows from numbers that all ranks have, so all take
// the same branch. Tests: tests/fault/numeric_policy.sh,
// tests/fault/numeric_spikes.sh.
#include "detect.h"
#include "fault_injection.h"
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

seq_status seq_train_stability_create(seq_trainer *trainer, seq_error *error) {
    const seq_train_options *options = trainer->options;
    size_t ranks = (size_t)seq_comm_size(trainer->comm);
    size_t states = (size_t)trainer->own_replicas * trainer->state_size;
    seq_status status = seq_inject_create(trainer, error);
    if (!status)
        status = seq_recovery_create(
            &trainer->history,
            options->on_spike == SEQ_REMEDY_NONE ? 0 : (int)options->spike_window, error);
    if (!status)
        status = seq_allocate(&trainer->anomalies, ranks, sizeof *trainer->anomalies,
                              "what the ranks find", error);
    if (!status && states && needs_states(options))
        status = seq_allocate(&trainer->states_before, states, sizeof(float),
                              "the states before a window", error);
    return status;
}

void seq_train_stability_clear(seq_trainer *trainer) {
    seq_inject_clear(trainer);
    seq_recovery_clear(&trainer->history);
    free(trainer->anomalies);
    free(trainer->states_before);
}

void seq_train_keep_state(seq_trainer *trainer, int replica) {
    if (!trainer->states_before) return;
    size_t size = trainer->state_size;
    memcpy(trainer->states_before + (size_t)(replica - trainer->first_replica) * size,
           trainer->states + (size_t)replica * size, size * sizeof(float));
}

int32_t seq_train_has_anomaly(const seq_trainer *trainer) {
    return trainer->found.kind != SEQ_NO_ANOMALY;
}

static bool is_own(const seq_trainer *trainer, int replica) {
    return replica >= trainer->first_replica &&
           replica < trainer->first_replica + trainer->own_replicas;
}

static bool is_bad_loss(const seq_trainer *trainer, seq_loss loss) {
    double targets = (double)(loss.count ? loss.count : 1); // ctc: items without labels lose, too
    return !isfinite(loss.sum) || loss.sum > seq_train_loss_limit(trainer) * targets;
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

// The mean of a step that is smaller than the others is more uncertain: neither judged nor counted.
static bool is_comparable(const seq_trainer *trainer, int64_t count) {
    return trainer->options->on_spike != SEQ_REMEDY_NONE && count > 0 &&
           seq_sampler_full(trainer->sampler, trainer->position.epoch, trainer->position.window);
}

static int highest_loss(const seq_trainer *trainer) {
    int highest = 0;
    for (int replica = 1; replica < trainer->replicas; replica++)
        if (trainer->losses[replica].sum > trainer->losses[highest].sum) highest = replica;
    return highest;
}

static bool find_loss_spike(seq_trainer *trainer) {
    seq_loss total = seq_train_total_loss(trainer);
    if (!is_comparable(trainer, total.count)) return false;
    double loss = total.sum / (double)total.count,
           limit = seq_rolling_limit(&trainer->history.losses, trainer->options->spike_sigma);
    int replica = highest_loss(trainer);
    if (loss <= limit) return false;
    if (is_own(trainer, replica)) seq_train_find_loss_spike(trainer, replica, loss, limit);
    return true;
}

bool seq_train_judge_losses(seq_trainer *trainer, bool reported) {
    return find_bad_losses(trainer) || reported || find_loss_spike(trainer);
}

// Norms of gradients are products of many random factors, so their logarithms are nearly normal
// (Hanin and Nica 2020, Products of many large random matrices and gradients in deep neural
// networks): deviations are taken of the logarithm. With the norms themselves the long right tail
// would look like spikes.
static bool find_norm_spike(seq_trainer *trainer, double norm) {
    if (!is_comparable(trainer, 1) || norm <= 0) return false;
    double limit = seq_rolling_limit(&trainer->history.norms, trainer->options->spike_sigma);
    if (log(norm) <= limit) return false;
    seq_train_find_norm_spike(trainer, norm, exp(limit));
    return true;
}

bool seq_train_judge_norm(seq_trainer *trainer, const seq_exchanged *sum) {
    if (isfinite(sum->norm)) return find_norm_spike(trainer, sum->norm);
    if (sum->bad)
        seq_train_find_gradient(trainer, sum->bad_index);
    else // graver findings come first
        seq_train_find_norm(trainer, sum->norm);
    return true;
}

bool seq_train_judge_validation(seq_trainer *trainer) {
    bool bad = false;
    for (int replica = 0; replica < trainer->replicas; replica++) {
        if (isfinite(trainer->losses[replica].sum)) continue;
        bad = true;
        if (is_own(trainer, replica)) seq_train_find_validation(trainer, replica);
    }
    return bad;
}

void seq_train_accept(seq_trainer *trainer, const seq_step_result *result) {
    if (!is_comparable(trainer, result->tokens) || result->norm <= 0) return;
    seq_rolling_add(&trainer->history.losses, result->nats / (double)result->tokens);
    seq_rolling_add(&trainer->history.norms, log(result->norm));
}

bool seq_train_is_excluded(const seq_trainer *trainer) {
    return seq_recovery_is_excluded(&trainer->history, trainer->position.step);
}

void seq_train_report_excluded(seq_trainer *trainer) {
    const seq_position *position = &trainer->position;
    seq_log_warning("step %lld, epoch %lld: its data is passed over since a rollback",
                    (long long)position->step + 1, (long long)position->epoch);
    seq_event_begin(&trainer->events, "jump");
    seq_event_integer(&trainer->events, "step", position->step + 1);
    seq_event_integer(&trainer->events, "epoch", position->epoch);
    seq_event_integer(&trainer->events, "window", position->window);
    seq_event_end(&trainer->events);
}

void seq_train_count_setbacks(seq_trainer *trainer, char *out, size_t size) {
    const seq_recovery_history *history = &trainer->history;
    int64_t jumped = seq_recovery_excluded_before(history, trainer->position.step);
    seq_event_integer(&trainer->events, "skipped_steps", history->skipped);
    seq_event_integer(&trainer->events, "rollbacks", history->rollbacks);
    seq_event_integer(&trainer->events, "jumped_steps", jumped);
    *out = '\0';
    if (history->skipped || history->rollbacks)
        snprintf(out, size,
                 "; %lld steps skipped, rolled back %lld times, %lld windows passed over",
                 (long long)history->skipped, (long long)history->rollbacks, (long long)jumped);
}
