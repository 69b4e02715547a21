// The conditional random field against PyTorch (tests/golden/generate.py):
// loss and gradients, all transitions and some forbidden. Items have the
// lengths 6, 4, 4 and 1. Checks src/nn/crf.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/nn/crf.h>
#include <stdio.h>
#include <string.h>

enum { K = 5, B = 4, N = 15 };
static const int32_t lengths[B] = {6, 4, 4, 1};

typedef struct field {
    float transitions[K * K], start[K], end[K], emissions[N * K];
} field;

static const double *get(const golden *file, const char *name, const char *key, size_t count) {
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, key);
    return golden_get(file, full, count);
}

// The packed row of the golden file's row, which goes item by item.
static size_t packed_row(const seq_axis *axis, int row) {
    int b = 0;
    for (; row >= lengths[b]; b++)
        row -= lengths[b];
    return axis->first_row[row] + (size_t)b;
}

static void expect_close(const char *what, const float *found, const double *expected,
                         size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)found[i] - expected[i]) < 1e-6))
            fail_msg("%s[%zu]: %.9g, expected %.9g", what, i, (double)found[i], expected[i]);
}

static void read_floats(const golden *file, const char *name, const char *key, size_t count,
                        float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = (float)get(file, name, key, count)[i];
}

static void expect_field(const golden *file, const char *name, const unsigned char *allowed) {
    seq_error error = {0};
    seq_arena arena = {0};
    seq_axis_room room;
    seq_axis axis;
    seq_compute compute;
    const seq_axis_limit limit = {B, 6, N};
    field values, gradient;
    int32_t targets[N];
    seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error);
    seq_crf crf = {.compute = &compute, .labels = K, .training = true};
    for (int life = 0; life < 2; life++) {
        seq_axis_take(&room, &limit, B, &arena);
        seq_crf_take(&crf, &limit, &arena);
        if (!life) assert_int_equal(seq_arena_commit(&arena, "test", &error), SEQ_OK);
    }
    seq_axis_shape(&axis, &room, B, lengths);
    read_floats(file, name, "transitions", K * K, values.transitions);
    read_floats(file, name, "start_transitions", K, values.start);
    read_floats(file, name, "end_transitions", K, values.end);
    for (int row = 0; row < N; row++) {
        size_t to = packed_row(&axis, row);
        targets[to] = (int32_t)get(file, name, "targets", N)[row];
        for (size_t k = 0; k < K; k++)
            values.emissions[to * K + k] =
                (float)get(file, name, "emissions", N * K)[(size_t)row * K + k];
    }
    seq_crf_batch batch = {
        {values.transitions, values.start, values.end}, allowed, &axis, values.emissions, targets};
    seq_crf_gradients gradients = {gradient.transitions, gradient.start, gradient.end};
    seq_loss loss = seq_crf_train(&crf, &batch, 1, NULL, gradient.emissions, &gradients);
    assert_true(fabs(loss.sum - *get(file, name, "loss", 1)) < 1e-5);
    assert_int_equal(loss.count, N);
    expect_close("transitions", gradient.transitions,
                 get(file, name, "transitions.gradient", K * K), K * K);
    expect_close("start", gradient.start, get(file, name, "start_transitions.gradient", K), K);
    expect_close("end", gradient.end, get(file, name, "end_transitions.gradient", K), K);
    for (int row = 0; row < N; row++)
        expect_close("emissions", gradient.emissions + packed_row(&axis, row) * K,
                     get(file, name, "emissions.gradient", N * K) + row * K, K);
    seq_arena_clear(&arena);
}

static void matches_pytorch(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/crf.txt");
    unsigned char allowed[(K + 1) * (K + 1)];
    expect_field(file, "free", NULL);
    memset(allowed, 1, sizeof allowed);
    allowed[0 * (K + 1) + 2] = allowed[1 * (K + 1) + 0] = allowed[3 * (K + 1) + 0] = 0;
    expect_field(file, "masked", allowed);
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
