// Encoder-decoders with every score of attention, in Luong's order with and
// without feeding and in Bahdanau's, against PyTorch in double, item by item
// (tests/golden/generate.py): the loss, and the gradient of each parameter within
// 3e-6 of the largest. Sources and targets of length 0 are among the items.
// Checks src/model/decoder.c, src/nn/decoder.c and src/nn/attention.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <packed_items.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/model/classifier.h>
#include <seqtrain/model/decoder.h>
#include <stdio.h>
#include <string.h>

enum { EXAMPLES, SOURCE, TARGET, AXES };
enum { WORDS = 9, ITEMS = 4, LONGEST = 4 };
static const int sources[ITEMS] = {2, 4, 0, 1}, targets[ITEMS] = {3, 2, 4, 0};

static int length_of(int axis, const packed_origin *parent) {
    return axis == SOURCE ? sources[parent->item] : targets[parent->item];
}

static int32_t word_of(int item, int time) {
    return time < 0 ? SEQ_NO_ID : (item * 31 + time * 5 + 3) % WORDS;
}

static void fill_columns(packed_items *out) {
    static const int axes[] = {SOURCE, TARGET, TARGET};
    for (int column = 0; column < 3; column++) {
        for (size_t row = 0; row < out->batch.axes[axes[column]].rows; row++) {
            const packed_origin *at = &out->origins[axes[column]][row];
            out->ids[column][row] = column ? word_of(at->item, at->time - (column == 2))
                                           : (at->item * 11 + at->time * 3) % WORDS;
        }
        out->batch.columns[column] = (seq_column){.axis = axes[column], .ids = out->ids[column]};
    }
    out->batch.column_count = 3;
}

static packed_items *pack(void) {
    packed_rules rules = {
        .axes = AXES,
        .parents = {-1, EXAMPLES, EXAMPLES},
        .longest = LONGEST,
        .length = length_of,
        .columns = fill_columns,
        .limits = {.axes = {{ITEMS, 1, ITEMS}, {ITEMS, LONGEST, 9}, {ITEMS, LONGEST, 9}}}};
    rules.limits.pairs[TARGET][SOURCE] = 30;
    return packed_items_make(&rules, (int[]){0, 1, 2, 3}, ITEMS);
}

static seq_model *build(const char *cell, const seq_parsed *settings) {
    static const seq_graph_field fields[] = {{"source", SOURCE, WORDS, 0, 0},
                                             {"target", TARGET, WORDS, 0, 1},
                                             {"target.before", TARGET, WORDS, 0, 1}};
    seq_model_config config = {.vocabulary = WORDS, .embedding = 4, .layers = 1, .hidden = {5}};
    seq_decoder_ends ends = {.target = "target"};
    seq_graph *graph = NULL;
    seq_model *model = NULL;
    seq_compute compute;
    seq_error error = {0};
    snprintf(config.cell, sizeof config.cell, "%s", cell);
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_graph_create(fields, 3, &(seq_initial_choice){0}, &graph, &error);
    ends.source = seq_graph_input(graph, &config, settings, "source");
    ends.encoded =
        seq_graph_stack(graph, &config, settings, "encoder", "encoder.dense", ends.source);
    int rows = seq_graph_decoder(graph, &config, settings, &ends);
    seq_graph_classifier(graph, &config, settings, rows, "target", NULL);
    if (seq_graph_finish(graph, &compute, &model, &error)) fail_msg("%s", error.text);
    return model;
}

// As generate.py draws them.
static void draw(const seq_parameter *parameter, float *out) {
    int sum = 0;
    for (const char *at = parameter->name; *at; at++)
        sum += *at;
    for (size_t i = 0; i < seq_parameter_size(parameter); i++)
        out[i] = (float)(0.6 * sin(0.7 * (double)i + sum));
}

static void check_gradient(const char *name, const golden *file, const seq_parameter *parameter,
                           const float *gradient) {
    char entry[200];
    size_t count = seq_parameter_size(parameter);
    double largest = 0, worst = 0;
    snprintf(entry, sizeof entry, "%s.%s", name, parameter->name);
    const double *expected = golden_get(file, entry, count);
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)gradient[i] - expected[i]);
        largest = fmax(largest, fabs(expected[i]));
        worst = error > worst || isnan(error) ? error : worst;
    }
    if (!(worst <= 3e-6 * fmax(largest, 0.1)))
        fail_msg("%s: off by %g of at most %g", entry, worst, largest);
}

static void check(const golden *file, const char *order, const char *score, const char *cell,
                  const char *option) {
    static const seq_option none[] = {{.type = SEQ_OPTION_END}};
    static const seq_option_group *const groups[] = {&seq_stack_options, &seq_decoder_options,
                                                     &seq_classifier_options, NULL};
    static const seq_program program = {
        .name = "test", .synopsis = "", .options = none, .groups = groups};
    char name[80], attention[100];
    char *arguments[] = {"test", attention, (char *)option};
    seq_settings settings;
    seq_error error = {0};
    model_case own;
    packed_items *items = pack();
    snprintf(name, sizeof name, "%s-%s", order, score);
    snprintf(attention, sizeof attention, "--attention=%s", score);
    if (seq_settings_parse(&program, option ? 3 : 2, arguments, &settings, &error))
        fail_msg("%s", error.text);
    model_case_open(&own, build(cell, &settings.parsed), &items->limits);
    for (int row = 0; row < own.table->count; row++)
        draw(&own.table->items[row], own.parameters + own.table->items[row].offset);
    seq_model_pack(own.model, SEQ_USE_TRAINING, own.parameters, 0, 1, own.matrices);
    const seq_feed feed = {.batch = &items->batch};
    double loss =
        seq_model_train(own.model, own.workspace, &own.weights, &feed, 1, own.gradient).sum;
    snprintf(attention, sizeof attention, "%s.loss", name);
    double expected = *golden_get(file, attention, 1);
    if (!(fabs(loss - expected) < 1e-6 * expected))
        fail_msg("%s: loss %g, expected %g", name, loss, expected);
    for (int row = 0; row < own.table->count; row++)
        check_gradient(name, file, &own.table->items[row],
                       own.gradient + own.table->items[row].offset);
    model_case_close(&own);
    seq_settings_clear(&settings);
    packed_items_drop(items);
}

static void decoders_are_pytorchs(void **state) {
    (void)state;
    static const char *const scores[] = {"dot", "general", "additive"};
    golden *file = golden_open(GOLDEN_DIRECTORY "/decoders.txt");
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        check(file, "luong", scores[i], "gru-reset-after", NULL);
        check(file, "feeding", scores[i], "lstm", "--input-feeding");
        check(file, "bahdanau", scores[i], "gru-reset-after", "--attention-order=bahdanau");
    }
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decoders_are_pytorchs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
