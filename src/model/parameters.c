// The table of parameters: names, shapes, initial values and offsets in the
// flat vector. Names and layouts are PyTorch's, and so is the bound 1/sqrt(H)
// of uniform initial values. Invariant: rows are in the order of the network,
// and each begins on a cache line; the gap behind it belongs to no parameter.
// Tests: tests/unit/model/test_config.c, tests/unit/model/test_initialise.c.
#include "graph.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PADDING = 16 }; // floats: parameters begin on a cache line

const seq_parameter *seq_parameter_at(const seq_parameter_table *table, size_t index) {
    if (index >= table->size) return NULL;
    int row = 0;
    while (row + 1 < table->count && table->items[row + 1].offset <= index)
        row++;
    return &table->items[row];
}

const seq_parameter *seq_parameter_find(const seq_parameter_table *table, const char *name) {
    for (int row = 0; row < table->count; row++)
        if (strcmp(table->items[row].name, name) == 0) return &table->items[row];
    return NULL;
}

// Appends a row; columns 0 makes a vector. Returns its number.
static int add(seq_parameter_table *table, const char *name, int suffix, size_t rows,
               size_t columns, double scale) {
    seq_parameter *parameter = &table->items[table->count];
    *parameter = (seq_parameter){
        .dimensions = columns ? 2 : 1,
        .rows = rows,
        .columns = columns ? columns : 1,
        .offset = table->size,
        .layer = -1,
        .decay = columns > 0,
        .initial = scale > 0 ? SEQ_INITIAL_UNIFORM : SEQ_INITIAL_ZERO,
        .scale = (float)scale,
    };
    snprintf(parameter->name, sizeof parameter->name, name, suffix);
    table->values += seq_parameter_size(parameter);
    table->size += (seq_parameter_size(parameter) + PADDING - 1) / PADDING * PADDING;
    return table->count++;
}

static double bound_of(const seq_model_config *config, double scaled) {
    return config->initialisation == SEQ_INITIALISE_UNIFORM ? config->init_scale : scaled;
}

static void add_recurrent(seq_model *model, int layer) {
    seq_parameter_table *table = &model->table;
    size_t inputs = (size_t)seq_model_width(model, layer - 1),
           hidden = (size_t)model->config.hidden[layer];
    size_t rows = (size_t)model->cell->gates * hidden;
    double bound = bound_of(&model->config, 1 / sqrt((double)hidden));
    seq_layer_parameters *out = &model->layers[layer];
    int first = table->count;
    out->weight_ih = add(table, "rnn.weight_ih_l%d", layer, rows, inputs, bound);
    out->weight_hh = add(table, "rnn.weight_hh_l%d", layer, rows, hidden, bound);
    out->bias_ih = add(table, "rnn.bias_ih_l%d", layer, rows, 0, bound);
    out->bias_hh = add(table, "rnn.bias_hh_l%d", layer, rows, 0, bound);
    out->weight_ch =
        model->cell->peephole ? add(table, "rnn.weight_ch_l%d", layer, 3, hidden, bound) : -1;
    for (int row = first; row < table->count; row++)
        table->items[row].layer = layer;
    if (model->config.initialisation == SEQ_INITIALISE_ORTHOGONAL)
        table->items[out->weight_hh].initial = SEQ_INITIAL_ORTHOGONAL;
    if (out->weight_ch >= 0) table->items[out->weight_ch].decay = false; // diagonals, not matrices
    if (model->cell->forget_gate >= 0) {
        seq_parameter *bias = &table->items[out->bias_ih];
        bias->constant_first = (size_t)model->cell->forget_gate * hidden;
        bias->constant_count = hidden;
        bias->constant = (float)model->config.forget_bias;
    }
}

static void add_dense(seq_model *model, int layer) {
    size_t inputs = (size_t)seq_model_width(model, model->config.layers + layer - 1),
           outputs = (size_t)model->config.dense[layer];
    double bound = bound_of(&model->config, 1 / sqrt((double)inputs));
    model->dense_weight[layer] =
        add(&model->table, "dense.%d.weight", layer, outputs, inputs, bound);
    model->dense_bias[layer] =
        add(&model->table, "dense.%d.bias", layer, outputs, 0, bound_of(&model->config, 0));
}

static void add_output(seq_model *model) {
    seq_output_part parts[SEQ_OUTPUT_PARTS];
    model->output_parts = model->output->list(&model->output_shape, parts);
    for (int i = 0; i < model->output_parts; i++) {
        size_t rows = (size_t)parts[i].rows, columns = (size_t)parts[i].columns;
        double bound = bound_of(&model->config, columns ? 1 / sqrt((double)columns) : 0);
        bool tied = model->config.tied && i == 0;
        model->output_part[i].row =
            tied ? model->embedding : add(&model->table, parts[i].name, 0, rows, columns, bound);
        model->output_part[i].share = parts[i].share;
    }
}

static void add_embedding(seq_model *model) {
    const seq_model_config *config = &model->config;
    seq_embedding_initialisation how = config->embedding_initialisation;
    double scale = how == SEQ_EMBEDDING_NORMAL   ? 1
                   : how == SEQ_EMBEDDING_SCALED ? 1 / sqrt(config->embedding)
                                                 : bound_of(config, 0.1);
    model->embedding = add(&model->table, "embedding.weight", 0, (size_t)config->vocabulary,
                           (size_t)config->embedding, scale);
    if (how == SEQ_EMBEDDING_NORMAL)
        model->table.items[model->embedding].initial = SEQ_INITIAL_NORMAL;
}

seq_status seq_model_build_table(seq_model *model, seq_error *error) {
    const seq_model_config *config = &model->config;
    size_t rows =
        1 + 5 * (size_t)config->layers + 2 * (size_t)config->dense_layers + SEQ_OUTPUT_PARTS;
    seq_status status = seq_allocate(&model->table.items, rows, sizeof *model->table.items,
                                     "the parameter table", error);
    if (status) return status;
    add_embedding(model);
    for (int layer = 0; layer < config->layers; layer++)
        add_recurrent(model, layer);
    for (int layer = 0; layer < config->dense_layers; layer++)
        add_dense(model, layer);
    add_output(model);
    return SEQ_OK;
}
