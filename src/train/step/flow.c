// The report of vanishing and exploding gradients (Bengio et al. 1994): |dL/dh|
// by layer and distance back in time, L being the loss of a window's last step.
// It runs before the step on replica 0 and uses its window. Invariant: no
// state, parameter or gradient of the training is touched. Test:
// tests/cli/seqtrain.sh.
#include "step.h"
#include <math.h>
#include <seqtrain/base/log.h>
#include <stdio.h>

// Distances 0, 1, 2, 4, 8 ... of one layer as text.
static void describe_layer(const double *norms, int steps, char *out, size_t size) {
    int used = 0;
    for (int back = 0; back < steps && used >= 0 && (size_t)used < size; back = back ? back * 2 : 1)
        used += snprintf(out + used, size - (size_t)used, "  %d: %.2e", back, norms[back]);
}

static void print_flow(const seq_trainer *trainer, int steps) {
    char text[400];
    seq_log_info("gradient flow at step %lld, |dL/dh| by distance back in time:",
                 (long long)trainer->position.step);
    for (int layer = 0; layer < seq_model_get_config(trainer->model)->layers; layer++) {
        describe_layer(trainer->flow_squares + (size_t)layer * (size_t)steps, steps, text,
                       sizeof text);
        seq_log_info("  layer %d%s", layer, text);
    }
}

static void take_roots(seq_trainer *trainer, int steps) {
    int layers = seq_model_get_config(trainer->model)->layers;
    for (int i = 0; i < layers * steps; i++)
        trainer->flow_squares[i] = sqrt(trainer->flow_squares[i]);
}

static void write_flow(seq_trainer *trainer, int steps) {
    seq_event_log *events = &trainer->events;
    seq_event_begin(events, "gradient_flow");
    seq_event_integer(events, "step", trainer->position.step);
    seq_event_table(events, "norms", trainer->flow_squares,
                    seq_model_get_config(trainer->model)->layers, steps);
    seq_event_end(events);
}

void seq_train_gradient_flow(seq_trainer *trainer) {
    int64_t every = trainer->options->gradient_flow;
    bool whole =
        seq_sampler_full(trainer->sampler, trainer->position.epoch, trainer->position.window);
    if (!every || trainer->position.step % every || !whole || trainer->first_replica != 0) return;
    const seq_feed feed = {.batch = &trainer->own_batches[0], .state = trainer->states};
    seq_weights weights = seq_trainer_weights(trainer);
    seq_model_gradient_flow(trainer->model, trainer->workspace, &weights, &feed,
                            trainer->flow_gradient, trainer->flow_squares);
    take_roots(trainer, trainer->window);
    print_flow(trainer, trainer->window);
    write_flow(trainer, trainer->window);
}
