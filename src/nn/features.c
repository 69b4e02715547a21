// The input of numbers: y = (x - mean) * scale, unit by unit, or the column as
// it is. Mean and scale are those of the training items, which the data set
// keeps. Test: tests/unit/nn/test_rows.c.
#include <seqtrain/nn/rows.h>

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_features_options *options = node->options;
    (void)out;
    if (node->input_count != 1 || node->input_shapes[0].width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "features are one input of numbers");
    if (!options->mean != !options->scale)
        return seq_error_set(error, SEQ_BAD_USAGE, "features have both a mean and a scale");
    return SEQ_OK;
}

static void forward(const seq_node *node, seq_pass *pass) {
    const seq_features_options *options = node->options;
    size_t rows = seq_node_axis(node, pass)->rows, width = (size_t)node->shape.width;
    const float *x = seq_input(node, pass, 0)->values;
    float *y = seq_run(node, pass)->buffer;
    for (size_t row = 0; row < rows; row++, x += width, y += width)
        for (size_t j = 0; j < width; j++)
            y[j] = options->mean ? (x[j] - options->mean[j]) * options->scale[j] : x[j];
}

static void backward(const seq_node *node, seq_pass *pass) {
    const seq_features_options *options = node->options;
    size_t rows = seq_node_axis(node, pass)->rows, width = (size_t)node->shape.width;
    const float *dy = seq_run(node, pass)->gradient;
    float *dx = seq_input(node, pass, 0)->gradient;
    for (size_t row = 0; dx && row < rows; row++, dx += width, dy += width)
        for (size_t j = 0; j < width; j++) {
            float d = options->scale ? dy[j] * options->scale[j] : dy[j];
            dx[j] = seq_adds_input(node, 0) ? dx[j] + d : d;
        }
}

const seq_layer_kind seq_layer_features = {
    .node = {.name = "features", .options = sizeof(seq_features_options), .shape = shape},
    .forward = forward,
    .backward = backward,
};
