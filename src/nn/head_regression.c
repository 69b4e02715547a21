// regression: outputs are a product of the rows, against normalised real targets (losses.c). A
// target of NaN is not counted. Invariant: predictions are in the targets' units. Test:
// tests/unit/nn/test_heads.c; the losses: tests/unit/nn/test_losses.c.
#include <seqtrain/nn/losses.h>
#include "projection.h"
#include <math.h>

typedef struct memory {
    float *outputs, *d_outputs; // (N, W)
    double *losses;             // (N)
    void *packed_rows;          // of input 0
} memory;

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    const seq_head_regression_options *options = node->options;
    if (node->input_count != 2 || inputs[0].width < 1 || inputs[1].width < 1 ||
        inputs[0].axis != inputs[1].axis)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a head regression reads rows, and a column of values on the same "
                             "axis");
    if (options->loss == SEQ_HUBER_LOSS && !(options->delta > 0))
        return seq_error_set(error, SEQ_BAD_USAGE, "delta of the Huber loss, %g: expected above 0",
                             (double)options->delta);
    out->width = inputs[1].width;
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    seq_projection_list(list, node->input_shapes[1].width, node->input_shapes[0].width, true);
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    size_t rows = limits->axes[node->shape.axis].rows, values = rows * (size_t)node->shape.width;
    (void)kept;
    memory->outputs = SEQ_ARENA_FLOATS(scratch, values);
    memory->losses = seq_arena_take(scratch, rows, sizeof(double));
    if (!training) return;
    memory->d_outputs = SEQ_ARENA_FLOATS(scratch, values);
    memory->packed_rows = seq_projection_take(node, limits, scratch);
}

static seq_regression regression_of(const seq_node *node) {
    const seq_head_regression_options *options = node->options;
    return (seq_regression){options->loss, options->delta, node->shape.width, options->mean,
                            options->deviation};
}

static seq_loss run(const seq_node *node, seq_pass *pass, double scale, float *d_outputs) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_regression regression = regression_of(node);
    seq_projection_forward(node, pass, true, memory->outputs);
    return seq_regression_rows(&regression, seq_node_axis(node, pass)->rows, memory->outputs,
                               seq_input(node, pass, 1)->values, (float)scale, memory->losses,
                               d_outputs);
}

static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_loss loss = run(node, pass, scale, memory->d_outputs);
    seq_projection_backward(node, pass, true, memory->d_outputs, memory->packed_rows);
    return loss;
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_loss loss = run(node, pass, 1, NULL);
    seq_projection_losses(node, pass, memory->losses, losses);
    return loss;
}

static void predict(const seq_node *node, seq_pass *pass, seq_prediction *out) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_regression regression = regression_of(node);
    seq_projection_forward(node, pass, true, memory->outputs);
    seq_projection_begin_values(node, pass, out);
    seq_regression_predict(&regression, seq_node_axis(node, pass)->rows, memory->outputs,
                           out->values);
}

// Of always answering the mean, where targets have a normal distribution: the
// mean of z^2, of |z|, of the Huber loss.
static double chance(const seq_node *node) {
    const seq_head_regression_options *options = node->options;
    const double root = 0.70710678118654752, peak = 0.39894228040143268; // sqrt(1/2), density at 0
    double delta = (double)options->delta;
    switch (options->loss) {
    case SEQ_SQUARED_LOSS:
        return 1;
    case SEQ_ABSOLUTE_LOSS:
        return 2 * peak;
    default:
        return erf(delta * root) / 2 + delta * peak * exp(-delta * delta / 2) -
               delta * delta * erfc(delta * root) / 2;
    }
}

const seq_head_kind seq_head_regression = {
    .node = {.name = "regression",
             .options = sizeof(seq_head_regression_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .unit = "normalised error",
    .train = train,
    .evaluate = evaluate,
    .predict = predict,
    .chance = chance,
};
