// Looks up rows of a table, and adds gradients to them. A token that occurs
// again adds to the same row, one after the other in the order of the rows.
// Invariant: rows of words that do not occur are neither read nor written; so a
// large vocabulary costs what a batch uses. Tests:
// tests/unit/model/test_gradient.c, tests/golden/test_models.c.
//
// To add a layer, copy this file:
// 1. Its options, a struct, and `extern const seq_layer_kind seq_layer_NAME` go
//    to a header include/seqtrain/nn/NAME.h.
// 2. Write the functions that it needs; nn/layer.h says what each does. Numbers
//    come from node->options, node->input_shapes and node->shape; rows from the
//    pass's axes; memory from run->buffer or what `plan` took.
// 3. Do each row by itself, or add rows in their order: a row's result must not
//    depend on other sequences or on threads.
// 4. Fill the row at the end of the file and register it in layer.c.
#include <seqtrain/nn/embedding.h>
#include <seqtrain/base/random.h>
#include <math.h>
#include <string.h>

void seq_embedding_forward(const float *table, size_t units, const int32_t *tokens, size_t count,
                           float *out) {
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0)
            memset(out + i * units, 0, units * sizeof(float));
        else
            memcpy(out + i * units, table + (size_t)tokens[i] * units, units * sizeof(float));
    }
}

void seq_embedding_clear(size_t units, const int32_t *tokens, size_t count, float *d_table) {
    for (size_t i = 0; i < count; i++)
        if (tokens[i] >= 0) memset(d_table + (size_t)tokens[i] * units, 0, units * sizeof(float));
}

static void add(size_t units, const float *restrict from, float *restrict to) {
    for (size_t j = 0; j < units; j++)
        to[j] += from[j];
}

void seq_embedding_backward(const float *d_out, size_t units, const int32_t *tokens, size_t count,
                            float *d_table) {
    for (size_t i = 0; i < count; i++)
        if (tokens[i] >= 0) add(units, d_out + i * units, d_table + (size_t)tokens[i] * units);
}

static const seq_embedding_options *options_of(const seq_node *node) {
    return node->options;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    if (node->input_count != 1 || node->input_shapes[0].ids < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "an embedding reads one column of ids");
    if (!(options_of(node)->dropout >= 0 && options_of(node)->dropout < 1))
        return seq_error_set(error, SEQ_BAD_USAGE, "dropout of words: %g: not from 0 to below 1",
                             options_of(node)->dropout);
    *out = (seq_shape){
        .axis = node->input_shapes[0].axis, .width = options_of(node)->units, .vocabulary = -1};
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    const seq_embedding_options *options = options_of(node);
    seq_parameter_need *table =
        seq_list_parameter(list, "weight", node->input_shapes[0].ids, options->units, 0.1);
    table->sparse = true;
    table->share = 0; // looked up, not multiplied
    table->vocabulary = node->input_shapes[0].vocabulary;
    if (options->initialisation == SEQ_EMBEDDING_UNIFORM) return;
    bool normal = options->initialisation == SEQ_EMBEDDING_NORMAL;
    table->initial = normal ? SEQ_INITIAL_NORMAL : SEQ_INITIAL_UNIFORM;
    table->scale = normal ? 1 : 1 / sqrt(options->units);
}

static void touched(const seq_node *node, seq_pass *pass, seq_rows_mark *mark, void *context) {
    const int32_t *ids = seq_input(node, pass, 0)->ids;
    size_t rows = seq_node_axis(node, pass)->rows;
    for (size_t i = 0; i < rows; i++)
        if (ids[i] >= 0) mark(context, node->parameters[0], ids[i]);
}

static void clear(const seq_node *node, seq_pass *pass) {
    float *d_table = seq_parameter_gradient(node, pass, 0);
    size_t units = (size_t)node->shape.width;
    if (!d_table) return;
    if (node->clears_all & 1)
        memset(d_table, 0, (size_t)node->input_shapes[0].ids * units * sizeof *d_table);
    else
        seq_embedding_clear(units, seq_input(node, pass, 0)->ids, seq_node_axis(node, pass)->rows,
                            d_table);
}

// A word is dropped in all its places of a step, or in none (Gal and Ghahramani 2016).
static bool is_dropped(const seq_node *node, const seq_pass *pass, int32_t id) {
    uint32_t words[4];
    seq_random_key key = {pass->seed, (uint32_t)SEQ_RANDOM_WORDS | (uint32_t)node->index << 8};
    seq_random_words(key, pass->step, (uint32_t)id, 0, words);
    return seq_random_unit_double(words[0], words[1]) < options_of(node)->dropout;
}

// Rows of values, or of their gradients.
static void drop_words(const seq_node *node, seq_pass *pass, float *rows) {
    double dropout = options_of(node)->dropout;
    const int32_t *ids = seq_input(node, pass, 0)->ids;
    size_t count = seq_node_axis(node, pass)->rows, units = (size_t)node->shape.width;
    if (!pass->dropping || dropout == 0) return;
    for (size_t i = 0; i < count; i++, rows += units)
        if (ids[i] >= 0 && is_dropped(node, pass, ids[i]))
            memset(rows, 0, units * sizeof *rows);
        else
            node->compute->kernels->scale(rows, (float)(1 / (1 - dropout)), units);
}

static void forward(const seq_node *node, seq_pass *pass) {
    float *out = seq_run(node, pass)->buffer;
    seq_embedding_forward(seq_parameter_values(node, pass, 0), (size_t)node->shape.width,
                          seq_input(node, pass, 0)->ids, seq_node_axis(node, pass)->rows, out);
    drop_words(node, pass, out);
}

static void backward(const seq_node *node, seq_pass *pass) {
    float *d_table = seq_parameter_gradient(node, pass, 0), *dy = seq_run(node, pass)->gradient;
    if (!d_table) return;
    drop_words(node, pass, dy);
    seq_embedding_backward(dy, (size_t)node->shape.width, seq_input(node, pass, 0)->ids,
                           seq_node_axis(node, pass)->rows, d_table);
}

const seq_layer_kind seq_layer_embedding = {
    .node = {.name = "embedding",
             .options = sizeof(seq_embedding_options),
             .shape = shape,
             .parameters = parameters,
             .clear = clear,
             .touched = touched},
    .forward = forward,
    .backward = backward,
};
