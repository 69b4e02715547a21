// Plans the memory of a window: the same calls run twice, once to count and
// once to receive the blocks of one arena. Only training takes gradients,
// dropout copies and scratch. Invariant: no pass allocates memory, since all of
// it is taken here. Tests: tests/unit/model/test_passes.c,
// tests/unit/model/test_output.c.
#include "graph.h"
#include <stdlib.h>

static size_t widest(const seq_model *model) {
    int most = 0;
    for (int stage = -1; stage < seq_model_stages(model); stage++)
        most = seq_model_width(model, stage) > most ? seq_model_width(model, stage) : most;
    return (size_t)most;
}

static int largest_hidden(const seq_model *model) {
    int most = 0;
    for (int layer = 0; layer < model->config.layers; layer++)
        most = model->config.hidden[layer] > most ? model->config.hidden[layer] : most;
    return most;
}

static void take_training(seq_workspace *workspace, size_t rows) {
    const seq_model *model = workspace->model;
    seq_arena *arena = &workspace->arena;
    for (int stage = 0; stage < seq_model_stages(model); stage++)
        if (seq_model_dropout(model, stage) > 0)
            workspace->dropped[stage] =
                SEQ_ARENA_FLOATS(arena, rows * (size_t)seq_model_width(model, stage));
    workspace->gradient[0] = SEQ_ARENA_FLOATS(arena, rows * widest(model));
    workspace->gradient[1] = SEQ_ARENA_FLOATS(arena, rows * widest(model));
    seq_recurrent_scratch_take(&workspace->scratch, &model->compute, largest_hidden(model),
                               (int)widest(model), &workspace->room.limit, arena);
}

// Run twice: once to plan, once to receive the blocks.
static void take(seq_workspace *workspace, seq_workspace_use use) {
    const seq_model *model = workspace->model;
    seq_arena *arena = &workspace->arena;
    size_t rows = (size_t)workspace->batch * (size_t)workspace->steps;
    const seq_axis_limit limit = {workspace->batch, workspace->steps, rows};
    seq_axis_take(&workspace->room, &limit, 0, arena);
    workspace->lengths = seq_arena_take(arena, (size_t)workspace->batch, sizeof(int32_t));
    workspace->embedded = SEQ_ARENA_FLOATS(arena, rows * (size_t)model->config.embedding);
    for (int layer = 0; layer < model->config.layers; layer++)
        seq_tape_take(&workspace->tapes[layer], &model->recurrent[layer], &limit, arena);
    for (int layer = 0; layer < model->config.dense_layers; layer++)
        workspace->dense_out[layer] =
            SEQ_ARENA_FLOATS(arena, rows * (size_t)model->config.dense[layer]);
    workspace->output = (seq_output){.kind = model->output,
                                     .compute = &model->compute,
                                     .shape = model->output_shape,
                                     .rows = rows};
    model->output->take(&workspace->output, use == SEQ_USE_TRAINING, arena);
    if (use == SEQ_USE_TRAINING) take_training(workspace, rows);
}

seq_status seq_workspace_create(const seq_model *model, int batch, int steps, seq_workspace_use use,
                                seq_workspace **out, seq_error *error) {
    seq_workspace *workspace = NULL;
    seq_status status = seq_allocate(&workspace, 1, sizeof *workspace, "a workspace", error);
    if (status) return status;
    workspace->model = model;
    workspace->batch = batch;
    workspace->steps = steps;
    take(workspace, use);
    status = seq_arena_commit(&workspace->arena, "the workspace of a window", error);
    if (status) {
        seq_workspace_destroy(workspace);
        return status;
    }
    take(workspace, use);
    *out = workspace;
    return SEQ_OK;
}

void seq_workspace_destroy(seq_workspace *workspace) {
    if (workspace) seq_arena_clear(&workspace->arena);
    free(workspace);
}

size_t seq_workspace_bytes(const seq_workspace *workspace) {
    return workspace->arena.size;
}

const int32_t *seq_model_output_words(const seq_model *model, seq_workspace *workspace,
                                      const seq_window *window, size_t *out_count) {
    const seq_output_rows rows = {
        .count = (size_t)window->batch * (size_t)window->steps,
        .targets = window->targets,
        .seed = window->seed,
        .step = window->step,
        .first_stream = window->first_stream,
    };
    if (model->output->choose) model->output->choose(&workspace->output, &rows);
    return seq_workspace_output_words(workspace, out_count);
}

const int32_t *seq_workspace_output_words(const seq_workspace *workspace, size_t *out_count) {
    *out_count = workspace->output.sampled.count;
    return workspace->output.sampled.words;
}
