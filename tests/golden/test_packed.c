// Two bidirectional layers over sequences of 5, 3, 3 and 1 steps, made of
// recurrent, reverse and concat, and one layer that begins with states from a
// node, against torch.nn.LSTM, GRU and RNN on packed sequences
// (tests/golden/generate.py): outputs, states, gradients of parameters, inputs
// and start. Values may be off by 3e-6 of the largest one. Checks
// src/nn/recurrent.c, layer_recurrent.c, reverse.c and concat.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/rows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 4, T = 5, N = 12, I = 4, H = 6, NODES = 11, PARAMETERS = 4, MOST = 8192 };
static const char *const names[PARAMETERS] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};

// Node 0 is the input. A layer is five more: forward, reverse, backward, reverse, concat. Or node 1
// is the start, node 2 the layer.
typedef struct network {
    const golden *file;
    const char *cell; // the golden values' prefix
    int first, count; // nodes that are layers: first .. count - 1
    seq_compute compute;
    seq_batch batch;
    seq_recurrent_options recurrent;
    seq_node nodes[NODES];
    seq_node_run runs[NODES];
    seq_pass pass;
    float parameters[MOST], gradient[MOST], state[4][2 * B * H]; // of each recurrent node
    size_t size;
    int recurrents;
    char suffixes[4][16]; // of each recurrent node's parameters
    seq_arena memory, axis;
} network;

static const double *get(const network *net, const char *name, const char *tail, size_t count) {
    char full[128];
    snprintf(full, sizeof full, "%s.%s%s", net->cell, name, tail);
    return golden_get(net->file, full, count);
}

static void expect_close(const network *net, const char *name, const float *found,
                         const double *expected, size_t count) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double error = fabs(found[i] - expected[i]);
        largest = fmax(largest, fabs(expected[i]));
        worst = error > worst || isnan(error) ? error : worst;
    }
    if (!(worst <= 3e-6 * largest))
        fail_msg("%s %s: off by %g of at most %g", net->cell, name, worst, largest);
}

static void take_axis(network *net) {
    static const int32_t lengths[B] = {5, 3, 3, 1};
    const seq_axis_limit limit = {B, T, N};
    seq_axis_room room;
    seq_error error = {0};
    seq_axis_take(&room, &limit, B, &net->axis);
    assert_int_equal(seq_arena_commit(&net->axis, "an axis", &error), SEQ_OK);
    seq_axis_take(&room, &limit, B, &net->axis);
    seq_axis_shape(&net->batch.axes[1], &room, B, lengths);
    for (int b = 0; b < B; b++)
        room.of[b] = b;
    net->batch.axes[0].rows = B;
}

static float *floats(size_t count) {
    float *out = malloc(count * sizeof *out);
    assert_non_null(out);
    return out;
}

// The first user of a value in the graph is the last in backward: it adds to what the others wrote.
static void add(network *net, int index, const seq_layer_kind *kind, int first, int second,
                unsigned adds) {
    seq_node *node = &net->nodes[index];
    seq_error error = {0};
    *node = (seq_node){.layer = kind,
                       .options = &net->recurrent,
                       .compute = &net->compute,
                       .index = index,
                       .inputs = {first, second},
                       .input_count = second < 0 ? 1 : 2,
                       .input_shapes = {net->nodes[first].shape},
                       .adds_input = adds};
    if (second >= 0) node->input_shapes[1] = net->nodes[second].shape;
    node->shape = node->input_shapes[0];
    assert_int_equal(kind->node.shape(node, &node->shape, &error), SEQ_OK);
    size_t count = (size_t)N * (size_t)node->shape.width;
    net->runs[index] = (seq_node_run){.buffer = floats(count), .gradient = floats(count)};
    net->runs[index].values = net->runs[index].buffer;
}

static void add_recurrent(network *net, int index, int input, int start, unsigned adds,
                          const char *suffix) {
    seq_node *node = &net->nodes[index];
    add(net, index, &seq_layer_recurrent, input, start, adds);
    snprintf(net->suffixes[net->recurrents], sizeof *net->suffixes, "%s", suffix);
    net->runs[index].state_after = net->state[net->recurrents];
    node->recurrent = net->recurrents++;
}

// Values of PyTorch, and the packed matrices that the node asks for.
static void *load(network *net, seq_node *node) {
    seq_parameter_list list = {0};
    node->layer->node.parameters(node, &list);
    size_t bytes = 0;
    for (int i = 0; i < list.parameter_count; i++) {
        const seq_parameter_need *need = &list.parameters[i];
        size_t count = (size_t)need->rows * (size_t)(need->columns ? need->columns : 1);
        const double *values = get(net, names[i], net->suffixes[node->recurrent], count);
        node->parameter_count = i + 1;
        node->offsets[i] = net->size;
        for (size_t j = 0; j < count; j++)
            net->parameters[net->size++] = (float)values[j];
        assert_true(net->size <= MOST);
    }
    void *packed = aligned_alloc(64, 1 << 16);
    assert_non_null(packed);
    for (int i = 0; i < list.packed_count; i++) {
        const seq_packed_need *need = &list.packed[i];
        size_t rows = (size_t)need->rows, columns = (size_t)need->columns;
        size_t n = need->plain ? columns : rows, k = need->plain ? rows : columns;
        if (!need->adjacent) bytes = (bytes + 63) / 64 * 64;
        node->packed[i].offset = bytes;
        node->packed[i].in_training = true;
        seq_compute_pack(&net->compute, need->plain ? SEQ_PLAIN : SEQ_TRANSPOSED, n, k,
                         net->parameters + node->offsets[need->parameter] +
                             (size_t)need->first * columns,
                         columns, (char *)packed + bytes);
        bytes += seq_compute_packed_bytes(&net->compute, n, k);
        assert_true(bytes <= 1 << 16);
    }
    return packed;
}

static void add_rows(network *net, int index, int axis, int width, const char *name, size_t count) {
    net->nodes[index] = (seq_node){.shape = {.axis = axis, .width = width}};
    net->runs[index] = (seq_node_run){.buffer = floats(count), .gradient = floats(count)};
    net->runs[index].values = net->runs[index].buffer;
    for (size_t i = 0; i < count; i++)
        net->runs[index].buffer[i] = (float)get(net, name, "", count)[i];
}

static void build_start(network *net) {
    add_rows(net, 0, 1, I, "inputs", N * I);
    add_rows(net, 1, 0, H, "start", B * H);
    add_recurrent(net, 2, 0, 1, 0, "_l0");
}

static void build_stack(network *net) {
    add_rows(net, 0, 1, I, "inputs", N * I);
    for (int layer = 0; layer < 2; layer++) {
        int below = 5 * layer;
        char forward[16], backward[16];
        snprintf(forward, sizeof forward, "_l%d", layer);
        snprintf(backward, sizeof backward, "_l%d_reverse", layer);
        add_recurrent(net, below + 1, below, -1, 1, forward);
        add(net, below + 2, &seq_layer_reverse, below, -1, 0);
        add_recurrent(net, below + 3, below + 2, -1, 0, backward);
        add(net, below + 4, &seq_layer_reverse, below + 3, -1, 0);
        add(net, below + 5, &seq_layer_concat, below + 1, below + 4, 0);
    }
}

static void plan(network *net) {
    seq_limits limits = {.axes = {[1] = {B, T, N}}};
    seq_error error = {0};
    for (int life = 0; life < 2; life++) {
        for (int i = net->first; i < net->count; i++) {
            const seq_node_kind *kind = &net->nodes[i].layer->node;
            if (!kind->plan) continue;
            if (life == 0) net->runs[i].memory = calloc(1, kind->memory);
            kind->plan(&net->nodes[i], &limits, true, net->runs[i].memory, &net->memory,
                       &net->memory);
        }
        if (life == 0) assert_int_equal(seq_arena_commit(&net->memory, "memory", &error), SEQ_OK);
    }
}

static void run(network *net) {
    void *packed[NODES] = {NULL};
    net->pass = (seq_pass){.batch = &net->batch,
                           .training = true,
                           .parameters = net->parameters,
                           .packed_for_training = true,
                           .gradient = net->gradient,
                           .runs = net->runs};
    for (int i = net->first; i < net->count; i++) {
        if (net->nodes[i].recurrent >= 0 && net->nodes[i].layer == &seq_layer_recurrent)
            packed[i] = load(net, &net->nodes[i]);
        net->pass.packed = packed[i];
        net->nodes[i].layer->forward(&net->nodes[i], &net->pass);
    }
    size_t values = (size_t)N * (size_t)net->nodes[net->count - 1].shape.width;
    for (size_t i = 0; i < values; i++)
        net->runs[net->count - 1].gradient[i] = (float)get(net, "slopes", "", values)[i];
    for (int i = net->count - 1; i >= net->first; i--) {
        net->pass.packed = packed[i];
        net->nodes[i].layer->backward(&net->nodes[i], &net->pass);
        free(packed[i]);
    }
}

// PyTorch has layer by layer both directions, all h, then all c; so has each node of ours.
static void check(network *net) {
    bool starts = net->first == 2;
    size_t values = (size_t)N * (size_t)net->nodes[net->count - 1].shape.width;
    const double *states[2] = {
        starts ? NULL : get(net, "state0", "", 4 * B * H),
        starts || strcmp(net->cell, "lstm") ? NULL : get(net, "state1", "", 4 * B * H)};
    expect_close(net, "outputs", net->runs[net->count - 1].values, get(net, "outputs", "", values),
                 values);
    if (starts)
        expect_close(net, "start.gradient", net->runs[1].gradient,
                     get(net, "start.gradient", "", B * H), B * H);
    expect_close(net, "inputs.gradient", net->runs[0].gradient,
                 get(net, "inputs.gradient", "", N * I), N * I);
    for (int i = net->first; i < net->count; i++) {
        const seq_node *node = &net->nodes[i];
        if (node->layer != &seq_layer_recurrent) continue;
        for (int block = 0; block < 2 && states[block]; block++)
            expect_close(net, "state", net->state[node->recurrent] + block * B * H,
                         states[block] + node->recurrent * B * H, B * H);
        for (int j = 0; j < PARAMETERS; j++) {
            char name[64];
            size_t end = j + 1 < PARAMETERS ? node->offsets[j + 1]
                                            : node->offsets[j] + net->recurrent.cell->gates * H;
            snprintf(name, sizeof name, "%s%s", names[j], net->suffixes[node->recurrent]);
            expect_close(net, name, net->gradient + node->offsets[j],
                         get(net, name, ".gradient", end - node->offsets[j]),
                         end - node->offsets[j]);
        }
    }
}

static void compare(const golden *file, const char *cell, const char *prefix, int first, int count,
                    void (*build)(network *net)) {
    static network net;
    seq_error error = {0};
    net = (network){.file = file,
                    .cell = prefix,
                    .first = first,
                    .count = count,
                    .recurrent = {.cell = seq_cell_find(cell), .hidden = H}};
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &net.compute, &error), SEQ_OK);
    take_axis(&net);
    build(&net);
    plan(&net);
    run(&net);
    check(&net);
    for (int j = 0; j < NODES; j++)
        free(net.runs[j].buffer), free(net.runs[j].gradient), free(net.runs[j].memory);
    seq_arena_clear(&net.memory);
    seq_arena_clear(&net.axis);
}

static void packed_sequences_match_pytorch(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/packed.txt");
    static const char *const cells[] = {"lstm", "gru-reset-after", "rnn"};
    for (int i = 0; i < 3; i++) {
        char start[32];
        snprintf(start, sizeof start, "%s-start", cells[i]);
        compare(file, cells[i], cells[i], 1, NODES, build_stack);
        compare(file, cells[i], start, 2, 3, build_start);
    }
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(packed_sequences_match_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
