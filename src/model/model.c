// Makes models: of any graph, and the language model from its configuration. A
// model holds no weights. A training step costs 6 operations a weight and row,
// 2 forward and 4 backward, each weight counted as often as a row meets it.
// Invariant: a model never changes once it was made, so threads share it.
// Tests: tests/unit/model/test_config.c, tests/unit/model/test_graph.c.
#include "model_private.h"
#include <seqtrain/model/stack.h>
#include <seqtrain/nn/layers.h>
#include <stdlib.h>
#include <string.h>

// ---- from a graph

static seq_status find_head(seq_model *model, seq_error *error) {
    model->head = model->count - 1;
    if (model->count == 0 || !model->nodes[model->head].head)
        return seq_error_set(error, SEQ_BAD_USAGE, "the model does not end in a head");
    for (int i = 0; i < model->head; i++)
        if (model->nodes[i].head || !model->plans[i].users)
            return seq_error_set(error, SEQ_BAD_USAGE, "nothing reads node %d of the model", i);
    return SEQ_OK;
}

static seq_status number_nodes(seq_model *model, seq_error *error) {
    for (int i = 0; i < model->count; i++) {
        model->nodes[i].compute = &model->compute;
        if (model->nodes[i].layer && model->nodes[i].layer->recurs)
            model->nodes[i].recurrent = model->recurrent++;
    }
    if (model->recurrent <= SEQ_MAX_RECURRENT) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "the model has %d recurrent layers, more than %d",
                         model->recurrent, SEQ_MAX_RECURRENT);
}

static void drop_lists(seq_model *model) {
    for (int i = 0; i < model->count; i++) {
        free(model->plans[i].list);
        model->plans[i].list = NULL;
    }
}

seq_status seq_graph_finish(seq_graph *graph, const seq_compute *compute, seq_model **out,
                            seq_error *error) {
    seq_model *model = NULL;
    seq_status status = graph->error.status;
    if (status) *error = graph->error;
    if (!status) status = seq_allocate(&model, 1, sizeof *model, "a model", error);
    if (status) {
        seq_graph_destroy(graph);
        return status;
    }
    model->graph = graph;
    model->nodes = graph->nodes;
    model->plans = graph->plans;
    model->count = graph->count;
    model->compute = *compute;
    status = number_nodes(model, error);
    if (!status) status = find_head(model, error);
    if (!status) status = seq_model_build_table(model, error);
    if (!status) status = seq_model_list_packed(model, error);
    if (!status) seq_model_link(model);
    drop_lists(model);
    if (status)
        seq_model_destroy(model);
    else
        *out = model;
    return status;
}

void seq_model_destroy(seq_model *model) {
    if (!model) return;
    seq_graph_destroy(model->graph);
    free(model->table.items);
    free(model->packed);
    free(model);
}

// ---- the language model

seq_initial_choice seq_model_initial_choice(const seq_model_config *config) {
    return (seq_initial_choice){
        .uniform = config->initialisation == SEQ_INITIALISE_UNIFORM ? config->init_scale : 0,
        .orthogonal = config->initialisation == SEQ_INITIALISE_ORTHOGONAL};
}

int seq_graph_words(seq_graph *graph, const seq_model_config *config, int rows,
                    const char *target) {
    const seq_head_kind *kind = seq_output_at(config->output);
    seq_words_options words = {.samples = config->samples, .cutoff_count = config->cutoff_count};
    memcpy(words.cutoffs, config->cutoffs, sizeof words.cutoffs);
    return seq_graph_head(graph, kind, &words, "output", rows, seq_graph_column(graph, target),
                          true);
}

void seq_graph_language_model(seq_graph *graph, const seq_model_config *config,
                              const seq_parsed *settings) {
    int embedding = seq_graph_rows(graph, config, settings, "tokens.before");
    int top = seq_graph_input_dropout(graph, config, settings, embedding);
    top = seq_graph_stack(graph, config, settings, "rnn", "dense", top);
    top = seq_graph_output_dropout(graph, config, settings, top);
    int head = seq_graph_words(graph, config, top, "tokens");
    seq_graph_tie(graph, config, head, embedding);
}

seq_status seq_model_graph(const seq_model_config *config, seq_graph **out, seq_error *error) {
    const seq_graph_field fields[] = {
        [SEQ_LM_TARGETS] = {"tokens", SEQ_LM_AXIS, config->vocabulary, 0, 0},
        [SEQ_LM_INPUTS] = {"tokens.before", SEQ_LM_AXIS, config->vocabulary, 0, 0}};
    const seq_initial_choice choice = seq_model_initial_choice(config);
    seq_status status = seq_graph_create(fields, 2, &choice, out, error);
    if (!status) seq_graph_language_model(*out, config, NULL);
    return status;
}

seq_status seq_model_create(const seq_model_config *config, const seq_compute *compute,
                            seq_model **out, seq_error *error) {
    seq_graph *graph = NULL;
    seq_status status = seq_model_config_check(config, error);
    if (!status) status = seq_model_graph(config, &graph, error);
    if (!status) status = seq_graph_finish(graph, compute, out, error);
    if (!status) seq_model_set_config(*out, config);
    return status;
}

void seq_model_set_config(seq_model *model, const seq_model_config *config) {
    model->config = *config;
}

const seq_model_config *seq_model_get_config(const seq_model *model) {
    return &model->config;
}

// ---- facts

const seq_compute *seq_model_compute(const seq_model *model) {
    return &model->compute;
}

const seq_parameter_table *seq_model_parameters(const seq_model *model) {
    return &model->table;
}

double seq_model_training_flops(const seq_model *model) {
    double weights = 0;
    for (int row = 0; row < model->table.count; row++)
        weights +=
            model->table.items[row].share * (double)seq_parameter_size(&model->table.items[row]);
    return 6 * weights;
}

int seq_model_head_axis(const seq_model *model) {
    return model->nodes[model->head].shape.axis;
}

double seq_model_chance(const seq_model *model) {
    const seq_node *head = &model->nodes[model->head];
    return head->head->chance(head);
}

const char *seq_model_loss_unit(const seq_model *model) {
    return model->nodes[model->head].head->unit;
}

int seq_model_recurrent_layers(const seq_model *model) {
    return model->recurrent;
}

size_t seq_model_gradient_parts(const seq_model *model, size_t begins[SEQ_MAX_GRADIENT_PARTS]) {
    size_t count = 0;
    for (int i = model->head; i >= 0; i--)
        if (model->plans[i].has_part) begins[count++] = model->plans[i].part_begin;
    return count;
}

// From the suffix of its parameters, "_l0_reverse"; the task's own stack needs no prefix.
void seq_model_recurrent_name(const seq_model *model, int layer, char out[SEQ_STATE_NAME]) {
    int i = 0, number = layer;
    while (model->nodes[i].recurrent != layer)
        i++;
    const char *prefix = model->plans[i].prefix, *suffix = model->plans[i].suffix;
    bool main = strcmp(prefix, "rnn") == 0 || strcmp(prefix, "encoder") == 0;
    if (strncmp(suffix, "_l", 2) == 0) number = atoi(suffix + 2);
    snprintf(out, SEQ_STATE_NAME, "%.12s%slayer %d%s", main ? "" : prefix, main ? "" : " ", number,
             strstr(suffix, "_reverse") ? " reverse" : "");
}

// ---- states

// Fills the widths of the blocks that a node carries from a batch to the next.
static int state_blocks(const seq_model *model, int index, size_t widths[SEQ_STATES]) {
    const seq_node *node = &model->nodes[index];
    bool carries = node->layer && node->layer->state &&
                   node->shape.axis == model->nodes[model->head].shape.axis;
    return carries ? node->layer->state(node, widths) : 0;
}

size_t seq_model_state_width(const seq_model *model, int index) {
    size_t widths[SEQ_STATES], sum = 0;
    int blocks = state_blocks(model, index, widths);
    for (int i = 0; i < blocks; i++)
        sum += widths[i];
    return sum;
}

void seq_model_state_copy(const seq_model *model, const float *from, int from_sequences,
                          int from_place, float *to, int to_sequences, int to_place) {
    size_t widths[SEQ_STATES];
    for (int i = 0; i < model->count; i++) {
        int blocks = state_blocks(model, i, widths);
        for (int k = 0; k < blocks; k++) {
            memcpy(to + widths[k] * (size_t)to_place, from + widths[k] * (size_t)from_place,
                   widths[k] * sizeof *to);
            from += widths[k] * (size_t)from_sequences;
            to += widths[k] * (size_t)to_sequences;
        }
    }
}

size_t seq_model_state_size(const seq_model *model, int sequences) {
    size_t width = 0;
    for (int i = 0; i < model->count; i++)
        width += seq_model_state_width(model, i);
    return width * (size_t)sequences;
}

void seq_model_state_name(const seq_model *model, int sequences, size_t index,
                          char out[SEQ_STATE_NAME]) {
    size_t end = 0;
    *out = '\0';
    for (int i = 0; i < model->count && !*out; i++) {
        end += seq_model_state_width(model, i) * (size_t)sequences;
        if (index < end)
            snprintf(out, SEQ_STATE_NAME, "recurrent layer %d", model->nodes[i].recurrent);
    }
}

// ---- saturation

void seq_model_count_saturated(const seq_model *model, const seq_workspace *workspace,
                               const seq_batch *batch, seq_saturation *sums) {
    for (int i = 0; i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        const seq_axis *axis = &batch->axes[node->shape.axis];
        if (node->recurrent < 0) continue;
        seq_recurrent layer = seq_recurrent_of(node);
        seq_saturation_add_values(&sums[node->recurrent], &layer,
                                  seq_recurrent_tape(&workspace->runs[i]), axis->sequences,
                                  axis->rows);
    }
}

void seq_model_count_carried(const seq_model *model, const float *state, int sequences,
                             seq_saturation *sums) {
    for (int i = 0; i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        size_t width = seq_model_state_width(model, i) * (size_t)sequences;
        if (!width) continue;
        seq_recurrent layer = seq_recurrent_of(node);
        size_t block = (size_t)layer.hidden * (size_t)sequences;
        seq_saturation_add_carried(&sums[node->recurrent], &layer,
                                   state + (layer.cell->memory ? block : 0), // c lies behind h
                                   block);
        state += width;
    }
}

void seq_model_count_idle(const seq_model *model, seq_workspace *workspace, const seq_batch *batch,
                          seq_saturation *sums) {
    for (int i = 0; i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        const seq_axis *axis = &batch->axes[node->shape.axis];
        if (node->recurrent < 0) continue;
        seq_recurrent layer = seq_recurrent_of(node);
        seq_saturation_add_units(&sums[node->recurrent], &layer,
                                 seq_recurrent_tape(&workspace->runs[i]), axis->rows,
                                 seq_recurrent_unit_scratch(&workspace->runs[i]));
    }
}
