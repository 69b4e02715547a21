// full: logits of all words, W (V, H) x + b. To add an output layer, write
// these functions and add a line in output.c. The parts that `list` names
// become parameters of the model, packed for products, initialised and saved
// without further ado. Tests: tests/golden/test_models.c,
// tests/unit/model/test_gradient.c, tests/unit/model/test_output.c.
#include "outputs.h"

static seq_status check(const seq_output_shape *shape, seq_error *error) {
    (void)shape;
    (void)error;
    return SEQ_OK;
}

static int list(const seq_output_shape *shape, seq_output_part *parts) {
    return seq_output_list_words(shape, 1, parts);
}

static void take(seq_output *output, bool training, seq_arena *arena) {
    output->softmax = (seq_softmax){.compute = output->compute,
                                    .columns = (size_t)output->shape.vocabulary,
                                    .units = (size_t)output->shape.units};
    seq_softmax_take(&output->softmax, output->rows, training, arena);
    output->found = seq_arena_take(arena, output->rows, sizeof *output->found);
}

static seq_softmax_weights weights_of(const seq_output_rows *rows) {
    return (seq_softmax_weights){rows->weights[0].forward, rows->weights[0].backward,
                                 rows->weights[1].values};
}

static seq_loss train(seq_output *output, const seq_output_rows *rows) {
    seq_softmax_weights weights = weights_of(rows);
    return seq_softmax_train(&output->softmax, &weights, rows->count, rows->x, rows->targets,
                             rows->scale, rows->dx, rows->gradients[0], rows->gradients[1]);
}

static seq_loss evaluate(const seq_output *output, const seq_output_rows *rows) {
    seq_softmax_weights weights = weights_of(rows);
    seq_softmax_survey(&output->softmax, &weights, rows->count, rows->x, rows->targets,
                       output->softmax.columns, NULL, output->found);
    return seq_output_sum(rows, output->found);
}

static void logits(const seq_output *output, const seq_output_rows *rows, float *logits) {
    seq_softmax_weights weights = weights_of(rows);
    seq_softmax_logits(&output->softmax, &weights, rows->count, rows->x, logits,
                       output->softmax.columns);
}

const seq_output_kind seq_output_full = {.name = "full",
                                         .ties = true,
                                         .packs_to_train = true,
                                         .check = check,
                                         .list = list,
                                         .take = take,
                                         .train = train,
                                         .evaluate = evaluate,
                                         .logits = logits};
