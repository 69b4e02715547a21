// The recurrent layer with attention inside its loop, over ragged sequences,
// empty ones included (tests/support/layer_case.h: reference, differences, add,
// threads, alone): both orders, all scores, all cells. Checks src/nn/decoder.c,
// and the feed of src/nn/recurrent.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <layer_case.h>
#include <math.h>
#include <reference_model.h>
#include <seqtrain/nn/decoder.h>
#include <stdio.h>
#include <string.h>

enum { ROWS, VALUES, KEYS, START };
enum { MOST = 128 };
static const int32_t targets[LAYER_EXAMPLES] = {5, 0, 3, 3, 1, 7, 2, 1},
                     sources[LAYER_EXAMPLES] = {2, 4, 0, 6, 1, 3, 0, 10};

static double score(const layer_case *test, const double *query, const double *key,
                    const double *weight_query, const double *v) {
    const seq_decoder_layer_options *options = test->spec->options;
    int hidden = options->recurrent.hidden, units = test->spec->inputs[KEYS].width;
    double sum = 0;
    for (int j = 0; j < units; j++) {
        double asked = options->score == SEQ_ATTENTION_ADDITIVE ? 0 : query[j];
        for (int k = 0; options->score == SEQ_ATTENTION_ADDITIVE && k < hidden; k++)
            asked += weight_query[j * hidden + k] * query[k];
        sum +=
            options->score == SEQ_ATTENTION_ADDITIVE ? v[j] * tanh(asked + key[j]) : asked * key[j];
    }
    return options->score == SEQ_ATTENTION_SCALED ? sum / sqrt(units) : sum;
}

static void attend(const layer_case *test, int s, const double *query, const double *const *inputs,
                   const double *weight_query, const double *v, double *context) {
    const seq_axis *source = &test->batch.axes[2];
    int width = test->spec->inputs[VALUES].width, units = test->spec->inputs[KEYS].width;
    double weights[16], sum = 0;
    memset(context, 0, (size_t)width * sizeof *context);
    for (int u = 0; u < source->steps && source->rows_at[u] > s; u++) {
        size_t row = source->first_row[u] + (size_t)s;
        weights[u] = exp(score(test, query, inputs[KEYS] + row * (size_t)units, weight_query, v));
        sum += weights[u];
    }
    for (int u = 0; u < source->steps && source->rows_at[u] > s; u++)
        for (int j = 0; j < width; j++)
            context[j] +=
                weights[u] / sum *
                inputs[VALUES][(source->first_row[u] + (size_t)s) * (size_t)width + (size_t)j];
}

// One target sequence, step by step.
static void decode(const layer_case *test, int b, const double *const *inputs,
                   const double *const *parameters, double *out) {
    const seq_decoder_layer_options *options = test->spec->options;
    const seq_axis *axis = &test->batch.axes[1], *source = &test->batch.axes[2];
    bool luong = options->order == SEQ_ORDER_LUONG;
    int count = options->recurrent.cell->peephole ? 5 : 4, hidden = options->recurrent.hidden,
        width = test->spec->inputs[VALUES].width, own = test->spec->inputs[ROWS].width,
        fed = luong ? hidden : width, s = source->at[axis->of[b]];
    const double *weight_out = parameters[count], *const *asking = parameters + count + luong;
    double x[MOST] = {0}, h[MOST], c[MOST] = {0}, h_new[MOST], c_new[MOST], seen[MOST];
    memcpy(h, inputs[START] + axis->of[b] * hidden, (size_t)hidden * sizeof *h);
    for (int t = 0; t < axis->steps && axis->rows_at[t] > b; t++) {
        size_t row = axis->first_row[t] + (size_t)b;
        memcpy(x, inputs[ROWS] + row * (size_t)own, (size_t)own * sizeof *x);
        if (!luong) attend(test, s, h, inputs, asking[0], asking[1], x + own);
        reference_step(options->recurrent.cell->name, parameters, own + fed, hidden, x, h, c, h_new,
                       c_new);
        memcpy(h, h_new, sizeof h);
        memcpy(c, c_new, sizeof c);
        memcpy(seen, h, (size_t)hidden * sizeof *h);
        if (luong)
            attend(test, s, h, inputs, asking[0], asking[1], seen + hidden);
        else
            memcpy(seen + hidden, x + own, (size_t)width * sizeof *x);
        double *to = out + row * (size_t)test->node.shape.width;
        if (!luong) memcpy(to, seen, (size_t)(hidden + width) * sizeof *to);
        for (int j = 0; luong && j < hidden; j++) {
            double sum = 0;
            for (int k = 0; k < hidden + width; k++)
                sum += weight_out[j * (hidden + width) + k] * seen[k];
            to[j] = x[own + j] = tanh(sum);
        }
    }
}

static void reference(const layer_case *test, const double *const *inputs,
                      const double *const *parameters, double *out) {
    for (int b = 0; b < test->batch.axes[1].sequences; b++)
        decode(test, b, inputs, parameters, out);
}

static void check(const char *cell, seq_attention_score kind, seq_decoder_order order) {
    enum { HIDDEN = 5 };
    const seq_decoder_layer_options options = {
        .recurrent = {.cell = seq_cell_find(cell), .hidden = HIDDEN},
        .score = kind,
        .order = order};
    int units = kind == SEQ_ATTENTION_ADDITIVE ? 7 : HIDDEN;
    char name[80];
    snprintf(name, sizeof name, "%s, %s, %s", cell, seq_attention_score_names()[kind],
             order == SEQ_ORDER_LUONG ? "luong" : "bahdanau");
    const layer_spec spec = {
        .name = name,
        .kind = &seq_layer_decoder,
        .options = &options,
        .reference = reference,
        .axis_count = 3,
        .axes = {{0}, {0, targets, LAYER_EXAMPLES}, {0, sources, LAYER_EXAMPLES}},
        .input_count = 4,
        .inputs = {{1, 4, 0}, {2, 6, 0}, {2, units, 0}, {0, HIDDEN, 0}},
    };
    layer_check(&spec);
}

static void scores_and_orders(void **state) {
    (void)state;
    for (int kind = 0; seq_attention_score_names()[kind]; kind++)
        for (int order = 0; order < 2; order++)
            check("lstm", (seq_attention_score)kind, (seq_decoder_order)order);
}

static void all_cells(void **state) {
    (void)state;
    for (const char *const *cell = seq_cell_names(); *cell; cell++)
        for (int order = 0; order < 2; order++)
            check(*cell, order ? SEQ_ATTENTION_ADDITIVE : SEQ_ATTENTION_DOT,
                  (seq_decoder_order)order);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores_and_orders),
                                       cmocka_unit_test(all_cells)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
