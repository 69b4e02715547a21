// Every cell over ragged sequences, empty ones included, in both directions
// (tests/support/layer_case.h: reference, differences, add, threads, alone); the
// states of sequences, and the gradient of the initial ones. Checks
// src/nn/recurrent.c and layer_recurrent.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <layer_case.h>
#include <math.h>
#include <reference_model.h>
#include <seqtrain/nn/layers.h>
#include <stdlib.h>
#include <string.h>

enum { I = 3, H = 5 };
static const int32_t lengths[LAYER_EXAMPLES] = {4, 0, 3, 3, 1, 6, 0, 1},
                     equal[LAYER_EXAMPLES] = {3, 3, 3, 3, 3, 3, 3, 3};

static void reference(const layer_case *test, const double *const *inputs,
                      const double *const *parameters, double *out) {
    const seq_recurrent_options *options = test->spec->options;
    const seq_axis *axis = &test->batch.axes[1];
    for (int b = 0; b < axis->sequences; b++) {
        double h[H] = {0}, c[H] = {0}, h_new[H], c_new[H];
        for (int t = 0; t < axis->steps && axis->rows_at[t] > b; t++) {
            size_t row = axis->first_row[t] + (size_t)b;
            reference_step(options->cell->name, parameters, I, H, inputs[0] + row * I, h, c, h_new,
                           c_new);
            memcpy(h, h_new, sizeof h);
            memcpy(c, c_new, sizeof c);
            memcpy(out + row * H, h, sizeof h);
        }
    }
}

static void every_cell(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int form = 0; form < 2; form++) {
            const seq_recurrent_options options = {.cell = seq_cell_find(*cell), .hidden = H};
            const layer_spec spec = {.name = *cell,
                                     .kind = &seq_layer_recurrent,
                                     .options = &options,
                                     .reference = reference,
                                     .axis_count = 2,
                                     .axes = {{0}, {0, form ? equal : lengths, LAYER_EXAMPLES}},
                                     .input_count = 1,
                                     .inputs = {{1, I, 0}}};
            layer_check(&spec);
        }
}

// ---- states: three sequences of 2, 1 and 0 steps

enum { B = 3, N = 3 };

typedef struct loop {
    seq_compute compute;
    seq_recurrent layer;
    seq_recurrent_weights weights;
    seq_recurrent_scratch scratch;
    seq_tape tape;
    seq_axis axis;
    seq_arena memory, room;
    double parameters[5][4 * H * H], inputs[N * I], start[2 * B * H], slopes[N * H];
    int count[5];
} loop;

static double drawn(int *counter) {
    return sin(1.7 * ++*counter + 0.3) * 0.8;
}

static void draw(double *values, int count, int *counter) {
    for (int i = 0; i < count; i++)
        values[i] = (double)(float)drawn(counter);
}

static void take(loop *test, const seq_axis_limit *limit) {
    seq_tape_take(&test->tape, &test->layer, limit, &test->memory);
    seq_recurrent_scratch_take(&test->scratch, &test->compute, H, H, limit, &test->memory);
}

static void create(loop *test, const char *cell) {
    static const int32_t steps[B] = {2, 1, 0};
    const seq_axis_limit limit = {B, 2, N};
    seq_axis_room room;
    seq_error error = {0};
    int counter = 0, rows = seq_cell_find(cell)->gates * H;
    *test = (loop){.count = {rows * I, rows * H, rows, rows, 3 * H}};
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &test->compute, &error), SEQ_OK);
    test->layer = (seq_recurrent){seq_cell_find(cell), &test->compute, I, H, NULL};
    seq_axis_take(&room, &limit, B, &test->room);
    assert_int_equal(seq_arena_commit(&test->room, "an axis", &error), SEQ_OK);
    seq_axis_take(&room, &limit, B, &test->room);
    seq_axis_shape(&test->axis, &room, B, steps);
    take(test, &limit);
    assert_int_equal(seq_arena_commit(&test->memory, "memory", &error), SEQ_OK);
    take(test, &limit);
    for (int i = 0; i < 5; i++)
        draw(test->parameters[i], test->count[i], &counter);
    draw(test->inputs, N * I, &counter);
    draw(test->start, 2 * B * H, &counter);
    draw(test->slopes, N * H, &counter);
}

static float *narrow(const double *values, size_t count) {
    float *out = malloc(count * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)values[i];
    return out;
}

static void *packed(const loop *test, seq_operand op, size_t n, size_t k, const float *b,
                    size_t ld) {
    size_t bytes = seq_compute_packed_bytes(&test->compute, n, k);
    void *out = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(out);
    seq_compute_pack(&test->compute, op, n, k, b, ld, out);
    return out;
}

static void *packed_gates(const loop *test, const float *weight_hh) {
    int gates = test->layer.cell->gates;
    size_t bytes = seq_compute_packed_bytes(&test->compute, H, H);
    char *out = aligned_alloc(64, ((size_t)gates * bytes + 63) / 64 * 64);
    assert_non_null(out);
    for (int gate = 0; gate < gates; gate++)
        seq_compute_pack(&test->compute, SEQ_TRANSPOSED, H, H, weight_hh + gate * H * H, H,
                         out + (size_t)gate * bytes);
    return out;
}

// sum of slopes * h<t> of all rows, and of the last states, which come out in `last` (h, then c).
static double wide_loss(const loop *test, const double *start, double *last) {
    const char *cell = test->layer.cell->name;
    const double *parameters[5];
    double sum = 0;
    for (int i = 0; i < 5; i++)
        parameters[i] = test->parameters[i];
    memcpy(last, start, 2 * B * H * sizeof *last);
    for (int t = 0; t < test->axis.steps; t++)
        for (int b = 0; b < test->axis.rows_at[t]; b++) {
            size_t row = test->axis.first_row[t] + (size_t)b;
            double h[H], c[H], *own = last + b * H, *memory = last + (B + b) * H;
            reference_step(cell, parameters, I, H, test->inputs + row * I, own, memory, h, c);
            memcpy(own, h, sizeof h);
            if (test->layer.cell->memory) memcpy(memory, c, sizeof c);
            for (size_t j = 0; j < H; j++)
                sum += test->slopes[row * H + j] * h[j];
        }
    return sum;
}

static void check_start(loop *test, const float *d_hidden, const float *d_memory) {
    double last[2 * B * H];
    for (int i = 0; i < (test->layer.cell->memory ? 2 : 1) * B * H; i++) {
        double middle = test->start[i], above,
               found = i < B * H ? d_hidden[i] : d_memory[i - B * H];
        test->start[i] = middle + 1e-5;
        above = wide_loss(test, test->start, last);
        test->start[i] = middle - 1e-5;
        double slope = (above - wide_loss(test, test->start, last)) / 2e-5;
        test->start[i] = middle;
        if (!(fabs(found - slope) < 3e-6))
            fail_msg("%s: gradient of the start, %d: %g, not %g", test->layer.cell->name, i, found,
                     slope);
    }
}

static void check_states(const char *cell) {
    loop test;
    create(&test, cell);
    bool memory = test.layer.cell->memory;
    int plain = seq_recurrent_plain_rows(&test.layer), all = test.layer.cell->gates * H;
    float *values[5], *inputs = narrow(test.inputs, N * I), *slopes = narrow(test.slopes, N * H),
                      *start = narrow(test.start, 2 * B * H);
    float d_hidden[B * H], d_memory[B * H], found[2 * B * H];
    double last[2 * B * H];
    for (int i = 0; i < 5; i++)
        values[i] = narrow(test.parameters[i], (size_t)test.count[i]);
    void *input = packed(&test, SEQ_TRANSPOSED, (size_t)all, I, values[0], I),
         *recurrent = packed_gates(&test, values[1]),
         *back = packed(&test, SEQ_PLAIN, H, (size_t)plain, values[1], H),
         *last_back = packed(&test, SEQ_PLAIN, H, (size_t)(all - plain), values[1] + plain * H, H);
    test.weights = (seq_recurrent_weights){.input = input,
                                           .recurrent = recurrent,
                                           .recurrent_back = back,
                                           .last_back = plain < all ? last_back : NULL,
                                           .bias_ih = values[2],
                                           .bias_hh = values[3],
                                           .weight_ch = values[4]};
    seq_recurrent_load(&test.layer, &test.tape, &test.axis, start);
    seq_recurrent_forward(&test.layer, &test.weights, &test.tape, &test.axis, inputs);
    seq_recurrent_store(&test.layer, &test.tape, &test.axis, found);
    wide_loss(&test, test.start, last);
    for (int i = 0; i < (memory ? 2 : 1) * B * H; i++)
        assert_true(fabs(found[i] - last[i]) < 1e-6);
    const seq_recurrent_gradients gradients = {
        .outputs = slopes, .hidden = d_hidden, .memory = memory ? d_memory : NULL};
    seq_recurrent_backward(&test.layer, &test.weights, &test.tape, &test.axis, inputs, &gradients,
                           &test.scratch, NULL);
    check_start(&test, d_hidden, d_memory);
    for (int i = 0; i < 5; i++)
        free(values[i]);
    free(inputs), free(slopes), free(start);
    free(input), free(recurrent), free(back), free(last_back);
    seq_arena_clear(&test.memory);
    seq_arena_clear(&test.room);
}

static void states_begin_and_end_each_sequence(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        check_states(*cell);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_cell),
                                       cmocka_unit_test(states_begin_and_end_each_sequence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
