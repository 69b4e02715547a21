// Plans the memory of a batch: the same calls run twice, once to count and once
// to receive the blocks of an arena. Nodes share the scratch arena in turn; it
// is as large as the neediest. Invariant: no pass allocates memory, since all
// of it is taken here. Tests: tests/unit/model/test_passes.c,
// tests/unit/model/test_graph.c.
#include "model_private.h"
#include <stdlib.h>

static size_t memory_bytes(const seq_node *node) {
    const seq_node_kind *kind = seq_kind_of(node);
    size_t bytes = kind ? kind->memory : 0;
    return (bytes + SEQ_ALIGNMENT - 1) / SEQ_ALIGNMENT * SEQ_ALIGNMENT;
}

// Values of its own, in this workspace.
static bool has_buffer(const seq_workspace *workspace, const seq_node *node) {
    const seq_layer_kind *layer = node->layer;
    if (!layer || layer->keeps_values) return false;
    if (workspace->model->plans[node->index].values_in_place) return false;
    return workspace->training || !layer->only_training;
}

static void take_node(seq_workspace *workspace, const seq_node *node) {
    const seq_node_kind *kind = seq_kind_of(node);
    const seq_node_plan *plan = &workspace->model->plans[node->index];
    seq_node_run *run = &workspace->runs[node->index];
    seq_arena scratch = workspace->scratch;
    size_t floats = seq_node_rows(node, &workspace->limits) * (size_t)node->shape.width;
    if (has_buffer(workspace, node)) run->buffer = SEQ_ARENA_FLOATS(&workspace->kept, floats);
    if (plan->values_in_place) run->buffer = workspace->runs[node->inputs[0]].buffer;
    scratch.used = 0;
    if (kind && kind->plan)
        kind->plan(node, &workspace->limits, workspace->training, run->memory, &workspace->kept,
                   &scratch);
    if (scratch.used > workspace->scratch.used) workspace->scratch.used = scratch.used;
}

static void take_drawn(seq_workspace *workspace) {
    const seq_model *model = workspace->model;
    for (int replica = 0; replica < workspace->replicas; replica++)
        for (int i = 0; i < model->count; i++) {
            const seq_node_kind *kind = seq_kind_of(&model->nodes[i]);
            if (kind && kind->drawn)
                workspace->drawn[replica * model->count + i] = seq_arena_take(
                    &workspace->kept, 1, kind->drawn(&model->nodes[i], &workspace->limits));
        }
}

static void take_slots(seq_workspace *workspace) {
    const seq_model *model = workspace->model;
    for (int slot = 0; slot < model->slots; slot++) {
        size_t most = 0;
        for (int i = 0; i < model->count; i++) {
            size_t floats = seq_node_rows(&model->nodes[i], &workspace->limits) *
                            (size_t)model->nodes[i].shape.width;
            if (model->plans[i].slot == slot && floats > most) most = floats;
        }
        workspace->slots[slot] = SEQ_ARENA_FLOATS(&workspace->kept, most);
    }
    for (int i = 0; i < model->count; i++)
        workspace->runs[i].gradient =
            model->plans[i].slot < 0 ? NULL : workspace->slots[model->plans[i].slot];
}

static void take(seq_workspace *workspace) {
    const seq_model *model = workspace->model;
    for (int i = 0; i < model->count; i++)
        take_node(workspace, &model->nodes[i]);
    if (!workspace->training) return;
    take_drawn(workspace);
    take_slots(workspace);
    workspace->last_targets = seq_arena_take(
        &workspace->kept, seq_node_rows(&model->nodes[model->head], &workspace->limits),
        sizeof(int32_t));
    if (model->graph->own_share == 0) return;
    const seq_node *head = &model->nodes[model->head];
    workspace->own_words =
        seq_arena_take(&workspace->kept, seq_node_rows(head, &workspace->limits), sizeof(int32_t));
    workspace->own_scores = SEQ_ARENA_FLOATS(
        &workspace->kept, SEQ_OWN_ROWS * (size_t)model->nodes[head->inputs[1]].shape.ids);
}

// What the arenas do not hold: small, and independent of the limits.
static seq_status allocate(seq_workspace *workspace, seq_error *error) {
    const seq_model *model = workspace->model;
    size_t count = (size_t)model->count, memory = 0;
    for (int i = 0; i < model->count; i++)
        memory += memory_bytes(&model->nodes[i]);
    seq_status status =
        seq_allocate(&workspace->runs, count, sizeof *workspace->runs, "a workspace", error);
    if (!status) status = seq_allocate(&workspace->memories, memory, 1, "a workspace", error);
    if (!status)
        status = seq_allocate(&workspace->drawn, count * (size_t)workspace->replicas,
                              sizeof *workspace->drawn, "a workspace", error);
    if (!status)
        status = seq_allocate(&workspace->slots, (size_t)model->slots, sizeof *workspace->slots,
                              "a workspace", error);
    if (status) return status;
    char *next = workspace->memories;
    for (int i = 0; i < model->count; i++) {
        workspace->runs[i].memory = next;
        next += memory_bytes(&model->nodes[i]);
    }
    return SEQ_OK;
}

seq_status seq_workspace_create(const seq_model *model, const seq_limits *limits, int replicas,
                                seq_workspace_use use, seq_workspace **out, seq_error *error) {
    seq_workspace *workspace = NULL;
    seq_status status = seq_allocate(&workspace, 1, sizeof *workspace, "a workspace", error);
    if (status) return status;
    workspace->model = model;
    workspace->limits = *limits;
    workspace->replicas = replicas;
    workspace->training = use == SEQ_USE_TRAINING;
    status = allocate(workspace, error);
    if (!status) {
        take(workspace);
        status = seq_arena_commit(&workspace->kept, "the workspace of a batch", error);
    }
    if (!status) status = seq_arena_commit(&workspace->scratch, "the workspace of a batch", error);
    if (status) {
        seq_workspace_destroy(workspace);
        return status;
    }
    take(workspace);
    *out = workspace;
    return SEQ_OK;
}

void seq_workspace_destroy(seq_workspace *workspace) {
    if (!workspace) return;
    seq_arena_clear(&workspace->kept);
    seq_arena_clear(&workspace->scratch);
    free(workspace->runs);
    free(workspace->memories);
    free(workspace->drawn);
    free(workspace->slots);
    free(workspace);
}

size_t seq_workspace_bytes(const seq_workspace *workspace) {
    return workspace->kept.size + workspace->scratch.size;
}
