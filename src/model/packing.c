// The list of packed matrices of a model, and packing by that list. First come
// those of forward products, in the order of the graph; behind them those that
// evaluation alone packs, and in the same place those of training alone. Ranks
// and threads share each matrix by whole panels. With weight-drop a share first
// writes the elements that its own panels read, with the mask, to a place behind
// the matrices; so shares need not wait for each other. Invariant: adjacent
// matrices lie without a gap, and the division of the work changes no byte.
// Tests: tests/unit/model/test_compute.c, tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/nn/weight_drop.h>

static size_t align(size_t bytes) {
    return (bytes + SEQ_ALIGNMENT - 1) / SEQ_ALIGNMENT * SEQ_ALIGNMENT;
}

static void add(seq_model *model, seq_node *node, int item, size_t *bytes) {
    const seq_packed_need *need = &model->plans[node->index].list->packed[item];
    seq_packed_matrix *matrix = &model->packed[model->packed_count++];
    if (!need->adjacent) *bytes = align(*bytes);
    *matrix = (seq_packed_matrix){
        .need = *need,
        .n = (size_t)(need->plain ? need->columns : need->rows),
        .k = (size_t)(need->plain ? need->rows : need->columns),
        .offset = *bytes,
    };
    matrix->need.parameter = node->parameters[need->parameter];
    node->packed[item].offset = *bytes;
    node->packed[item].in_training = need->use != SEQ_PACKED_EVALUATE;
    node->packed[item].in_evaluation = need->use != SEQ_PACKED_BACKWARD;
    *bytes += seq_compute_packed_bytes(&model->compute, matrix->n, matrix->k);
}

static size_t add_use(seq_model *model, seq_packed_use use, size_t bytes) {
    for (int i = 0; i < model->count; i++)
        for (int item = 0; item < model->plans[i].list->packed_count; item++)
            if (model->plans[i].list->packed[item].use == use)
                add(model, &model->nodes[i], item, &bytes);
    return bytes;
}

// Behind the matrices for training: the blocks with weight-drop, each read by one of them.
static size_t place_dropped(seq_model *model, size_t bytes) {
    for (int i = 0; i < model->packed_count; i++) {
        seq_packed_matrix *matrix = &model->packed[i];
        bool trains = matrix->need.use != SEQ_PACKED_EVALUATE;
        if (!trains || model->table.items[matrix->need.parameter].drop == 0) continue;
        model->drops_weights = true;
        matrix->dropped = align(bytes);
        bytes = matrix->dropped + matrix->n * matrix->k * sizeof(float);
    }
    return bytes;
}

seq_status seq_model_list_packed(seq_model *model, seq_error *error) {
    size_t count = 0;
    for (int i = 0; i < model->count; i++)
        count += (size_t)model->plans[i].list->packed_count;
    seq_status status =
        seq_allocate(&model->packed, count, sizeof *model->packed, "the packed matrices", error);
    if (status) return status;
    size_t forward = add_use(model, SEQ_PACKED_FORWARD, 0);
    model->packed_bytes[SEQ_USE_EVALUATION] = add_use(model, SEQ_PACKED_EVALUATE, forward);
    size_t training = add_use(model, SEQ_PACKED_BACKWARD, forward);
    model->packed_bytes[SEQ_USE_TRAINING] = place_dropped(model, training);
    return SEQ_OK;
}

size_t seq_model_packed_bytes(const seq_model *model, seq_workspace_use use) {
    return model->packed_bytes[use];
}

bool seq_model_drops_weights(const seq_model *model) {
    return model->drops_weights;
}

// Writes what panels `first` to `last` of the packing read: some rows of the
// block where it is transposed, some columns where it is plain.
static void drop(const seq_packed_matrix *matrix, const seq_parameter *parameter,
                 const seq_weight_drop *mask, const seq_packing *packing, size_t panel,
                 float *out) {
    const seq_packed_need *need = &matrix->need;
    size_t begin = packing->first_panel * panel, end = packing->last_panel * panel;
    size_t columns = (size_t)need->columns, rows = (size_t)need->rows;
    size_t first_row = need->plain ? 0 : begin, last_row = need->plain ? rows : end;
    size_t first_column = need->plain ? begin : 0, last_column = need->plain ? end : columns;
    if (last_row > rows) last_row = rows;
    if (last_column > columns) last_column = columns;
    for (size_t row = first_row; row < last_row && first_column < last_column; row++) {
        size_t element = ((size_t)need->first + row) * parameter->columns +
                         (size_t)need->first_column + first_column;
        seq_weight_drop_apply(mask, element, last_column - first_column,
                              packing->b + row * parameter->columns + first_column,
                              out + row * columns + first_column);
    }
}

// `mask`: seed and step of weight-drop, or NULL.
static void pack(const seq_model *model, seq_workspace_use use, const seq_weight_drop *mask,
                 const float *parameters, int part, int parts, void *packed) {
    seq_arithmetic before = seq_arithmetic_begin();
    size_t columns = model->compute.kernels->panel_columns();
    seq_packed_use others = use == SEQ_USE_TRAINING ? SEQ_PACKED_EVALUATE : SEQ_PACKED_BACKWARD;
    for (int i = 0; i < model->packed_count; i++) {
        const seq_packed_matrix *matrix = &model->packed[i];
        const seq_packed_need *need = &matrix->need;
        const seq_parameter *parameter = &model->table.items[need->parameter];
        size_t panels = (matrix->n + columns - 1) / columns;
        if (need->use == others) continue;
        seq_packing packing = {
            .precision = model->compute.precision,
            .op_b = need->plain ? SEQ_PLAIN : SEQ_TRANSPOSED,
            .n = matrix->n,
            .k = matrix->k,
            .b = parameters + parameter->offset + (size_t)need->first * parameter->columns +
                 need->first_column,
            .ldb = parameter->columns,
            .first_panel = seq_share_begin(panels, part, parts),
            .last_panel = seq_share_begin(panels, part + 1, parts),
            .packed = (char *)packed + matrix->offset,
        };
        if (mask && parameter->drop > 0) {
            const seq_weight_drop own = {parameter->drop, mask->seed, mask->step,
                                         (uint32_t)need->parameter};
            float *dropped = (float *)(void *)((char *)packed + matrix->dropped);
            drop(matrix, parameter, &own, &packing, columns, dropped);
            packing.b = dropped;
            packing.ldb = (size_t)need->columns;
        }
        model->compute.kernels->pack(&packing);
    }
    seq_arithmetic_end(before);
}

void seq_model_pack(const seq_model *model, seq_workspace_use use, const float *parameters,
                    int part, int parts, void *packed) {
    pack(model, use, NULL, parameters, part, parts, packed);
}

void seq_model_pack_dropped(const seq_model *model, uint64_t seed, uint32_t step,
                            const float *parameters, int part, int parts, void *packed) {
    const seq_weight_drop mask = {.seed = seed, .step = step};
    pack(model, SEQ_USE_TRAINING, &mask, parameters, part, parts, packed);
}
