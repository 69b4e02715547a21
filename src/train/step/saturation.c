// Saturated cells and idle units of all ranks, for the report of a validation,
// or for a report of its own in a run without a validation split.
//
// Values are counted in the windows of a validation; without one, in the state
// that the last training step carries on (items carry none: unknown). Units are counted in the
// training step before the report (a validation has no backward pass). A validation that a resumed
// run begins with has no such step: its units are unknown. Counts are integers, so they are the
// same on any number of ranks. Tests: tests/cli/saturation.sh (one process and two ranks).
#include "step.h"
#include "saving/saving.h"
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <string.h>

static int layers_of(const seq_trainer *trainer) {
    return seq_model_recurrent_layers(trainer->model);
}

static seq_saturation *own_of(const seq_trainer *trainer) {
    return trainer->saturation + (size_t)seq_comm_rank(trainer->comm) * (size_t)layers_of(trainer);
}

static bool is_reported_at(const seq_trainer *trainer, int64_t step) {
    return seq_train_reports_at(trainer, step) || step >= trainer->total_steps;
}

void seq_train_saturation_add_units(seq_trainer *trainer, int replica, const seq_feed *feed) {
    if (!is_reported_at(trainer, trainer->position.step + 1)) return;
    if (replica == trainer->first_replica)
        memset(own_of(trainer), 0, (size_t)layers_of(trainer) * sizeof(seq_saturation));
    if (!seq_train_is_empty(feed))
        seq_model_count_idle(trainer->model, trainer->workspace, feed->batch, own_of(trainer));
    if (!trainer->valid_sampler && feed->state)
        seq_model_count_carried(trainer->model, feed->state, trainer->batch, own_of(trainer));
}

void seq_train_saturation_add_values(seq_trainer *trainer, const seq_batch *batch) {
    seq_model_count_saturated(trainer->model, trainer->workspace, batch, own_of(trainer));
}

seq_status seq_train_saturation_gather(seq_trainer *trainer, seq_saturation *out_layers,
                                       seq_error *error) {
    size_t layers = (size_t)layers_of(trainer), size = layers * sizeof *out_layers;
    seq_status status = seq_comm_gather(trainer->comm, trainer->saturation, size, error);
    memset(out_layers, 0, size);
    for (int rank = 0; rank < seq_comm_size(trainer->comm); rank++)
        for (size_t layer = 0; layer < layers; layer++) {
            const seq_saturation *part = &trainer->saturation[(size_t)rank * layers + layer];
            out_layers[layer].saturated += part->saturated;
            out_layers[layer].values += part->values;
            out_layers[layer].idle += part->idle;
            out_layers[layer].units += part->units;
        }
    memset(own_of(trainer), 0, size);
    return status;
}

void seq_train_saturation_warn(seq_trainer *trainer, const seq_saturation *layers) {
    const seq_cell *cell = seq_cell_find(seq_model_get_config(trainer->model)->cell);
    for (int layer = 0; layer < layers_of(trainer); layer++) {
        const seq_saturation *sum = &layers[layer];
        char name[SEQ_STATE_NAME];
        seq_model_recurrent_name(trainer->model, layer, name);
        bool bad = 2 * sum->saturated > sum->values || 2 * sum->idle > sum->units;
        if (bad && !trainer->warned_of[layer])
            seq_log_warning("%s hardly learns any more: %.0f%% of its cells are saturated "
                            "(%s > 0.999), %.0f%% of its units get no gradient; start a new run "
                            "with a lower --lr%s",
                            name,
                            sum->values ? 100.0 * (double)sum->saturated / (double)sum->values : 0,
                            cell->memory ? "|tanh(c)|" : "|h|",
                            sum->units ? 100.0 * (double)sum->idle / (double)sum->units : 0,
                            cell->forget_gate >= 0 ? " or --forget-bias" : "");
        trainer->warned_of[layer] = bad;
    }
}

seq_status seq_train_saturation_report(seq_trainer *trainer, seq_error *error) {
    seq_saturation layers[SEQ_MAX_RECURRENT];
    if (trainer->valid_sampler || !is_reported_at(trainer, trainer->position.step)) return SEQ_OK;
    seq_status status = seq_train_saturation_gather(trainer, layers, error);
    if (status || (!layers->values && !layers->units)) return status; // no window was trained
    seq_progress_saturation(trainer, layers);
    seq_train_saturation_warn(trainer, layers);
    return SEQ_OK;
}
