// Attention over ragged sequences, empty ones included (tests/support/
// layer_case.h: reference, differences, add, threads, alone). Checks
// src/nn/attention.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <layer_case.h>
#include <math.h>
#include <seqtrain/nn/attention.h>

static const int32_t lengths[LAYER_EXAMPLES] = {5, 0, 3, 3, 1, 7, 0, 1},
                     sources[LAYER_EXAMPLES] = {2, 4, 0, 6, 1, 3, 0, 5};

static double score(const layer_case *test, seq_attention_score kind, const double *query,
                    const double *key, const double *v, size_t units) {
    double sum = 0;
    (void)test;
    for (size_t j = 0; j < units; j++)
        sum += kind == SEQ_ATTENTION_ADDITIVE ? v[j] * tanh(query[j] + key[j]) : query[j] * key[j];
    return kind == SEQ_ATTENTION_SCALED ? sum / sqrt((double)units) : sum;
}

// One query and the sequence of the source.
static void attend(const layer_case *test, seq_attention_score kind, const seq_axis *source, int s,
                   const double *query, const double *values, const double *keys, const double *v,
                   size_t units, size_t width, double *out) {
    double weights[16], sum = 0;
    for (size_t j = 0; j < width; j++)
        out[j] = 0;
    for (int u = 0; u < source->steps && source->rows_at[u] > s; u++) {
        size_t row = source->first_row[u] + (size_t)s;
        weights[u] = exp(score(test, kind, query, keys + row * units, v, units));
        sum += weights[u];
    }
    for (int u = 0; u < source->steps && source->rows_at[u] > s; u++)
        for (size_t j = 0; j < width; j++)
            out[j] += weights[u] / sum * values[(source->first_row[u] + (size_t)s) * width + j];
}

static void reference_pool(const layer_case *test, const double *const *inputs,
                           const double *const *parameters, double *out) {
    const seq_axis *source = &test->batch.axes[1];
    bool keys = test->node.input_count == 2;
    size_t width = (size_t)test->node.shape.width,
           units = keys ? (size_t)test->node.input_shapes[1].width : width;
    for (int s = 0; s < source->sequences; s++)
        attend(test, SEQ_ATTENTION_DOT, source, s, parameters[0], inputs[0], inputs[keys], NULL,
               units, width, out + (size_t)source->of[s] * width);
}

static void pooling(void **state) {
    (void)state;
    const seq_attention_pool_options options = {0};
    for (int inputs = 1; inputs <= 2; inputs++) {
        const layer_spec spec = {.name = "attention-pool",
                                 .kind = &seq_layer_attention_pool,
                                 .options = &options,
                                 .reference = reference_pool,
                                 .axis_count = 2,
                                 .axes = {{0}, {0, lengths, LAYER_EXAMPLES}},
                                 .input_count = inputs,
                                 .inputs = {{1, 11, 0}, {1, 7, 0}}};
        layer_check(&spec);
    }
}

static void reference_rows(const layer_case *test, const double *const *inputs,
                           const double *const *parameters, double *out) {
    const seq_attention_options *options = test->spec->options;
    int values = test->node.input_shapes[1].axis;
    const seq_axis *target = &test->batch.axes[1], *source = &test->batch.axes[values];
    bool keys = test->node.input_count == 3;
    size_t width = (size_t)test->node.shape.width, units = (size_t)test->node.input_shapes[0].width;
    for (int t = 0; t < target->steps; t++)
        for (int b = 0; b < target->rows_at[t]; b++) {
            size_t row = target->first_row[t] + (size_t)b;
            attend(test, options->score, source, source->at[target->of[b]], inputs[0] + row * units,
                   inputs[1], inputs[keys ? 2 : 1], parameters[0], units, width, out + row * width);
        }
}

// Values apart and as keys; a source of its own, and the target itself.
static void rows(void **state) {
    (void)state;
    for (int kind = 0; seq_attention_score_names()[kind]; kind++)
        for (int form = 0; form < 3; form++) {
            const seq_attention_options options = {(seq_attention_score)kind};
            bool wide = kind == SEQ_ATTENTION_ADDITIVE && form == 1; // more than a piece of tanh
            int source = form == 2 ? 1 : 2, width = wide ? 66 : 9;
            const layer_spec spec = {
                .name = seq_attention_score_names()[kind],
                .kind = &seq_layer_attention,
                .options = &options,
                .reference = reference_rows,
                .axis_count = 3,
                .axes = {{0}, {0, lengths, LAYER_EXAMPLES}, {0, sources, LAYER_EXAMPLES}},
                .input_count = form == 0 ? 3 : 2,
                .inputs = {{1, form == 0 ? 13 : width, 0}, {source, width, 0}, {source, 13, 0}},
            };
            layer_check(&spec);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pooling), cmocka_unit_test(rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
