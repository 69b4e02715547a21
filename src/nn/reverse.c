// Takes the rows of each sequence from its end to its start. Invariant: the
// order of rows is its own inverse (axis->reversed), so backward moves gradients
// as forward moves values, and each row is written once. Test:
// tests/unit/nn/test_rows.c, tests/golden/test_packed.c.
#include <seqtrain/nn/rows.h>
#include <string.h>

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    if (node->input_count != 1 || node->input_shapes[0].width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "a reversed order needs one input of numbers");
    out->looks_ahead |= 1U << out->axis;
    return SEQ_OK;
}

static void forward(const seq_node *node, seq_pass *pass) {
    const seq_axis *axis = seq_node_axis(node, pass);
    const float *x = seq_input(node, pass, 0)->values;
    float *y = seq_run(node, pass)->buffer;
    size_t width = (size_t)node->shape.width;
    for (size_t row = 0; row < axis->rows; row++)
        memcpy(y + row * width, x + (size_t)axis->reversed[row] * width, width * sizeof *y);
}

static void backward(const seq_node *node, seq_pass *pass) {
    const seq_axis *axis = seq_node_axis(node, pass);
    const float *dy = seq_run(node, pass)->gradient;
    float *dx = seq_input(node, pass, 0)->gradient;
    size_t width = (size_t)node->shape.width;
    if (!dx) return;
    for (size_t row = 0; row < axis->rows; row++) {
        const float *from = dy + (size_t)axis->reversed[row] * width;
        if (seq_adds_input(node, 0))
            node->compute->kernels->add(dx + row * width, from, width);
        else
            memcpy(dx + row * width, from, width * sizeof *dx);
    }
}

const seq_layer_kind seq_layer_reverse = {
    .node = {.name = "reverse", .shape = shape},
    .forward = forward,
    .backward = backward,
};
