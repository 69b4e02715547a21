// Symbols in time: frames of a table whose best path is known become seconds; posteriors against
// all paths through a frame; what cannot be aligned is refused by its reason. Checks
// src/infer/symbol_times.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/infer/ctc_search.h>
#include <seqtrain/infer/symbol_times.h>
#include <string.h>
#include "ctc_forward.h"

enum { T = 7, K = 3 };

// ln p: `sure` in each frame has the probability p, the others share the rest.
static void fill(const int sure[T], const double p[T], float table[T * K]) {
    for (int t = 0; t < T; t++)
        for (int k = 0; k < K; k++)
            table[t * K + k] = (float)log(k == sure[t] ? p[t] : (1 - p[t]) / (K - 1));
}

// The probability that the labels' paths have `label` number u in frame t, by all K^T paths.
static double posterior(const float *table, const int32_t *labels, int count, int u, int t) {
    double all = 0, here = 0;
    int paths = 1;
    for (int i = 0; i < T; i++)
        paths *= K;
    for (int path = 0; path < paths; path++) {
        double p = 1;
        int said = 0, before = 0, at = -1;
        for (int i = 0, code = path; i < T && said >= 0; i++, code /= K) {
            int k = code % K;
            p *= exp((double)table[i * K + k]);
            if (k && k != before) said = said < count && labels[said] == k ? said + 1 : -1;
            if (i == t && k) at = said - 1;
            before = k;
        }
        if (said != count) continue;
        all += p;
        here += at == u ? p : 0;
    }
    return here / all;
}

static void frames_become_seconds(void **state) {
    (void)state;
    const int sure[T] = {0, 1, 1, 0, 1, 2, 2};
    const double p[T] = {0.9, 0.6, 0.8, 0.9, 0.7, 0.9, 0.6};
    const int32_t first[] = {1, 4, 5}, last[] = {2, 4, 6}, best[] = {2, 4, 5};
    float table[T * K];
    int32_t labels[T];
    seq_symbol_times times = {0};
    seq_error error = {0};
    fill(sure, p, table);
    int count = seq_ctc_best_path(table, T, K, labels);
    assert_int_equal(count, 3);
    const seq_ctc_item item = {
        .frames = T, .symbols = K, .labels = 3, .logits = table, .ids = labels};
    assert_int_equal(seq_symbol_times_find(&times, &item, 0.5, 0.02, &error), SEQ_OK);
    assert_true(fabs(times.log_probability - ctc_forward(table, T, K, labels, count)) < 1e-6);
    for (int u = 0; u < 3; u++) {
        const seq_symbol_time *time = &times.list[u];
        assert_int_equal(time->symbol, labels[u]);
        assert_int_equal(time->first_frame, first[u]);
        assert_int_equal(time->last_frame, last[u]);
        assert_int_equal(time->best_frame, best[u]);
        assert_true(fabs(time->begin - (0.5 + 0.02 * first[u])) < 1e-12);
        assert_true(fabs(time->end - (0.52 + 0.02 * last[u])) < 1e-12);
        assert_true(fabs(time->best - (0.51 + 0.02 * best[u])) < 1e-12);
        assert_true(fabs(time->posterior - posterior(table, labels, 3, u, best[u])) < 1e-6);
    }
    // Without time; and no symbols.
    assert_int_equal(seq_symbol_times_find(&times, &item, 0, 0, &error), SEQ_OK);
    assert_int_equal(times.list[2].first_frame, 5);
    assert_true(times.list[2].begin == 0 && times.list[2].end == 0 && times.list[2].best == 0);
    const seq_ctc_item silent = {.frames = T, .symbols = K, .logits = table};
    assert_int_equal(seq_symbol_times_find(&times, &silent, 0, 0.01, &error), SEQ_OK);
    assert_true(fabs(times.log_probability - ctc_forward(table, T, K, labels, 0)) < 1e-6);
    seq_symbol_times_clear(&times);
}

static void expect_refusal(const seq_ctc_item *item, seq_status status, const char *text) {
    seq_symbol_times times = {0};
    seq_error error = {0};
    assert_int_equal(seq_symbol_times_find(&times, item, 0, 0.01, &error), status);
    assert_non_null(strstr(error.text, text));
    seq_symbol_times_clear(&times);
}

static void what_cannot_be_aligned(void **state) {
    (void)state;
    const int32_t labels[] = {1, 1, 2};
    float table[3 * K] = {0};
    seq_ctc_item item = {.frames = 3, .symbols = K, .labels = 3, .logits = table, .ids = labels};
    expect_refusal(&item, SEQ_BAD_INPUT,
                   "aligning 3 symbols: they need 4 frames, with one between "
                   "equal neighbours; the item has 3");
    item.ids = labels + 1;
    item.labels = 2;
    for (int t = 0; t < 3; t++)
        table[t * K + 2] = -INFINITY;
    expect_refusal(&item, SEQ_BAD_INPUT,
                   "aligning 2 symbols with 3 frames: their probability is 0");
    table[4] = NAN;
    expect_refusal(&item, SEQ_BAD_NUMBER, "no numbers");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_become_seconds),
        cmocka_unit_test(what_cannot_be_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
