#include "trainer.h"
#include <math.h>
#include <string.h>

static float gradient_scale(const seq_trainer *trainer) {
    double streams = (double)trainer->batch * trainer->replicas;
    bool mean = trainer->options->loss_scale == SEQ_LOSS_MEAN;
    return (float)(1 / (mean ? streams * trainer->window : streams));
}

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

// One replica's window: its gradient becomes the tree's next leaf.
static seq_status train_replica(seq_trainer *trainer, int replica, seq_error *error) {
    seq_window window;
    seq_status status = seq_train_read_window(trainer, replica, &window, error);
    if (status) return status;
    bool last = replica + 1 == trainer->first_replica + trainer->own_replicas;
    window.ready = last ? hand_in : add_part;
    window.ready_context = trainer;
    seq_weights weights = seq_trainer_weights(trainer);
    float *gradient = seq_tree_next(trainer->tree);
    seq_train_clear_rows(trainer, gradient);
    trainer->losses[replica] = seq_model_train(trainer->model, trainer->workspace, &weights,
                                               &window, gradient_scale(trainer), gradient);
    seq_tree_close(trainer->tree);
    return SEQ_OK;
}

// The exchange begins and gets all of the gradient in any case: the other ranks wait for it.
static seq_status train_own_replicas(seq_trainer *trainer, seq_error *error) {
    const seq_exchange_options how = seq_train_exchange_options(trainer);
    seq_status status = seq_train_gradient_flow(trainer, error);
    if (!status) status = seq_train_mark_live(trainer, error);
    seq_exchange_begin(trainer->exchange, &how);
    if (!status) seq_tree_begin(trainer->tree, seq_exchange_live(trainer->exchange));
    for (int replica = trainer->first_replica;
         !status && replica < trainer->first_replica + trainer->own_replicas; replica++)
        status = train_replica(trainer, replica, error);
    seq_exchange_ready(trainer->exchange, 0);
    return status;
}

static bool save_is_due(const seq_trainer *trainer) {
    double interval = trainer->options->checkpoint_interval;
    return seq_comm_rank(trainer->comm) == 0 && interval > 0 && !seq_train_is_saving(trainer) &&
           seq_train_seconds() - trainer->last_save > interval;
}

static bool is_trouble(const seq_trainer *trainer, seq_loss loss) {
    return !isfinite(loss.nats) || loss.nats > seq_train_loss_limit(trainer) * (double)loss.tokens;
}

// Numeric trouble is told by the rank that has it and agreed upon before any parameter changes.
static seq_status check_losses(seq_trainer *trainer, seq_error *error) {
    bool trouble = false;
    for (int replica = 0; replica < trainer->replicas; replica++)
        trouble |= is_trouble(trainer, trainer->losses[replica]);
    if (!trouble) return SEQ_OK;
    if (seq_train_finish_save(trainer, error)) return error->status; // the message names the last
    for (int replica = trainer->first_replica;
         replica < trainer->first_replica + trainer->own_replicas; replica++)
        if (is_trouble(trainer, trainer->losses[replica]))
            seq_train_report_loss(trainer, replica, trainer->losses[replica], error);
    return seq_comm_agree(trainer->comm, error);
}

static void begin_epoch(seq_trainer *trainer) {
    seq_position *position = &trainer->position;
    position->epoch++;
    position->window = 0;
    position->epoch_nats = 0;
    position->epoch_tokens = 0;
    position->epoch_clipped = 0;
    memset(trainer->states + (size_t)trainer->first_replica * trainer->state_size, 0,
           (size_t)trainer->own_replicas * trainer->state_size * sizeof(float));
}

static void advance(seq_trainer *trainer, const seq_step_result *result) {
    seq_position *position = &trainer->position;
    position->step++;
    position->window++;
    position->epoch_nats += result->nats;
    position->epoch_tokens += result->tokens;
    position->epoch_clipped += result->clipped;
    if (position->window == trainer->windows) begin_epoch(trainer);
}

// The round of the exchange that has begun is ended, whatever the reason; that is what stays.
static seq_status give_up(seq_trainer *trainer, seq_status status) {
    seq_error late = {0};
    if (status != SEQ_RANK_FAILED) seq_exchange_abandon(trainer->exchange, &late);
    return status;
}

seq_status seq_train_step(seq_trainer *trainer, seq_step_result *out, seq_error *error) {
    double begun = seq_train_seconds();
    seq_rank_report own = {0}, all;
    own.status = (int32_t)train_own_replicas(trainer, error);
    if (!own.status) own.status = (int32_t)seq_metrics_status(&trainer->metrics, error);
    own.stop = seq_train_stop_reason(trainer);
    own.save = save_is_due(trainer);
    own.writing = seq_train_is_writing(trainer);
    seq_status status = seq_train_exchange(trainer, &own, &all, error);
    if (!status) status = check_losses(trainer, error);
    if (status) return give_up(trainer, status);
    seq_loss total = seq_train_total_loss(trainer);
    *out = (seq_step_result){
        .nats = total.nats,
        .tokens = total.tokens,
        .window = trainer->position.window,
        .epoch = trainer->position.epoch,
        .stop = (seq_stop_reason)all.stop,
        .save = all.save,
        .writing = all.writing,
    };
    status = seq_train_update(trainer, out, error);
    if (status) return status;
    advance(trainer, out);
    double seconds = seq_train_seconds() - begun;
    trainer->longest_step = seconds > trainer->longest_step ? seconds : trainer->longest_step;
    return SEQ_OK;
}
