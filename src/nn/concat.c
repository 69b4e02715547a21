// Puts the rows of several inputs side by side. Invariant: inputs are written in
// ascending order, so a node that is an input twice is written, then added to.
// Test: tests/unit/nn/test_rows.c, tests/golden/test_packed.c.
#include <seqtrain/nn/rows.h>
#include <string.h>

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    int64_t width = 0;
    for (int i = 0; i < node->input_count; i++) {
        const seq_shape *input = &node->input_shapes[i];
        if (input->axis != out->axis || input->width < 1)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "inputs side by side are numbers on one axis");
        width += input->width;
    }
    if (width > INT32_MAX)
        return seq_error_set(error, SEQ_BAD_USAGE, "%lld units side by side: too many",
                             (long long)width);
    out->width = (int)width;
    return SEQ_OK;
}

static void forward(const seq_node *node, seq_pass *pass) {
    size_t rows = seq_node_axis(node, pass)->rows, width = (size_t)node->shape.width;
    float *y = seq_run(node, pass)->buffer;
    for (int i = 0; i < node->input_count; i++) {
        const float *x = seq_input(node, pass, i)->values;
        size_t own = (size_t)node->input_shapes[i].width;
        for (size_t row = 0; row < rows; row++)
            memcpy(y + row * width, x + row * own, own * sizeof *y);
        y += own;
    }
}

static void backward(const seq_node *node, seq_pass *pass) {
    size_t rows = seq_node_axis(node, pass)->rows, width = (size_t)node->shape.width;
    const float *dy = seq_run(node, pass)->gradient;
    for (int i = 0; i < node->input_count; i++) {
        float *dx = seq_input(node, pass, i)->gradient;
        size_t own = (size_t)node->input_shapes[i].width;
        for (size_t row = 0; dx && row < rows; row++)
            if (seq_adds_input(node, i))
                node->compute->kernels->add(dx + row * own, dy + row * width, own);
            else
                memcpy(dx + row * own, dy + row * width, own * sizeof *dx);
        dy += own;
    }
}

const seq_layer_kind seq_layer_concat = {
    .node = {.name = "concat", .shape = shape},
    .forward = forward,
    .backward = backward,
};
