// Dropout as a layer, in training alone: it writes a copy, or over its input
// where nobody else needs that. The mask is drawn again in backward. Invariant:
// without dropout it hands on its input's values and gradient. Tests:
// tests/unit/model/test_passes.c, tests/mpi/train_bytes.sh.
#include <seqtrain/nn/dropout.h>
#include <seqtrain/nn/layers.h>

static seq_dropout dropout_of(const seq_node *node, const seq_pass *pass) {
    const seq_dropout_options *options = node->options;
    return (seq_dropout){.probability = options->probability,
                         .seed = pass->seed,
                         .step = pass->step,
                         .place = node->random_place,
                         .locked = options->locked};
}

static void apply(const seq_node *node, const seq_pass *pass, const float *in, float *out) {
    seq_dropout dropout = dropout_of(node, pass);
    seq_dropout_apply(&dropout, seq_node_axis(node, pass), node->shape.width, in, out);
}

static void forward(const seq_node *node, seq_pass *pass) {
    seq_node_run *run = seq_run(node, pass);
    const float *in = seq_input(node, pass, 0)->values;
    if (pass->dropping)
        apply(node, pass, in, run->buffer);
    else
        run->values = in;
}

static void backward(const seq_node *node, seq_pass *pass) {
    float *dy = seq_run(node, pass)->gradient, *dx = seq_input(node, pass, 0)->gradient;
    size_t count = seq_node_axis(node, pass)->rows * (size_t)node->shape.width;
    if (pass->dropping) apply(node, pass, dy, dy);
    if (dx == dy || !dx) return;
    for (size_t i = 0; i < count; i++)
        dx[i] = seq_adds_input(node, 0) ? dx[i] + dy[i] : dy[i];
}

const seq_layer_kind seq_layer_dropout = {
    .node = {.name = "dropout", .options = sizeof(seq_dropout_options)},
    .in_place = true,
    .only_training = true,
    .forward = forward,
    .backward = backward,
};
