// The forward pass of a window: embedding, recurrent layers, dense layers, each
// with dropout on what it hands on and none inside the recurrence (Zaremba et
// al. 2014). Invariant: raw outputs stay where backward needs them; dropout
// writes to copies, except on the embedding. Tests:
// tests/unit/model/test_passes.c, tests/golden/test_models.c.
#include "graph.h"
#include <assert.h>
#include <seqtrain/nn/embedding.h>
#include <string.h>

const float *seq_model_parameter(const seq_model *model, const seq_weights *weights, int row) {
    return row < 0 ? NULL : weights->parameters + model->table.items[row].offset;
}

seq_recurrent_weights seq_model_layer(const seq_model *model, const seq_weights *weights,
                                      int layer) {
    const seq_layer_parameters *rows = &model->layers[layer];
    return (seq_recurrent_weights){
        .input = seq_model_packed(model, weights, rows->packed.input),
        .recurrent = seq_model_packed(model, weights, rows->packed.recurrent),
        .input_back = seq_model_packed(model, weights, rows->packed.input_back),
        .recurrent_back = seq_model_packed(model, weights, rows->packed.recurrent_back),
        .last_back = seq_model_packed(model, weights, rows->packed.last_back),
        .bias_ih = seq_model_parameter(model, weights, rows->bias_ih),
        .bias_hh = seq_model_parameter(model, weights, rows->bias_hh),
        .weight_ch = seq_model_parameter(model, weights, rows->weight_ch),
    };
}

seq_dropout seq_model_dropout_at(const seq_model *model, const seq_window *window, int stage) {
    return (seq_dropout){seq_model_dropout(model, stage), window->seed, window->step,
                         (uint32_t)(stage + 1), false};
}

static const float *raw(const seq_model *model, const seq_workspace *workspace, int batch,
                        int stage) {
    if (stage < 0) return workspace->embedded;
    if (stage >= model->config.layers) return workspace->dense_out[stage - model->config.layers];
    return workspace->tapes[stage].hidden + (size_t)batch * (size_t)model->config.hidden[stage];
}

const float *seq_model_fed(const seq_model *model, const seq_workspace *workspace, int batch,
                           int stage, bool dropping) {
    if (stage >= 0 && dropping && workspace->dropped[stage]) return workspace->dropped[stage];
    return raw(model, workspace, batch, stage);
}

static void drop(const seq_model *model, seq_workspace *workspace, const seq_window *window,
                 int stage) {
    seq_dropout dropout = seq_model_dropout_at(model, window, stage);
    if (dropout.probability == 0) return;
    const float *in = raw(model, workspace, window->batch, stage);
    float *out = stage < 0 ? workspace->embedded : workspace->dropped[stage];
    seq_dropout_apply(&dropout, &workspace->axis, seq_model_width(model, stage), in, out);
}

// A window's rows: all streams at every step.
static void shape_axis(seq_workspace *workspace, const seq_window *window) {
    for (int b = 0; b < window->batch; b++)
        workspace->lengths[b] = window->steps;
    seq_axis_shape(&workspace->axis, &workspace->room, window->batch, workspace->lengths);
    for (int b = 0; b < window->batch; b++)
        workspace->room.number[b] = (int64_t)window->first_stream + b;
}

// The state of a layer in window->state.
static float *layer_state(const seq_model *model, const seq_window *window, int layer) {
    size_t blocks = model->cell->memory ? 2 : 1;
    float *state = window->state;
    for (int i = 0; i < layer; i++)
        state += blocks * (size_t)window->batch * (size_t)model->config.hidden[i];
    return state;
}

static void load_state(const seq_model *model, seq_workspace *workspace, const seq_window *window) {
    for (int layer = 0; layer < model->config.layers; layer++)
        seq_recurrent_load(&model->recurrent[layer], &workspace->tapes[layer], &workspace->axis,
                           layer_state(model, window, layer));
}

void seq_model_store_state(const seq_model *model, const seq_workspace *workspace,
                           const seq_window *window) {
    for (int layer = 0; layer < model->config.layers; layer++)
        seq_recurrent_store(&model->recurrent[layer], &workspace->tapes[layer], &workspace->axis,
                            layer_state(model, window, layer));
}

static void forward_stage(const seq_model *model, seq_workspace *workspace,
                          const seq_weights *weights, const seq_window *window, int stage,
                          bool dropping) {
    const float *inputs = seq_model_fed(model, workspace, window->batch, stage - 1, dropping);
    int layers = model->config.layers;
    if (stage < layers) {
        seq_recurrent_weights layer = seq_model_layer(model, weights, stage);
        seq_recurrent_forward(&model->recurrent[stage], &layer, &workspace->tapes[stage],
                              &workspace->axis, inputs);
    } else {
        int dense = stage - layers;
        seq_dense_forward(
            &model->dense[dense], seq_model_packed(model, weights, model->dense_forward[dense]),
            seq_model_parameter(model, weights, model->dense_bias[dense]),
            (size_t)window->batch * (size_t)window->steps, inputs, workspace->dense_out[dense]);
    }
    if (dropping) drop(model, workspace, window, stage);
}

void seq_model_forward(const seq_model *model, seq_workspace *workspace, const seq_weights *weights,
                       const seq_window *window, bool dropping) {
    assert(window->batch <= workspace->batch && window->steps <= workspace->steps);
    size_t rows = (size_t)window->batch * (size_t)window->steps;
    shape_axis(workspace, window);
    load_state(model, workspace, window);
    seq_embedding_forward(seq_model_parameter(model, weights, model->embedding),
                          (size_t)model->config.embedding, window->inputs, rows,
                          workspace->embedded);
    if (dropping) drop(model, workspace, window, -1);
    for (int stage = 0; stage < seq_model_stages(model); stage++)
        forward_stage(model, workspace, weights, window, stage, dropping);
}
