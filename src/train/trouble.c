#include "trainer.h"
#include <math.h>
#include <stdio.h>

static const char *nonfinite_parameter(const seq_trainer *trainer, const float *values) {
    size_t first = trainer->compute.kernels->find_nonfinite(values, trainer->table->size);
    const seq_parameter *parameter =
        first < trainer->table->size ? seq_parameter_at(trainer->table, first) : NULL;
    return parameter ? parameter->name : NULL;
}

// The lowest recurrent layer whose state holds a NaN or an infinity, or -1. State: layer by layer,
// see seq_model_state_size.
static int nonfinite_layer(const seq_trainer *trainer, int replica) {
    const float *state = trainer->states + (size_t)replica * trainer->state_size;
    size_t first = trainer->compute.kernels->find_nonfinite(state, trainer->state_size);
    if (first == trainer->state_size) return -1;
    const seq_model_config *config = seq_model_get_config(trainer->model);
    size_t hidden = 0;
    for (int layer = 0; layer < config->layers; layer++)
        hidden += (size_t)config->hidden[layer];
    size_t blocks = trainer->state_size / (hidden * (size_t)trainer->batch); // 1: h; 2: h and c
    size_t end = 0;
    for (int layer = 0; layer < config->layers; layer++) {
        end += blocks * (size_t)config->hidden[layer] * (size_t)trainer->batch;
        if (first < end) return layer;
    }
    return -1;
}

static void describe_place(const seq_trainer *trainer, int replica, char *out, size_t size) {
    const char *parameter = nonfinite_parameter(trainer, trainer->parameters);
    int layer = nonfinite_layer(trainer, replica);
    if (parameter)
        snprintf(out, size, "parameter %s is not finite", parameter);
    else if (layer >= 0)
        snprintf(out, size, "the state of recurrent layer %d is not finite", layer);
    else
        snprintf(out, size, "all recurrent states are finite: the output layer is at fault");
}

static void describe_checkpoint(const seq_trainer *trainer, char *out, size_t size) {
    if (trainer->saved_step < 0)
        snprintf(out, size, "there is no checkpoint yet");
    else
        snprintf(out, size, "the last good checkpoint is %s/checkpoints/step-%09lld",
                 trainer->options->run, (long long)trainer->saved_step);
}

seq_status seq_train_report_loss(const seq_trainer *trainer, int replica, seq_loss loss,
                                 seq_error *error) {
    char place[200], checkpoint[SEQ_PATH];
    describe_checkpoint(trainer, checkpoint, sizeof checkpoint);
    double mean = loss.nats / (double)(loss.tokens ? loss.tokens : 1);
    if (isfinite(mean))
        snprintf(place, sizeof place, "the limit is %.3g (--loss-limit)",
                 seq_train_loss_limit(trainer));
    else
        describe_place(trainer, replica, place, sizeof place);
    return seq_error_set(error, SEQ_BAD_NUMBER,
                         "step %lld, epoch %lld, replica %d: the loss is %.4g nats per token: %s; "
                         "%s; try a lower --lr or --clip-norm",
                         (long long)trainer->position.step + 1, (long long)trainer->position.epoch,
                         replica, mean, place, checkpoint);
}

seq_status seq_train_report_gradient(const seq_trainer *trainer, const size_t *index,
                                     seq_error *error) {
    char checkpoint[SEQ_PATH];
    describe_checkpoint(trainer, checkpoint, sizeof checkpoint);
    const char *name =
        index ? seq_parameter_at(trainer->table, *index)->name : "the whole (its norm)";
    return seq_error_set(error, SEQ_BAD_NUMBER,
                         "step %lld, epoch %lld: the gradient of %s is not finite; %s; try a lower "
                         "--lr or --clip-norm",
                         (long long)trainer->position.step + 1, (long long)trainer->position.epoch,
                         name, checkpoint);
}
