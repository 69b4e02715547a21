// Layers and heads: the kinds of node that a model is a static list of.
//
// A node maps rows on one axis of a batch to rows, on the same axis or another.
// Columns of the batch are nodes without a kind. The last node is the head: it
// is projection, loss and prediction in one. A kind is a row of functions in a
// file of its own; to add one, copy src/nn/embedding.c (a layer) or
// src/nn/head_full.c (a head) and follow the how-to at its top.
//
// Legend: B sequences, N rows and T steps of an axis, W units of a node.
// Forward runs the nodes in order, backward in reverse. The graph knows all
// users of each value and parameter. In backward the user that runs first
// writes the gradient; the others add to it.
#ifndef SEQTRAIN_NN_LAYER_H
#define SEQTRAIN_NN_LAYER_H

#include <assert.h>
#include <seqtrain/batch/batch.h>
#include <seqtrain/kernels/compute.h>
#include <stdbool.h>

enum {
    SEQ_NODE_INPUTS = 8,
    SEQ_NODE_PARAMETERS = 20,
    SEQ_NODE_PACKED = 40,
    SEQ_STATES = 3, // blocks that a sequence carries in a node: h, c, a fed vector
    SEQ_NAME = 32,  // bytes of a parameter's own name
};

// What a node gives: rows of numbers or ids on an axis.
typedef struct seq_shape {
    int axis;
    int width;      // W; 0: ids
    int ids;        // of a column of ids: 0 .. ids - 1; else 0
    int vocabulary; // of a column of ids: its place in the list of vocabularies; else -1
    // Set of axes (bit a: axis a) whose later steps a row may depend on. A head
    // that predicts the next item of its own axis refuses an input with that bit.
    unsigned looks_ahead;
} seq_shape;

typedef enum seq_initial {
    SEQ_INITIAL_ZERO,
    SEQ_INITIAL_UNIFORM,    // in [-scale, scale)
    SEQ_INITIAL_NORMAL,     // standard deviation scale
    SEQ_INITIAL_ORTHOGONAL, // each square block of `columns` rows is an orthogonal matrix
} seq_initial;

// A parameter that a node asks for.
typedef struct seq_parameter_need {
    char name[SEQ_NAME]; // "weight_ih"; the graph adds the node's prefix and suffix
    int rows, columns;   // columns 0: a vector
    bool decay;          // weight decay applies: matrices, not biases
    bool sparse;         // training writes only the rows that `touched` reports
    int vocabulary;      // what its rows stand for, or -1
    double share;        // of the matrix, that a row in training is multiplied with, about
    seq_initial initial;
    double scale;
    size_t constant_first, constant_count; // elements set to `constant` after drawing
    double constant;
    double drop; // weight-drop: probability of a zero in the packed matrix of a training step
} seq_parameter_need;

typedef enum seq_packed_use {
    SEQ_PACKED_FORWARD,  // for training and evaluation
    SEQ_PACKED_EVALUATE, // for evaluation alone; its place is free in training
    SEQ_PACKED_BACKWARD, // for training alone
} seq_packed_use;

// A matrix B (k, n) of a product, packed from a block of a parameter's rows
// and columns: as its rows lie, or transposed (what forward products want).
typedef struct seq_packed_need {
    seq_packed_use use;
    int parameter;    // of the node's needs
    int first, rows;  // of the parameter
    int first_column; // of the parameter
    int columns;
    bool plain;    // as it lies: k = rows, n = columns; else k = columns, n = rows
    bool adjacent; // lies right behind the node's need before it
} seq_packed_need;

// How a model's parameters begin. A kind states the bound that fits its shape;
// the functions below apply the user's choice.
typedef struct seq_initial_choice {
    double uniform;  // above 0: all bounds are this
    bool orthogonal; // square recurrent matrices
} seq_initial_choice;

typedef struct seq_parameter_list {
    seq_initial_choice choice;
    seq_parameter_need parameters[SEQ_NODE_PARAMETERS];
    int parameter_count;
    seq_packed_need packed[SEQ_NODE_PACKED];
    int packed_count;
} seq_parameter_list;

// Asks for a parameter; columns 0 makes a vector. Values are uniform within
// `bound`, or within the user's choice of a bound; 0: zeros. Returns what may be
// changed: a matrix decays, is not sparse, has no vocabulary and the share 1.
seq_parameter_need *seq_list_parameter(seq_parameter_list *list, const char *name, int rows,
                                       int columns, double bound);
// Asks for a packed matrix. Returns its place, for seq_packed.
int seq_list_packed(seq_parameter_list *list, seq_packed_need need);
// The need for all of matrix `parameter`: transposed to go forward, or plain to go back.
seq_packed_need seq_whole_matrix(const seq_parameter_list *list, int parameter, bool back);

typedef struct seq_layer_kind seq_layer_kind;
typedef struct seq_head_kind seq_head_kind;

// A node of a finished graph; immutable.
typedef struct seq_node {
    const seq_layer_kind *layer; // one of the two; both NULL: a column of the batch
    const seq_head_kind *head;
    const void *options; // the graph's copy of what the builder gave: the kind's own struct
    const seq_compute *compute;
    int index;                                // place in the graph
    int column;                               // of the batch, of a column; else -1
    int inputs[SEQ_NODE_INPUTS], input_count; // nodes before it
    seq_shape input_shapes[SEQ_NODE_INPUTS];
    seq_shape shape;       // of a head: of its scores
    unsigned random_place; // keys what it draws (dropout); below 2^16
    int recurrent;         // number among the recurrent nodes, or -1
    int parameter_count;
    int parameters[SEQ_NODE_PARAMETERS]; // rows of the parameter table
    size_t offsets[SEQ_NODE_PARAMETERS]; // floats in the flat vectors
    struct {
        size_t offset; // bytes
        bool in_training, in_evaluation;
    } packed[SEQ_NODE_PACKED];
    // Bit i is about input or parameter i.
    unsigned adds_input;     // add to its gradient: a later node has written it
    unsigned adds_parameter; // the same of a parameter's gradient
    unsigned clears_all; // a sparse parameter whose other users are not: `clear` zeroes all rows
    unsigned owned;      // the node is the parameter's first user, the last in backward
    unsigned frozen;     // its gradient is not wanted
} seq_node;

// A node at work, in one workspace.
typedef struct seq_node_run {
    const int32_t *ids;  // of a column: (N), or NULL
    const float *values; // (N, W): `buffer`, unless forward sets it
    float *buffer;       // (N, W); NULL where the kind keeps its values itself
    float *gradient;     // (N, W) = dL/dvalues, whole when backward runs, which may overwrite it;
                         // NULL: not wanted
    void *memory;        // of the kind's size; filled by `plan`
    void *drawn;         // of the kind's `drawn` bytes, one for each own replica
    // (B, width) block by block. state_before NULL: zeros; state_after NULL:
    // not wanted. They may be the same memory: read all, then write.
    const float *state_before;
    float *state_after;
} seq_node_run;

// One run over a batch: what all nodes see.
typedef struct seq_pass {
    const seq_batch *batch;
    bool training; // backward follows
    bool dropping; // dropout is drawn, for (seed, step, place, number of the sequence, time, unit)
    uint64_t seed;
    uint32_t step;           // update number
    const float *parameters; // flat vector
    const void *packed;
    bool packed_for_training;
    float *gradient; // flat vector
    double *squares; // gradient flow: (recurrent nodes, T), or NULL
    seq_node_run *runs;
} seq_pass;

// Called with a row of the parameter table and a row of that parameter, once or oftener.
typedef void seq_rows_mark(void *context, int parameter, int32_t row);

// What layers and heads have in common. NULL: nothing to do, unless said otherwise.
typedef struct seq_node_kind {
    const char *name;
    size_t options; // bytes of the kind's options
    size_t memory;  // bytes of what `plan` fills: pointers and small numbers
    // Checks inputs and options; sets axis, width and looks_ahead of *out, which
    // begins as the first input's shape. SEQ_BAD_USAGE names the option.
    seq_status (*shape)(const seq_node *node, seq_shape *out, seq_error *error);
    void (*parameters)(const seq_node *node, seq_parameter_list *list);
    // Takes memory for batches within the limits. `scratch` is shared: it holds
    // nothing from one call of forward, backward or a head's function to the next.
    void (*plan)(const seq_node *node, const seq_limits *limits, bool training, void *memory,
                 seq_arena *kept, seq_arena *scratch);
    // Before all heads and backward passes: zeroes the rows of sparse gradients
    // that backward adds to.
    void (*clear)(const seq_node *node, seq_pass *pass);
    // Sparse parameters: reports each row that training writes. A kind that
    // draws rows leaves them in run->drawn, for `train`; it is called before.
    void (*touched)(const seq_node *node, seq_pass *pass, seq_rows_mark *mark, void *context);
    size_t (*drawn)(const seq_node *node, const seq_limits *limits); // bytes
} seq_node_kind;

struct seq_layer_kind {
    seq_node_kind node;
    bool recurs;        // options and memory begin as those of a recurrent layer
    bool keeps_values;  // run->values are its own memory; the graph plans no buffer
    bool needs_values;  // backward reads its own values: nobody may overwrite them
    bool in_place;      // forward may write over input 0, backward over its own gradient
    bool only_training; // has a buffer in training alone; otherwise it hands its input on
    // Fills widths of the blocks (B, width) that a sequence carries to the next
    // batch: h, then c. Returns their number.
    int (*state)(const seq_node *node, size_t widths[SEQ_STATES]);
    // Weights over its source that a target sequence had in a pass of one step;
    // NULL: the kind does not attend.
    const float *(*attention)(const seq_node_run *run, int sequence, int *out_length);
    // Before forward, once: what it keeps of inputs that do not lie on the head's axis. NULL:
    // nothing.
    void (*begin)(const seq_node *node, seq_pass *pass);
    void (*forward)(const seq_node *node, seq_pass *pass);
    // Called with 0 rows, too: parameters that it writes become 0 then.
    // Reads run->gradient; writes or adds to the gradients of inputs and parameters.
    void (*backward)(const seq_node *node, seq_pass *pass);
};

typedef struct seq_loss {
    double sum;      // in the head's unit
    int64_t count;   // targets counted
    int64_t correct; // of them predicted; evaluation only, 0 in training
    int64_t bad; // 1 + number of the first sequence whose loss is not finite; 0: none, not known
    // Head ctc, else 0: rows, and those of them whose likeliest symbol is the blank.
    int64_t frames, blanks;
} seq_loss;

// Losses one by one, where wanted.
typedef struct seq_losses {
    double *of_sequence; // (B of the head's axis), or NULL
    float *of_row;       // (N of the head's axis): -loss, 0 where not counted; or NULL
} seq_losses;

// Predictions of a batch. Alternatives are best first; their entries lie in the
// packed rows of the head's axis, so entry t of sequence b is at first_row[t] + b.
typedef struct seq_prediction {
    int best;             // alternatives wanted, at least 1
    size_t rows;          // between alternatives: N at most
    int sequences;        // between alternatives: B at most
    const seq_axis *axis; // set by the head
    int *found;           // (B): alternatives that there are
    int32_t *length;      // (best, B): entries
    int32_t *ids;         // (best, N), or NULL: the head predicts values
    float *values;        // (best, N, W), or NULL
    int32_t *times;       // (best, N): step of the head's axis that an entry ends in, or NULL
    double *score;        // (best, B): what alternatives are sorted by; ln p where it is normalised
    double *probability;  // (best, B); NaN where there is none
    float *marginals;     // (N, classes), or NULL: not wanted
} seq_prediction;

// A head reads rows (input 0) and targets (input 1, a column on the same axis).
struct seq_head_kind {
    seq_node_kind node;
    const char *unit; // "nats", "squared error"
    bool ties;        // parameter 0 (V, W) may be an embedding
    // L = scale * loss. Writes the gradients of input 0 and of its parameters.
    seq_loss (*train)(const seq_node *node, seq_pass *pass, double scale);
    // Exact for every kind.
    seq_loss (*evaluate)(const seq_node *node, seq_pass *pass, const seq_losses *losses);
    // ln p of rows first .. first + rows - 1, up to a constant in each row:
    // (rows, V). NULL: the head has no such thing.
    void (*scores)(const seq_node *node, seq_pass *pass, size_t first, size_t rows, float *scores);
    // Without a search that runs the model. NULL: infer searches with `scores`.
    void (*predict)(const seq_node *node, seq_pass *pass, seq_prediction *out);
    double (*chance)(
        const seq_node *node); // loss of a guess, a target; with weights, of the heaviest
};

// NULL-terminated; a line in src/nn/layer.c registers a kind.
const seq_layer_kind *const *seq_layers(void);

static inline seq_node_run *seq_run(const seq_node *node, seq_pass *pass) {
    return &pass->runs[node->index];
}
static inline seq_node_run *seq_input(const seq_node *node, seq_pass *pass, int input) {
    assert(input < node->input_count);
    return &pass->runs[node->inputs[input]];
}
static inline const seq_axis *seq_node_axis(const seq_node *node, const seq_pass *pass) {
    return &pass->batch->axes[node->shape.axis];
}
static inline const seq_axis *seq_input_axis(const seq_node *node, const seq_pass *pass,
                                             int input) {
    return &pass->batch->axes[node->input_shapes[input].axis];
}
static inline const float *seq_parameter_values(const seq_node *node, const seq_pass *pass,
                                                int parameter) {
    return pass->parameters + node->offsets[parameter];
}
// NULL: frozen.
static inline float *seq_parameter_gradient(const seq_node *node, const seq_pass *pass,
                                            int parameter) {
    return node->frozen >> parameter & 1 ? NULL : pass->gradient + node->offsets[parameter];
}
// Need `item` of the node; NULL where the pass's use does not pack it.
static inline const void *seq_packed(const seq_node *node, const seq_pass *pass, int item) {
    bool there = pass->packed_for_training ? node->packed[item].in_training
                                           : node->packed[item].in_evaluation;
    return there ? (const char *)pass->packed + node->packed[item].offset : NULL;
}
static inline bool seq_adds_input(const seq_node *node, int input) {
    return node->adds_input >> input & 1;
}
static inline bool seq_adds_parameter(const seq_node *node, int parameter) {
    return node->adds_parameter >> parameter & 1;
}

#endif
