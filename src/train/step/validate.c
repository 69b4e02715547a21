// The loss of the validation split, every token or item once, each replica with
// its own part; streams begin at zero. Ranks meet every 8 batches, so that a signal to
// one of them ends the work of all. Invariant: a validation that was cut short
// changes neither position nor schedule. Tests: tests/fault/signals.sh,
// tests/mpi/train_bytes.sh.
#include "saving/saving.h"
#include "fault_injection.h"
#include "step.h"
#include <math.h>
#include <seqtrain/base/fault.h>
#include <string.h>

enum { BATCHES_TOGETHER = 8 };

// Batch `step` of one of this rank's replicas, added to its loss and to this rank's counters.
static seq_status validate_batch(seq_trainer *trainer, int replica, int64_t step,
                                 seq_error *error) {
    const seq_weights weights = seq_trainer_weights(trainer);
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_VALIDATE);
    seq_status status = seq_evaluator_step(trainer->evaluator, trainer->workspace, &weights, step,
                                           replica, &trainer->losses[replica], error);
    if (status) return status;
    const seq_batch *batch = seq_evaluator_batch(trainer->evaluator);
    if (batch->axes[0].rows) seq_train_saturation_add_values(trainer, batch);
    seq_inject_validation(trainer, replica);
    seq_fault_point("train-validate");
    return SEQ_OK;
}

// All ranks have the same number of batches and tell each other every BATCHES_TOGETHER of them, so
// that a wish to stop or a failure of one ends the work of all soon. Where states go on, a
// replica's batches come one after the other; else a step's, which the sampler has ordered
// together.
static seq_status validate_all(seq_trainer *trainer, seq_stop_reason *out_stop, seq_error *error) {
    bool by_replica = trainer->task->sampler->carries_state;
    int64_t steps = seq_sampler_steps(trainer->valid_sampler), replicas = trainer->own_replicas,
            count = steps * replicas;
    *out_stop = SEQ_RUN_ON;
    seq_evaluator_clear_counters(trainer->evaluator);
    for (int64_t done = 0; done < count && !*out_stop;) {
        seq_rank_report own = {0}, all;
        int64_t replica = by_replica ? done / steps : done % replicas,
                step = by_replica ? done % steps : done / replicas;
        own.status =
            (int32_t)validate_batch(trainer, trainer->first_replica + (int)replica, step, error);
        own.stop = (int32_t)seq_train_stop_reason(trainer);
        done++;
        if (!own.status && !own.stop && done % BATCHES_TOGETHER && done < count) continue;
        seq_status status = seq_train_share_reports(trainer, &own, &all, error);
        if (status) return status;
        *out_stop = (seq_stop_reason)all.stop;
    }
    return SEQ_OK;
}

// Collective: the counters of all ranks make the measures.
static seq_status measure(seq_trainer *trainer, seq_error *error) {
    size_t count;
    const int64_t *own = seq_evaluator_counters(trainer->evaluator, &count);
    int64_t *all = trainer->counters;
    if (!count) return SEQ_OK;
    memcpy(all + (size_t)seq_comm_rank(trainer->comm) * count, own, count * sizeof *own);
    seq_status status = seq_comm_gather(trainer->comm, all, count * sizeof *all, error);
    for (int rank = 1; !status && rank < seq_comm_size(trainer->comm); rank++)
        for (size_t i = 0; i < count; i++)
            all[i] += all[(size_t)rank * count + i];
    for (int i = 0; !status && trainer->metrics[i]; i++)
        trainer->measures[i] = seq_evaluator_value(trainer->evaluator, i, all);
    return status;
}

// Of equal values the smaller loss is better: many checkpoints answer a small part alike, and
// those that learned longer are surer. A NaN is no better than anything.
static void record_result(seq_trainer *trainer, seq_loss total) {
    seq_position *position = &trainer->position;
    double loss = total.sum / (double)total.count, best = position->best_value,
           value = seq_train_criterion(trainer) ? trainer->measures[0] : loss;
    bool more = seq_train_prefers_more(trainer);
    position->validated = position->step;
    position->last_loss = loss;
    position->since_best = trainer->options->early_stop ? position->since_best + 1 : 0;
    if ((more ? value > best : value < best) || (value == best && loss < position->best_loss)) {
        position->best_value = value;
        position->best_loss = loss;
        position->best_step = position->step;
        position->since_best = 0;
    }
    seq_schedule_observe(&trainer->schedule, &trainer->schedule_state, more ? -value : value);
}

seq_status seq_train_validate(seq_trainer *trainer, bool *out_complete, seq_setback *out_setback,
                              seq_error *error) {
    double begun = seq_clock_seconds();
    seq_stop_reason stop;
    seq_phase_enter(trainer, SEQ_PHASE_VALIDATION);
    seq_status status = seq_trainer_pack_for(trainer, false, error);
    if (!status) status = validate_all(trainer, &stop, error);
    seq_phase_enter(trainer, SEQ_PHASE_OTHER);
    if (status) return status;
    *out_complete = !stop;
    *out_setback = SEQ_NO_SETBACK;
    if (!*out_complete) return SEQ_OK;
    if (seq_train_judge_validation(trainer)) status = seq_train_settle(trainer, out_setback, error);
    if (status || *out_setback) return status;
    seq_loss total = seq_train_total_loss(trainer);
    seq_saturation layers[SEQ_MAX_RECURRENT];
    status = seq_train_saturation_gather(trainer, layers, error);
    if (!status) status = measure(trainer, error);
    if (status) return status;
    record_result(trainer, total);
    seq_progress_validation(trainer, total, layers, seq_clock_seconds() - begun);
    seq_train_saturation_warn(trainer, layers);
    return SEQ_OK;
}
