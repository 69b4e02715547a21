// Builds the list of nodes. A node is appended when its inputs are there, so
// the order of the list is the order of computation, and shapes are known at
// once. Invariant: the first error stays and names what was asked for; nothing
// is appended after it. Test: tests/unit/model/test_graph.c.
#include "model_private.h"
#include <seqtrain/nn/layers.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

seq_status seq_graph_create(const seq_graph_field *fields, int count,
                            const seq_initial_choice *choice, seq_graph **out, seq_error *error) {
    seq_graph *graph = NULL;
    seq_status status = seq_allocate(&graph, 1, sizeof *graph, "a graph", error);
    if (status) return status;
    graph->choice = *choice;
    graph->field_count = count;
    status = seq_allocate(&graph->nodes, SEQ_MAX_NODES, sizeof *graph->nodes, "a graph", error);
    if (!status)
        status = seq_allocate(&graph->plans, SEQ_MAX_NODES, sizeof *graph->plans, "a graph", error);
    if (!status)
        status =
            seq_allocate(&graph->fields, (size_t)count, sizeof *graph->fields, "a graph", error);
    if (status) {
        seq_graph_destroy(graph);
        return status;
    }
    if (count) memcpy(graph->fields, fields, (size_t)count * sizeof *fields);
    *out = graph;
    return SEQ_OK;
}

void seq_graph_destroy(seq_graph *graph) {
    if (!graph) return;
    for (struct seq_kept *kept = graph->kept, *next; kept; kept = next) {
        next = kept->next;
        free(kept);
    }
    free(graph->nodes);
    free(graph->plans);
    free(graph->fields);
    free(graph->rates);
    free(graph);
}

const void *seq_graph_keep(seq_graph *graph, const void *data, size_t bytes) {
    enum { HEADER = SEQ_ALIGNMENT };
    struct seq_kept *kept = NULL;
    if (graph->error.status ||
        seq_allocate(&kept, HEADER + bytes, 1, "options of a layer", &graph->error))
        return NULL;
    kept->next = graph->kept;
    graph->kept = kept;
    if (bytes) memcpy((char *)kept + HEADER, data, bytes);
    return (char *)kept + HEADER;
}

seq_error *seq_graph_error(seq_graph *graph) {
    return &graph->error;
}

static int fail(seq_graph *graph, const char *text) {
    if (!graph->error.status) seq_error_set(&graph->error, SEQ_BAD_USAGE, "%s", text);
    return -1;
}

// A new node, or NULL after an error.
static seq_node *append(seq_graph *graph) {
    if (graph->error.status) return NULL;
    if (graph->count == SEQ_MAX_NODES) {
        seq_error_set(&graph->error, SEQ_BAD_USAGE, "the model has more than %d nodes",
                      SEQ_MAX_NODES);
        return NULL;
    }
    int index = graph->count++;
    seq_node_plan *plan = &graph->plans[index];
    *plan = (seq_node_plan){.slot = -1};
    for (int i = 0; i < SEQ_NODE_PARAMETERS; i++)
        plan->shared_node[i] = -1;
    graph->nodes[index] = (seq_node){.index = index, .column = -1, .recurrent = -1};
    return &graph->nodes[index];
}

static int find_field(const seq_graph *graph, const char *name) {
    int column = 0;
    while (column < graph->field_count && strcmp(graph->fields[column].name, name) != 0)
        column++;
    return column;
}

bool seq_graph_has_field(const seq_graph *graph, const char *name) {
    return find_field(graph, name) < graph->field_count;
}

int seq_graph_column(seq_graph *graph, const char *name) {
    int column = find_field(graph, name);
    if (graph->error.status) return -1;
    if (column == graph->field_count) {
        seq_error_set(&graph->error, SEQ_BAD_USAGE, "the data have no field %.40s", name);
        return -1;
    }
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].column == column) return i;
    seq_node *node = append(graph);
    if (!node) return -1;
    const seq_graph_field *field = &graph->fields[column];
    node->column = column;
    node->shape = (seq_shape){.axis = field->axis,
                              .width = field->ids ? 0 : field->width,
                              .ids = field->ids,
                              .vocabulary = field->vocabulary};
    return node->index;
}

static void name(seq_graph *graph, char out[SEQ_NODE_NAME], const char *text) {
    if (strlen(text) < SEQ_NODE_NAME)
        memcpy(out, text, strlen(text) + 1);
    else
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "the layer's name %s is longer than %d characters", text, SEQ_NODE_NAME - 1);
}

// Shape and options; the node is then complete but for its place among parameters.
static int complete(seq_graph *graph, seq_node *node, const void *options, const int *inputs,
                    int count) {
    const seq_node_kind *kind = seq_kind_of(node);
    node->input_count = count;
    for (int i = 0; i < count; i++) {
        if (inputs[i] < 0 || inputs[i] >= node->index)
            return fail(graph, "a node's input is not a node before it");
        node->inputs[i] = inputs[i];
        node->input_shapes[i] = graph->nodes[inputs[i]].shape;
        graph->plans[inputs[i]].users++;
        node->shape.looks_ahead |= node->input_shapes[i].looks_ahead;
    }
    unsigned ahead = node->shape.looks_ahead;
    node->options = seq_graph_keep(graph, options, kind->options);
    if (graph->error.status) return -1;
    node->shape = node->input_shapes[0];
    node->shape.looks_ahead = ahead;
    if (kind->shape && kind->shape(node, &node->shape, &graph->error)) return -1;
    return node->index;
}

int seq_graph_layer(seq_graph *graph, const seq_layer_kind *kind, const void *options,
                    const char *prefix, const char *suffix, const int *inputs, int count) {
    seq_node *node = append(graph);
    if (!node) return -1;
    node->layer = kind;
    name(graph, graph->plans[node->index].prefix, prefix);
    name(graph, graph->plans[node->index].suffix, suffix);
    if (count < 1 || count > SEQ_NODE_INPUTS) return fail(graph, "a layer has 1 to 8 inputs");
    return complete(graph, node, options, inputs, count);
}

int seq_graph_head(seq_graph *graph, const seq_head_kind *kind, const void *options,
                   const char *prefix, int input, int targets, bool next_item) {
    seq_node *node = append(graph);
    const int inputs[] = {input, targets};
    if (!node) return -1;
    node->head = kind;
    name(graph, graph->plans[node->index].prefix, prefix);
    if (complete(graph, node, options, inputs, 2) < 0) return -1;
    if (next_item && node->input_shapes[0].looks_ahead >> node->shape.axis & 1)
        return fail(graph, "a model that predicts the next item must not read the items behind it: "
                           "--bidirectional layers and pooling do");
    return node->index;
}

void seq_graph_share(seq_graph *graph, int node, int parameter, int of_node, int of_parameter) {
    if (graph->error.status) return;
    if (node <= of_node || of_node < 0) {
        fail(graph, "a parameter is shared with a node that does not come before");
        return;
    }
    graph->plans[node].shared_node[parameter] = of_node;
    graph->plans[node].shared_parameter[parameter] = of_parameter;
}

void seq_graph_rate(seq_graph *graph, const char *prefix, double rate) {
    size_t count = graph->rate_count;
    if (graph->error.status) return;
    if (strlen(prefix) >= SEQ_PARAMETER_NAME || !(rate >= 0) || !isfinite(rate))
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "parameters %.60s: a factor of %g for the learning rate: expected a name, "
                      "and 0 or more",
                      prefix, rate);
    else if (!seq_grow(&graph->rates, &graph->rate_capacity, count + 1, sizeof *graph->rates,
                       "a graph", &graph->error)) {
        snprintf(graph->rates[count].prefix, sizeof graph->rates[count].prefix, "%s", prefix);
        graph->rates[count].rate = rate;
        graph->rate_count++;
    }
}

int seq_graph_dropout(seq_graph *graph, int input, double probability, bool locked) {
    unsigned place = graph->next_place++;
    if (probability == 0 || graph->error.status) return graph->error.status ? -1 : input;
    int node = seq_graph_layer(graph, &seq_layer_dropout,
                               &(seq_dropout_options){probability, locked}, "", "", &input, 1);
    if (node >= 0) graph->nodes[node].random_place = place;
    return node;
}

void seq_graph_own_words(seq_graph *graph, int before, double probability) {
    graph->own_words = before;
    graph->own_share = before < 0 ? 0 : probability;
}

int seq_graph_width(const seq_graph *graph, int node) {
    return node < 0 ? 0 : graph->nodes[node].shape.width;
}
