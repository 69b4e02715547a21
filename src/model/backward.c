// Backpropagation through time within a window (Werbos 1990; truncated at the
// window's start), stage by stage from the top. Two buffers take turns as
// gradient of a stage's output and input. Invariant: the gradient becomes final
// from the end of the flat vector to its beginning, in parts that the exchange
// takes over at once. Tests: tests/unit/model/test_gradient.c (finite
// differences), tests/unit/model/test_passes.c.
#include "graph.h"
#include <seqtrain/nn/embedding.h>

size_t seq_model_part_begin(const seq_model *model, int stage) {
    const seq_parameter *items = model->table.items;
    int layers = model->config.layers;
    if (stage < 0) return 0;
    if (stage < layers) return items[model->layers[stage].weight_ih].offset;
    if (stage < seq_model_stages(model)) return items[model->dense_weight[stage - layers]].offset;
    return items[model->output_part[model->config.tied ? 1 : 0].row].offset;
}

size_t seq_model_gradient_parts(const seq_model *model, size_t begins[SEQ_MAX_GRADIENT_PARTS]) {
    size_t count = 0;
    for (int stage = seq_model_stages(model); stage >= -1; stage--)
        begins[count++] = seq_model_part_begin(model, stage);
    return count;
}

void seq_model_tell_ready(const seq_model *model, const seq_window *window, int stage) {
    bool topmost = stage == seq_model_stages(model);
    if (window->ready)
        window->ready(window->ready_context, seq_model_part_begin(model, stage),
                      topmost ? model->table.size : seq_model_part_begin(model, stage + 1));
}

static float *slice(const seq_model *model, float *gradient, int row) {
    return row < 0 ? NULL : gradient + model->table.items[row].offset;
}

static seq_recurrent_gradients layer_gradients(const seq_model *model, float *gradient, int layer,
                                               float *d_out, float *d_in) {
    const seq_layer_parameters *rows = &model->layers[layer];
    return (seq_recurrent_gradients){
        .outputs = d_out,
        .inputs = d_in,
        .parameters =
            {
                slice(model, gradient, rows->weight_ih),
                slice(model, gradient, rows->weight_hh),
                slice(model, gradient, rows->bias_ih),
                slice(model, gradient, rows->bias_hh),
                slice(model, gradient, rows->weight_ch),
            },
    };
}

static void undrop(const seq_model *model, const seq_workspace *workspace, const seq_window *window,
                   int stage, float *d_out) {
    seq_dropout dropout = seq_model_dropout_at(model, window, stage);
    if (dropout.probability > 0)
        seq_dropout_apply(&dropout, &workspace->axis, seq_model_width(model, stage), d_out, d_out);
}

// dL/d(raw output of the stage) in d_out -> dL/d(its inputs) in d_in.
static void backward_stage(const seq_model *model, seq_workspace *workspace,
                           const seq_weights *weights, const seq_window *window, int stage,
                           const float *inputs, float *d_out, float *d_in, float *gradient,
                           double *squares) {
    int layers = model->config.layers;
    if (stage < layers) {
        seq_recurrent_weights layer = seq_model_layer(model, weights, stage);
        seq_recurrent_gradients gradients = layer_gradients(model, gradient, stage, d_out, d_in);
        seq_recurrent_backward(&model->recurrent[stage], &layer, &workspace->tapes[stage],
                               &workspace->axis, inputs, &gradients, &workspace->scratch,
                               squares ? squares + (size_t)stage * (size_t)window->steps : NULL);
        return;
    }
    int dense = stage - layers;
    seq_dense_backward(
        &model->dense[dense], seq_model_packed(model, weights, model->dense_back[dense]),
        (size_t)window->batch * (size_t)window->steps, inputs, workspace->dense_out[dense], d_out,
        d_in, slice(model, gradient, model->dense_weight[dense]),
        slice(model, gradient, model->dense_bias[dense]), workspace->scratch.packed);
}

// The rows are clear, or hold the gradient of a tied output layer.
static void embedding_gradient(const seq_model *model, const seq_window *window, const float *d_out,
                               float *d_table) {
    size_t units = (size_t)model->config.embedding,
           count = (size_t)window->batch * (size_t)window->steps;
    seq_embedding_backward(d_out, units, window->inputs, count, d_table);
}

void seq_model_backward(const seq_model *model, seq_workspace *workspace,
                        const seq_weights *weights, const seq_window *window, bool dropping,
                        float *gradient, double *squares) {
    float *d_out = workspace->gradient[0], *d_in = workspace->gradient[1];
    for (int stage = seq_model_stages(model) - 1; stage >= 0; stage--) {
        if (dropping) undrop(model, workspace, window, stage, d_out);
        backward_stage(model, workspace, weights, window, stage,
                       seq_model_fed(model, workspace, window->batch, stage - 1, dropping), d_out,
                       d_in, gradient, squares);
        seq_model_tell_ready(model, window, stage);
        float *swap = d_out;
        d_out = d_in;
        d_in = swap;
    }
    if (dropping) undrop(model, workspace, window, -1, d_out);
    embedding_gradient(model, window, d_out, slice(model, gradient, model->embedding));
    seq_model_tell_ready(model, window, -1);
}
