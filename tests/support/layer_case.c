// Builds a node and a batch by hand, as a graph and a sampler would, and checks
// the promises that every layer gives. Invariant: a number is a function of its
// row's key, its unit and what it is for.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "layer_case.h"
#include <math.h>
#include <seqtrain/base/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT = SEQ_NODE_INPUTS, PARAMETERS = 100, KEY_BASE = 16 };

static float number(int what, int64_t key, size_t unit) {
    uint32_t words[4];
    seq_random_words((seq_random_key){7, SEQ_RANDOM_TEST}, (uint32_t)what, (uint32_t)key,
                     (uint32_t)unit, words);
    return 2 * seq_random_unit(words[0]) - 1;
}

static void *take(size_t count, size_t size) {
    void *block = calloc(count + 1, size);
    assert_non_null(block);
    return block;
}

// ---- the batch

static void take_axis(layer_case *test, int index, seq_axis_room *room, size_t sequences) {
    const seq_axis_limit limit = {(int)sequences, KEY_BASE, sequences * KEY_BASE};
    seq_arena *arena = &test->axes[index];
    seq_error error = {0};
    seq_axis_take(room, &limit, sequences, arena);
    assert_int_equal(seq_arena_commit(arena, "an axis", &error), SEQ_OK);
    seq_axis_take(room, &limit, sequences, arena);
}

static void make_root(layer_case *test, const int *examples, int count) {
    int32_t lengths[LAYER_EXAMPLES];
    seq_axis_room room;
    take_axis(test, 0, &room, (size_t)count);
    test->keys[0] = take((size_t)count, sizeof *test->keys[0]);
    for (int i = 0; i < count; i++) {
        lengths[i] = 1;
        room.number[i] = test->keys[0][i] = examples[i] + 1;
    }
    seq_axis_shape(&test->batch.axes[0], &room, count, lengths);
    test->batch.axes[0].parent = -1;
}

// Longest first, ties by parent row.
static void make_axis(layer_case *test, int index) {
    const layer_spec *spec = test->spec;
    int parent = spec->axes[index].parent, count = (int)test->batch.axes[parent].rows, made = 0;
    const int64_t *parent_keys = test->keys[parent];
    int32_t *lengths = take((size_t)count, sizeof *lengths);
    seq_axis_room room;
    take_axis(test, index, &room, (size_t)count);
    for (int length = KEY_BASE; length >= 0; length--)
        for (int row = 0; row < count; row++) {
            int place = (int)((parent_keys[row] - 1) % spec->axes[index].count);
            if (spec->axes[index].lengths[place] != length) continue;
            room.of[made] = row;
            room.at[row] = made;
            room.number[made] = parent_keys[row];
            lengths[made++] = length;
        }
    assert_int_equal(made, count);
    seq_axis *axis = &test->batch.axes[index];
    seq_axis_shape(axis, &room, count, lengths);
    axis->parent = parent;
    test->keys[index] = take(axis->rows, sizeof *test->keys[index]);
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++)
            test->keys[index][axis->first_row[t] + (size_t)b] =
                parent_keys[axis->of[b]] * KEY_BASE + t;
    free(lengths);
}

// ---- the node

static void add_parameters(layer_case *test, seq_parameter_list *list) {
    seq_node *node = &test->node;
    if (node->layer->node.parameters) node->layer->node.parameters(node, list);
    node->parameter_count = list->parameter_count;
    for (int i = 0; i < list->parameter_count; i++) {
        const seq_parameter_need *need = &list->parameters[i];
        node->parameters[i] = i;
        node->offsets[i] = test->parameter_size;
        test->parameter_rows[i] = need->rows;
        test->parameter_columns[i] = need->columns ? need->columns : 1;
        test->parameter_size += (size_t)need->rows * (size_t)test->parameter_columns[i];
    }
    test->parameters = take(test->parameter_size, sizeof(float));
    test->gradient = take(test->parameter_size, sizeof(float));
    for (size_t i = 0; i < test->parameter_size; i++)
        test->parameters[i] = 0.6F * number(PARAMETERS, 0, i);
}

static void pack(layer_case *test, const seq_parameter_list *list) {
    seq_node *node = &test->node;
    size_t bytes = 0, sizes[SEQ_NODE_PACKED];
    for (int i = 0; i < list->packed_count; i++) {
        const seq_packed_need *need = &list->packed[i];
        size_t rows = (size_t)need->rows, columns = (size_t)need->columns;
        sizes[i] = need->plain ? seq_compute_packed_bytes(&test->compute, columns, rows)
                               : seq_compute_packed_bytes(&test->compute, rows, columns);
        if (!need->adjacent) bytes = (bytes + 63) / 64 * 64;
        node->packed[i].offset = bytes;
        node->packed[i].in_training = node->packed[i].in_evaluation = true;
        bytes += sizes[i];
    }
    test->packed = aligned_alloc(64, (bytes + 127) / 64 * 64);
    for (int i = 0; i < list->packed_count; i++) {
        const seq_packed_need *need = &list->packed[i];
        size_t rows = (size_t)need->rows, columns = (size_t)need->columns,
               ld = (size_t)test->parameter_columns[need->parameter];
        seq_compute_pack(&test->compute, need->plain ? SEQ_PLAIN : SEQ_TRANSPOSED,
                         need->plain ? columns : rows, need->plain ? rows : columns,
                         test->parameters + node->offsets[need->parameter] +
                             (size_t)need->first * ld + (size_t)need->first_column,
                         ld, (char *)test->packed + node->packed[i].offset);
    }
}

// Limits above those of every batch of the test, the same for all.
static void plan(layer_case *test) {
    seq_limits limits = {0};
    for (int a = 0; a < SEQ_AXES; a++) {
        limits.axes[a] = (seq_axis_limit){200, KEY_BASE, 600};
        for (int b = 0; b < SEQ_AXES; b++)
            limits.pairs[a][b] = 2000;
    }
    seq_run(&test->node, &test->pass)->memory = take(1, test->node.layer->node.memory);
    void *memory = seq_run(&test->node, &test->pass)->memory;
    seq_error error = {0};
    for (int pass = 0; test->node.layer->node.plan && pass < 2; pass++) {
        test->node.layer->node.plan(&test->node, &limits, true, memory, &test->kept, &test->arena);
        if (pass == 0) {
            assert_int_equal(seq_arena_commit(&test->kept, "memory", &error), SEQ_OK);
            assert_int_equal(seq_arena_commit(&test->arena, "scratch", &error), SEQ_OK);
            memset(test->kept.base, 0x7f, test->kept.size); // what was there before does not matter
            memset(test->arena.base, 0x7f, test->arena.size);
        }
    }
}

static size_t rows_of(const layer_case *test, int axis) {
    return test->batch.axes[axis].rows;
}

static size_t input_size(const layer_case *test, int input) {
    return rows_of(test, test->spec->inputs[input].axis) * (size_t)test->spec->inputs[input].width;
}

static size_t out_size(const layer_case *test) {
    return rows_of(test, test->node.shape.axis) * (size_t)test->node.shape.width;
}

static void make_node(layer_case *test) {
    const layer_spec *spec = test->spec;
    seq_node *node = &test->node;
    seq_error error = {0};
    *node = (seq_node){.layer = spec->kind,
                       .options = spec->options,
                       .compute = &test->compute,
                       .index = OUT,
                       .column = -1,
                       .input_count = spec->input_count,
                       .recurrent = -1};
    for (int i = 0; i < spec->input_count; i++) {
        node->inputs[i] = i;
        node->input_shapes[i] = (seq_shape){.axis = spec->inputs[i].axis,
                                            .width = spec->inputs[i].width,
                                            .vocabulary = -1,
                                            .looks_ahead = spec->inputs[i].looks_ahead};
    }
    node->shape = node->input_shapes[0];
    if (spec->kind->node.shape && spec->kind->node.shape(node, &node->shape, &error))
        fail_msg("%s: %s", spec->name, error.text);
    seq_parameter_list list = {0};
    add_parameters(test, &list);
    pack(test, &list);
}

static void create(layer_case *test, const layer_spec *spec, seq_team *team, const int *examples,
                   int count) {
    seq_error error = {0};
    *test = (layer_case){.spec = spec};
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, team, &test->compute, &error), SEQ_OK);
    test->batch.axis_count = spec->axis_count;
    make_root(test, examples, count);
    for (int a = 1; a < spec->axis_count; a++)
        make_axis(test, a);
    make_node(test);
    test->pass = (seq_pass){.batch = &test->batch,
                            .training = true,
                            .parameters = test->parameters,
                            .packed = test->packed,
                            .packed_for_training = true,
                            .gradient = test->gradient,
                            .runs = test->runs};
    for (int i = 0; i < spec->input_count; i++) {
        size_t width = (size_t)spec->inputs[i].width;
        test->values[i] = take(input_size(test, i), sizeof(float));
        test->gradients[i] = take(input_size(test, i), sizeof(float));
        for (size_t j = 0; j < input_size(test, i); j++)
            test->values[i][j] = number(i, test->keys[spec->inputs[i].axis][j / width], j % width);
        test->runs[i] = (seq_node_run){.values = test->values[i], .gradient = test->gradients[i]};
    }
    seq_node_run *run = &test->runs[OUT];
    run->buffer = take(out_size(test), sizeof(float));
    run->gradient = take(out_size(test), sizeof(float));
    run->values = run->buffer;
    plan(test);
}

static void destroy(layer_case *test) {
    for (int a = 0; a < test->spec->axis_count; a++) {
        free(test->keys[a]);
        seq_arena_clear(&test->axes[a]);
    }
    for (int i = 0; i < test->spec->input_count; i++)
        free(test->values[i]), free(test->gradients[i]);
    free(test->runs[OUT].buffer), free(test->runs[OUT].gradient), free(test->runs[OUT].memory);
    free(test->parameters), free(test->gradient), free(test->packed);
    seq_arena_clear(&test->arena);
    seq_arena_clear(&test->kept);
}

// ---- passes

static void fill(float *values, size_t count, float value) {
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static float slope_of(const layer_case *test, size_t i) {
    size_t width = (size_t)test->node.shape.width;
    return number(OUT, test->keys[test->node.shape.axis][i / width], i % width);
}

// Forward and backward; gradients begin with `start`.
static void run(layer_case *test, float start) {
    seq_node_run *own = &test->runs[OUT];
    fill(own->buffer, out_size(test), NAN);
    fill(test->gradient, test->parameter_size, start);
    for (int i = 0; i < test->spec->input_count; i++)
        fill(test->gradients[i], input_size(test, i), start);
    if (test->spec->kind->begin) test->spec->kind->begin(&test->node, &test->pass);
    test->spec->kind->forward(&test->node, &test->pass);
    for (size_t i = 0; i < out_size(test); i++)
        own->gradient[i] = slope_of(test, i);
    test->spec->kind->backward(&test->node, &test->pass);
}

// ---- against the reference

typedef struct wide_case {
    double *inputs[SEQ_NODE_INPUTS], *parameters[SEQ_NODE_PARAMETERS], *out;
} wide_case;

static double *widen(const float *values, size_t count) {
    double *out = take(count, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = values[i];
    return out;
}

static size_t parameter_count(const layer_case *test, int i) {
    return (size_t)test->parameter_rows[i] * (size_t)test->parameter_columns[i];
}

static double wide_loss(const layer_case *test, const wide_case *wide) {
    double sum = 0;
    test->spec->reference(test, (const double *const *)wide->inputs,
                          (const double *const *)wide->parameters, wide->out);
    for (size_t i = 0; i < out_size(test); i++)
        sum += (double)slope_of(test, i) * wide->out[i];
    return sum;
}

static void check_slopes(const layer_case *test, const wide_case *wide, double *values,
                         const float *found, size_t count, const char *what, int place) {
    double largest = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double middle = values[i];
        values[i] = middle + 1e-5;
        double above = wide_loss(test, wide);
        values[i] = middle - 1e-5;
        double slope = (above - wide_loss(test, wide)) / 2e-5;
        values[i] = middle;
        largest = fmax(largest, fabs(slope));
        worst = fabs(found[i] - slope) > worst || isnan(found[i]) ? fabs(found[i] - slope) : worst;
    }
    if (!(worst <= 3e-6 * largest + 1e-8) || largest < 1e-4)
        fail_msg("%s: gradient of %s %d: off by %g of at most %g", test->spec->name, what, place,
                 worst, largest);
}

static void check_reference(layer_case *test) {
    wide_case wide = {.out = take(out_size(test), sizeof(double))};
    for (int i = 0; i < test->spec->input_count; i++)
        wide.inputs[i] = widen(test->values[i], input_size(test, i));
    for (int i = 0; i < test->node.parameter_count; i++)
        wide.parameters[i] =
            widen(test->parameters + test->node.offsets[i], parameter_count(test, i));
    run(test, NAN);
    wide_loss(test, &wide);
    for (size_t i = 0; i < out_size(test); i++)
        if (!(fabs(test->runs[OUT].values[i] - wide.out[i]) <= 2e-6))
            fail_msg("%s: value %zu: %g, not %g", test->spec->name, i,
                     (double)test->runs[OUT].values[i], wide.out[i]);
    for (int i = 0; i < test->spec->input_count; i++)
        check_slopes(test, &wide, wide.inputs[i], test->gradients[i], input_size(test, i), "input",
                     i);
    for (int i = 0; i < test->node.parameter_count; i++)
        check_slopes(test, &wide, wide.parameters[i], test->gradient + test->node.offsets[i],
                     parameter_count(test, i), "parameter", i);
    for (int i = 0; i < test->spec->input_count; i++)
        free(wide.inputs[i]);
    for (int i = 0; i < test->node.parameter_count; i++)
        free(wide.parameters[i]);
    free(wide.out);
}

// ---- write, add, not wanted, threads

static float *copy(const float *values, size_t count) {
    float *out = take(count, sizeof *out);
    memcpy(out, values, count * sizeof *out);
    return out;
}

static void expect_same(const layer_case *test, const char *what, const float *found,
                        const float *expected, size_t count) {
    if (memcmp(found, expected, count * sizeof *found) != 0)
        fail_msg("%s: other bits: %s", test->spec->name, what);
}

static void expect_added(const layer_case *test, const float *found, const float *written,
                         size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(found[i] - written[i] - 0.5F) < 2e-6F * (1 + fabsf(written[i]))))
            fail_msg("%s: not added: %g and 0.5 gave %g", test->spec->name, (double)written[i],
                     (double)found[i]);
}

typedef struct kept_case {
    float *values, *gradient, *gradients[SEQ_NODE_INPUTS];
} kept_case;

static kept_case keep(const layer_case *test) {
    kept_case out = {copy(test->runs[OUT].values, out_size(test)),
                     copy(test->gradient, test->parameter_size),
                     {NULL}};
    for (int i = 0; i < test->spec->input_count; i++)
        out.gradients[i] = copy(test->gradients[i], input_size(test, i));
    return out;
}

static void drop(kept_case *kept) {
    free(kept->values), free(kept->gradient);
    for (int i = 0; i < SEQ_NODE_INPUTS; i++)
        free(kept->gradients[i]);
}

static void check_adding(layer_case *test, const kept_case *written) {
    test->node.adds_input = test->node.adds_parameter = ~0U;
    run(test, 0.5F);
    test->node.adds_input = test->node.adds_parameter = 0;
    for (int i = 0; i < test->spec->input_count; i++)
        expect_added(test, test->gradients[i], written->gradients[i], input_size(test, i));
    expect_added(test, test->gradient, written->gradient, test->parameter_size);
}

// Without one gradient the others have the same bits, and it is left alone.
static void check_unwanted(layer_case *test, const kept_case *written) {
    for (int i = 0; i < test->spec->input_count + test->node.parameter_count; i++) {
        int parameter = i - test->spec->input_count;
        if (parameter < 0)
            test->runs[i].gradient = NULL;
        else
            test->node.frozen = 1U << parameter;
        run(test, 0.25F);
        if (parameter < 0) test->runs[i].gradient = test->gradients[i];
        test->node.frozen = 0;
        for (int j = 0; j < test->spec->input_count; j++)
            if (j != i)
                expect_same(test, "an input's gradient without another", test->gradients[j],
                            written->gradients[j], input_size(test, j));
        for (int j = 0; j < test->node.parameter_count; j++) {
            const float *found = test->gradient + test->node.offsets[j];
            if (j != parameter)
                expect_same(test, "a parameter's gradient without another", found,
                            written->gradient + test->node.offsets[j], parameter_count(test, j));
            for (size_t k = 0; j == parameter && k < parameter_count(test, j); k++)
                assert_true(found[k] == 0.25F);
        }
    }
}

static void check_threads(const layer_spec *spec, const int *examples, int count,
                          const kept_case *written) {
    seq_team *team = NULL;
    seq_error error = {0};
    layer_case test;
    assert_int_equal(seq_team_create(3, &team, &error), SEQ_OK);
    create(&test, spec, team, examples, count);
    run(&test, NAN);
    expect_same(&test, "values of 3 threads", test.runs[OUT].values, written->values,
                out_size(&test));
    expect_same(&test, "parameters of 3 threads", test.gradient, written->gradient,
                test.parameter_size);
    for (int i = 0; i < spec->input_count; i++)
        expect_same(&test, "gradients of 3 threads", test.gradients[i], written->gradients[i],
                    input_size(&test, i));
    destroy(&test);
    seq_team_destroy(team);
}

// ---- alone and in any batch

static void expect_rows(const layer_case *all, const layer_case *alone, const char *what, int axis,
                        size_t width, const float *of_all, const float *of_alone) {
    for (size_t row = 0; row < rows_of(alone, axis); row++) {
        size_t there = 0;
        while (all->keys[axis][there] != alone->keys[axis][row])
            there++;
        assert_true(there < rows_of(all, axis));
        expect_same(all, what, of_alone + row * width, of_all + there * width, width);
    }
}

static void expect_alone(const layer_case *all, const layer_case *alone) {
    const seq_shape *shape = &all->node.shape;
    expect_rows(all, alone, "values alone", shape->axis, (size_t)shape->width,
                all->runs[OUT].values, alone->runs[OUT].values);
    for (int i = 0; i < all->spec->input_count; i++)
        expect_rows(all, alone, "gradients alone", all->spec->inputs[i].axis,
                    (size_t)all->spec->inputs[i].width, all->gradients[i], alone->gradients[i]);
}

// Each example alone; their parameter gradients add up to those of the batch.
static void check_alone(layer_case *all, const int *examples, int count) {
    double *sum = take(all->parameter_size, sizeof *sum), error = 0, norm = 0;
    run(all, NAN);
    for (int i = 0; i < count; i++) {
        layer_case alone;
        create(&alone, all->spec, NULL, &examples[i], 1);
        run(&alone, NAN);
        expect_alone(all, &alone);
        for (size_t j = 0; j < all->parameter_size; j++)
            sum[j] += (double)alone.gradient[j];
        destroy(&alone);
    }
    for (size_t j = 0; j < all->parameter_size; j++) {
        error += (sum[j] - (double)all->gradient[j]) * (sum[j] - (double)all->gradient[j]);
        norm += sum[j] * sum[j];
    }
    if (!(sqrt(error) <= 1e-5 * sqrt(norm)))
        fail_msg("%s: parameter gradients of a batch: off by %g of %g", all->spec->name,
                 sqrt(error), sqrt(norm));
    free(sum);
}

void layer_check(const layer_spec *spec) {
    const int examples[LAYER_EXAMPLES] = {3, 0, 6, 1, 7, 2, 5, 4};
    layer_case test;
    create(&test, spec, NULL, examples, LAYER_EXAMPLES);
    check_reference(&test);
    kept_case written = keep(&test);
    check_adding(&test, &written);
    check_unwanted(&test, &written);
    check_threads(spec, examples, LAYER_EXAMPLES, &written);
    check_alone(&test, examples, LAYER_EXAMPLES);
    drop(&written);
    destroy(&test);
}
