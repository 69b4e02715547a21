// Losses of rows: differences of the loss, missing targets, huge scores, even
// classes where all is zero, and the same result of a row alone. Golden values:
// tests/golden/test_losses.c. Checks src/nn/losses.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/nn/losses.h>
#include <string.h>

static void moments(void **state) {
    (void)state;
    const float values[] = {1, 5, NAN, 3, 5, NAN, 5, 5, NAN};
    float mean[3], deviation[3];
    seq_regression_moments(3, 3, values, mean, deviation);
    assert_true(mean[0] == 3 && fabsf(deviation[0] - 1.6329932F) < 1e-6F);
    assert_true(mean[1] == 5 && deviation[1] == 1); // always the same
    assert_true(mean[2] == 0 && deviation[2] == 1); // none
}

// Two values a row; mean 10, deviation 4.
static void regression(void **state) {
    (void)state;
    const float mean[] = {10, 0}, deviation[] = {4, 1};
    const float outputs[] = {0.5F, -2, 1, 3, 0, 0}, targets[] = {10, 1, NAN, 3, 14, NAN};
    // distances 0.5 -3 | . 0 | -1 .
    static const double sums[][3] = {{9.25, 0, 1}, {3.5, 0, 1}, {2.625, 0, 0.5}};
    static const float slopes[][6] = {
        {1, -6, 0, 0, -2, 0}, {1, -1, 0, 0, -1, 0}, {0.5F, -1, 0, 0, -1, 0}};
    float gradient[6], predictions[6];
    double of_row[3];
    for (int i = 0; i < 3; i++) {
        seq_regression settings = {(seq_regression_loss)i, 1, 2, mean, deviation};
        seq_loss loss = seq_regression_rows(&settings, 3, outputs, targets, 2, of_row, gradient);
        assert_int_equal(loss.count, 4);
        assert_true(loss.sum == sums[i][0] + sums[i][1] + sums[i][2]);
        for (int row = 0; row < 3; row++)
            assert_true(of_row[row] == sums[i][row]);
        for (int j = 0; j < 6; j++)
            assert_true(gradient[j] == 2 * slopes[i][j]);
        seq_regression_predict(&settings, 3, outputs, predictions);
        assert_true(predictions[0] == 12 && predictions[1] == -2 && predictions[4] == 10);
    }
    const float bad = NAN;
    seq_regression settings = {SEQ_ABSOLUTE_LOSS, 1, 1, mean, deviation};
    assert_true(isnan(seq_regression_rows(&settings, 1, &bad, targets, 1, NULL, gradient).sum));
    assert_true(isnan(gradient[0])); // found by those who look at numbers
}

// Zeros: all classes are as likely.
static void even_classes(void **state) {
    (void)state;
    static const float values[9] = {-4, -3, -2, -1, 0, 1, 2, 3, 4}, cuts[8] = {0};
    for (int classes = 1; classes <= 9; classes++) {
        seq_ordinal ordinal = {seq_kernels_of("auto"), classes, values, cuts};
        float score = 0, expected, probabilities[9];
        seq_ordinal_predict(&ordinal, 1, &score, &expected, probabilities);
        assert_true(fabsf(expected - (values[0] + values[classes - 1]) / 2) < 1e-6F);
        for (int32_t k = 0; k < classes; k++) {
            assert_true(fabs((double)probabilities[k] - 1.0 / classes) < 1e-6);
            seq_loss loss = seq_ordinal_rows(&ordinal, 1, &score, &k, 1, NULL, NULL, NULL);
            assert_true(fabs(loss.sum - log(classes)) < 1e-6);
        }
    }
}

enum { C = 4, N = 9 };

static double loss_of(const float *cuts, const float *scores, const int32_t *targets) {
    seq_ordinal ordinal = {seq_kernels_of("auto"), C, NULL, cuts};
    return seq_ordinal_rows(&ordinal, N, scores, targets, 1, NULL, NULL, NULL).sum;
}

static void expect_slope(float *value, float found, const float *cuts, const float *scores,
                         const int32_t *targets) {
    const float kept = *value, width = 1.0F / 64;
    *value = kept + width;
    double above = loss_of(cuts, scores, targets);
    *value = kept - width;
    double below = loss_of(cuts, scores, targets);
    *value = kept;
    assert_true(fabs((double)found - (above - below) * 32) < 2e-4);
}

static void ordinal_differences(void **state) {
    (void)state;
    float cuts[C - 1] = {0.4F, -1.2F, 0.7F}, scores[N] = {-3, -1, -0.4F, 0, 0.3F, 1, 2, 3.5F, 1};
    const int32_t targets[N] = {0, 1, 2, 3, 3, 2, 1, 0, SEQ_NO_ID};
    float d_scores[N], d_cuts[C - 1], alone;
    double of_row[N], one;
    seq_ordinal ordinal = {seq_kernels_of("auto"), C, NULL, cuts};
    seq_loss loss = seq_ordinal_rows(&ordinal, N, scores, targets, 1, of_row, d_scores, d_cuts);
    assert_int_equal(loss.count, N - 1);
    assert_true(of_row[N - 1] == 0 && d_scores[N - 1] == 0);
    for (int i = 0; i < N; i++)
        expect_slope(&scores[i], d_scores[i], cuts, scores, targets);
    for (int i = 0; i < C - 1; i++)
        expect_slope(&cuts[i], d_cuts[i], cuts, scores, targets);
    for (int i = 0; i < N; i++) {
        seq_ordinal_rows(&ordinal, 1, scores + i, targets + i, 1, &one, &alone, NULL);
        assert_memory_equal(&alone, &d_scores[i], sizeof alone);
        assert_memory_equal(&one, &of_row[i], sizeof one);
    }
}

// Nothing overflows, and the loss grows by the distance.
static void huge_scores(void **state) {
    (void)state;
    static const float values[C] = {0, 1, 2, 3}, cuts[C - 1] = {0, -300, 200};
    seq_ordinal ordinal = {seq_kernels_of("auto"), C, values, cuts};
    const float scores[] = {1e4F, -1e4F};
    float d_scores[2], d_cuts[C - 1], expected[2], probabilities[2 * C];
    for (int32_t target = 0; target < C; target++) {
        const int32_t targets[] = {target, target};
        seq_loss loss = seq_ordinal_rows(&ordinal, 2, scores, targets, 1, NULL, d_scores, d_cuts);
        assert_true(isfinite(loss.sum) && loss.sum > 9000);
        assert_true(d_scores[0] == (target < C - 1) && d_scores[1] == -(float)(target > 0));
        for (int i = 0; i < C - 1; i++)
            assert_true(isfinite(d_cuts[i]));
    }
    seq_ordinal_predict(&ordinal, 2, scores, expected, probabilities);
    assert_true(expected[0] == 3 && expected[1] == 0);
    assert_true(probabilities[C - 1] == 1 && probabilities[C] == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),      cmocka_unit_test(regression),
        cmocka_unit_test(even_classes), cmocka_unit_test(ordinal_differences),
        cmocka_unit_test(huge_scores),
    };
    seq_arithmetic_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
