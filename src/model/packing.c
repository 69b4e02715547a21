// The list of packed matrices of a model, and packing by that list. Forward
// matrices come first, the output layer's at their end, so evaluation packs a
// prefix of the list. Ranks and threads share each matrix by whole panels.
// Invariant: the gates of a layer lie without a gap, and the division of the
// work changes no byte. Test: tests/unit/model/test_compute.c.
#include "graph.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/memory.h>

// Appends a matrix right behind the last one: `rows` rows of a parameter (from `first` on).
// Forward products want it transposed.
static int append(seq_model *model, int parameter, int first, int rows, bool back) {
    seq_packed_matrix *item = &model->packed[model->packed_count];
    size_t columns = model->table.items[parameter].columns;
    *item = (seq_packed_matrix){.parameter = parameter,
                                .back = back,
                                .first = (size_t)first,
                                .n = back ? columns : (size_t)rows,
                                .k = back ? (size_t)rows : columns,
                                .offset = model->packed_bytes};
    model->packed_bytes += seq_compute_packed_bytes(&model->compute, item->n, item->k);
    return model->packed_count++;
}

static void align(seq_model *model) {
    model->packed_bytes = (model->packed_bytes + SEQ_ALIGNMENT - 1) / SEQ_ALIGNMENT * SEQ_ALIGNMENT;
}

static int add(seq_model *model, int parameter, int first, int rows, bool back) {
    align(model);
    return append(model, parameter, first, rows, back);
}

static int all_rows(const seq_model *model, int parameter) {
    return (int)model->table.items[parameter].rows;
}

// The gates' matrices follow each other without a gap: H columns each.
static int add_gates(seq_model *model, int layer) {
    int hidden = model->config.hidden[layer], first = model->packed_count;
    align(model);
    for (int gate = 0; gate < model->cell->gates; gate++)
        append(model, model->layers[layer].weight_hh, gate * hidden, hidden, false);
    return first;
}

static void add_forward(seq_model *model) {
    const seq_model_config *config = &model->config;
    for (int layer = 0; layer < config->layers; layer++) {
        seq_layer_parameters *rows = &model->layers[layer];
        rows->packed.input =
            add(model, rows->weight_ih, 0, all_rows(model, rows->weight_ih), false);
        rows->packed.recurrent = add_gates(model, layer);
    }
    for (int layer = 0; layer < config->dense_layers; layer++)
        model->dense_forward[layer] = add(model, model->dense_weight[layer], 0,
                                          all_rows(model, model->dense_weight[layer]), false);
}

static void add_output(seq_model *model, bool back) {
    for (int i = 0; i < model->output_parts; i++) {
        int row = model->output_part[i].row, item = -1;
        if (model->table.items[row].dimensions == 2)
            item = add(model, row, 0, all_rows(model, row), back);
        if (back)
            model->output_part[i].back = item;
        else
            model->output_part[i].forward = item;
    }
}

static void add_backward(seq_model *model) {
    const seq_model_config *config = &model->config;
    for (int layer = 0; layer < config->layers; layer++) {
        seq_layer_parameters *rows = &model->layers[layer];
        int all = all_rows(model, rows->weight_hh),
            plain = seq_recurrent_plain_rows(&model->recurrent[layer]);
        rows->packed.input_back =
            add(model, rows->weight_ih, 0, all_rows(model, rows->weight_ih), true);
        rows->packed.recurrent_back = add(model, rows->weight_hh, 0, plain, true);
        rows->packed.last_back =
            plain < all ? add(model, rows->weight_hh, plain, all - plain, true) : -1;
    }
    for (int layer = 0; layer < config->dense_layers; layer++)
        model->dense_back[layer] = add(model, model->dense_weight[layer], 0,
                                       all_rows(model, model->dense_weight[layer]), true);
}

// An output layer that is not packed for training leaves its place to what only training packs.
void seq_model_list_packed(seq_model *model) {
    bool output = model->output->packs_to_train;
    add_forward(model);
    size_t without_output = model->packed_bytes;
    model->packed_to_train = model->packed_count;
    add_output(model, false);
    model->packed_forward = model->packed_count;
    model->packed_forward_bytes = model->packed_bytes;
    if (output)
        model->packed_to_train = model->packed_forward;
    else
        model->packed_bytes = without_output;
    for (int i = 0; i < model->output_parts; i++)
        model->output_part[i].back = -1;
    add_backward(model);
    if (output) add_output(model, true);
}

static bool is_packed(const seq_model *model, seq_workspace_use use, int item) {
    if (use == SEQ_USE_EVALUATION) return item < model->packed_forward;
    return item < model->packed_to_train || item >= model->packed_forward;
}

const void *seq_model_packed(const seq_model *model, const seq_weights *weights, int item) {
    if (item < 0 || !is_packed(model, weights->use, item)) return NULL;
    return (const char *)weights->packed + model->packed[item].offset;
}

size_t seq_model_packed_bytes(const seq_model *model, seq_workspace_use use) {
    return use == SEQ_USE_TRAINING ? model->packed_bytes : model->packed_forward_bytes;
}

void seq_model_pack(const seq_model *model, seq_workspace_use use, const float *parameters,
                    int part, int parts, void *packed) {
    seq_arithmetic before = seq_arithmetic_begin();
    size_t columns = model->compute.kernels->panel_columns();
    for (int i = 0; i < model->packed_count; i++) {
        if (!is_packed(model, use, i)) continue;
        const seq_packed_matrix *item = &model->packed[i];
        const seq_parameter *parameter = &model->table.items[item->parameter];
        size_t panels = (item->n + columns - 1) / columns;
        seq_packing packing = {
            .precision = model->compute.precision,
            .op_b = item->back ? SEQ_PLAIN : SEQ_TRANSPOSED,
            .n = item->n,
            .k = item->k,
            .b = parameters + parameter->offset + item->first * parameter->columns,
            .ldb = parameter->columns,
            .first_panel = seq_share_begin(panels, part, parts),
            .last_panel = seq_share_begin(panels, part + 1, parts),
            .packed = (char *)packed + item->offset,
        };
        model->compute.kernels->pack(&packing);
    }
    seq_arithmetic_end(before);
}
