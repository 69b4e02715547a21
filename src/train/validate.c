#include "trainer.h"
#include <math.h>
#include <string.h>

bool seq_train_validation_due(const seq_trainer *trainer) {
    const seq_position *position = &trainer->position;
    if (!trainer->valid_batches || position->step == 0 || position->validated == position->step)
        return false;
    if (seq_trainer_finished(trainer)) return true;
    int64_t every = trainer->options->validate_every;
    return every ? position->step % every == 0 : position->window == 0;
}

static seq_status validate_replica(seq_trainer *trainer, int replica, seq_error *error) {
    int64_t length = seq_batches_length(trainer->valid_batches);
    int from = (replica - trainer->first_replica) * trainer->valid_batch;
    seq_loss *sum = &trainer->losses[replica];
    memset(trainer->valid_state, 0,
           seq_model_state_size(trainer->model, trainer->valid_batch) * sizeof(float));
    for (int64_t start = 0; start < length; start += trainer->window) {
        int steps = length - start < trainer->window ? (int)(length - start) : trainer->window;
        seq_status status =
            seq_batches_read(trainer->valid_batches, from, trainer->valid_batch, start, steps,
                             trainer->inputs, trainer->targets, error);
        if (status) return status;
        seq_window window = {.batch = trainer->valid_batch,
                             .steps = steps,
                             .inputs = trainer->inputs,
                             .targets = trainer->targets,
                             .state = trainer->valid_state};
        seq_weights weights = seq_trainer_weights(trainer);
        seq_loss loss =
            seq_model_evaluate(trainer->model, trainer->workspace, &weights, &window, NULL);
        sum->nats += loss.nats;
        sum->tokens += loss.tokens;
        sum->correct += loss.correct;
        if (seq_train_stop_reason(trainer)) break;
    }
    return SEQ_OK;
}

static seq_status validate_own_replicas(seq_trainer *trainer, seq_rank_report *report,
                                        seq_error *error) {
    for (int replica = trainer->first_replica;
         replica < trainer->first_replica + trainer->own_replicas; replica++) {
        trainer->losses[replica] = (seq_loss){0};
        seq_status status = validate_replica(trainer, replica, error);
        if (status) return status;
        report->stop = seq_train_stop_reason(trainer);
        if (report->stop) return SEQ_OK;
    }
    return SEQ_OK;
}

static void record_result(seq_trainer *trainer, seq_loss total) {
    seq_position *position = &trainer->position;
    position->validated = position->step;
    position->last_loss = total.nats / (double)total.tokens;
    if (position->last_loss < position->best_loss) {
        position->best_loss = position->last_loss;
        position->best_step = position->step;
    }
    seq_schedule_observe(&trainer->schedule, &trainer->schedule_state, position->last_loss);
}

seq_status seq_train_validate(seq_trainer *trainer, bool *out_complete, seq_error *error) {
    double begun = seq_train_seconds();
    seq_rank_report own = {0}, all;
    own.status = (int32_t)validate_own_replicas(trainer, &own, error);
    seq_status status = seq_train_exchange(trainer, &own, &all, error);
    if (status) return status;
    *out_complete = !all.stop;
    if (!*out_complete) return SEQ_OK;
    seq_loss total = seq_train_total_loss(trainer);
    record_result(trainer, total);
    seq_progress_validation(trainer, total, seq_train_seconds() - begun);
    return SEQ_OK;
}
