// A graph with everything that tasks need, and what a graph refuses. Letters
// make words; a bidirectional encoder with tied directions reads them; a
// decoder without feedback attends to its rows. Source and target embedding and
// the head are one matrix. Some sequences have length 0. Gradients are checked
// by differences, and each item alone against the batch. Checks
// src/model/graph.c, links.c, workspace.c and pass.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/batch/rectangle.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <packed_items.h>
#include <small_model.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES, SOURCE, LETTERS, TARGET, AXES };
enum { WORDS = 7, ALPHABET = 5, EMBEDDING = 6, ITEMS = 4, LONGEST = 4 };

// An item: its words, the letters of each, and what is to be predicted.
typedef struct item {
    int words, targets;
    int letters[LONGEST];
} item;
static const item items[ITEMS] = {{2, 3, {3, 1}}, {4, 2, {2, 0, 3, 1}}, {0, 1, {0}}, {1, 0, {2}}};

// ---- batches

static int length_of(int axis, const packed_origin *parent) {
    const item *item = &items[parent->item];
    if (axis == LETTERS) return item->letters[parent->word];
    return axis == SOURCE ? item->words : item->targets;
}

static int32_t id_of(const packed_origin *origin, int salt, int ids) {
    return (origin->item * 31 + origin->word * 7 + origin->time * 3 + salt) % ids;
}

static void fill_columns(packed_items *out) {
    for (size_t row = 0; row < out->batch.axes[SOURCE].rows; row++)
        out->ids[0][row] = id_of(&out->origins[SOURCE][row], 1, WORDS);
    for (size_t row = 0; row < out->batch.axes[LETTERS].rows; row++)
        out->ids[1][row] = id_of(&out->origins[LETTERS][row], 2, ALPHABET);
    for (size_t row = 0; row < out->batch.axes[TARGET].rows; row++) {
        const packed_origin *at = &out->origins[TARGET][row];
        out->ids[2][row] = id_of(at, 4, WORDS);
        out->ids[3][row] =
            at->time ? id_of(&(packed_origin){at->item, at->word - 1, at->time - 1}, 4, WORDS)
                     : SEQ_NO_ID;
    }
    out->batch.columns[0] = (seq_column){.axis = SOURCE, .ids = out->ids[0]};
    out->batch.columns[1] = (seq_column){.axis = LETTERS, .ids = out->ids[1]};
    out->batch.columns[2] = (seq_column){.axis = TARGET, .ids = out->ids[2]};
    out->batch.columns[3] = (seq_column){.axis = TARGET, .ids = out->ids[3]};
    out->batch.column_count = 4;
}

// The items of the list, in its order.
static packed_items *pack(const int *list, int count) {
    packed_rules rules = {.axes = AXES,
                          .parents = {-1, EXAMPLES, SOURCE, EXAMPLES},
                          .longest = LONGEST,
                          .length = length_of,
                          .columns = fill_columns,
                          .limits = {.axes = {{ITEMS, 1, ITEMS},
                                              {ITEMS, LONGEST, 10},
                                              {10, LONGEST, 20},
                                              {ITEMS, LONGEST, 10}}}};
    for (int a = 0; a < SEQ_AXES; a++)
        for (int b = 0; b < SEQ_AXES; b++)
            rules.limits.pairs[a][b] = 100, rules.limits.longest_pair[a][b] = LONGEST * LONGEST;
    return packed_items_make(&rules, list, count);
}

// ---- the graph

static const seq_graph_field fields[] = {{"source", SOURCE, WORDS, 0, 0},
                                         {"letters", LETTERS, ALPHABET, 0, 1},
                                         {"target", TARGET, WORDS, 0, 0},
                                         {"target.before", TARGET, WORDS, 0, 0}};

static int add(seq_graph *graph, const seq_layer_kind *kind, const void *options,
               const char *prefix, const char *suffix, int a, int b) {
    return seq_graph_layer(graph, kind, options, prefix, suffix, (int[]){a, b}, b < 0 ? 1 : 2);
}

// Both directions over the letters with the same parameters, pooled to words.
static int read_letters(seq_graph *graph) {
    int column = seq_graph_column(graph, "letters");
    const seq_recurrent_options cell = {.cell = seq_cell_find("gru"), .hidden = 4};
    int embedded = add(graph, &seq_layer_embedding, &(seq_embedding_options){.units = 3},
                       "letters.embedding", "", column, -1);
    int there = add(graph, &seq_layer_recurrent, &cell, "letters", "_l0", embedded, -1);
    int backwards = add(graph, &seq_layer_reverse, NULL, "", "", embedded, -1);
    int back = add(graph, &seq_layer_recurrent, &cell, "letters", "_l0_reverse", backwards, -1);
    for (int i = 0; i < 4; i++)
        seq_graph_share(graph, back, i, there, i);
    back = add(graph, &seq_layer_reverse, NULL, "", "", back, -1);
    int both = add(graph, &seq_layer_concat, NULL, "", "", there, back);
    return add(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_ENDS, SOURCE}, "", "", both,
               -1);
}

static int encode(seq_graph *graph, int embedded) {
    const seq_encoder_options options = {.prefix = "encoder",
                                         .dense_prefix = "encoder.dense",
                                         .cell = seq_cell_find("lstm"),
                                         .layers = 2,
                                         .hidden = (int[]){5, 4},
                                         .bidirectional = true,
                                         .between = 6,
                                         .forget_bias = 1,
                                         .activation = SEQ_ACTIVATION_TANH,
                                         .dropout_between = 0.2};
    int both = add(graph, &seq_layer_concat, NULL, "", "", embedded, read_letters(graph));
    return seq_graph_dropout(graph, seq_graph_encoder(graph, &options, both), 0.2, false);
}

static seq_status build(const char *head, seq_model **out, seq_error *error) {
    seq_graph *graph = NULL;
    seq_compute compute;
    const seq_embedding_options embedding = {.units = EMBEDDING};
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, error);
    seq_graph_create(fields, 4, &(seq_initial_choice){.uniform = 0.6}, &graph, error);
    int source = add(graph, &seq_layer_embedding, &embedding, "embedding", "",
                     seq_graph_column(graph, "source"), -1);
    int rows = encode(graph, source);
    int mean =
        add(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, EXAMPLES}, "", "", rows, -1);
    int spread =
        add(graph, &seq_layer_spread, &(seq_spread_options){.axis = TARGET}, "", "", mean, -1);
    int before = add(graph, &seq_layer_embedding, &embedding, "target", "",
                     seq_graph_column(graph, "target.before"), -1);
    seq_graph_share(graph, before, 0, source, 0);
    int fed = add(graph, &seq_layer_concat, NULL, "", "", before, spread);
    int steps = add(graph, &seq_layer_recurrent,
                    &(seq_recurrent_options){.cell = seq_cell_find("gru-reset-after"), .hidden = 6},
                    "decoder", "_l0", fed, -1);
    int query = add(graph, &seq_layer_dense,
                    &(seq_dense_options){.units = 8, .activation = SEQ_ACTIVATION_NONE}, "query",
                    "", steps, -1);
    int seen = add(graph, &seq_layer_attention, &(seq_attention_options){SEQ_ATTENTION_SCALED},
                   "attention", "", query, rows);
    int top = add(graph, &seq_layer_dense,
                  &(seq_dense_options){.units = EMBEDDING, .activation = SEQ_ACTIVATION_TANH},
                  "top", "", add(graph, &seq_layer_concat, NULL, "", "", steps, seen), -1);
    const seq_head_kind *kind = seq_output_at(seq_output_find(head));
    int end = seq_graph_head(graph, kind, &(seq_words_options){.samples = 2}, "output", top,
                             seq_graph_column(graph, "target"), true);
    seq_graph_share(graph, end, 0, source, 0);
    return seq_graph_finish(graph, &compute, out, error);
}

static void open_case(model_case *f, const char *head, const seq_limits *limits) {
    seq_error error = {0};
    seq_model *model = NULL;
    if (build(head, &model, &error)) fail_msg("%s", error.text);
    model_case_open(f, model, limits);
}

// ---- tests

static void gradient_matches_differences(void **state) {
    (void)state;
    static const char *const heads[] = {"full", "sampled"};
    for (int head = 0; head < 2; head++) {
        model_case f;
        packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
        open_case(&f, heads[head], &batch->limits);
        model_case_check_gradient(&f, batch, heads[head]);
        packed_items_drop(batch);
        model_case_close(&f);
    }
}

// An item's rows are the same bits in any batch, and gradients of items add up.
static void items_do_not_meet(void **state) {
    (void)state;
    model_case f;
    packed_items *batch = pack((int[]){2, 0, 3, 1}, ITEMS);
    open_case(&f, "full", &batch->limits);
    size_t size = f.table->size;
    float together[PACKED_ROOM], alone[PACKED_ROOM], scores[PACKED_ROOM * WORDS],
        own[PACKED_ROOM * WORDS];
    double *sum = calloc(size, sizeof *sum);
    model_case_train(&f, batch, f.gradient);
    float *whole = malloc(size * sizeof *whole);
    memcpy(whole, f.gradient, size * sizeof *whole);
    model_case_evaluate(&f, batch, &(seq_losses){.of_row = together});
    const seq_axis *targets = &batch->batch.axes[TARGET];
    const seq_feed feed = {.batch = &batch->batch};
    seq_model_scores(f.model, f.workspace, &f.weights, &feed, 0, targets->rows, scores);
    for (int item = 0; item < ITEMS; item++) {
        packed_items *one = pack(&item, 1);
        memset(f.gradient, 0, size * sizeof *f.gradient);
        model_case_train(&f, one, f.gradient);
        for (size_t i = 0; i < size; i++)
            sum[i] += f.gradient[i];
        model_case_evaluate(&f, one, &(seq_losses){.of_row = alone});
        const seq_feed only = {.batch = &one->batch};
        seq_model_scores(f.model, f.workspace, &f.weights, &only, 0, one->batch.axes[TARGET].rows,
                         own);
        for (size_t row = 0; row < targets->rows; row++) {
            const packed_origin *from = &batch->origins[TARGET][row];
            if (from->item != item) continue;
            assert_true(together[row] == alone[from->time]);
            assert_memory_equal(scores + row * WORDS, own + (size_t)from->time * WORDS,
                                WORDS * sizeof *own);
        }
        packed_items_drop(one);
    }
    model_case_check_sum(&f, whole, sum, "items");
    free(sum);
    free(whole);
    packed_items_drop(batch);
    model_case_close(&f);
}

// Nothing but sequences of length 0 gives no loss, and a gradient of zeros.
static void nothing_gives_zeros(void **state) {
    (void)state;
    model_case f;
    packed_items *batch = pack((int[]){0}, 0);
    open_case(&f, "full", &batch->limits);
    for (size_t i = 0; i < f.table->size; i++)
        f.gradient[i] = 77;
    assert_true(model_case_train(&f, batch, f.gradient) == 0);
    for (int row = 0; row < f.table->count; row++) {
        const seq_parameter *parameter = &f.table->items[row];
        for (size_t j = 0; j < seq_parameter_size(parameter); j++)
            if (!(f.gradient[parameter->offset + j] == (parameter->sparse ? 77 : 0)))
                fail_msg("%s: %g", parameter->name, (double)f.gradient[parameter->offset + j]);
    }
    packed_items_drop(batch);
    model_case_close(&f);
}

// Passes allocate nothing; more room than needed changes no bit.
static void memory_is_planned(void **state) {
    (void)state;
    model_case tight, wide;
    packed_items *batch = pack((int[]){3, 1, 0, 2}, ITEMS);
    float rows[2][PACKED_ROOM];
    open_case(&tight, "full", &batch->limits);
    seq_limits limits = batch->limits;
    for (int axis = 0; axis < AXES; axis++)
        limits.axes[axis] = (seq_axis_limit){30, 9, 90};
    open_case(&wide, "full", &limits);
    model_case_train(&tight, batch, tight.gradient); // libraries warm up
    size_t before = small_heap();
    model_case_train(&tight, batch, tight.gradient);
    model_case_evaluate(&tight, batch, &(seq_losses){.of_row = rows[0]});
    assert_int_equal(before, small_heap());
    model_case_evaluate(&wide, batch, &(seq_losses){.of_row = rows[1]});
    assert_memory_equal(rows[0], rows[1], batch->batch.axes[TARGET].rows * sizeof **rows);
    assert_true(seq_workspace_bytes(tight.workspace) < seq_workspace_bytes(wide.workspace));
    packed_items_drop(batch);
    model_case_close(&tight);
    model_case_close(&wide);
}

// A parameter lies with its first user, and shared ones have one row.
static void parameters_lie_in_the_order_of_the_graph(void **state) {
    (void)state;
    model_case f;
    packed_items *batch = pack((int[]){0}, 1);
    open_case(&f, "full", &batch->limits);
    assert_string_equal(f.table->items[0].name, "embedding.weight");
    assert_false(f.table->items[0].sparse); // the head writes all of it
    assert_null(seq_parameter_find(f.table, "target.weight"));
    assert_null(seq_parameter_find(f.table, "output.weight"));
    assert_null(seq_parameter_find(f.table, "letters.weight_ih_l0_reverse"));
    assert_non_null(seq_parameter_find(f.table, "encoder.weight_ih_l1_reverse"));
    const seq_parameter *letters = seq_parameter_find(f.table, "letters.embedding.weight");
    assert_true(letters && letters->sparse && letters->vocabulary == 1);
    size_t begins[SEQ_MAX_GRADIENT_PARTS], parts = seq_model_gradient_parts(f.model, begins);
    for (size_t i = 1; i < parts; i++)
        assert_true(begins[i] < begins[i - 1]);
    assert_int_equal(begins[parts - 1], 0);
    packed_items_drop(batch);
    model_case_close(&f);
}

// What is refused, and that the first error stays.
static void bad_graphs_are_refused(void **state) {
    (void)state;
    for (int fault = 0; fault < 5; fault++) {
        seq_error error = {0};
        seq_compute compute;
        seq_graph *graph;
        seq_model *model;
        seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
        seq_graph_create(fields, 4, &(seq_initial_choice){0}, &graph, &error);
        const seq_encoder_options options = {.prefix = "encoder",
                                             .dense_prefix = "dense",
                                             .cell = seq_cell_find("rnn"),
                                             .layers = 1,
                                             .hidden = (int[]){4},
                                             .bidirectional = fault == 0};
        int embedded =
            add(graph, &seq_layer_embedding, &(seq_embedding_options){.units = EMBEDDING},
                "embedding", "", seq_graph_column(graph, fault == 1 ? "no" : "target.before"), -1);
        int top = seq_graph_encoder(graph, &options, embedded);
        int unread = fault == 2 ? seq_graph_encoder(graph, &options, embedded) : top;
        assert_true(unread >= -1);
        if (fault != 3) {
            int head = seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", top,
                                      seq_graph_column(graph, "target"), true);
            if (fault == 4) seq_graph_share(graph, head, 0, embedded, 0); // 4 units and 6
        }
        static const char *const reasons[] = {"items behind it", "no field no", "nothing reads",
                                              "does not end in a head", "shapes differ"};
        assert_int_equal(seq_graph_finish(graph, &compute, &model, &error), SEQ_BAD_USAGE);
        if (!strstr(error.text, reasons[fault])) fail_msg("fault %d: %s", fault, error.text);
    }
}

// Bytes of the workspace before the model was a graph, with kernels `portable`.
static void workspace_of_lm_has_not_grown(void **state) {
    (void)state;
    static const struct {
        const char *cell, *output;
        int layers, hidden[2], embedding, dense, tied, dropout;
        size_t bytes;
    } models[] = {{"lstm", "full", 2, {100, 100}, 60, 0, 0, 1, 5697920},
                  {"gru", "full", 2, {100, 100}, 60, 0, 0, 1, 5369088},
                  {"lstm", "full", 1, {64}, 64, 0, 1, 0, 4646720},
                  {"gru", "sampled", 1, {64}, 32, 0, 0, 0, 6311104},
                  {"lstm", "adaptive", 2, {80, 64}, 48, 48, 0, 0, 4637184}};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        seq_model_config config = {.vocabulary = 5000,
                                   .embedding = models[i].embedding,
                                   .layers = models[i].layers,
                                   .hidden = {models[i].hidden[0], models[i].hidden[1]},
                                   .dense_layers = models[i].dense > 0,
                                   .dense = {models[i].dense},
                                   .tied = models[i].tied,
                                   .output = seq_output_find(models[i].output),
                                   .samples = 100,
                                   .cutoff_count = 2,
                                   .cutoffs = {200, 1000}};
        seq_compute compute;
        seq_model *model;
        seq_workspace *workspace;
        seq_error error = {0};
        strcpy(config.cell, models[i].cell);
        if (models[i].dropout)
            config.dropout_input = config.dropout_between = config.dropout_output = 0.2;
        seq_compute_find("portable", SEQ_FP32, NULL, &compute, &error);
        seq_model_create(&config, &compute, &model, &error);
        assert_int_equal(error.status, SEQ_OK);
        const seq_limits limits = seq_rectangle_limits(10, 20);
        seq_workspace_create(model, &limits, 1, SEQ_USE_TRAINING, &workspace, &error);
        if (seq_workspace_bytes(workspace) > models[i].bytes)
            fail_msg("%s %s: %zu bytes, before %zu", models[i].cell, models[i].output,
                     seq_workspace_bytes(workspace), models[i].bytes);
        seq_workspace_destroy(workspace);
        seq_model_destroy(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_matches_differences),
        cmocka_unit_test(items_do_not_meet),
        cmocka_unit_test(nothing_gives_zeros),
        cmocka_unit_test(memory_is_planned),
        cmocka_unit_test(parameters_lie_in_the_order_of_the_graph),
        cmocka_unit_test(bad_graphs_are_refused),
        cmocka_unit_test(workspace_of_lm_has_not_grown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
