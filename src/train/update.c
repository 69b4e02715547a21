// The gradient's way from this rank's replicas into the parameters.
#include "inject.h"
#include "trainer.h"
#include <seqtrain/base/fault.h>
#include <seqtrain/nn/output.h>
#include <string.h>

int seq_train_window_steps(const seq_trainer *trainer) {
    int64_t left = trainer->stream_length - trainer->position.window * trainer->window;
    return left < trainer->window ? (int)left : trainer->window;
}

seq_status seq_train_read_window(seq_trainer *trainer, int replica, seq_error *error) {
    int64_t start = trainer->position.window * trainer->window;
    int from = (replica - trainer->first_replica) * trainer->batch;
    seq_phase was = seq_phase_enter(trainer, SEQ_PHASE_DATA);
    seq_status status =
        seq_batches_read(trainer->batches, from, trainer->batch, start,
                         seq_train_window_steps(trainer), trainer->inputs, trainer->targets, error);
    seq_phase_enter(trainer, was);
    return status;
}

static void add_rows(const seq_trainer *trainer, uint64_t *live) {
    int tokens = seq_train_window_steps(trainer) * trainer->batch;
    size_t columns = trainer->rows->columns;
    for (int i = 0; i < tokens; i++) {
        if (trainer->inputs[i] < 0) continue;
        size_t begin = trainer->rows->offset + (size_t)trainer->inputs[i] * columns;
        seq_live_add(live, begin, begin + columns);
    }
}

seq_status seq_train_mark_live(seq_trainer *trainer, seq_error *error) {
    uint64_t *live = seq_exchange_live(trainer->exchange);
    memcpy(live, trainer->always_live, seq_live_words(trainer->table->size) * sizeof *live);
    seq_status status = SEQ_OK;
    for (int i = 0; !status && trainer->rows && i < trainer->own_replicas; i++) {
        status = seq_train_read_window(trainer, trainer->first_replica + i, error);
        if (!status) add_rows(trainer, live);
    }
    return status;
}

// A window's gradient leaves the rows of other tokens as they are; what is live of them must be
static void clear_parameter(const seq_trainer *trainer, const char *name, float *gradient) {
    const seq_parameter *parameter = seq_parameter_find(trainer->table, name);
    if (parameter)
        memset(gradient + parameter->offset, 0, seq_parameter_size(parameter) * sizeof *gradient);
}

static void clear_output(const seq_trainer *trainer, float *gradient) {
    const seq_model_config *config = seq_model_get_config(trainer->model);
    if (!seq_output_kind_at(config->output)->partial) return;
    clear_parameter(trainer, config->tied ? "embedding.weight" : "output.weight", gradient);
    clear_parameter(trainer, "output.bias", gradient);
}

// zero.
void seq_train_clear_rows(const seq_trainer *trainer, float *gradient) {
    clear_output(trainer, gradient);
    if (!trainer->rows) return;
    size_t begin = trainer->rows->offset, end = begin + seq_parameter_size(trainer->rows);
    const uint64_t *live = seq_exchange_live(trainer->exchange);
    for (seq_range run = {begin, begin}; seq_live_next(live, end, &run);)
        memset(gradient + run.begin, 0, (run.end - run.begin) * sizeof *gradient);
}

// From the end of the slice to its beginning: what was summed last is still in the cache.
static void update_slice(seq_trainer *trainer, const seq_optimizer_step *step,
                         const seq_exchanged *sum, bool updates_all) {
    size_t blocks = (sum->end - sum->begin + SEQ_BLOCK - 1) / SEQ_BLOCK;
    while (blocks-- > 0) {
        size_t begin = sum->begin + blocks * SEQ_BLOCK;
        size_t end = sum->end - begin < SEQ_BLOCK ? sum->end : begin + SEQ_BLOCK, done = begin;
        for (seq_range run = {begin, begin}; seq_live_next(sum->live, end, &run); done = run.end) {
            if (updates_all) seq_optimizer_apply_zero(step, done, run.begin);
            seq_optimizer_apply(step, run.begin, run.end);
            seq_train_find_parameter(trainer, run.begin, run.end);
        }
        if (updates_all) seq_optimizer_apply_zero(step, done, end);
    }
}

seq_status seq_train_update(seq_trainer *trainer, seq_step_result *out, seq_error *error) {
    const seq_train_options *options = trainer->options;
    const seq_exchange_options how = {
        .clip_element = options->clip_element,
        .updates_all = !seq_optimizer_keeps_zeros(trainer->optimizer, &trainer->rule)};
    seq_exchanged sum;
    seq_fault_point("train-exchange");
    seq_phase_enter(trainer, SEQ_PHASE_EXCHANGE);
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_EXCHANGE);
    seq_status status = seq_exchange_sum(trainer->exchange, &how, &sum, error);
    seq_phase_enter(trainer, SEQ_PHASE_UPDATE);
    if (!status) status = seq_train_judge_norm(trainer, &sum, &out->setback, error);
    if (status || out->setback) return status;
    out->clamped = sum.clamped;
    out->norm = sum.norm;
    double scale = seq_clip_factor(sum.norm, options->clip_norm);
    out->clipped = scale < 1;
    out->rate = seq_schedule_rate(&trainer->schedule, &trainer->schedule_state,
                                  trainer->position.step, trainer->position.epoch) *
                trainer->setbacks.rate_factor;
    seq_watchdog_note(trainer->watchdog, trainer->position.step, SEQ_STAGE_UPDATE);
    const seq_optimizer_step step = {
        .optimizer = trainer->optimizer,
        .config = &trainer->rule,
        .table = trainer->table,
        .learning_rate = out->rate,
        .scale = scale,
        .step = seq_setbacks_updates(&trainer->setbacks, trainer->position.step) + 1,
        .parameters = trainer->parameters,
        .gradient = seq_exchange_gradient(trainer->exchange),
        .state = trainer->moments,
    };
    seq_inject_before_update(trainer, sum.begin, sum.end);
    update_slice(trainer, &step, &sum, how.updates_all);
    seq_fault_point("train-update");
    seq_phase_enter(trainer, SEQ_PHASE_EXCHANGE); // waiting
    status = seq_comm_node_barrier(trainer->comm, error);
    seq_phase_enter(trainer, SEQ_PHASE_UPDATE);
    return status ? status : seq_trainer_pack(trainer, error);
}
