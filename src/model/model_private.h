// What the files of this layer share: a finished graph and a workspace.
#ifndef SEQ_MODEL_PRIVATE_H
#define SEQ_MODEL_PRIVATE_H

#include <seqtrain/model/graph.h>

#define SEQ_MAX_PARAMETERS 6.8e10 // 256 GiB of floats

// B (k, n) of a product: a block of a parameter, transposed or plain.
typedef struct seq_packed_matrix {
    seq_packed_need need; // its `parameter` is a row of the table
    size_t n, k;
    size_t offset;  // bytes
    size_t dropped; // bytes: where the block with weight-drop lies, (rows, columns)
} seq_packed_matrix;

// What the graph adds to a node.
typedef struct seq_node_plan {
    char prefix[SEQ_NODE_NAME], suffix[SEQ_NODE_NAME];
    int shared_node[SEQ_NODE_PARAMETERS], shared_parameter[SEQ_NODE_PARAMETERS]; // -1: its own
    int users;                // nodes that read its values
    bool stepped;             // it, or a node below it, lies on the head's axis
    bool wanted;              // it, or a node below it, has a parameter with a gradient
    bool values_in_place;     // writes over its input's values
    bool gradient_in_place;   // its input's gradient is its own
    int slot;                 // gradient buffer; -1: none
    size_t part_begin;        // of the flat gradient that is final when its backward has ended
    bool has_part;            // it is the first user of a parameter
    seq_parameter_list *list; // while the model is made
} seq_node_plan;

// Of parameters whose names begin with the prefix.
typedef struct seq_rate_rule {
    char prefix[SEQ_PARAMETER_NAME];
    double rate;
} seq_rate_rule;

struct seq_graph {
    seq_error error;
    seq_graph_field *fields;
    int field_count;
    seq_initial_choice choice;
    seq_node *nodes;
    seq_node_plan *plans;
    int count;
    unsigned next_place;
    int own_words;    // node: the column that scheduled sampling changes
    double own_share; // of its words; 0: none
    seq_rate_rule *rates;
    size_t rate_count, rate_capacity;
    struct seq_kept {
        struct seq_kept *next;
    } * kept; // copies of options
};

bool seq_graph_has_field(const seq_graph *graph, const char *name);

struct seq_model {
    seq_model_config config; // of a language model
    seq_compute compute;
    seq_graph *graph; // its nodes, plans, copies
    seq_node *nodes;  // the graph's
    seq_node_plan *plans;
    int count, head;
    int recurrent; // layers
    int slots;     // gradient buffers
    seq_parameter_table table;
    seq_packed_matrix *packed;
    int packed_count;
    size_t packed_bytes[2]; // by seq_workspace_use
    bool drops_weights;
};

enum { SEQ_OWN_ROWS = 64 }; // rows whose words are chosen at once

struct seq_workspace {
    const seq_model *model;
    seq_limits limits;
    int replicas;
    bool training;
    seq_arena kept, scratch;
    seq_node_run *runs;    // (nodes)
    char *memories;        // of the kinds
    void **drawn;          // (replicas, nodes)
    float **slots;         // gradient buffers
    int32_t *last_targets; // (N of the head's axis), for seq_model_gradient_flow
    int32_t *own_words;    // (N of the head's axis), of scheduled sampling
    float *own_scores;     // (SEQ_OWN_ROWS, V)
};

static inline const seq_node_kind *seq_kind_of(const seq_node *node) {
    if (node->layer) return &node->layer->node;
    return node->head ? &node->head->node : NULL;
}
static inline size_t seq_node_rows(const seq_node *node, const seq_limits *limits) {
    return limits->axes[node->shape.axis].rows;
}

// parameters.c: lists the needs of all nodes, then the table and each node's places in it.
seq_status seq_model_build_table(seq_model *model, seq_error *error);
// model.c: floats that a sequence carries in a node; 0 for most.
size_t seq_model_state_width(const seq_model *model, int index);
// A language model's graph, from a configuration that is checked but for its head.
seq_status seq_model_graph(const seq_model_config *config, seq_graph **out, seq_error *error);
// packing.c
seq_status seq_model_list_packed(seq_model *model, seq_error *error);
// links.c: who writes and who adds; what is wanted; which buffer holds which gradient; what is
// final when.
void seq_model_link(seq_model *model);

#endif
