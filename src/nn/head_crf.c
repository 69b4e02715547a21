// crf: emissions are a product of the rows; a conditional random field (crf.c) gives the loss of a
// sequence, Viterbi (crf_decode.c) its best label sequences. Invariant: training may leave out
// `allowed`, prediction never does. Test: tests/unit/nn/test_heads.c; the field's arithmetic:
// tests/unit/nn/test_crf.c.
#include <seqtrain/nn/crf.h>
#include "projection.h"
#include <math.h>

typedef struct memory {
    seq_crf crf;
    float *emissions;  // (N, K); in training, their gradient
    double *losses;    // (B)
    int32_t *labels;   // (N): best sequences, evaluation
    void *packed_rows; // of input 0
} memory;

static const seq_head_crf_options *options_of(const seq_node *node) {
    return node->options;
}

static seq_status shape(const seq_node *node, seq_shape *out, seq_error *error) {
    const seq_shape *inputs = node->input_shapes;
    int best = options_of(node)->best;
    if (node->input_count != 2 || inputs[0].width < 1 || inputs[1].ids < 1 ||
        inputs[0].axis != inputs[1].axis)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "a head crf reads rows, and a column of labels on the same axis");
    if (best < 1 || best > SEQ_CRF_BEST)
        return seq_error_set(error, SEQ_BAD_USAGE, "%d best label sequences: expected 1 to %d",
                             best, SEQ_CRF_BEST);
    out->width = inputs[1].ids;
    out->looks_ahead |= 1U << out->axis;
    return SEQ_OK;
}

static void parameters(const seq_node *node, seq_parameter_list *list) {
    int labels = node->input_shapes[1].ids;
    seq_projection_list(list, labels, node->input_shapes[0].width, true);
    seq_list_parameter(list, "transitions", labels, labels, 0.1)->share = 0;
    seq_list_parameter(list, "start_transitions", labels, 0, 0.1);
    seq_list_parameter(list, "end_transitions", labels, 0, 0.1);
}

// The crf's memory begins with pointers, so other nodes may not write to it between passes. Spans
// are asked for after `predict`, so evaluation keeps all.
static void plan(const seq_node *node, const seq_limits *limits, bool training, void *out,
                 seq_arena *kept, seq_arena *scratch) {
    memory *memory = out;
    const seq_axis_limit *limit = &limits->axes[node->shape.axis];
    seq_arena *arena = training ? scratch : kept;
    memory->crf = (seq_crf){.compute = node->compute,
                            .labels = node->shape.width,
                            .best = options_of(node)->best,
                            .training = training};
    seq_crf_take(&memory->crf, limit, kept);
    memory->emissions = SEQ_ARENA_FLOATS(arena, limit->rows * (size_t)node->shape.width);
    memory->losses = seq_arena_take(arena, (size_t)limit->sequences, sizeof(double));
    memory->labels = seq_arena_take(arena, limit->rows, sizeof(int32_t));
    if (training) memory->packed_rows = seq_projection_take(node, limits, arena);
}

// Fills the emissions, too.
static seq_crf_batch batch_of(const seq_node *node, seq_pass *pass, bool masked) {
    const memory *memory = seq_run(node, pass)->memory;
    seq_projection_forward(node, pass, true, memory->emissions);
    return (seq_crf_batch){
        .values = {seq_parameter_values(node, pass, 2), seq_parameter_values(node, pass, 3),
                   seq_parameter_values(node, pass, 4)},
        .allowed = masked ? options_of(node)->allowed : NULL,
        .axis = seq_node_axis(node, pass),
        .emissions = memory->emissions,
        .targets = seq_input(node, pass, 1)->ids,
    };
}

static seq_loss train(const seq_node *node, seq_pass *pass, double scale) {
    memory *memory = seq_run(node, pass)->memory;
    seq_crf_batch batch = batch_of(node, pass, options_of(node)->masked_training);
    seq_crf_gradients gradients = {seq_parameter_gradient(node, pass, 2),
                                   seq_parameter_gradient(node, pass, 3),
                                   seq_parameter_gradient(node, pass, 4)};
    seq_loss loss =
        seq_crf_train(&memory->crf, &batch, (float)scale, NULL, memory->emissions, &gradients);
    seq_projection_backward(node, pass, true, memory->emissions, memory->packed_rows);
    return loss;
}

// Labels of the best sequences, where targets count.
static int64_t count_correct(memory *memory, const seq_crf_batch *batch) {
    seq_prediction best = {.best = 1, .rows = batch->axis->rows, .ids = memory->labels};
    int64_t correct = 0;
    seq_crf_predict(&memory->crf, batch, &best);
    for (int b = 0; b < batch->axis->sequences; b++)
        for (int t = 0; !(memory->crf.loss[b] < 0) && t < memory->crf.length[b]; t++) {
            size_t row = batch->axis->first_row[t] + (size_t)b;
            correct += memory->labels[row] == batch->targets[row];
        }
    return correct;
}

static void write_losses(const memory *memory, const seq_axis *axis, const seq_losses *losses) {
    for (size_t row = 0; losses->of_row && row < axis->rows; row++)
        losses->of_row[row] = 0;
    for (int b = 0; b < axis->sequences; b++) {
        if (losses->of_sequence) losses->of_sequence[b] = memory->losses[b];
        if (losses->of_row && axis->last_row[b] >= 0)
            losses->of_row[axis->last_row[b]] = -(float)memory->losses[b];
    }
}

static seq_loss evaluate(const seq_node *node, seq_pass *pass, const seq_losses *losses) {
    memory *memory = seq_run(node, pass)->memory;
    seq_crf_batch batch = batch_of(node, pass, options_of(node)->masked_training);
    seq_loss loss = seq_crf_evaluate(&memory->crf, &batch, memory->losses);
    batch.allowed = options_of(node)->allowed;
    loss.correct = count_correct(memory, &batch);
    if (losses) write_losses(memory, batch.axis, losses);
    return loss;
}

static void predict(const seq_node *node, seq_pass *pass, seq_prediction *out) {
    memory *memory = seq_run(node, pass)->memory;
    seq_crf_batch batch = batch_of(node, pass, true);
    seq_crf_predict(&memory->crf, &batch, out);
}

double seq_head_crf_span(const seq_node *node, seq_pass *pass, int sequence, int first, int count,
                         const int32_t *labels, int32_t stop) {
    const memory *memory = seq_run(node, pass)->memory;
    return seq_crf_span(&memory->crf, sequence, first, count, labels, stop);
}

static double chance(const seq_node *node) {
    return log(node->shape.width);
}

const seq_head_kind seq_head_crf = {
    .node = {.name = "crf",
             .options = sizeof(seq_head_crf_options),
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
