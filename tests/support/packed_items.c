// Packs items as samplers do, by hand: rows longest first, sequences of length 0
// at the end. Invariant: `origins` says of each row where it comes from, so a test
// finds it again in another batch. And a model with its checks. Used by
// tests/unit/model/test_graph.c, test_builders.c and test_decoder.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "packed_items.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill_axis(packed_items *out, const packed_rules *rules, int axis) {
    const int parent = rules->parents[axis];
    seq_axis *made = &out->batch.axes[axis];
    seq_axis_room *room = &out->rooms[axis];
    int32_t longest_first[PACKED_ROOM];
    int count = 0, rows = (int)out->batch.axes[parent].rows;
    for (int length = rules->longest; length >= 0; length--)
        for (int row = 0; row < rows; row++) {
            const packed_origin *from = &out->origins[parent][row];
            if (rules->length(axis, from) != length) continue;
            room->of[count] = row;
            room->at[row] = count;
            room->number[count] = from->item * 100 + from->word;
            longest_first[count++] = length;
        }
    seq_axis_shape(made, room, count, longest_first);
    made->parent = parent;
    for (int t = 0; t < made->steps; t++)
        for (int b = 0; b < made->rows_at[t]; b++) {
            const packed_origin *from = &out->origins[parent][made->of[b]];
            out->origins[axis][made->first_row[t] + (size_t)b] =
                (packed_origin){from->item, parent ? from->word : t, t};
        }
}

static void take(packed_items *out, int axes) {
    for (int axis = 0; axis < axes; axis++)
        seq_axis_take(&out->rooms[axis], &out->limits.axes[axis], PACKED_ROOM, &out->arena);
}

packed_items *packed_items_make(const packed_rules *rules, const int *items, int count) {
    packed_items *out = calloc(1, sizeof *out);
    int32_t ones[PACKED_ROOM];
    seq_error error = {0};
    assert_non_null(out);
    out->limits = rules->limits;
    take(out, rules->axes);
    assert_int_equal(seq_arena_commit(&out->arena, "test", &error), SEQ_OK);
    take(out, rules->axes);
    out->batch.axis_count = rules->axes;
    out->batch.divisor = 1;
    for (int i = 0; i < count; i++)
        ones[i] = 1;
    seq_axis_shape(&out->batch.axes[0], &out->rooms[0], count, ones);
    out->batch.axes[0].parent = -1;
    for (int i = 0; i < count; i++) {
        out->rooms[0].number[i] = items[i];
        out->origins[0][i] = (packed_origin){items[i], 0, 0};
    }
    for (int axis = 1; axis < rules->axes; axis++)
        fill_axis(out, rules, axis);
    rules->columns(out);
    return out;
}

void packed_items_drop(packed_items *packed) {
    seq_arena_clear(&packed->arena);
    free(packed);
}

void model_case_open(model_case *out, seq_model *model, const seq_limits *limits) {
    seq_error error = {0};
    *out = (model_case){.model = model, .table = seq_model_parameters(model)};
    seq_workspace_create(model, limits, 1, SEQ_USE_TRAINING, &out->workspace, &error);
    seq_allocate(&out->parameters, out->table->size, sizeof(float), "test", &error);
    seq_allocate(&out->gradient, out->table->size, sizeof(float), "test", &error);
    seq_allocate(&out->matrices, seq_model_packed_bytes(model, SEQ_USE_TRAINING), 1, "test",
                 &error);
    assert_int_equal(error.status, SEQ_OK);
    seq_model_initialise(model, 3, out->parameters);
    out->weights = (seq_weights){out->parameters, out->matrices, SEQ_USE_TRAINING};
    model_case_pack(out);
}

void model_case_close(model_case *test) {
    seq_workspace_destroy(test->workspace);
    seq_model_destroy(test->model);
    free(test->parameters);
    free(test->gradient);
    free(test->matrices);
}

void model_case_pack(model_case *test) {
    seq_model_pack_dropped(test->model, CASE_SEED, CASE_STEP, test->parameters, 0, 1,
                           test->matrices);
}

double model_case_train(model_case *test, const packed_items *packed, float *gradient) {
    const seq_feed feed = {.batch = &packed->batch, .seed = CASE_SEED, .step = CASE_STEP};
    return seq_model_train(test->model, test->workspace, &test->weights, &feed, 1, gradient).sum;
}

double model_case_evaluate(model_case *test, const packed_items *packed, const seq_losses *losses) {
    const seq_feed feed = {.batch = &packed->batch};
    seq_model_pack(test->model, SEQ_USE_TRAINING, test->parameters, 0, 1, test->matrices);
    return seq_model_evaluate(test->model, test->workspace, &test->weights, &feed, losses).sum;
}

static double slope_of(model_case *test, const packed_items *packed, size_t at, float *scratch) {
    double loss[2];
    float middle = test->parameters[at];
    for (int side = 0; side < 2; side++) {
        test->parameters[at] = middle + (side ? 4e-3f : -4e-3f);
        model_case_pack(test);
        loss[side] = model_case_train(test, packed, scratch);
    }
    test->parameters[at] = middle;
    model_case_pack(test);
    return (loss[1] - loss[0]) / 8e-3;
}

void model_case_check_gradient(model_case *test, const packed_items *packed, const char *name) {
    float *scratch = calloc(test->table->size, sizeof *scratch);
    double worst = 0, largest = 0;
    const char *where = "";
    model_case_train(test, packed, test->gradient);
    for (int row = 0; row < test->table->count; row++)
        for (size_t j = 0; j < seq_parameter_size(&test->table->items[row]); j++) {
            size_t at = test->table->items[row].offset + j;
            double error = fabs(slope_of(test, packed, at, scratch) - test->gradient[at]);
            if (error > worst) where = test->table->items[row].name;
            worst = fmax(worst, error);
            largest = fmax(largest, fabs(test->gradient[at]));
        }
    assert_true(largest > 0.05);
    if (!(worst < 3e-3 * largest))
        fail_msg("%s: %s is off by %g of %g", name, where, worst, largest);
    free(scratch);
}

void model_case_check_sum(const model_case *test, const float *gradient, const double *sum,
                          const char *name) {
    double squares = 0, error = 0;
    for (int row = 0; row < test->table->count; row++)
        for (size_t j = 0; j < seq_parameter_size(&test->table->items[row]); j++) {
            size_t at = test->table->items[row].offset + j;
            squares += (double)gradient[at] * (double)gradient[at];
            error += ((double)gradient[at] - sum[at]) * ((double)gradient[at] - sum[at]);
        }
    if (!(sqrt(error) < 1e-5 * sqrt(squares)))
        fail_msg("%s: off by %g of %g", name, sqrt(error), sqrt(squares));
}

void parse_options(const seq_option_group *const *groups, const char *text, seq_settings *out) {
    static const seq_option none[] = {{.type = SEQ_OPTION_END}};
    const seq_program program = {.name = "test", .synopsis = "", .options = none, .groups = groups};
    char words[300], *arguments[20] = {"test"};
    int count = 1;
    seq_error error = {0};
    snprintf(words, sizeof words, "%s", text);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        arguments[count++] = word;
    if (seq_settings_parse(&program, count, arguments, out, &error)) fail_msg("%s", error.text);
}
