// Label smoothing and class weights in the softmax loss: loss and gradients
// against the formula in double and its differences, in chunks of rows and with
// targets that do not count; weights have mean 1 over the training targets.
// Checks src/nn/softmax.c and head.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/nn/head.h>
#include <seqtrain/nn/softmax.h>
#include <stdlib.h>
#include <string.h>

enum { N = 9, C = 7, I = 5 };
static const float class_weights[C] = {0.5F, 2, 1, 0.25F, 1.5F, 1, 3};
static const int32_t targets[N] = {1, 0, -1, 6, 3, 1, 2, -1, 5};

static double drawn(int i) {
    return (double)(float)(0.9 * sin(1.3 * i + 0.2));
}

// scale times the sum over rows of w (1 - e) nll + w e / C sum of -ln p.
static double reference(const double *x, const double *w, const double *b, double smoothing,
                        const float *weights) {
    double loss = 0;
    for (int i = 0; i < N; i++) {
        double logits[C], sum = 0, all = 0;
        if (targets[i] < 0) continue;
        for (int c = 0; c < C; c++) {
            logits[c] = b[c];
            for (int j = 0; j < I; j++)
                logits[c] += w[c * I + j] * x[i * I + j];
            sum += exp(logits[c]);
        }
        for (int c = 0; c < C; c++)
            all += log(sum) - logits[c];
        loss += (weights ? (double)weights[targets[i]] : 1) *
                ((1 - smoothing) * (log(sum) - logits[targets[i]]) + smoothing / C * all);
    }
    return loss;
}

typedef struct problem {
    double x[N * I], w[C * I], b[C], smoothing;
    const float *weights;
} problem;

static void check_slopes(problem *p, double *values, const float *found, int count) {
    for (int i = 0; i < count; i++) {
        double middle = values[i];
        values[i] = middle + 1e-5;
        double above = reference(p->x, p->w, p->b, p->smoothing, p->weights);
        values[i] = middle - 1e-5;
        double slope = (above - reference(p->x, p->w, p->b, p->smoothing, p->weights)) / 2e-5;
        values[i] = middle;
        assert_true(fabs(0.5 * slope - found[i]) < 3e-6);
    }
}

static void narrow(const double *from, int count, float *to) {
    for (int i = 0; i < count; i++)
        to[i] = (float)from[i];
}

static void check(double smoothing, const float *weights, size_t chunk) {
    problem p = {.smoothing = smoothing, .weights = weights};
    float x[N * I], w[C * I], b[C], dx[N * I], dw[C * I], db[C];
    seq_arena arena = {0};
    seq_compute compute;
    seq_error error = {0};
    for (int i = 0; i < N * I; i++)
        p.x[i] = drawn(i);
    for (int i = 0; i < C * I; i++)
        p.w[i] = drawn(100 + i);
    for (int i = 0; i < C; i++)
        p.b[i] = drawn(200 + i);
    narrow(p.x, N * I, x), narrow(p.w, C * I, w), narrow(p.b, C, b);
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    seq_softmax softmax = {.compute = &compute,
                           .columns = C,
                           .units = I,
                           .smoothing = smoothing,
                           .column_weights = weights};
    void *forward = NULL, *backward = NULL;
    for (int life = 0; life < 2; life++) {
        seq_softmax_take(&softmax, N, true, &arena);
        forward = seq_arena_take(&arena, 1, seq_compute_packed_bytes(&compute, C, I));
        backward = seq_arena_take(&arena, 1, seq_compute_packed_bytes(&compute, I, C));
        if (life == 0) assert_int_equal(seq_arena_commit(&arena, "a test", &error), SEQ_OK);
    }
    softmax.chunk = chunk;
    seq_compute_pack(&compute, SEQ_TRANSPOSED, C, I, w, I, forward);
    seq_compute_pack(&compute, SEQ_PLAIN, I, C, w, I, backward);
    const seq_softmax_weights packed = {forward, backward, b};
    seq_loss loss = seq_softmax_train(&softmax, &packed, N, x, targets, 0.5F, dx, dw, db);
    double expected = reference(p.x, p.w, p.b, smoothing, weights);
    assert_true(fabs(loss.sum - expected) < 2e-6 * expected);
    assert_int_equal(loss.count, N - 2);
    check_slopes(&p, p.x, dx, N * I);
    check_slopes(&p, p.w, dw, C * I);
    check_slopes(&p, p.b, db, C);
    seq_arena_clear(&arena);
}

static void smoothing_and_weights(void **state) {
    (void)state;
    for (size_t chunk = 2; chunk <= N; chunk += 7) {
        check(0, NULL, chunk);
        check(0.1, NULL, chunk);
        check(0, class_weights, chunk);
        check(0.3, class_weights, chunk);
    }
}

static void weights_have_mean_one(void **state) {
    (void)state;
    const int64_t counts[4] = {10, 30, 0, 60};
    const double given[4] = {4, 1, 7, 2};
    float out[4];
    for (int balanced = 0; balanced < 2; balanced++) {
        double sum = 0;
        seq_class_weights(balanced ? NULL : given, counts, 4, out);
        for (int c = 0; c < 4; c++)
            sum += (double)counts[c] * (double)out[c];
        assert_true(fabs(sum - 100) < 1e-4);
        if (balanced)
            assert_true(fabsf(out[0] * 10 - out[3] * 60) < 1e-4F);
        else
            assert_true(fabsf(out[0] - 4 * out[1]) < 1e-6F && fabsf(out[2] - 7 * out[1]) < 1e-5F);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(smoothing_and_weights),
                                       cmocka_unit_test(weights_have_mean_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
