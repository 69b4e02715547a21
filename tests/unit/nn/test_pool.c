// Pooling of ragged sequences, empty ones included, into the examples and into
// the steps of a word (tests/support/layer_case.h: reference, differences, add,
// threads, alone). Checks src/nn/pool.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <layer_case.h>
#include <math.h>
#include <seqtrain/nn/pool.h>
#include <string.h>

enum { W = 6 };
static const int32_t lengths[LAYER_EXAMPLES] = {5, 0, 3, 3, 1, 7, 0, 1},
                     letters[] = {2, 0, 1, 4, 3};

static double pooled(seq_pooling pooling, const double *x, const size_t *rows, int length,
                     size_t j) {
    double sum = 0, most = -INFINITY;
    if (length == 0) return 0;
    for (int t = 0; t < length; t++) {
        sum += x[rows[t] * W + j % W];
        most = fmax(most, x[rows[t] * W + j % W]);
    }
    switch (pooling) {
    case SEQ_POOL_LAST:
        return x[rows[length - 1] * W + j];
    case SEQ_POOL_ENDS:
        return x[rows[j < W / 2 ? length - 1 : 0] * W + j];
    case SEQ_POOL_MEAN:
        return sum / length;
    case SEQ_POOL_MAX:
        return most;
    default:
        return j < W ? most : sum / length;
    }
}

static void reference(const layer_case *test, const double *const *inputs,
                      const double *const *parameters, double *out) {
    const seq_pool_options *options = test->spec->options;
    const seq_axis *axis = &test->batch.axes[test->node.input_shapes[0].axis];
    size_t width = (size_t)test->node.shape.width;
    (void)parameters;
    for (int b = 0; b < axis->sequences; b++) {
        size_t rows[16];
        int length = 0;
        for (; length < axis->steps && axis->rows_at[length] > b; length++)
            rows[length] = axis->first_row[length] + (size_t)b;
        for (size_t j = 0; j < width; j++)
            out[(size_t)axis->of[b] * width + j] =
                pooled(options->pooling, inputs[0], rows, length, j);
    }
}

static void every_pooling(void **state) {
    (void)state;
    for (int pooling = 0; seq_pooling_names()[pooling]; pooling++)
        for (int axis = 0; axis < 2; axis++) {
            const seq_pool_options options = {(seq_pooling)pooling, axis};
            const layer_spec spec = {
                .name = seq_pooling_names()[pooling],
                .kind = &seq_layer_pool,
                .options = &options,
                .reference = reference,
                .axis_count = 3,
                .axes = {{0}, {0, lengths, LAYER_EXAMPLES}, {1, letters, 5}},
                .input_count = 1,
                .inputs = {{axis + 1, W, 1U << (axis + 1)}},
            };
            layer_check(&spec);
        }
}

static void ends_need_both_directions(void **state) {
    (void)state;
    const seq_pool_options options = {SEQ_POOL_ENDS, 0};
    seq_error error = {0};
    seq_node node = {
        .options = &options, .input_count = 1, .input_shapes = {{.axis = 1, .width = 4}}};
    seq_shape out = node.input_shapes[0];
    assert_int_equal(seq_layer_pool.node.shape(&node, &out, &error), SEQ_BAD_USAGE);
    assert_non_null(strstr(error.text, "bidirectional"));
    node.input_shapes[0].looks_ahead = 2;
    assert_int_equal(seq_layer_pool.node.shape(&node, &out, &error), SEQ_OK);
    assert_int_equal(out.axis, 0);
    assert_int_equal(out.looks_ahead, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_pooling),
                                       cmocka_unit_test(ends_need_both_directions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
