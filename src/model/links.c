// What follows from the users of each value and parameter. In backward the user
// that runs first, the last in the graph, writes a gradient, and the others add
// to it. Gradients of values live in few buffers, assigned by last use: a chain
// needs two. Invariant: a buffer is free again only when the node whose
// gradient it holds has run backward. Test: tests/unit/model/test_graph.c.
#include "model_private.h"

static bool has_parameters(const seq_node *node) {
    return node->frozen != (1u << node->parameter_count) - 1;
}

static void find_stepped(seq_model *model) {
    for (int i = 0; i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        bool stepped = node->shape.axis == model->nodes[model->head].shape.axis;
        for (int j = 0; j < node->input_count; j++)
            stepped = stepped || model->plans[node->inputs[j]].stepped;
        model->plans[i].stepped = stepped;
    }
}

static void find_wanted(seq_model *model) {
    for (int i = 0; i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        bool wanted = has_parameters(node);
        for (int j = 0; j < node->input_count; j++)
            wanted = wanted || model->plans[node->inputs[j]].wanted;
        model->plans[i].wanted = wanted;
    }
}

static bool is_overwritable(const seq_model *model, int input) {
    const seq_layer_kind *layer = model->nodes[input].layer;
    return layer && !layer->needs_values && !layer->keeps_values && !layer->only_training;
}

static void find_in_place(seq_model *model) {
    for (int i = 0; i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        int input = node->inputs[0];
        bool alone = node->layer && node->layer->in_place && model->plans[input].users == 1;
        model->plans[i].values_in_place = alone && is_overwritable(model, input) &&
                                          model->plans[i].stepped == model->plans[input].stepped;
        model->plans[i].gradient_in_place = alone && model->plans[input].wanted;
    }
}

// Backward's order: the first writes.
static void find_first_writers(seq_model *model) {
    bool written[SEQ_MAX_NODES] = {0};
    for (int i = model->count - 1; i >= 0; i--) {
        seq_node *node = &model->nodes[i];
        for (int j = 0; j < node->input_count; j++) {
            node->adds_input |= (unsigned)written[node->inputs[j]] << j;
            written[node->inputs[j]] = true;
        }
    }
}

// The node that runs first, of those with this row; sparse users clear its rows.
static void find_parameter_writers(seq_model *model, int row) {
    bool written = false;
    for (int i = model->count - 1; i >= 0; i--) {
        seq_node *node = &model->nodes[i];
        for (int j = 0; j < node->parameter_count; j++) {
            if (node->parameters[j] != row) continue;
            bool sparse = model->plans[i].list->parameters[j].sparse;
            node->adds_parameter |= (unsigned)written << j;
            if (!written && sparse && !model->table.items[row].sparse) node->clears_all |= 1u << j;
            written = true;
        }
    }
}

static int free_slot(const bool *used, int count) {
    int slot = 0;
    while (slot < count && used[slot])
        slot++;
    return slot;
}

static void assign_slots(seq_model *model) {
    bool used[SEQ_MAX_NODES] = {0};
    for (int i = model->count - 1; i >= 0; i--) {
        const seq_node *node = &model->nodes[i];
        seq_node_plan *plan = &model->plans[i];
        bool handed_on = false;
        for (int j = 0; plan->wanted && j < node->input_count; j++) {
            seq_node_plan *input = &model->plans[node->inputs[j]];
            if (!input->wanted || input->slot >= 0) continue;
            bool same = plan->gradient_in_place && j == 0;
            input->slot = same ? plan->slot : free_slot(used, model->slots);
            handed_on = handed_on || same;
            used[input->slot] = true;
            if (input->slot == model->slots) model->slots++;
        }
        if (plan->slot >= 0 && !handed_on) used[plan->slot] = false;
    }
}

void seq_model_link(seq_model *model) {
    find_stepped(model);
    find_wanted(model);
    find_in_place(model);
    find_first_writers(model);
    for (int row = 0; row < model->table.count; row++)
        find_parameter_writers(model, row);
    assign_slots(model);
}
