// The table of parameters: names, shapes, initial values and offsets in the
// flat vector, from what the nodes ask for. Names and layouts are PyTorch's.
// Invariant: a parameter lies with its first user, so rows are in the order of
// the graph; each begins on a cache line, and the gap behind it belongs to
// none. Tests: tests/unit/model/test_config.c, tests/unit/model/test_graph.c.
#include "model_private.h"
#include <assert.h>
#include <stdio.h>
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

static int add_row(seq_model *model, const seq_node *node, const seq_parameter_need *need) {
    const seq_node_plan *plan = &model->plans[node->index];
    seq_parameter_table *table = &model->table;
    seq_parameter *row = &table->items[table->count];
    *row = (seq_parameter){
        .dimensions = need->columns ? 2 : 1,
        .rows = (size_t)need->rows,
        .columns = need->columns ? (size_t)need->columns : 1,
        .offset = table->size,
        .layer = node->recurrent,
        .decay = need->decay,
        .sparse = true, // until a user is not
        .vocabulary = need->vocabulary,
        .predicts = node->head ? node->input_shapes[1].vocabulary : -1,
        .initial = need->initial,
        .scale = (float)need->scale,
        .constant_first = need->constant_first,
        .constant_count = need->constant_count,
        .constant = (float)need->constant,
        .rate = 1,
        .drop = need->drop,
    };
    int length = snprintf(row->name, sizeof row->name, "%s%s%s%s", plan->prefix,
                          *plan->prefix ? "." : "", need->name, plan->suffix);
    assert(length < (int)sizeof row->name); // builders choose prefixes
    (void)length;
    table->values += seq_parameter_size(row);
    table->size += (seq_parameter_size(row) + PADDING - 1) / PADDING * PADDING;
    return table->count++;
}

static seq_status share_row(seq_model *model, const seq_node *node, int parameter, int *out,
                            seq_error *error) {
    const seq_node_plan *plan = &model->plans[node->index];
    const seq_parameter_need *need = &plan->list->parameters[parameter];
    const seq_node *owner = &model->nodes[plan->shared_node[parameter]];
    int place = plan->shared_parameter[parameter];
    *out = place < owner->parameter_count ? owner->parameters[place] : -1;
    const seq_parameter *row = *out < 0 ? NULL : &model->table.items[*out];
    size_t columns = need->columns ? (size_t)need->columns : 1;
    if (row && row->rows == (size_t)need->rows && row->columns == columns) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%s.%s (%d x %d) cannot be %s (%zu x %zu): their shapes differ",
                         plan->prefix, need->name, need->rows, need->columns,
                         row ? row->name : "a parameter of another layer", row ? row->rows : 0,
                         row ? row->columns : 0);
}

static seq_status place_parameters(seq_model *model, seq_node *node, seq_error *error) {
    seq_node_plan *plan = &model->plans[node->index];
    const seq_parameter_list *list = plan->list;
    node->parameter_count = list->parameter_count;
    for (int i = 0; i < list->parameter_count; i++) {
        int row = -1;
        if (plan->shared_node[i] >= 0) {
            seq_status status = share_row(model, node, i, &row, error);
            if (status) return status;
        } else {
            row = add_row(model, node, &list->parameters[i]);
            node->owned |= 1u << i;
            if (!plan->has_part) plan->part_begin = model->table.items[row].offset;
            plan->has_part = true;
        }
        node->parameters[i] = row;
        node->offsets[i] = model->table.items[row].offset;
        model->table.items[row].share += list->parameters[i].share;
        model->table.items[row].sparse &= list->parameters[i].sparse;
    }
    return SEQ_OK;
}

static seq_status apply_rate(seq_model *model, const seq_rate_rule *rule, seq_error *error) {
    bool found = false;
    for (int row = 0; row < model->table.count; row++) {
        seq_parameter *parameter = &model->table.items[row];
        if (strncmp(parameter->name, rule->prefix, strlen(rule->prefix)) != 0) continue;
        parameter->rate = rule->rate;
        found = true;
    }
    return found ? SEQ_OK
                 : seq_error_set(error, SEQ_BAD_USAGE,
                                 "the model has no parameter whose name begins with %s",
                                 rule->prefix);
}

static void mark_frozen(seq_model *model) {
    for (int i = 0; i < model->count; i++) {
        seq_node *node = &model->nodes[i];
        for (int j = 0; j < node->parameter_count; j++)
            node->frozen |= (unsigned)(model->table.items[node->parameters[j]].rate == 0) << j;
    }
}

// Sizes come from options and files; sums of theirs fit size_t, memory may not.
static seq_status check_total(const seq_model *model, seq_error *error) {
    if ((double)model->table.size < SEQ_MAX_PARAMETERS) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "the model would have %.3g parameters, more than %.3g",
                         (double)model->table.size, SEQ_MAX_PARAMETERS);
}

// Which words the model will choose for itself is not known before a step.
static void touch_all(seq_model *model) {
    for (int i = 0; model->graph->own_share > 0 && i < model->count; i++) {
        const seq_node *node = &model->nodes[i];
        if (node->input_count == 1 && node->inputs[0] == model->graph->own_words)
            for (int j = 0; j < node->parameter_count; j++)
                model->table.items[node->parameters[j]].sparse = false;
    }
}

seq_status seq_model_build_table(seq_model *model, seq_error *error) {
    size_t rows = 0;
    for (int i = 0; i < model->count; i++) {
        const seq_node_kind *kind = seq_kind_of(&model->nodes[i]);
        seq_parameter_list **list = &model->plans[i].list;
        seq_status status = seq_allocate(list, 1, sizeof **list, "the parameter table", error);
        if (status) return status;
        (*list)->choice = model->graph->choice;
        if (kind && kind->parameters) kind->parameters(&model->nodes[i], *list);
        rows += (size_t)(*list)->parameter_count;
    }
    seq_status status = seq_allocate(&model->table.items, rows, sizeof *model->table.items,
                                     "the parameter table", error);
    for (int i = 0; !status && i < model->count; i++)
        status = place_parameters(model, &model->nodes[i], error);
    if (!status) status = check_total(model, error);
    for (size_t i = 0; !status && i < model->graph->rate_count; i++)
        status = apply_rate(model, &model->graph->rates[i], error);
    if (!status) mark_frozen(model);
    if (!status) touch_all(model);
    return status;
}
