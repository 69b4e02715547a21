// Gives each sequence the row of its parent at every step, or at its first one, and
// zeros elsewhere. Backward adds the steps of a sequence to that row, in their order. Invariant:
// sequences of one row are added one after the other, so no result depends on other rows. Test:
// tests/unit/nn/test_rows.c.
#include <seqtrain/nn/rows.h>
#include <string.h>

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_spread_options *options = node->options;
    if (node->input_count != 1 || node->input_shapes[0].width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "a row for all steps needs an input of numbers");
    out->axis = options->axis;
    return SEQ_OK;
}

// Steps that have the row: those of a sequence that goes on have no first one.
static int steps_of(const seq_node *node, const seq_axis *axis) {
    const seq_spread_options *options = node->options;
    if (!options->first) return axis->steps;
    return axis->continues || !axis->steps ? 0 : 1;
}

static void forward(const seq_node *node, seq_pass *pass) {
    const seq_axis *axis = seq_node_axis(node, pass);
    const float *x = seq_input(node, pass, 0)->values;
    float *y = seq_run(node, pass)->buffer;
    size_t width = (size_t)node->shape.width;
    assert(axis->parent == node->input_shapes[0].axis);
    int steps = steps_of(node, axis);
    for (int t = 0; t < steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++, y += width)
            memcpy(y, x + (size_t)axis->of[b] * width, width * sizeof *y);
    memset(y, 0, (axis->rows - axis->first_row[steps]) * width * sizeof *y);
}

static void backward(const seq_node *node, seq_pass *pass) {
    const seq_axis *axis = seq_node_axis(node, pass);
    const float *dy = seq_run(node, pass)->gradient;
    float *dx = seq_input(node, pass, 0)->gradient;
    size_t width = (size_t)node->shape.width;
    if (!dx) return;
    if (!seq_adds_input(node, 0))
        memset(dx, 0, seq_input_axis(node, pass, 0)->rows * width * sizeof *dx);
    int steps = steps_of(node, axis);
    for (int t = 0; t < steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++, dy += width)
            node->compute->kernels->add(dx + (size_t)axis->of[b] * width, dy, width);
}

const seq_layer_kind seq_layer_spread = {
    .node = {.name = "spread", .options = sizeof(seq_spread_options), .shape = shape},
    .forward = forward,
    .backward = backward,
};
