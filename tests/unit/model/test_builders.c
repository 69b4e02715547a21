// Models as tasks build them from options: text and letters, a stack, pooling or
// not, a head. Gradients are checked by differences, weight-drop and frozen
// parameters included, and each item alone against the batch. Checks
// src/model/stack.c, pooling.c, classifier.c, tagger.c, regressor.c, letters.c,
// casing.c, condition.c, packing.c, parameters.c, src/nn/layer_recurrent.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/model/casing.h>
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/condition.h>
#include <seqtrain/model/letters.h>
#include <seqtrain/model/pooling.h>
#include <seqtrain/model/regressor.h>
#include <seqtrain/model/tagger.h>
#include <seqtrain/nn/dense.h>
#include <seqtrain/nn/layers.h>
#include <seqtrain/nn/weight_drop.h>
#include <packed_items.h>
#include <small_model.h>
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES, TEXT, LETTERS, AXES };
enum {
    WORDS = 7,
    ALPHABET = 5,
    TAGS = 3,
    LABELS = 3,
    CASINGS = 4,
    ITEMS = 4,
    LONGEST = 4,
};
static const int lengths[ITEMS] = {2, 4, 0, 1};

// ---- batches

static int length_of(int axis, const packed_origin *parent) {
    return axis == TEXT ? lengths[parent->item] : (parent->item + 2 * parent->word) % 4;
}

// Columns "text", "letter", "tag", "label", "number" and "casing".
static void fill_columns(packed_items *out) {
    static const int axes[] = {TEXT, LETTERS, TEXT, EXAMPLES, TEXT},
                     sizes[] = {WORDS, ALPHABET, TAGS, LABELS, CASINGS}, places[] = {0, 1, 2, 3, 5};
    for (int column = 0; column < 5; column++) {
        for (size_t row = 0; row < out->batch.axes[axes[column]].rows; row++) {
            const packed_origin *at = &out->origins[axes[column]][row];
            out->ids[column][row] =
                (at->item * 31 + at->word * 7 + at->time * 3 + column) % sizes[column];
        }
        out->batch.columns[places[column]] =
            (seq_column){.axis = axes[column], .ids = out->ids[column]};
    }
    for (size_t row = 0; row < out->batch.axes[EXAMPLES].rows; row++)
        out->numbers[row] = (float)out->origins[EXAMPLES][row].item - 1.5F;
    out->batch.columns[4] = (seq_column){.axis = EXAMPLES, .values = out->numbers};
    out->batch.column_count = 6;
}

static packed_items *pack(const int *items, int count) {
    packed_rules rules = {
        .axes = AXES,
        .parents = {-1, EXAMPLES, TEXT},
        .longest = LONGEST,
        .length = length_of,
        .columns = fill_columns,
        .limits = {.axes = {{ITEMS, 1, ITEMS}, {ITEMS, LONGEST, 8}, {8, LONGEST, 32}}}};
    for (int a = 0; a < AXES; a++)
        for (int b = 0; b < AXES; b++)
            rules.limits.pairs[a][b] = rules.limits.longest_pair[a][b] = 64;
    return packed_items_make(&rules, items, count);
}

// ---- models

static const seq_graph_field fields[] = {
    {"text", TEXT, WORDS, 0, 0},    {"letter", LETTERS, ALPHABET, 0, 1},
    {"tag", TEXT, TAGS, 0, 2},      {"label", EXAMPLES, LABELS, 0, 3},
    {"number", EXAMPLES, 0, 1, -1}, {"casing", TEXT, CASINGS, 0, 4}};
static const int64_t label_counts[LABELS] = {6, 3, 1}, tag_counts[TAGS] = {5, 5, 0};

typedef void maker(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings);

static int read(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int rows = seq_graph_rows(graph, config, settings, "text");
    rows = seq_graph_letters(graph, config, settings, "letter", rows);
    return seq_graph_input_dropout(graph, config, settings, rows);
}

static int encode(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int rows = read(graph, config, settings);
    return seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
}

static int summarise(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int rows = read(graph, config, settings);
    int states = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    return seq_graph_pooling(graph, settings, rows, states, EXAMPLES);
}

static void classify(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int summary = summarise(graph, config, settings);
    seq_graph_classifier(graph, config, settings, summary, "label", label_counts);
}

static void tag(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int rows = encode(graph, config, settings);
    seq_graph_classifier(graph, config, settings, rows, "tag", tag_counts);
}

static void tag_cased(seq_graph *graph, const seq_model_config *config,
                      const seq_parsed *settings) {
    int rows = seq_graph_rows(graph, config, settings, "text");
    rows = seq_graph_letters(graph, config, settings, "letter", rows);
    rows = seq_graph_casing(graph, config, settings, "casing", rows);
    rows = seq_graph_input_dropout(graph, config, settings, rows);
    rows = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    seq_graph_classifier(graph, config, settings, rows, "tag", tag_counts);
}

static const unsigned char allowed[(TAGS + 1) * (TAGS + 1)] = {1, 0, 1, 1, 0, 1, 1, 1,
                                                               1, 1, 1, 1, 1, 0, 1, 1};
static void tag_together(seq_graph *graph, const seq_model_config *config,
                         const seq_parsed *settings) {
    int rows = encode(graph, config, settings);
    seq_graph_tagger(graph, config, settings, rows, "tag", allowed, tag_counts);
}

static void rate(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int summary = summarise(graph, config, settings);
    seq_graph_regressor(graph, config, settings, summary, "number", 11.5, 2);
}

// A second layer that begins where a summary of the first says.
static void start(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int rows = encode(graph, config, settings);
    int summary = seq_graph_pooling(graph, settings, rows, rows, EXAMPLES);
    const seq_recurrent_options again = {.cell = seq_cell_find(config->cell), .hidden = 3};
    int first = seq_graph_layer(graph, &seq_layer_dense,
                                &(seq_dense_options){.units = 3, .activation = SEQ_ACTIVATION_TANH},
                                "bridge", "", &summary, 1);
    rows = seq_graph_layer(graph, &seq_layer_recurrent, &again, "decoder", "_l0",
                           (int[]){rows, first}, 2);
    seq_graph_classifier(graph, config, settings, rows, "tag", tag_counts);
}

// The tag of a word from the label and number of its example, and from its casing as a bar.
static void generate(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    static const char *const conditions[] = {"label", "number"};
    int rows = seq_graph_rows(graph, config, settings, "text");
    rows = seq_graph_bar(graph, config, settings, "casing", rows);
    rows = seq_graph_condition(graph, config, settings, conditions, 2, rows);
    rows = seq_graph_stack(graph, config, settings, "encoder", "encoder.dense", rows);
    rows = seq_graph_output_dropout(graph, config, settings, rows);
    seq_graph_words(graph, config, rows, "tag");
}

typedef struct example {
    maker *make;
    const char *cell, *options;
} example;
static const example examples[] = {
    {classify, "lstm",
     "--bidirectional --feedforward-between=3 --pool=max-mean --letters-hidden=2 "
     "--letters-embed=3 --label-smoothing=0.2 --class-weights=balanced"},
    {classify, "gru",
     "--bidirectional --pool=ends --weight-drop=0.5 --dropout-locked "
     "--embedding-dropout=0.3"},
    {classify, "lstm-peephole-current", "--pool=attention --bidirectional"},
    {classify, "rnn", "--pool=last --weight-drop=0.3"},
    {classify, "gru-reset-after", "--pool=mean --pool-inputs --letters-hidden=2 --letters-embed=2"},
    {tag, "lstm", "--bidirectional --letters-hidden=2 --class-weights=balanced"},
    {tag_together, "gru", "--bidirectional --head=crf"},
    {tag_cased, "gru", "--casing-embed=2 --letters-hidden=2 --letters-embed=2"},
    {tag_together, "gru", "--bidirectional --head=softmax --label-smoothing=0.1"},
    {rate, "lstm", "--pool=mean"},
    {rate, "lstm", "--pool=mean --loss=absolute"},
    {rate, "lstm", "--pool=mean --loss=huber --huber-delta=0.5"},
    {rate, "lstm", "--pool=mean --loss=ordinal --levels=9,11,12,14"},
    {start, "lstm", "--pool=mean"},
    {start, "gru", "--pool=mean"},
    {start, "gru-reset-after", "--pool=mean --bidirectional"},
    {generate, "lstm", "--condition-embed=3 --bar-embed=2"},
    {generate, "gru", "--condition=first --condition-embed=2 --bar-embed=0"},
};
enum { EXAMPLE_COUNT = sizeof examples / sizeof *examples };

typedef struct fixture {
    seq_settings settings;
    model_case own;
} fixture;

static void parse(const char *text, seq_settings *out) {
    static const seq_option_group *const groups[] = {
        &seq_stack_options,     &seq_letters_options,    &seq_casing_options,
        &seq_pooling_options,   &seq_classifier_options, &seq_tagger_options,
        &seq_regressor_options, &seq_condition_options,  NULL};
    parse_options(groups, text, out);
}

static seq_model_config config_of(const char *cell) {
    seq_model_config config = {.vocabulary = WORDS,
                               .embedding = 4,
                               .layers = 2,
                               .hidden = {3, 4},
                               .dense_layers = 1,
                               .dense = {4},
                               .dense_activation = SEQ_DENSE_TANH,
                               .dropout_input = 0.2,
                               .dropout_between = 0.2,
                               .dropout_output = 0.2,
                               .initialisation = SEQ_INITIALISE_UNIFORM,
                               .init_scale = 0.7};
    snprintf(config.cell, sizeof config.cell, "%s", cell);
    return config;
}

static seq_status build(const example *example, const seq_parsed *settings, const char *frozen,
                        seq_model **out, seq_error *error) {
    const seq_model_config config = config_of(example->cell);
    const seq_initial_choice choice = seq_model_initial_choice(&config);
    seq_graph *graph = NULL;
    seq_compute compute;
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, error);
    seq_graph_create(fields, 6, &choice, &graph, error);
    example->make(graph, &config, settings);
    if (frozen) seq_graph_rate(graph, frozen, 0);
    return seq_graph_finish(graph, &compute, out, error);
}

static void open_fixture(fixture *f, const example *example, const char *frozen,
                         const seq_limits *limits) {
    seq_error error = {0};
    seq_model *model = NULL;
    *f = (fixture){0};
    parse(example->options, &f->settings);
    if (build(example, &f->settings.parsed, frozen, &model, &error)) fail_msg("%s", error.text);
    model_case_open(&f->own, model, limits);
}

static void close_fixture(fixture *f) {
    model_case_close(&f->own);
    seq_settings_clear(&f->settings);
}

// ---- tests

static void gradients_match_differences(void **state) {
    (void)state;
    for (int i = 0; i < EXAMPLE_COUNT; i++) {
        fixture f;
        packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
        open_fixture(&f, &examples[i], NULL, &batch->limits);
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
        open_fixture(&f, &examples[i], NULL, &batch->limits);
        size_t size = f.own.table->size;
        double together[ITEMS], alone[ITEMS];
        double *sum = calloc(size, sizeof *sum);
        float *whole = calloc(size, sizeof *whole);
        model_case_train(&f.own, batch, whole);
        model_case_evaluate(&f.own, batch, &(seq_losses){.of_sequence = together});
        bool of_examples = examples[i].make == classify || examples[i].make == rate;
        const seq_axis *axis = &batch->batch.axes[of_examples ? EXAMPLES : TEXT];
        for (int item = 0; item < ITEMS; item++) {
            packed_items *one = pack(&item, 1);
            model_case_pack(&f.own);
            memset(f.own.gradient, 0, size * sizeof *f.own.gradient);
            model_case_train(&f.own, one, f.own.gradient);
            for (size_t j = 0; j < size; j++)
                sum[j] += (double)f.own.gradient[j];
            model_case_evaluate(&f.own, one, &(seq_losses){.of_sequence = alone});
            for (int b = 0; b < axis->sequences; b++) {
                int64_t number = axis->number[b];
                if (axis->parent == EXAMPLES) number /= 100;
                if (number == item) assert_true(together[b] == alone[0]);
            }
            packed_items_drop(one);
        }
        model_case_check_sum(&f.own, whole, sum, examples[i].options);
        free(sum);
        free(whole);
        packed_items_drop(batch);
        close_fixture(&f);
    }
}

static void parameters_have_their_names(void **state) {
    (void)state;
    static const char *const names[] = {"embedding.weight",
                                        "letters.embedding.weight",
                                        "letters.weight_ih_l0_reverse",
                                        "encoder.weight_hh_l1",
                                        "encoder.bias_ih_l1_reverse",
                                        "encoder.dense.between.0.weight",
                                        "encoder.dense.0.weight",
                                        "output.weight",
                                        "output.bias"};
    static const char *const layers[] = {"letters layer 0", "letters layer 0 reverse",
                                         "layer 0",         "layer 0 reverse",
                                         "layer 1",         "layer 1 reverse"};
    fixture f;
    packed_items *batch = pack((int[]){0}, 1);
    open_fixture(&f, &examples[0], NULL, &batch->limits);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!seq_parameter_find(f.own.table, names[i])) fail_msg("no %s", names[i]);
    assert_int_equal(seq_model_recurrent_layers(f.own.model), 6);
    for (int i = 0; i < 6; i++) {
        char name[SEQ_STATE_NAME];
        seq_model_recurrent_name(f.own.model, i, name);
        assert_string_equal(name, layers[i]);
    }
    packed_items_drop(batch);
    close_fixture(&f);
    open_fixture(&f, &examples[2], NULL, &(seq_limits){.axes = {{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}});
    assert_non_null(seq_parameter_find(f.own.table, "pool.key.weight"));
    assert_non_null(seq_parameter_find(f.own.table, "pool.query"));
    close_fixture(&f);
}

// Shares of the work give the same bytes; a step's matrices are those of the
// parameters with its mask; the gradient of a dropped element is zero.
static void weights_are_dropped_in_packing(void **state) {
    (void)state;
    fixture f;
    packed_items *batch = pack((int[]){0, 1, 3}, 3);
    open_fixture(&f, &examples[1], NULL, &batch->limits);
    size_t bytes = seq_model_packed_bytes(f.own.model, SEQ_USE_TRAINING);
    void *shared = NULL;
    seq_error error = {0};
    assert_true(seq_model_drops_weights(f.own.model));
    seq_allocate(&shared, bytes, 1, "test", &error);
    for (int part = 0; part < 3; part++)
        seq_model_pack_dropped(f.own.model, CASE_SEED, CASE_STEP, f.own.parameters, part, 3,
                               shared);
    assert_memory_equal(shared, f.own.matrices, bytes);
    double loss = model_case_train(&f.own, batch, f.own.gradient);
    int zeros = 0;
    for (int row = 0; row < f.own.table->count; row++) {
        const seq_parameter *parameter = &f.own.table->items[row];
        if (parameter->drop == 0) continue;
        assert_true(strstr(parameter->name, "weight_hh") != NULL);
        const seq_weight_drop mask = {parameter->drop, CASE_SEED, CASE_STEP, (uint32_t)row};
        size_t count = seq_parameter_size(parameter);
        float *values = f.own.parameters + parameter->offset;
        seq_weight_drop_apply(&mask, 0, count, values, values);
        for (size_t i = 0; i < count; i++)
            if (values[i] == 0) {
                zeros++;
                assert_true(f.own.gradient[parameter->offset + i] == 0);
            }
    }
    assert_true(zeros > 20);
    seq_model_pack(f.own.model, SEQ_USE_TRAINING, f.own.parameters, 0, 1, f.own.matrices);
    assert_true(model_case_train(&f.own, batch, f.own.gradient) == loss);
    free(shared);
    packed_items_drop(batch);
    close_fixture(&f);
}

// Labels 0, 1, 2 occur 6, 3 and 1 times: weights in proportion to their inverses, with mean 1.
static void rare_labels_weigh_more(void **state) {
    (void)state;
    static const double weights[LABELS] = {10.0 / 18, 10.0 / 9, 10.0 / 3};
    for (int item = 0; item < LABELS; item++) {
        double losses[2];
        packed_items *one = pack(&item, 1);
        for (int balanced = 0; balanced < 2; balanced++) {
            fixture f;
            open_fixture(&f,
                         &(example){classify, "gru",
                                    balanced ? "--class-weights=balanced" : "--class-weights=none"},
                         NULL, &one->limits);
            losses[balanced] = model_case_train(&f.own, one, f.own.gradient);
            assert_true(fabs(seq_model_chance(f.own.model) -
                             log(LABELS + 1) * (balanced ? 10.0 / 3 : 1)) < 1e-6);
            close_fixture(&f);
        }
        double weight = weights[one->ids[3][0]];
        if (!(fabs(losses[1] / losses[0] - weight) < 1e-6))
            fail_msg("item %d: %g, expected %g", item, losses[1] / losses[0], weight);
        packed_items_drop(one);
    }
}

// Where the layers say nothing, the head sees the mean of the words' vectors behind their zeros.
static void inputs_are_pooled_beside(void **state) {
    (void)state;
    fixture f;
    packed_items *one = pack((int[]){1}, 1);
    open_fixture(&f, &(example){classify, "lstm", "--bidirectional --pool-inputs"}, NULL,
                 &one->limits);
    for (int row = 0; row < f.own.table->count; row++) {
        const seq_parameter *parameter = &f.own.table->items[row];
        if (strncmp(parameter->name, "encoder.", 8) == 0)
            memset(f.own.parameters + parameter->offset, 0,
                   seq_parameter_size(parameter) * sizeof(float));
    }
    const float *words =
        f.own.parameters + seq_parameter_find(f.own.table, "embedding.weight")->offset;
    const seq_parameter *weight = seq_parameter_find(f.own.table, "output.weight");
    const float *bias = f.own.parameters + seq_parameter_find(f.own.table, "output.bias")->offset;
    enum { STATES = 4, EMBEDDING = 4 };
    assert_int_equal(seq_parameter_size(weight), LABELS * (STATES + EMBEDDING));
    double score[LABELS], sum = 0;
    for (int label = 0; label < LABELS; label++) {
        score[label] = bias[label];
        for (int row = 0; row < lengths[1]; row++)
            for (int j = 0; j < EMBEDDING; j++)
                score[label] += f.own.parameters[weight->offset + (size_t)label * 8 + STATES + j] *
                                words[one->ids[0][row] * EMBEDDING + j] / lengths[1];
        sum += exp(score[label]);
    }
    double expected = log(sum) - score[one->ids[3][0]],
           found = model_case_evaluate(&f.own, one, NULL);
    if (!(fabs(found - expected) < 1e-6)) fail_msg("%g, expected %g", found, expected);
    packed_items_drop(one);
    close_fixture(&f);
}

// No gradient of theirs is written, and the others' are what they were.
static void frozen_parameters_have_no_gradient(void **state) {
    (void)state;
    static const char *const prefixes[] = {"embedding.", "encoder.weight_hh", "encoder.", "output.",
                                           "pool.",      "encoder.bias_ih_l0"};
    packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        fixture all, some;
        const example *example = &examples[i % 2 ? 1 : 2];
        if (i == 4) example = &examples[2];
        open_fixture(&all, example, NULL, &batch->limits);
        open_fixture(&some, example, prefixes[i], &batch->limits);
        for (size_t j = 0; j < some.own.table->size; j++)
            all.own.gradient[j] = some.own.gradient[j] = 77;
        assert_true(model_case_train(&all.own, batch, all.own.gradient) ==
                    model_case_train(&some.own, batch, some.own.gradient));
        for (int row = 0; row < some.own.table->count; row++) {
            const seq_parameter *parameter = &some.own.table->items[row];
            bool frozen = strncmp(parameter->name, prefixes[i], strlen(prefixes[i])) == 0;
            assert_true(parameter->rate == (frozen ? 0 : 1));
            for (size_t j = 0; j < seq_parameter_size(parameter); j++) {
                size_t at = parameter->offset + j;
                float expected = frozen ? 77 : all.own.gradient[at];
                if (!(some.own.gradient[at] == expected))
                    fail_msg("%s frozen: %s: %g, expected %g", prefixes[i], parameter->name,
                             (double)some.own.gradient[at], (double)expected);
            }
        }
        close_fixture(&all);
        close_fixture(&some);
    }
    packed_items_drop(batch);
}

// Of the items of a batch. Arrays hold two alternatives.
static void predict(fixture *f, const packed_items *packed, seq_prediction *out) {
    const seq_feed feed = {.batch = &packed->batch};
    out->best = 2;
    out->rows = out->sequences = PACKED_ROOM;
    seq_model_pack(f->own.model, SEQ_USE_TRAINING, f->own.parameters, 0, 1, f->own.matrices);
    seq_model_forward(f->own.model, f->own.workspace, &f->own.weights, &feed);
    seq_model_predict(f->own.model, f->own.workspace, &f->own.weights, &feed, out);
}

static void tags_keep_to_the_scheme(void **state) {
    (void)state;
    fixture f;
    packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
    open_fixture(&f, &(example){tag_together, "lstm", ""}, NULL, &batch->limits);
    static int found[PACKED_ROOM];
    static int32_t length[2 * PACKED_ROOM], ids[2 * PACKED_ROOM];
    static double score[2 * PACKED_ROOM], probability[2 * PACKED_ROOM];
    seq_prediction out = {
        .found = found, .length = length, .ids = ids, .score = score, .probability = probability};
    const seq_parameter *transitions = seq_parameter_find(f.own.table, "output.transitions");
    for (size_t i = 0; i < TAGS * TAGS; i++) // what is forbidden would be best
        f.own.parameters[transitions->offset + i] = i == 1 || i == 3 ? 9 : 0;
    predict(&f, batch, &out);
    const seq_axis *axis = &batch->batch.axes[TEXT];
    for (int b = 0; b < axis->sequences; b++)
        for (int k = 0; k < found[b]; k++)
            for (int t = 0, before = TAGS; t < length[k * PACKED_ROOM + b]; t++) {
                int tag = ids[(size_t)k * PACKED_ROOM + axis->first_row[t] + (size_t)b];
                assert_true(allowed[before * (TAGS + 1) + tag]);
                before = tag;
            }
    packed_items_drop(batch);
    close_fixture(&f);
}

// They come, and are predicted, normalised by mean 11.5 and deviation 2; item i is 8.5 + 2 i.
static void numbers_are_normalised(void **state) {
    (void)state;
    static const char *const options[] = {"--loss=squared", "--loss=ordinal --levels=8,11,12,15"};
    packed_items *batch = pack((int[]){0, 1, 2, 3}, ITEMS);
    for (int i = 0; i < 2; i++) {
        fixture f;
        open_fixture(&f, &(example){rate, "lstm", options[i]}, NULL, &batch->limits);
        int found[PACKED_ROOM];
        int32_t length[2 * PACKED_ROOM];
        double score[2 * PACKED_ROOM], probability[2 * PACKED_ROOM], losses[ITEMS];
        float values[2 * PACKED_ROOM], marginals[PACKED_ROOM * 4];
        seq_prediction out = {.found = found,
                              .length = length,
                              .values = values,
                              .score = score,
                              .probability = probability,
                              .marginals = i ? marginals : NULL};
        predict(&f, batch, &out);
        model_case_evaluate(&f.own, batch, &(seq_losses){.of_sequence = losses});
        for (int item = 0; item < ITEMS; item++) {
            double z = (double)values[item] - (item - 1.5);
            double expected = i ? -log((double)marginals[item * 4 + item]) : z * z;
            if (!(fabs(losses[item] - expected) < 1e-5 * (1 + expected)))
                fail_msg("%s, item %d: %g, expected %g", options[i], item, losses[item], expected);
        }
        close_fixture(&f);
    }
    packed_items_drop(batch);
}

static void language_model(seq_graph *graph, const seq_model_config *config,
                           const seq_parsed *settings) {
    int rows = seq_graph_input(graph, config, settings, "text");
    rows = seq_graph_stack(graph, config, settings, "rnn", "dense", rows);
    seq_graph_head(graph, &seq_head_full, &(seq_words_options){0}, "output", rows,
                   seq_graph_column(graph, "tag"), true);
}

static void numbers(seq_graph *graph, const seq_model_config *config, const seq_parsed *settings) {
    int rows = seq_graph_input(graph, config, settings, "number");
    seq_graph_classifier(graph, config, settings, rows, "label", label_counts);
}

static void no_letters(seq_graph *graph, const seq_model_config *config,
                       const seq_parsed *settings) {
    int rows = seq_graph_rows(graph, config, settings, "text");
    rows = seq_graph_letters(graph, config, settings, "characters", rows);
    seq_graph_classifier(graph, config, settings, rows, "tag", tag_counts);
}

static void no_casing(seq_graph *graph, const seq_model_config *config,
                      const seq_parsed *settings) {
    int rows = seq_graph_rows(graph, config, settings, "text");
    rows = seq_graph_casing(graph, config, settings, "style", rows);
    seq_graph_classifier(graph, config, settings, rows, "tag", tag_counts);
}

// Without the field, the default of the option and 0 are no choice; with it, 0 leaves it out.
static void casing_may_be_left_out(void **state) {
    (void)state;
    static const example cases[] = {{no_casing, "lstm", ""},
                                    {no_casing, "lstm", "--casing-embed=0"},
                                    {tag_cased, "lstm", "--casing-embed=0"},
                                    {tag_cased, "lstm", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        packed_items *batch = pack((int[]){0}, 1);
        open_fixture(&f, &cases[i], NULL, &batch->limits);
        const seq_parameter *table = seq_parameter_find(f.own.table, "casing.weight");
        assert_int_equal(table != NULL, i == 3);
        if (table) assert_int_equal(seq_parameter_size(table), CASINGS * 8);
        packed_items_drop(batch);
        close_fixture(&f);
    }
}

static void misfits_are_refused(void **state) {
    (void)state;
    static const struct {
        example example;
        const char *frozen, *reason;
    } misfits[] = {
        {{language_model, "lstm", "--bidirectional"}, NULL, "--bidirectional"},
        {{classify, "lstm", "--pool=ends"}, NULL, "needs --bidirectional"},
        {{numbers, "lstm", "--embedding-dropout=0.1"}, NULL, "number holds numbers"},
        {{no_letters, "lstm", "--letters-hidden=3"}, NULL, "seqprep --letters"},
        {{no_casing, "lstm", "--casing-embed=3"}, NULL, "seqprep --casing"},
        {{classify, "lstm", ""}, "decoder.", "name begins with decoder."},
        {{tag_together, "lstm", "--class-weights=balanced"}, NULL, "--head crf"},
        {{rate, "lstm", "--loss=ordinal"}, NULL, "needs --levels"},
        {{rate, "lstm", "--loss=ordinal --levels=1,3,2"}, NULL, "2 follows 3"},
        {{rate, "lstm", "--levels=1,3"}, NULL, "only --loss ordinal"},
    };
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        seq_settings settings;
        seq_model *model = NULL;
        seq_error error = {0};
        parse(misfits[i].example.options, &settings);
        assert_int_equal(
            build(&misfits[i].example, &settings.parsed, misfits[i].frozen, &model, &error),
            SEQ_BAD_USAGE);
        if (!strstr(error.text, misfits[i].reason)) fail_msg("%s", error.text);
        seq_settings_clear(&settings);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_differences),
        cmocka_unit_test(items_do_not_meet),
        cmocka_unit_test(parameters_have_their_names),
        cmocka_unit_test(weights_are_dropped_in_packing),
        cmocka_unit_test(rare_labels_weigh_more),
        cmocka_unit_test(inputs_are_pooled_beside),
        cmocka_unit_test(frozen_parameters_have_no_gradient),
        cmocka_unit_test(tags_keep_to_the_scheme),
        cmocka_unit_test(numbers_are_normalised),
        cmocka_unit_test(casing_may_be_left_out),
        cmocka_unit_test(misfits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
