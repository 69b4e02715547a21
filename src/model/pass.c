// The public passes over a window: training, evaluation, one step, gradient
// flow. Each pass sets the floating-point arithmetic and restores the caller's.
// Gradient flow counts the loss of the last step only and drops nothing; the
// squares of dL/dh show how far back it reaches. Invariant: rows of a tied
// embedding that only the inputs touch start at zero. Tests:
// tests/unit/model/test_passes.c, tests/unit/model/test_gradient.c,
// tests/golden/test_models.c.
#include "graph.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/nn/embedding.h>
#include <string.h>

static const float *top_of(const seq_model *model, const seq_workspace *workspace, int batch,
                           bool dropping) {
    return seq_model_fed(model, workspace, batch, seq_model_stages(model) - 1, dropping);
}

static void output_weights(const seq_model *model, const seq_weights *weights,
                           seq_output_weights *out) {
    for (int i = 0; i < model->output_parts; i++)
        out[i] = (seq_output_weights){
            .values = seq_model_parameter(model, weights, model->output_part[i].row),
            .forward = seq_model_packed(model, weights, model->output_part[i].forward),
            .backward = seq_model_packed(model, weights, model->output_part[i].back),
        };
}

// Rows of a tied embedding that only the inputs will write start at zero; an output layer
// overwrites its own.
static void clear_inputs(const seq_model *model, const seq_window *window, float *gradient) {
    size_t count = (size_t)window->batch * (size_t)window->steps;
    seq_embedding_clear((size_t)model->config.embedding, window->inputs, count,
                        gradient + model->table.items[model->embedding].offset);
}

// Cross-entropy of `targets` on top of a forward pass; dL/d(fed top) goes to
// workspace->gradient[0].
static seq_loss differentiate_output(const seq_model *model, seq_workspace *workspace,
                                     const seq_weights *weights, const seq_window *window,
                                     const int32_t *targets, float scale, bool dropping,
                                     float *gradient) {
    seq_output_weights parts[SEQ_OUTPUT_PARTS];
    float *gradients[SEQ_OUTPUT_PARTS];
    output_weights(model, weights, parts);
    for (int i = 0; i < model->output_parts; i++)
        gradients[i] = gradient + model->table.items[model->output_part[i].row].offset;
    clear_inputs(model, window, gradient);
    seq_output_rows rows = {
        .weights = parts,
        .count = (size_t)window->batch * (size_t)window->steps,
        .x = top_of(model, workspace, window->batch, dropping),
        .targets = targets,
        .scale = scale,
        .dx = workspace->gradient[0],
        .gradients = gradients,
        .seed = window->seed,
        .step = window->step,
        .first_stream = window->first_stream,
    };
    return model->output->train(&workspace->output, &rows);
}

seq_loss seq_model_train(const seq_model *model, seq_workspace *workspace,
                         const seq_weights *weights, seq_window *window, float gradient_scale,
                         float *gradient) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_model_forward(model, workspace, weights, window, true);
    seq_model_store_state(model, workspace, window);
    seq_loss loss = differentiate_output(model, workspace, weights, window, window->targets,
                                         gradient_scale, true, gradient);
    seq_model_tell_ready(model, window, seq_model_stages(model));
    seq_model_backward(model, workspace, weights, window, true, gradient, NULL);
    seq_arithmetic_end(before);
    return loss;
}

seq_loss seq_model_evaluate(const seq_model *model, seq_workspace *workspace,
                            const seq_weights *weights, seq_window *window,
                            float *log_probabilities) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_model_forward(model, workspace, weights, window, false);
    seq_model_store_state(model, workspace, window);
    seq_output_weights parts[SEQ_OUTPUT_PARTS];
    output_weights(model, weights, parts);
    seq_output_rows rows = {
        .weights = parts,
        .count = (size_t)window->batch * (size_t)window->steps,
        .x = top_of(model, workspace, window->batch, false),
        .targets = window->targets,
        .log_probabilities = log_probabilities,
    };
    seq_loss loss = model->output->evaluate(&workspace->output, &rows);
    seq_arithmetic_end(before);
    return loss;
}

void seq_model_step(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                    int batch, const int32_t *inputs, float *state, float *logits) {
    seq_arithmetic before = seq_arithmetic_begin();
    seq_window window = {.batch = batch, .steps = 1, .inputs = inputs, .state = state};
    seq_model_forward(model, workspace, weights, &window, false);
    seq_model_store_state(model, workspace, &window);
    seq_output_weights parts[SEQ_OUTPUT_PARTS];
    output_weights(model, weights, parts);
    seq_output_rows rows = {
        .weights = parts, .count = (size_t)batch, .x = top_of(model, workspace, batch, false)};
    model->output->logits(&workspace->output, &rows, logits);
    seq_arithmetic_end(before);
}

void seq_model_count_saturated(const seq_model *model, const seq_workspace *workspace, int batch,
                               int steps, seq_saturation *sums) {
    for (int layer = 0; layer < model->config.layers; layer++)
        seq_saturation_add_values(&sums[layer], &model->recurrent[layer], &workspace->tapes[layer],
                                  batch, steps);
}

void seq_model_count_carried(const seq_model *model, const float *state, int batch,
                             seq_saturation *sums) {
    for (int layer = 0; layer < model->config.layers; layer++) {
        size_t block = (size_t)batch * (size_t)model->config.hidden[layer];
        if (model->cell->memory) state += block; // c lies behind h
        seq_saturation_add_carried(&sums[layer], &model->recurrent[layer], state, block);
        state += block;
    }
}

void seq_model_count_idle(const seq_model *model, seq_workspace *workspace, int batch, int steps,
                          seq_saturation *sums) {
    for (int layer = 0; layer < model->config.layers; layer++)
        seq_saturation_add_units(&sums[layer], &model->recurrent[layer], &workspace->tapes[layer],
                                 batch, steps, workspace->scratch.d_hidden);
}

void seq_model_gradient_flow(const seq_model *model, seq_workspace *workspace,
                             const seq_weights *weights, const seq_window *window,
                             float *gradient_scratch, double *squares) {
    seq_arithmetic before = seq_arithmetic_begin();
    size_t batch = (size_t)window->batch, earlier = batch * ((size_t)window->steps - 1);
    for (size_t i = 0; i < earlier; i++)
        workspace->last_targets[i] = SEQ_NO_ID;
    memcpy(workspace->last_targets + earlier, window->targets + earlier, batch * sizeof(int32_t));
    seq_model_forward(model, workspace, weights, window, false);
    differentiate_output(model, workspace, weights, window, workspace->last_targets, 1, false,
                         gradient_scratch);
    seq_model_backward(model, workspace, weights, window, false, gradient_scratch, squares);
    seq_arithmetic_end(before);
}
