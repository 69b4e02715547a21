// Models that write one sequence for another: made by hand of single layers, and
// by the decoder's builder from its options. Gradients against differences; each
// item alone against the batch; and in steps, as search runs them: seq_model_begin
// once, then a step at a time with several sequences of each item, in an order of
// their own, whose states are selected in between. Scores must be the bits of a
// whole pass. Checks src/model/decoder.c, seq_model_begin, seq_model_step and
// seq_model_attention in src/model/pass.c, and src/model/links.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/decoder.h>
#include <seqtrain/model/encoder.h>
#include <seqtrain/nn/attention.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/pool.h>
#include <seqtrain/nn/rows.h>
#include <packed_items.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES, SOURCE, TARGET, AXES };
enum { WORDS = 9, ITEMS = 4, LONGEST = 4, COPIES = 3, BEAMS = ITEMS * COPIES };
static const int sources[ITEMS] = {2, 4, 0, 1}, targets[ITEMS] = {3, 2, 4, 0};

// ---- batches

static int length_of(int axis, const packed_origin *parent) {
    return axis == SOURCE ? sources[parent->item] : targets[parent->item];
}

static int32_t word_of(int item, int time) {
    return (item * 31 + time * 5 + 3) % WORDS;
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

static packed_items *pack(const int *items, int count) {
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
    return packed_items_make(&rules, items, count);
}

// ---- the model

// A joint vocabulary.
static const seq_graph_field fields[] = {{"source", SOURCE, WORDS, 0, 0},
                                         {"target", TARGET, WORDS, 0, 0},
                                         {"target.before", TARGET, WORDS, 0, 0}};

typedef void maker(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings);

static int add(seq_graph *graph, const seq_layer_kind *kind, const void *options,
               const char *prefix, const char *suffix, int a, int b) {
    return seq_graph_layer(graph, kind, options, prefix, suffix, (int[]){a, b}, b < 0 ? 1 : 2);
}

// Nodes of one kind each, as no task puts them together.
static void by_hand(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    const seq_recurrent_options recurrent = {.cell = seq_cell_find(config->cell), .hidden = 8};
    int rows = seq_graph_input(graph, config, settings, "source");
    rows = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    int start =
        add(graph, &seq_layer_pool, &(seq_pool_options){SEQ_POOL_MEAN, EXAMPLES}, "", "", rows, -1);
    start = add(graph, &seq_layer_dense,
                &(seq_dense_options){.units = 8, .activation = SEQ_ACTIVATION_TANH}, "bridge", "",
                start, -1);
    int top = add(graph, &seq_layer_embedding, &(seq_embedding_options){.units = 5}, "before", "",
                  seq_graph_column(graph, "target.before"), -1);
    top = seq_graph_dropout(graph, top, 0.2, false);
    top = add(graph, &seq_layer_recurrent, &recurrent, "decoder", "_l0", top, start);
    top = add(graph, &seq_layer_recurrent, &recurrent, "decoder", "_l1", top, -1);
    int seen = add(graph, &seq_layer_attention, &(seq_attention_options){SEQ_ATTENTION_DOT}, "", "",
                   top, rows);
    top = add(graph, &seq_layer_concat, NULL, "", "", top, seen);
    seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", top,
                   seq_graph_column(graph, "target"), true);
}

static void translate(seq_graph *graph, const seq_model_config *config,
                      const seq_parsed *settings) {
    seq_decoder_ends ends = {.target = "target"};
    ends.source = seq_graph_rows(graph, config, settings, "source");
    int rows = seq_graph_input_dropout(graph, config, settings, ends.source);
    ends.encoded = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    rows = seq_graph_decoder(graph, config, settings, &ends);
    int head = seq_graph_classifier(graph, config, settings, rows, "target", NULL);
    seq_graph_tie(graph, config, head, ends.embedding);
}

typedef struct example {
    maker *make;
    const char *cell, *options;
    bool tied;
} example;
static const example examples[] = {
    {by_hand, "lstm", "--bidirectional --feedforward-between=6", false},
    {by_hand, "gru", "--bidirectional", false},
    {translate, "lstm", "--attention=none --bidirectional --decoder-layers=2 --decoder-hidden=7",
     false},
    {translate, "gru", "--decoder-hidden=6 --tied-source --label-smoothing=0.1", true},
    {translate, "gru-reset-after",
     "--attention=none --feedforward-between=3 --dropout-locked --summary-each-step", false},
    {translate, "lstm", "--attention=additive --bidirectional --weight-drop=0.3", false},
    {translate, "gru", "--attention=dot --input-feeding --decoder-layers=2", false},
    {translate, "lstm-peephole",
     "--attention=general --input-feeding --bidirectional --weight-drop=0.3", false},
    {translate, "gru-simple", "--attention=additive --input-feeding --decoder-hidden=6", true},
    {translate, "gru-reset-after",
     "--attention=additive --attention-order=bahdanau "
     "--bidirectional --decoder-layers=2 --decoder-hidden=5",
     false},
    {translate, "lstm", "--attention=dot --attention-order=bahdanau --summary-each-step", false},
    {translate, "gru", "--input-feeding --scheduled-sampling=0.5 --tied-source", false},
    {translate, "lstm", "--scheduled-sampling=1 --embedding-dropout=0.3", false},
};
enum { EXAMPLE_COUNT = sizeof examples / sizeof *examples };

static bool attends(const example *example) {
    return !strstr(example->options, "--attention=none");
}

typedef struct fixture {
    seq_settings settings;
    model_case own;
} fixture;

static void parse(const char *text, seq_settings *out) {
    static const seq_option_group *const groups[] = {&seq_stack_options, &seq_decoder_options,
                                                     &seq_classifier_options, NULL};
    parse_options(groups, text, out);
}

// Feeding is tried without it, so that a test can tell what the model reads.
static double dropout_of(const example *example) {
    return strstr(example->options, "--input-feeding") ? 0 : 0.2;
}

static seq_status build(const example *example, const seq_parsed *settings, seq_model **out,
                        seq_error *error) {
    seq_graph *graph = NULL;
    seq_compute compute;
    seq_model_config config = {.vocabulary = WORDS,
                               .embedding = 6,
                               .layers = 2,
                               .hidden = {5, 4},
                               .tied = example->tied,
                               .dropout_input = dropout_of(example),
                               .dropout_between = dropout_of(example),
                               .dropout_output = dropout_of(example),
                               .initialisation = SEQ_INITIALISE_UNIFORM,
                               .init_scale = 0.7};
    const seq_initial_choice choice = seq_model_initial_choice(&config);
    snprintf(config.cell, sizeof config.cell, "%s", example->cell);
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, error);
    seq_graph_create(fields, 3, &choice, &graph, error);
    example->make(graph, &config, settings);
    return seq_graph_finish(graph, &compute, out, error);
}

static void open_fixture(fixture *f, const example *example, const seq_limits *limits) {
    seq_model *model = NULL;
    seq_error error = {0};
    *f = (fixture){0};
    parse(example->options, &f->settings);
    if (build(example, &f->settings.parsed, &model, &error)) fail_msg("%s", error.text);
    model_case_open(&f->own, model, limits);
}

static void close_fixture(fixture *f) {
    model_case_close(&f->own);
    seq_settings_clear(&f->settings);
}

// ---- training

static void gradients_match_differences(void **state) {
    (void)state;
    for (int i = 0; i < EXAMPLE_COUNT; i++) {
        fixture f;
        packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
        open_fixture(&f, &examples[i], &batch->limits);
        model_case_check_gradient(&f.own, batch, examples[i].options);
        packed_items_drop(batch);
        close_fixture(&f);
    }
}

// The loss of an item is the same bits in any batch; gradients of items add up.
static void items_do_not_meet(void **state) {
    (void)state;
    for (int i = 0; i < EXAMPLE_COUNT; i++) {
        fixture f;
        packed_items *batch = pack((int[]){2, 0, 3, 1}, ITEMS);
        open_fixture(&f, &examples[i], &batch->limits);
        size_t size = f.own.table->size;
        double together[ITEMS], alone;
        double *sum = calloc(size, sizeof *sum);
        float *whole = calloc(size, sizeof *whole);
        const seq_axis *axis = &batch->batch.axes[TARGET];
        model_case_train(&f.own, batch, whole);
        model_case_evaluate(&f.own, batch, &(seq_losses){.of_sequence = together});
        for (int b = 0; b < ITEMS; b++) {
            int item = (int)(axis->number[b] / 100);
            packed_items *one = pack(&item, 1);
            memset(f.own.gradient, 0, size * sizeof *f.own.gradient);
            model_case_pack(&f.own);
            model_case_train(&f.own, one, f.own.gradient);
            for (size_t j = 0; j < size; j++)
                sum[j] += (double)f.own.gradient[j];
            model_case_evaluate(&f.own, one, &(seq_losses){.of_sequence = &alone});
            assert_true(together[b] == alone);
            packed_items_drop(one);
        }
        model_case_check_sum(&f.own, whole, sum, examples[i].options);
        free(sum);
        free(whole);
        packed_items_drop(batch);
        close_fixture(&f);
    }
}

// With probability 1 the decoder reads what it finds likeliest itself, given the true words.
static void own_words_are_read(void **state) {
    (void)state;
    fixture own, given;
    packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
    const seq_axis *axis = &batch->batch.axes[TARGET];
    float scores[PACKED_ROOM * WORDS];
    int32_t words[PACKED_ROOM];
    int others = 0;
    open_fixture(&own,
                 &(example){translate, "gru", "--input-feeding --scheduled-sampling=1", false},
                 &batch->limits);
    open_fixture(&given, &(example){translate, "gru", "--input-feeding", false}, &batch->limits);
    const seq_feed feed = {.batch = &batch->batch};
    seq_model_forward(given.own.model, given.own.workspace, &given.own.weights, &feed);
    seq_model_scores(given.own.model, given.own.workspace, &given.own.weights, &feed, 0, axis->rows,
                     scores);
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++) {
            size_t row = axis->first_row[t] + (size_t)b;
            words[row] = t ? 0 : SEQ_NO_ID;
            const float *from = t ? scores + (axis->first_row[t - 1] + (size_t)b) * WORDS : scores;
            for (int word = 1; t && word < WORDS; word++)
                if (from[word] > from[words[row]]) words[row] = word;
            others += words[row] != batch->ids[2][row];
        }
    assert_true(others > 2);
    double loss = model_case_train(&own.own, batch, own.own.gradient);
    assert_true(loss != model_case_train(&given.own, batch, given.own.gradient));
    memcpy(batch->ids[2], words, axis->rows * sizeof *words);
    assert_true(loss == model_case_train(&given.own, batch, given.own.gradient));
    for (int row = 0; row < given.own.table->count; row++) {
        const seq_parameter *parameter = &given.own.table->items[row];
        if (!parameter->sparse) // of sparse ones only the rows of the batch are written
            assert_memory_equal(own.own.gradient + parameter->offset,
                                given.own.gradient + parameter->offset,
                                seq_parameter_size(parameter) * sizeof(float));
    }
    close_fixture(&own);
    close_fixture(&given);
    packed_items_drop(batch);
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
        assert_memory_equal(whole + row * WORDS, scores + b * WORDS, WORDS * sizeof *scores);
    }
}

static void check_steps(const example *example) {
    fixture f;
    packed_items *packed = pack((int[]){0, 1, 2, 3}, ITEMS);
    beams now, before = {0};
    float whole[PACKED_ROOM * WORDS], scores[BEAMS * WORDS];
    open_fixture(&f, example, &packed->limits);
    model_case *own = &f.own;
    size_t floats = seq_model_state_size(own->model, BEAMS);
    float *states = calloc(2 * floats, sizeof *states), *old = states + floats;
    const seq_feed all = {.batch = &packed->batch};
    seq_model_forward(own->model, own->workspace, &own->weights, &all);
    seq_model_scores(own->model, own->workspace, &own->weights, &all, 0,
                     packed->batch.axes[TARGET].rows, whole);
    for (int t = 0; t < LONGEST; t++) {
        fill_beams(&now, packed, t);
        const seq_feed feed = {.batch = &now.batch, .state = states};
        if (t == 0) seq_model_begin(own->model, own->workspace, &own->weights, &feed);
        for (size_t i = 0; t == 0 && i < floats; i++)
            states[i] = NAN; // a first step reads none
        if (t) select_states(own->model, &before, old, &now, states);
        seq_model_step(own->model, own->workspace, &own->weights, &feed);
        seq_model_scores(own->model, own->workspace, &own->weights, &feed, 0, (size_t)now.count,
                         scores);
        check_scores(&now, packed, t, whole, scores);
        check_attention(own, &now, attends(example));
        memcpy(old, states, floats * sizeof *states);
        before = now;
    }
    free(states);
    close_fixture(&f);
    packed_items_drop(packed);
}

static void steps_are_the_whole(void **state) {
    (void)state;
    for (int i = 0; i < EXAMPLE_COUNT; i++)
        check_steps(&examples[i]);
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int order = 0; order < 2; order++)
            check_steps(&(example){translate, *cell,
                                   order ? "--attention=additive --attention-order=bahdanau"
                                         : "--input-feeding --bidirectional --decoder-layers=2",
                                   false});
}

static void parameters_have_their_names(void **state) {
    (void)state;
    static const char *const names[] = {"embedding.weight",
                                        "encoder.weight_ih_l1_reverse",
                                        "bridge.weight",
                                        "bridge.weight_l1",
                                        "decoder.embedding.weight",
                                        "decoder.weight_hh_l1",
                                        "output.weight",
                                        "output.bias"};
    static const char *const attending[] = {"decoder.key.weight", "decoder.key.bias",
                                            "decoder.weight_query_l0", "decoder.v_l0",
                                            "decoder.readout.bias"};
    fixture f;
    char name[SEQ_STATE_NAME];
    packed_items *batch = pack((int[]){0}, 1);
    open_fixture(&f, &examples[2], &batch->limits);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!seq_parameter_find(f.own.table, names[i])) fail_msg("no %s", names[i]);
    seq_model_recurrent_name(f.own.model, 5, name);
    assert_string_equal(name, "decoder layer 1");
    close_fixture(&f);
    open_fixture(
        &f, &(example){translate, "gru", "--attention=additive --attention-order=bahdanau", false},
        &batch->limits);
    for (size_t i = 0; i < sizeof attending / sizeof *attending; i++)
        if (!seq_parameter_find(f.own.table, attending[i])) fail_msg("no %s", attending[i]);
    close_fixture(&f);
    open_fixture(&f, &examples[3], &batch->limits); // one matrix for source, target and output
    assert_null(seq_parameter_find(f.own.table, "decoder.embedding.weight"));
    assert_null(seq_parameter_find(f.own.table, "output.weight"));
    close_fixture(&f);
    packed_items_drop(batch);
}

static void misfits_are_refused(void **state) {
    (void)state;
    static const struct {
        example example;
        const char *reason;
    } misfits[] = {
        {{translate, "lstm", "", true}, "--tied: the topmost layer has 4 units, an embedding 6"},
        {{translate, "lstm", "--attention=dot --decoder-hidden=5", false}, "--attention dot"},
        {{translate, "lstm", "--attention=none --input-feeding", false}, "--input-feeding"},
        {{translate, "lstm", "--attention=none --attention-order=bahdanau", false},
         "--attention-order"},
        {{translate, "lstm", "--input-feeding --attention-order=bahdanau", false}, "only luong"},
    };
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        seq_settings settings;
        seq_model *model = NULL;
        seq_error error = {0};
        parse(misfits[i].example.options, &settings);
        assert_int_equal(build(&misfits[i].example, &settings.parsed, &model, &error),
                         SEQ_BAD_USAGE);
        if (!strstr(error.text, misfits[i].reason)) fail_msg("%s", error.text);
        seq_settings_clear(&settings);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences), cmocka_unit_test(items_do_not_meet),
        cmocka_unit_test(own_words_are_read),          cmocka_unit_test(steps_are_the_whole),
        cmocka_unit_test(parameters_have_their_names), cmocka_unit_test(misfits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
