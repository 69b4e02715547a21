// The gradient's way from this rank's replicas into the parameters: what may be
// nonzero is marked, the exchange is ended, the norm judged, the slices
// updated. Blocks are updated from the end, while they are still in the cache.
// Invariant: clipping is a factor of the update, and each rank writes its own
// slices only. Tests: tests/mpi/train_bytes.sh, tests/mpi/overlap.sh.
#include "fault_injection.h"
#include "step.h"
#include <seqtrain/base/fault.h>
#include <string.h>

static seq_status read_batch(seq_trainer *trainer, int own, seq_error *error) {
    const seq_position *position = &trainer->position;
    seq_batch *batch = &trainer->own_batches[own];
    seq_status status = seq_sampler_read(trainer->sampler, position->epoch, position->window,
                                         trainer->first_read + own, batch, error);
    if (!status) seq_coverage_add(&trainer->window_read, &batch->read);
    return status;
}

seq_status seq_train_read_batches(seq_trainer *trainer, seq_error *error) {
    seq_status status = SEQ_OK;
    trainer->window_read = (seq_coverage){0};
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_READ);
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_DATA);
    for (int own = 0; !status && own < trainer->own_replicas; own++)
        status = read_batch(trainer, own, error);
    seq_phase_enter(trainer, was);
    return status;
}

seq_feed seq_train_feed(const seq_trainer *trainer, int replica) {
    int own = replica - trainer->first_replica;
    return (seq_feed){
        .batch = &trainer->own_batches[own],
        .state = trainer->states ? trainer->states + (size_t)replica * trainer->state_size : NULL,
        .seed = (uint64_t)trainer->options->seed,
        .step = (uint32_t)trainer->position.step,
        .replica = own,
        .touched = true,
    };
}

static void mark_row(void *context, int parameter, int32_t row) {
    const seq_trainer *trainer = context;
    const seq_parameter *rows = &trainer->table->items[parameter];
    if (!rows->sparse || rows->rate == 0) return;
    size_t begin = rows->offset + (size_t)row * rows->columns;
    seq_sparsity_add(seq_exchange_live(trainer->exchange), begin, begin + rows->columns);
}

void seq_train_mark_live(seq_trainer *trainer) {
    uint64_t *live = seq_exchange_live(trainer->exchange);
    memcpy(live, trainer->always_live, seq_sparsity_words(trainer->table->size) * sizeof *live);
    for (int own = 0; own < trainer->own_replicas; own++) {
        seq_feed feed = seq_train_feed(trainer, trainer->first_replica + own);
        if (seq_train_is_empty(&feed)) continue;
        seq_model_touched(trainer->model, trainer->workspace, &feed, mark_row, trainer);
    }
}

static void clear_live(const seq_trainer *trainer, size_t begin, size_t end, float *gradient) {
    const uint64_t *live = seq_exchange_live(trainer->exchange);
    for (seq_range run = {begin, begin}; seq_sparsity_next(live, end, &run);)
        memset(gradient + run.begin, 0, (run.end - run.begin) * sizeof *gradient);
}

// A batch's gradient leaves the rows of others as they are; what is live of them must be zero.
static void clear_rows(const seq_trainer *trainer, float *gradient) {
    for (int row = 0; row < trainer->table->count; row++) {
        const seq_parameter *rows = &trainer->table->items[row];
        if (rows->sparse)
            clear_live(trainer, rows->offset, rows->offset + seq_parameter_size(rows), gradient);
    }
}

seq_loss seq_train_gradient(const seq_trainer *trainer, const seq_feed *feed, float *gradient) {
    seq_weights weights = seq_trainer_weights(trainer);
    if (seq_train_is_empty(feed)) {
        clear_live(trainer, 0, trainer->table->size, gradient);
        if (feed->ready) feed->ready(feed->ready_context, 0, trainer->table->size);
        return (seq_loss){0};
    }
    clear_rows(trainer, gradient);
    return seq_model_train(trainer->model, trainer->workspace, &weights, feed,
                           1 / feed->batch->divisor, gradient);
}

static void update_slice(seq_trainer *trainer, const seq_optimizer_step *step,
                         const seq_range *slice, const uint64_t *live, bool updates_all) {
    size_t blocks = (slice->end - slice->begin + SEQ_BLOCK - 1) / SEQ_BLOCK;
    while (blocks-- > 0) {
        size_t begin = slice->begin + blocks * SEQ_BLOCK;
        size_t end = slice->end - begin < SEQ_BLOCK ? slice->end : begin + SEQ_BLOCK, done = begin;
        for (seq_range run = {begin, begin}; seq_sparsity_next(live, end, &run); done = run.end) {
            if (updates_all) seq_optimizer_apply_zero(step, done, run.begin);
            seq_optimizer_apply(step, run.begin, run.end);
            seq_train_find_parameter(trainer, run.begin, run.end);
        }
        if (updates_all) seq_optimizer_apply_zero(step, done, end);
    }
}

// From the end to the beginning: what was summed last is still in the cache.
static void update_slices(seq_trainer *trainer, const seq_optimizer_step *step,
                          const seq_exchanged *sum, bool updates_all) {
    for (size_t slice = sum->slice_count; slice-- > 0;) {
        const seq_range *range = &sum->slices[slice];
        seq_inject_before_update(trainer, range->begin, range->end);
        update_slice(trainer, step, range, sum->live, updates_all);
    }
}

seq_exchange_options seq_train_exchange_options(const seq_trainer *trainer) {
    return (seq_exchange_options){
        .clip_element = trainer->options->clip_element,
        .updates_all = !seq_optimizer_keeps_zeros(trainer->optimizer, &trainer->rule)};
}

seq_status seq_train_update(seq_trainer *trainer, seq_step_result *out, seq_error *error) {
    const seq_train_options *options = trainer->options;
    seq_exchanged sum;
    seq_fault_point("train-exchange");
    seq_phase_enter(trainer, SEQ_PHASE_EXCHANGE);
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_EXCHANGE);
    seq_status status = seq_exchange_finish(trainer->exchange, &sum, error);
    seq_phase_enter(trainer, SEQ_PHASE_UPDATE);
    if (!status && seq_train_judge_norm(trainer, &sum))
        status = seq_train_settle(trainer, &out->setback, error);
    if (status || out->setback) return status;
    out->clamped = sum.clamped;
    out->norm = sum.norm;
    double scale = seq_clip_factor(sum.norm, options->clip_norm);
    out->clipped = scale < 1;
    out->rate = seq_schedule_rate(&trainer->schedule, &trainer->schedule_state,
                                  trainer->position.step, trainer->position.epoch) *
                trainer->history.rate_factor;
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_UPDATE);
    const seq_optimizer_step step = {
        .optimizer = trainer->optimizer,
        .config = &trainer->rule,
        .table = trainer->table,
        .learning_rate = out->rate,
        .scale = scale,
        .step = seq_recovery_updates(&trainer->history, trainer->position.step) + 1,
        .parameters = trainer->parameters,
        .gradient = seq_exchange_gradient(trainer->exchange),
        .state = trainer->moments,
    };
    update_slices(trainer, &step, &sum, seq_train_exchange_options(trainer).updates_all);
    seq_fault_point("train-update");
    seq_phase_enter(trainer, SEQ_PHASE_EXCHANGE); // waiting
    status = seq_comm_node_barrier(trainer->comm, error);
    seq_phase_enter(trainer, SEQ_PHASE_UPDATE);
    return status ? status : seq_trainer_pack(trainer, error);
}
