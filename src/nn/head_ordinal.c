// ordinal: a score a row, a product of it, and rising thresholds between ordered classes
// (losses.c). Predicts the mean of the classes' values, not rounded. Invariant: parameters of 0
// make all classes equally likely. Test: tests/unit/nn/test_heads.c; the loss:
// tests/unit/nn/test_losses.c.
#include <seqtrain/nn/losses.h>
#include "projection.h"
#include <math.h>

typedef struct memory {
    float *scores, *d_scores; // (N)
    float *expected;          // (N)
    float *probabilities;     // (N, C)
    double *losses;           // (N)
    int32_t *targets;         // (N), of a column of numbers
    void *packed_rows;        // of input 0
} memory;

static const seq_head_ordinal_options *options_of(const seq_node *node) {
    return node->options;
}

static size_t classes_of(const seq_node *node) {
    int ids = node->input_shapes[1].ids;
    return (size_t)(ids ? ids : options_of(node)->classes);
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    bool fits = node->input_count == 2 && inputs[0].width > 0 &&
                (inputs[1].ids > 0 || inputs[1].width == 1);
    int classes = fits ? (int)classes_of(node) : 0;
    if (!fits || inputs[0].axis != inputs[1].axis)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a head ordinal reads rows, and a column of classes or of one number "
                             "on the same axis");
    if (classes < 2 || classes > SEQ_ORDINAL_CLASSES)
        return seq_error_set(error, SEQ_BAD_USAGE, "%d ordered classes: expected 2 to %d", classes,
                             SEQ_ORDINAL_CLASSES);
    out->width = 1;
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    seq_projection_list(list, 1, node->input_shapes[0].width, false);
    seq_list_parameter(list, "cuts", (int)classes_of(node) - 1, 0, 0);
}

static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    size_t rows = limits->axes[node->shape.axis].rows;
    (void)kept;
    memory->scores = SEQ_ARENA_FLOATS(scratch, rows);
    memory->expected = SEQ_ARENA_FLOATS(scratch, rows);
    memory->probabilities = SEQ_ARENA_FLOATS(scratch, rows * classes_of(node));
    memory->losses = seq_arena_take(scratch, rows, sizeof(double));
    memory->targets = seq_arena_take(scratch, rows, sizeof(int32_t));
    if (!training) return;
    memory->d_scores = SEQ_ARENA_FLOATS(scratch, rows);
    memory->packed_rows = seq_projection_take(node, limits, scratch);
}

static seq_ordinal ordinal_of(const seq_node *node, const seq_pass *pass) {
    return (seq_ordinal){node->compute->kernels, (int)classes_of(node), options_of(node)->values,
                         seq_parameter_values(node, pass, 1)};
}

// The class of a number is that of the nearest value, of two equally near ones the smaller.
static int32_t nearest(const float *values, size_t count, float number) {
    size_t best = 0;
    if (isnan(number)) return SEQ_NO_ID;
    for (size_t k = 1; k < count; k++)
        if (fabsf(values[k] - number) < fabsf(values[best] - number)) best = k;
    return (int32_t)best;
}

static const int32_t *targets_of(const seq_node *node, seq_pass *pass) {
    const seq_head_ordinal_options *options = options_of(node);
    const memory *memory = seq_run(node, pass)->memory;
    const seq_node_run *column = seq_input(node, pass, 1);
    size_t rows = seq_node_axis(node, pass)->rows;
    if (node->input_shapes[1].ids) return column->ids;
    for (size_t row = 0; row < rows; row++)
        memory->targets[row] = nearest(options->values, classes_of(node), column->values[row]);
    return memory->targets;
}

static seq_loss run(const seq_node *node, seq_pass *pass, double scale, float *d_scores,
                    float *d_cuts) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_ordinal ordinal = ordinal_of(node, pass);
    seq_projection_forward(node, pass, false, memory->scores);
    return seq_ordinal_rows(&ordinal, seq_node_axis(node, pass)->rows, memory->scores,
                            targets_of(node, pass), (float)scale, memory->losses, d_scores, d_cuts);
}

static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_loss loss = run(node, pass, scale, memory->d_scores, seq_parameter_gradient(node, pass, 1));
    seq_projection_backward(node, pass, false, memory->d_scores, memory->packed_rows);
    return loss;
}

// The likeliest class of a row, of equal ones the first.
static int32_t likeliest(const seq_node *node, const float *probabilities, size_t row) {
    const float *own = probabilities + row * classes_of(node);
    int32_t best = 0;
    for (size_t k = 1; k < classes_of(node); k++)
        if (own[k] > own[best]) best = (int32_t)k;
    return best;
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    const memory *memory = seq_run(node, pass)->memory;
    const int32_t *targets = targets_of(node, pass);
    size_t rows = seq_node_axis(node, pass)->rows;
    seq_ordinal ordinal = ordinal_of(node, pass);
    seq_loss loss = run(node, pass, 1, NULL, NULL);
    seq_ordinal_predict(&ordinal, rows, memory->scores, memory->expected, memory->probabilities);
    for (size_t row = 0; row < rows; row++)
        loss.correct += targets[row] == likeliest(node, memory->probabilities, row);
    seq_projection_losses(node, pass, memory->losses, losses);
    return loss;
}

static void predict(const seq_node *node, seq_pass *pass, seq_prediction *out) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_ordinal ordinal = ordinal_of(node, pass);
    seq_projection_forward(node, pass, false, memory->scores);
    seq_projection_begin_values(node, pass, out);
    seq_ordinal_predict(&ordinal, seq_node_axis(node, pass)->rows, memory->scores, out->values,
                        out->marginals);
}

static double chance(const seq_node *node) {
    return log((double)classes_of(node));
}

const seq_head_kind seq_head_ordinal = {
    .node = {.name = "ordinal",
             .options = sizeof(seq_head_ordinal_options),
             .memory = sizeof(memory),
             .shape = shape,
             .parameters = parameters,
             .plan = plan},
    .unit = "nats",
    .train = train,
    .evaluate = evaluate,
    .predict = predict,
    .chance = chance,
};
