// The loss of the validation split, every token once, each replica with its own
// streams that begin at zero. Ranks meet every 8 windows, so that a signal to
// one of them ends the work of all. Invariant: a validation that was cut short
// changes neither position nor schedule. Tests: tests/fault/signals.sh,
// tests/mpi/train_bytes.sh.
#include "saving/saving.h"
#include "fault_injection.h"
#include "step.h"
#include <math.h>
#include <seqtrain/base/fault.h>
#include <string.h>

enum { WINDOWS_TOGETHER = 8 };

// Window `number` of one of this rank's replicas, added to its loss.
static seq_status validate_window(seq_trainer *trainer, int replica, int64_t number,
                                  seq_error *error) {
    int64_t start = number * trainer->window,
            left = seq_batches_length(trainer->valid_batches) - start;
    int from = (replica - trainer->first_replica) * trainer->valid_batch;
    int steps = left < trainer->window ? (int)left : trainer->window;
    seq_loss *sum = &trainer->losses[replica];
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_VALIDATE);
    if (number == 0) {
        size_t state = seq_model_state_size(trainer->model, trainer->valid_batch);
        memset(trainer->valid_state, 0, state * sizeof(float));
        *sum = (seq_loss){0};
    }
    seq_rectangle *rectangle = &trainer->own_batches[0]; // free between steps
    seq_rectangle_shape(rectangle, trainer->valid_batch, steps, 0);
    seq_status status = seq_batches_read(trainer->valid_batches, from, trainer->valid_batch, start,
                                         steps, rectangle->inputs, rectangle->targets, error);
    if (status) return status;
    const seq_feed feed = {.batch = &rectangle->batch, .state = trainer->valid_state};
    seq_weights weights = seq_trainer_weights(trainer);
    seq_loss loss = seq_model_evaluate(trainer->model, trainer->workspace, &weights, &feed, NULL);
    seq_train_saturation_add_values(trainer, &rectangle->batch);
    sum->sum += loss.sum;
    sum->count += loss.count;
    sum->correct += loss.correct;
    seq_inject_validation(trainer, replica);
    seq_fault_point("train-validate");
    return SEQ_OK;
}

// All ranks have the same number of windows and tell each other every WINDOWS_TOGETHER of them, so
// that a wish to stop or a failure of one ends the work of all soon.
static seq_status validate_all(seq_trainer *trainer, seq_stop_reason *out_stop, seq_error *error) {
    int64_t length = seq_batches_length(trainer->valid_batches),
            windows = (length + trainer->window - 1) / trainer->window,
            count = windows * trainer->own_replicas;
    *out_stop = SEQ_RUN_ON;
    for (int64_t done = 0; done < count && !*out_stop;) {
        seq_rank_report own = {0}, all;
        int replica = trainer->first_replica + (int)(done / windows);
        own.status = (int32_t)validate_window(trainer, replica, done % windows, error);
        own.stop = (int32_t)seq_train_stop_reason(trainer);
        done++;
        if (!own.status && !own.stop && done % WINDOWS_TOGETHER && done < count) continue;
        seq_status status = seq_train_share_reports(trainer, &own, &all, error);
        if (status) return status;
        *out_stop = (seq_stop_reason)all.stop;
    }
    return SEQ_OK;
}

static void record_result(seq_trainer *trainer, seq_loss total) {
    seq_position *position = &trainer->position;
    position->validated = position->step;
    position->last_loss = total.sum / (double)total.count;
    if (position->last_loss < position->best_loss) {
        position->best_loss = position->last_loss;
        position->best_step = position->step;
    }
    seq_schedule_observe(&trainer->schedule, &trainer->schedule_state, position->last_loss);
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
    if (status) return status;
    record_result(trainer, total);
    seq_progress_validation(trainer, total, layers, seq_clock_seconds() - begun);
    seq_train_saturation_warn(trainer, layers);
    return SEQ_OK;
}
