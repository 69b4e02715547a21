// The head of numbers from its options. Ordinal takes a number as one of some
// ordered levels, the nearest, and predicts the mean of the levels by their
// probabilities. Test: tests/unit/model/test_builders.c.
#include "model_private.h"
#include <seqtrain/model/regressor.h>
#include <seqtrain/nn/losses.h>
#include <stddef.h>

#define AT(field) offsetof(seq_regressor_settings, field)

// By seq_regression_loss, and ordinal.
static const char *const losses[] = {"squared", "absolute", "huber", "ordinal", NULL};
enum { ORDINAL = SEQ_HUBER_LOSS + 1 };

static const seq_option options[] = {
    {SEQ_OPTION_HEADING, .help = "Numbers"},
    {SEQ_OPTION_CHOICE, "loss", "KIND", AT(loss), "squared", .choices = losses,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "Loss of a number. squared and absolute: of its distance in standard deviations of "
             "the training part. huber: squared up to --huber-delta, absolute beyond. ordinal: the "
             "numbers are --levels, in an order but without distances."},
    {SEQ_OPTION_REAL, "huber-delta", "X", AT(huber_delta), "1", 1e-6, 1e6,
     .flags = SEQ_OPTION_IDENTITY, .help = "Standard deviations up to which huber is squared."},
    {SEQ_OPTION_INTEGERS, "levels", "A,B[,C...]", AT(levels), NULL, -1e9, 1e9,
     .flags = SEQ_OPTION_IDENTITY,
     .help = "The whole numbers of --loss ordinal, rising, as in 0,1,2,3,4. Another number counts "
             "as the nearest."},
    {.type = SEQ_OPTION_END}};

const seq_option_group seq_regressor_options = {options, sizeof(seq_regressor_settings)};

static void check_levels(seq_graph *graph, const seq_regressor_settings *settings) {
    const seq_integers *levels = &settings->levels;
    bool ordinal = settings->loss == ORDINAL;
    for (int i = 1; i < levels->count; i++)
        if (levels->values[i] <= levels->values[i - 1])
            seq_error_set(&graph->error, SEQ_BAD_USAGE, "--levels: %lld follows %lld: must rise",
                          (long long)levels->values[i], (long long)levels->values[i - 1]);
    if (ordinal && levels->count < 2)
        seq_error_set(&graph->error, SEQ_BAD_USAGE,
                      "--loss ordinal needs --levels, the numbers that there are: at least two");
    if (!ordinal && levels->count)
        seq_error_set(&graph->error, SEQ_BAD_USAGE, "--levels: only --loss ordinal has levels");
}

// Levels as the column has numbers.
static int order(seq_graph *graph, const seq_integers *levels, int rows, int numbers, double mean,
                 double deviation) {
    float values[SEQ_INTEGERS];
    for (int i = 0; i < levels->count; i++)
        values[i] = (float)(((double)levels->values[i] - mean) / deviation);
    const seq_head_ordinal_options ordinal = {
        .values = seq_graph_keep(graph, values, (size_t)levels->count * sizeof *values),
        .classes = levels->count};
    return seq_graph_head(graph, &seq_head_ordinal, &ordinal, "output", rows, numbers, false);
}

int seq_graph_regressor(seq_graph *graph, const seq_model_config *config,
                        const seq_parsed *settings, int input, const char *target, double mean,
                        double deviation) {
    static const seq_regressor_settings standard = {.loss = SEQ_SQUARED_LOSS, .huber_delta = 1};
    static const float zero = 0, one = 1;
    const seq_regressor_settings *own =
        settings ? seq_option_values(settings, &seq_regressor_options) : NULL;
    if (!own) own = &standard;
    check_levels(graph, own);
    int rows = seq_graph_output_dropout(graph, config, settings, input);
    int numbers = seq_graph_column(graph, target);
    if (own->loss == ORDINAL) return order(graph, &own->levels, rows, numbers, mean, deviation);
    const seq_head_regression_options regression = {.loss = (seq_regression_loss)own->loss,
                                                    .delta = (float)own->huber_delta,
                                                    .mean = &zero,
                                                    .deviation = &one};
    return seq_graph_head(graph, &seq_head_regression, &regression, "output", rows, numbers, false);
}
