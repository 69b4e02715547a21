// Layers that move rows, and features, on ragged sequences (tests/support/
// layer_case.h: reference, differences, add, threads, alone). Checks
// src/nn/reverse.c, concat.c, spread.c and features.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <layer_case.h>
#include <seqtrain/nn/rows.h>

static const int32_t lengths[LAYER_EXAMPLES] = {5, 0, 3, 3, 1, 7, 0, 1};

static int length_of(const seq_axis *axis, int sequence) {
    int length = 0;
    while (length < axis->steps && axis->rows_at[length] > sequence)
        length++;
    return length;
}

static void reference_reverse(const layer_case *test, const double *const *inputs,
                              const double *const *parameters, double *out) {
    const seq_axis *axis = &test->batch.axes[1];
    size_t width = (size_t)test->node.shape.width;
    (void)parameters;
    for (int b = 0; b < axis->sequences; b++)
        for (int t = 0, length = length_of(axis, b); t < length; t++)
            for (size_t j = 0; j < width; j++)
                out[(axis->first_row[t] + (size_t)b) * width + j] =
                    inputs[0][(axis->first_row[length - 1 - t] + (size_t)b) * width + j];
}

static void reverse(void **state) {
    (void)state;
    const layer_spec spec = {.name = "reverse",
                             .kind = &seq_layer_reverse,
                             .reference = reference_reverse,
                             .axis_count = 2,
                             .axes = {{0}, {0, lengths, LAYER_EXAMPLES}},
                             .input_count = 1,
                             .inputs = {{1, 5, 0}}};
    layer_check(&spec);
}

static void reference_concat(const layer_case *test, const double *const *inputs,
                             const double *const *parameters, double *out) {
    (void)parameters;
    for (size_t row = 0; row < test->batch.axes[1].rows; row++)
        for (int i = 0; i < test->node.input_count; i++)
            for (int j = 0; j < test->node.input_shapes[i].width; j++)
                *out++ = inputs[i][row * (size_t)test->node.input_shapes[i].width + (size_t)j];
}

static void concat(void **state) {
    (void)state;
    const layer_spec spec = {.name = "concat",
                             .kind = &seq_layer_concat,
                             .reference = reference_concat,
                             .axis_count = 2,
                             .axes = {{0}, {0, lengths, LAYER_EXAMPLES}},
                             .input_count = 3,
                             .inputs = {{1, 5, 0}, {1, 1, 0}, {1, 9, 0}}};
    layer_check(&spec);
}

static void reference_spread(const layer_case *test, const double *const *inputs,
                             const double *const *parameters, double *out) {
    const seq_axis *axis = &test->batch.axes[test->node.shape.axis];
    (void)parameters;
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++)
            for (int j = 0; j < 4; j++)
                *out++ = inputs[0][axis->of[b] * 4 + j];
}

// From examples to steps, and from steps to the letters of each.
static void spread(void **state) {
    (void)state;
    static const int32_t letters[] = {2, 0, 1, 4, 3};
    for (int axis = 1; axis <= 2; axis++) {
        const seq_spread_options options = {.axis = axis};
        const layer_spec spec = {
            .name = "spread",
            .kind = &seq_layer_spread,
            .options = &options,
            .reference = reference_spread,
            .axis_count = 3,
            .axes = {{0}, {0, lengths, LAYER_EXAMPLES}, {1, letters, 5}},
            .input_count = 1,
            .inputs = {{axis - 1, 4, 0}},
        };
        layer_check(&spec);
    }
}

static const float mean[3] = {0.25F, -1, 0}, scale[3] = {2, 0.5F, -1};

static void reference_features(const layer_case *test, const double *const *inputs,
                               const double *const *parameters, double *out) {
    const seq_features_options *options = test->spec->options;
    (void)parameters;
    for (size_t i = 0; i < test->batch.axes[1].rows * 3; i++)
        out[i] = options->mean ? (inputs[0][i] - (double)mean[i % 3]) * (double)scale[i % 3]
                               : inputs[0][i];
}

static void features(void **state) {
    (void)state;
    const seq_features_options options[] = {{mean, scale}, {NULL, NULL}};
    for (int i = 0; i < 2; i++) {
        const layer_spec spec = {.name = "features",
                                 .kind = &seq_layer_features,
                                 .options = &options[i],
                                 .reference = reference_features,
                                 .axis_count = 2,
                                 .axes = {{0}, {0, lengths, LAYER_EXAMPLES}},
                                 .input_count = 1,
                                 .inputs = {{1, 3, 0}}};
        layer_check(&spec);
    }
}

// What does not fit is refused, and a reversed order is known to look ahead.
static void shapes_are_checked(void **state) {
    (void)state;
    const seq_features_options half = {mean, NULL};
    seq_error error = {0};
    seq_node node = {.options = &half, .input_count = 1, .input_shapes = {{.axis = 1, .width = 3}}};
    seq_shape out = node.input_shapes[0];
    assert_int_equal(seq_layer_features.node.shape(&node, &out, &error), SEQ_BAD_USAGE);
    assert_int_equal(seq_layer_reverse.node.shape(&node, &out, &error), SEQ_OK);
    assert_int_equal(out.looks_ahead, 1U << 1);
    node.input_count = 2;
    node.input_shapes[1] = (seq_shape){.axis = 2, .width = 3};
    assert_int_equal(seq_layer_concat.node.shape(&node, &out, &error), SEQ_BAD_USAGE);
    node.input_shapes[1] = (seq_shape){.axis = 1, .ids = 3};
    assert_int_equal(seq_layer_concat.node.shape(&node, &out, &error), SEQ_BAD_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(reverse), cmocka_unit_test(concat),
                                       cmocka_unit_test(spread), cmocka_unit_test(features),
                                       cmocka_unit_test(shapes_are_checked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
