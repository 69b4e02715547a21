// Builds a model from its configuration: layers with their widths, the
// parameter table, the list of packed matrices. It holds no weights. A training
// step costs 6 operations a weight and token, 2 forward and 4 backward, each
// weight counted as often as a token meets it. Invariant: a model never changes
// once it was made, so threads share it. Tests: tests/unit/model/test_config.c,
// tests/unit/model/test_passes.c.
#include "graph.h"
#include <stdlib.h>

int seq_model_stages(const seq_model *model) {
    return model->config.layers + model->config.dense_layers;
}

int seq_model_width(const seq_model *model, int stage) {
    if (stage < 0) return model->config.embedding;
    return stage < model->config.layers ? model->config.hidden[stage]
                                        : model->config.dense[stage - model->config.layers];
}

double seq_model_dropout(const seq_model *model, int stage) {
    if (stage < 0) return model->config.dropout_input;
    return stage == seq_model_stages(model) - 1 ? model->config.dropout_output
                                                : model->config.dropout_between;
}

static void connect_layers(seq_model *model) {
    const seq_model_config *config = &model->config;
    for (int layer = 0; layer < config->layers; layer++)
        model->recurrent[layer] = (seq_recurrent){
            model->cell, &model->compute, seq_model_width(model, layer - 1), config->hidden[layer]};
    for (int layer = 0; layer < config->dense_layers; layer++)
        model->dense[layer] = (seq_dense){
            .compute = &model->compute,
            .activation = config->dense_activation == SEQ_DENSE_TANH ? SEQ_ACTIVATION_TANH
                                                                     : SEQ_ACTIVATION_RELU,
            .inputs = seq_model_width(model, config->layers + layer - 1),
            .outputs = config->dense[layer],
        };
}

seq_status seq_model_create(const seq_model_config *config, const seq_compute *compute,
                            seq_model **out, seq_error *error) {
    seq_model *model = NULL;
    seq_status status = seq_model_config_check(config, error);
    if (!status) status = seq_allocate(&model, 1, sizeof *model, "a model", error);
    if (status) return status;
    model->config = *config;
    model->compute = *compute;
    model->cell = seq_cell_find(config->cell);
    model->output = seq_output_kind_at(config->output);
    model->output_shape = seq_model_output_shape(config);
    connect_layers(model);
    status = seq_model_build_table(model, error);
    if (status) {
        seq_model_destroy(model);
        return status;
    }
    seq_model_list_packed(model);
    *out = model;
    return SEQ_OK;
}

void seq_model_destroy(seq_model *model) {
    if (model) free(model->table.items);
    free(model);
}

const seq_model_config *seq_model_get_config(const seq_model *model) {
    return &model->config;
}

const seq_parameter_table *seq_model_parameters(const seq_model *model) {
    return &model->table;
}

static bool is_output(const seq_model *model, int row) {
    for (int i = 0; i < model->output_parts; i++)
        if (model->output_part[i].row == row) return true;
    return false;
}

// Two operations a weight forward, four backward (gradients of inputs and of weights).
double seq_model_training_flops(const seq_model *model) {
    double weights = 0;
    for (int row = 0; row < model->table.count; row++) {
        const seq_parameter *parameter = &model->table.items[row];
        bool product = parameter->decay && row != model->embedding && !is_output(model, row);
        weights += product ? (double)seq_parameter_size(parameter) : 0;
    }
    for (int i = 0; i < model->output_parts; i++)
        weights += model->output_part[i].share *
                   (double)seq_parameter_size(&model->table.items[model->output_part[i].row]);
    return 6 * weights;
}

size_t seq_model_state_size(const seq_model *model, int batch) {
    size_t units = 0;
    for (int layer = 0; layer < model->config.layers; layer++)
        units += (size_t)model->config.hidden[layer];
    return units * (size_t)batch * (model->cell->memory ? 2 : 1);
}
