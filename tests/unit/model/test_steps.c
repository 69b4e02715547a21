// A model of two axes in steps, as search runs it: seq_model_begin once, then a
// step at a time with several sequences of each item, in an order of their own,
// whose states are selected between the steps. Scores must be the bits of a
// whole pass. Checks seq_model_begin, seq_model_step and seq_model_attention in
// src/model/pass.c, and which nodes src/model/links.c takes for stepped.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <packed_items.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES, SOURCE, TARGET, AXES };
enum { WORDS = 7, OUTPUTS = 9, ITEMS = 4, LONGEST = 4, COPIES = 3, BEAMS = ITEMS * COPIES };
static const int sources[ITEMS] = {2, 4, 0, 1}, targets[ITEMS] = {3, 2, 4, 0};

// ---- batches

static int length_of(int axis, const packed_origin *parent) {
    return axis == SOURCE ? sources[parent->item] : targets[parent->item];
}

static int32_t word_of(int item, int time) {
    return (item * 31 + time * 5 + 3) % OUTPUTS;
}

static void fill_columns(packed_items *out) {
    for (size_t row = 0; row < out->batch.axes[SOURCE].rows; row++)
        out->ids[0][row] =
            (out->origins[SOURCE][row].item * 11 + out->origins[SOURCE][row].time * 3) % WORDS;
    for (size_t row = 0; row < out->batch.axes[TARGET].rows; row++) {
        const packed_origin *at = &out->origins[TARGET][row];
        out->ids[1][row] = word_of(at->item, at->time);
        out->ids[2][row] = at->time ? word_of(at->item, at->time - 1) : SEQ_NO_ID;
    }
    out->batch.columns[0] = (seq_column){.axis = SOURCE, .ids = out->ids[0]};
    out->batch.columns[1] = (seq_column){.axis = TARGET, .ids = out->ids[1]};
    out->batch.columns[2] = (seq_column){.axis = TARGET, .ids = out->ids[2]};
    out->batch.column_count = 3;
}

static packed_items *pack(void) {
    packed_rules rules = {
        .axes = AXES,
        .parents = {-1, EXAMPLES, EXAMPLES},
        .longest = LONGEST,
        .length = length_of,
        .columns = fill_columns,
        .limits = {.axes = {{ITEMS, 1, ITEMS}, {ITEMS, LONGEST, 8}, {BEAMS, LONGEST, BEAMS}}}};
    for (int a = 0; a < AXES; a++)
        for (int b = 0; b < AXES; b++)
            rules.limits.pairs[a][b] = rules.limits.longest_pair[a][b] = 100;
    return packed_items_make(&rules, (int[]){0, 1, 2, 3}, ITEMS);
}

// ---- the model

static const seq_graph_field fields[] = {{"source", SOURCE, WORDS, 0, 0},
                                         {"target", TARGET, OUTPUTS, 0, 1},
                                         {"target.before", TARGET, OUTPUTS, 0, 1}};

static int add(seq_graph *graph, const seq_layer_kind *kind, const void *options,
               const char *prefix, const char *suffix, int a, int b) {
    return seq_graph_layer(graph, kind, options, prefix, suffix, (int[]){a, b}, b < 0 ? 1 : 2);
}

static int encode(seq_graph *graph, const seq_cell *cell) {
    const seq_encoder_options options = {.prefix = "encoder",
                                         .dense_prefix = "encoder.dense",
                                         .cell = cell,
                                         .layers = 2,
                                         .hidden = (int[]){5, 4},
                                         .bidirectional = true,
                                         .between = 6,
                                         .dropout_between = 0.2};
    int rows = add(graph, &seq_layer_embedding, &(seq_embedding_options){.units = 6}, "embedding",
                   "", seq_graph_column(graph, "source"), -1);
    return seq_graph_encoder(graph, &options, seq_graph_dropout(graph, rows, 0.2, false));
}

static void open_case(model_case *f, const char *cell, bool attends, const seq_limits *limits) {
    seq_graph *graph = NULL;
    seq_model *model = NULL;
    seq_compute compute;
    seq_error error = {0};
    const seq_recurrent_options recurrent = {.cell = seq_cell_find(cell), .hidden = 8};
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_graph_create(fields, 3, &(seq_initial_choice){.uniform = 0.6}, &graph, &error);
    int rows = encode(graph, recurrent.cell);
    int start =
        add(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, EXAMPLES}, "", "", rows, -1);
    start = add(graph, &seq_layer_dense, &(seq_dense_options){8, SEQ_ACTIVATION_TANH}, "bridge", "",
                start, -1);
    int top = add(graph, &seq_layer_embedding, &(seq_embedding_options){.units = 5}, "before", "",
                  seq_graph_column(graph, "target.before"), -1);
    top = seq_graph_dropout(graph, top, 0.2, false);
    top = add(graph, &seq_layer_recurrent, &recurrent, "decoder", "_l0", top, start);
    top = add(graph, &seq_layer_recurrent, &recurrent, "decoder", "_l1", top, -1);
    if (attends) {
        int seen = add(graph, &seq_layer_attention, &(seq_attention_options){SEQ_ATTENTION_DOT}, "",
                       "", top, rows);
        top = add(graph, &seq_layer_concat, NULL, "", "", top, seen);
    }
    seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", top,
                   seq_graph_column(graph, "target"), true);
    if (seq_graph_finish(graph, &compute, &model, &error)) fail_msg("%s", error.text);
    model_case_open(f, model, limits);
    seq_model_pack(model, SEQ_USE_TRAINING, f->parameters, 0, 1, f->matrices);
}

// ---- a step

// Sequences of one step, as a search has them.
typedef struct beams {
    int count, items[BEAMS];
    int rows_at[1];
    size_t first_row[2];
    int32_t of[BEAMS], last_row[BEAMS], before[BEAMS];
    int64_t number[BEAMS];
    seq_batch batch;
} beams;

// Items whose target has a step t; each COPIES times, in an order that changes from step to step.
static void fill_beams(beams *out, const packed_items *packed, int t) {
    *out = (beams){.batch = packed->batch};
    for (int i = 0; i < BEAMS; i++) {
        int item = (i * 7 + t * 5) % BEAMS / COPIES;
        if (t >= targets[item]) continue;
        int row = 0;
        while (packed->origins[EXAMPLES][row].item != item)
            row++;
        out->items[out->count] = item;
        out->of[out->count] = row;
        out->last_row[out->count] = out->count;
        out->before[out->count++] = t ? word_of(item, t - 1) : SEQ_NO_ID;
    }
    out->rows_at[0] = out->count;
    out->first_row[1] = (size_t)out->count;
    out->batch.axes[TARGET] = (seq_axis){.sequences = out->count,
                                         .steps = 1,
                                         .rows = (size_t)out->count,
                                         .rows_at = out->rows_at,
                                         .first_row = out->first_row,
                                         .last_row = out->last_row,
                                         .number = out->number,
                                         .parent = EXAMPLES,
                                         .of = out->of,
                                         .continues = t > 0};
    out->batch.columns[1].ids = NULL; // search knows no targets
    out->batch.columns[2].ids = out->before;
}

// Each sequence goes on from the last one of its item, of the step before.
static void select_states(const seq_model *model, const beams *from, const float *from_state,
                          const beams *to, float *to_state) {
    for (int b = 0; b < to->count; b++) {
        int place = from->count - 1;
        while (from->items[place] != to->items[b])
            place--;
        seq_model_state_copy(model, from_state, from->count, place, to_state, to->count, b);
    }
}

static void check_attention(const model_case *f, const beams *now, bool attends) {
    for (int b = 0; b < now->count; b++) {
        int length = -1;
        double sum = 0;
        const float *weights = seq_model_attention(f->model, f->workspace, b, &length);
        assert_int_equal(weights != NULL, attends);
        assert_int_equal(length, attends ? sources[now->items[b]] : 0);
        for (int u = 0; u < length; u++)
            sum += (double)weights[u];
        if (length) assert_true(fabs(sum - 1) < 1e-6);
    }
}

static void check_scores(const beams *now, const packed_items *packed, int t, const float *whole,
                         const float *scores) {
    const seq_axis *axis = &packed->batch.axes[TARGET];
    for (int b = 0; b < now->count; b++) {
        size_t row = axis->first_row[t] + (size_t)axis->at[now->of[b]];
        assert_memory_equal(whole + row * OUTPUTS, scores + b * OUTPUTS, OUTPUTS * sizeof *scores);
    }
}

static void check_steps(const char *cell, bool attends) {
    model_case f;
    packed_items *packed = pack();
    beams now, before = {0};
    float whole[PACKED_ROOM * OUTPUTS], scores[BEAMS * OUTPUTS];
    open_case(&f, cell, attends, &packed->limits);
    size_t floats = seq_model_state_size(f.model, BEAMS);
    float *states = calloc(2 * floats, sizeof *states), *old = states + floats;
    const seq_feed all = {.batch = &packed->batch};
    seq_model_forward(f.model, f.workspace, &f.weights, &all);
    seq_model_scores(f.model, f.workspace, &f.weights, &all, 0, packed->batch.axes[TARGET].rows,
                     whole);
    for (int t = 0; t < LONGEST; t++) {
        fill_beams(&now, packed, t);
        const seq_feed feed = {.batch = &now.batch, .state = states};
        if (t == 0) seq_model_begin(f.model, f.workspace, &f.weights, &feed);
        for (size_t i = 0; t == 0 && i < floats; i++)
            states[i] = NAN; // a first step reads none
        if (t) select_states(f.model, &before, old, &now, states);
        seq_model_step(f.model, f.workspace, &f.weights, &feed);
        seq_model_scores(f.model, f.workspace, &f.weights, &feed, 0, (size_t)now.count, scores);
        check_scores(&now, packed, t, whole, scores);
        check_attention(&f, &now, attends);
        memcpy(old, states, floats * sizeof *states);
        before = now;
    }
    free(states);
    model_case_close(&f);
    packed_items_drop(packed);
}

static void steps_are_the_whole(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int attends = 0; attends < 2; attends++)
            check_steps(*cell, attends);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_are_the_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
