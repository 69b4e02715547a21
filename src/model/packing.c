// The list of packed matrices of a model, and packing by that list. First come
// those of forward products, in the order of the graph; behind them those that
// evaluation alone packs, and in the same place those of training alone. Ranks
// and threads share each matrix by whole panels. Invariant: adjacent matrices
// lie without a gap, and the division of the work changes no byte. Test:
// tests/unit/model/test_compute.c.
#include "model_private.h"
#include <seqtrain/base/arithmetic.h>

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

seq_status seq_model_list_packed(seq_model *model, seq_error *error) {
    size_t count = 0;
    for (int i = 0; i < model->count; i++)
        count += (size_t)model->plans[i].list->packed_count;
    seq_status status =
        seq_allocate(&model->packed, count, sizeof *model->packed, "the packed matrices", error);
    if (status) return status;
    size_t forward = add_use(model, SEQ_PACKED_FORWARD, 0);
    model->packed_bytes[SEQ_USE_EVALUATION] = add_use(model, SEQ_PACKED_EVALUATE, forward);
    model->packed_bytes[SEQ_USE_TRAINING] = add_use(model, SEQ_PACKED_BACKWARD, forward);
    return SEQ_OK;
}

size_t seq_model_packed_bytes(const seq_model *model, seq_workspace_use use) {
    return model->packed_bytes[use];
}

void seq_model_pack(const seq_model *model, seq_workspace_use use, const float *parameters,
                    int part, int parts, void *packed) {
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
        model->compute.kernels->pack(&packing);
    }
    seq_arithmetic_end(before);
}
