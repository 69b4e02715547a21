// y = f(x W^T + b) with f = tanh, max(0, .) or nothing, for all rows at once.
//   backward: da = dy f'(y), dW = da^T x, db = sum of da, dx = da W
// f' is taken from the output, so the argument of f is not kept. Invariant: a
// NaN passes through all activations, so it is found later. Tests:
// tests/unit/model/test_passes.c, tests/unit/model/test_gradient.c.
#include <seqtrain/nn/dense.h>
#include <math.h>
#include <string.h>

typedef struct memory {
    void *packed_rows; // (N, I)
} memory;

static const seq_dense_options *options_of(const seq_node *node) {
    return node->options;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    if (node->input_count != 1 || node->input_shapes[0].width < 1)
        return seq_error_set(error, SEQ_BAD_USAGE, "a dense layer reads rows of one input");
    out->width = options_of(node)->units;
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    int inputs = node->input_shapes[0].width, units = options_of(node)->units;
    seq_list_parameter(list, "weight", units, inputs, 1 / sqrt(inputs));
    if (!options_of(node)->unbiased) seq_list_parameter(list, "bias", units, 0, 0);
    seq_list_packed(list, seq_whole_matrix(list, 0, false));
    seq_list_packed(list, seq_whole_matrix(list, 0, true));
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    size_t inputs = (size_t)node->input_shapes[0].width;
    (void)kept;
    if (training)
        memory->packed_rows = seq_arena_take(
            scratch, 1,
            seq_compute_packed_bytes(node->compute, inputs, limits->axes[node->shape.axis].rows));
}

static void activate(const seq_node *node, size_t count, float *y) {
    seq_activation activation = options_of(node)->activation;
    if (activation == SEQ_ACTIVATION_TANH) node->compute->kernels->tanh(y, count);
    for (size_t i = 0; activation == SEQ_ACTIVATION_RELU && i < count; i++)
        y[i] = y[i] < 0 ? 0 : y[i]; // a NaN stays
}

static void forward(const seq_node *node, seq_pass *pass) {
    size_t in = (size_t)node->input_shapes[0].width, out = (size_t)node->shape.width,
           rows = seq_node_axis(node, pass)->rows;
    float *y = seq_run(node, pass)->buffer;
    const float *bias = options_of(node)->unbiased ? NULL : seq_parameter_values(node, pass, 1);
    seq_compute_rows(node->compute, rows, in, out, seq_input(node, pass, 0)->values,
                     seq_packed(node, pass, 0), bias, y);
    activate(node, rows * out, y);
}

static void differentiate(const seq_node *node, size_t count, const float *restrict y,
                          float *restrict dy) {
    seq_activation activation = options_of(node)->activation;
    if (activation == SEQ_ACTIVATION_TANH)
        for (size_t i = 0; i < count; i++)
            dy[i] *= 1 - y[i] * y[i];
    if (activation == SEQ_ACTIVATION_RELU)
        for (size_t i = 0; i < count; i++)
            dy[i] = y[i] > 0 ? dy[i] : 0;
}

static void bias_gradient(const seq_node *node, const seq_pass *pass, size_t rows,
                          const float *dy) {
    size_t out = (size_t)node->shape.width;
    float *d_bias = options_of(node)->unbiased ? NULL : seq_parameter_gradient(node, pass, 1);
    if (d_bias && seq_adds_parameter(node, 1))
        node->compute->kernels->sum_rows(dy, rows, out, out, d_bias);
    else if (d_bias)
        seq_compute_sum_rows(node->compute, dy, rows, out, out, d_bias);
}

static void weight_gradient(const seq_node *node, seq_pass *pass, size_t rows, const float *dy) {
    size_t in = (size_t)node->input_shapes[0].width, out = (size_t)node->shape.width;
    const memory *memory = seq_run(node, pass)->memory;
    float *d_weight = seq_parameter_gradient(node, pass, 0);
    bool adds = seq_adds_parameter(node, 0);
    if (d_weight && rows) {
        seq_compute_pack(node->compute, SEQ_PLAIN, in, rows, seq_input(node, pass, 0)->values, in,
                         memory->packed_rows);
        seq_compute_outer(node->compute, rows, out, in, dy, out, memory->packed_rows, adds,
                          d_weight, in);
    } else if (d_weight && !adds)
        memset(d_weight, 0, in * out * sizeof *d_weight);
}

static void backward(const seq_node *node, seq_pass *pass) {
    size_t in = (size_t)node->input_shapes[0].width, out = (size_t)node->shape.width,
           rows = seq_node_axis(node, pass)->rows;
    const seq_node_run *run = seq_run(node, pass);
    float *dy = run->gradient, *dx = seq_input(node, pass, 0)->gradient;
    differentiate(node, rows * out, run->values, dy);
    bias_gradient(node, pass, rows, dy);
    weight_gradient(node, pass, rows, dy);
    if (dx)
        seq_compute_multiply(node->compute, (seq_product){.m = rows,
                                                          .n = in,
                                                          .k = out,
                                                          .a = dy,
                                                          .lda = out,
                                                          .b = seq_packed(node, pass, 1),
                                                          .accumulate = seq_adds_input(node, 0),
                                                          .c = dx,
                                                          .ldc = in});
}

const seq_layer_kind seq_layer_dense = {
    .node = {.name = "dense",
             .options = sizeof(seq_dense_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .needs_values = true,
    .forward = forward,
    .backward = backward,
};
