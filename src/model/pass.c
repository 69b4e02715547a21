// The public passes over a window: training, evaluation, one step, gradient flow.
#include "graph.h"
#include <string.h>

static seq_loss public_loss(seq_output_loss loss) {
    return (seq_loss){loss.nats, loss.tokens, loss.correct};
}

static const float *top_of(const seq_model *model, const seq_workspace *workspace, int batch,
                           bool dropping) {
    return seq_model_fed(model, workspace, batch, seq_model_stages(model) - 1, dropping);
}

static seq_output_weights output_weights(const seq_model *model, const seq_weights *weights) {
    return (seq_output_weights){
        .forward = seq_model_packed(model, weights, model->output_forward),
        .backward = seq_model_packed(model, weights, model->output_back),
        .bias = seq_model_parameter(model, weights, model->output_bias),
    };
}

// Cross-entropy of `targets` on top of a forward pass; dL/d(fed top) goes to
// workspace->gradient[0].
static seq_output_loss differentiate_output(const seq_model *model, seq_workspace *workspace,
                                            const seq_weights *weights, const seq_window *window,
                                            const int32_t *targets, float scale, bool dropping,
                                            float *gradient) {
    seq_output_weights output = output_weights(model, weights);
    return seq_output_train(
        &workspace->output, &output, (size_t)window->batch * (size_t)window->steps,
        top_of(model, workspace, window->batch, dropping), targets, scale, workspace->gradient[0],
        gradient + model->table.items[model->output_weight].offset,
        gradient + model->table.items[model->output_bias].offset);
}

seq_loss seq_model_train(const seq_model *model, seq_workspace *workspace,
                         const seq_weights *weights, seq_window *window, float gradient_scale,
                         float *gradient) {
    seq_model_forward(model, workspace, weights, window, true);
    seq_model_store_state(model, workspace, window);
    seq_output_loss loss = differentiate_output(model, workspace, weights, window, window->targets,
                                                gradient_scale, true, gradient);
    seq_model_backward(model, workspace, weights, window, true, gradient, NULL);
    return public_loss(loss);
}

seq_loss seq_model_evaluate(const seq_model *model, seq_workspace *workspace,
                            const seq_weights *weights, seq_window *window,
                            float *log_probabilities) {
    seq_model_forward(model, workspace, weights, window, false);
    seq_model_store_state(model, workspace, window);
    seq_output_weights output = output_weights(model, weights);
    return public_loss(seq_output_evaluate(
        &workspace->output, &output, (size_t)window->batch * (size_t)window->steps,
        top_of(model, workspace, window->batch, false), window->targets, log_probabilities));
}

void seq_model_step(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                    int batch, const int32_t *inputs, float *state, float *logits) {
    seq_window window = {.batch = batch, .steps = 1, .inputs = inputs, .state = state};
    seq_model_forward(model, workspace, weights, &window, false);
    seq_model_store_state(model, workspace, &window);
    seq_output_weights output = output_weights(model, weights);
    seq_output_logits(&workspace->output, &output, (size_t)batch,
                      top_of(model, workspace, batch, false), logits);
}

void seq_model_gradient_flow(const seq_model *model, seq_workspace *workspace,
                             const seq_weights *weights, const seq_window *window,
                             float *gradient_scratch, double *squares) {
    size_t batch = (size_t)window->batch, earlier = batch * ((size_t)window->steps - 1);
    for (size_t i = 0; i < earlier; i++)
        workspace->last_targets[i] = SEQ_NO_TOKEN;
    memcpy(workspace->last_targets + earlier, window->targets + earlier, batch * sizeof(int32_t));
    seq_model_forward(model, workspace, weights, window, false);
    differentiate_output(model, workspace, weights, window, workspace->last_targets, 1, false,
                         gradient_scratch);
    seq_model_backward(model, workspace, weights, window, false, gradient_scratch, squares);
}
