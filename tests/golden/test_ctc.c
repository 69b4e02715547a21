// CTC against PyTorch's values of double precision (tests/golden/generate.py):
// within 1e-6 of them, and no further from them than PyTorch's own of single
// precision. Checks src/nn/ctc.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <golden.h>
#include <math.h>
#include <seqtrain/nn/ctc.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 40 * 8 };

static const double *get(const golden *file, const char *name, const char *key, size_t count) {
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, key);
    return golden_get(file, full, count);
}

static void expect_item(const golden *file, const char *name, size_t frames, size_t symbols,
                        size_t labels, const int32_t *ids) {
    float values[CELLS]; // logits, then their gradient
    size_t cells = frames * symbols;
    double most = 0, worst = 0;
    void *room = aligned_alloc(
        SEQ_ALIGNMENT, seq_ctc_bytes(SEQ_CTC_GRADIENT, frames, symbols, labels, frames * labels));
    for (size_t i = 0; i < cells; i++)
        values[i] = (float)get(file, name, "logits", cells)[i];
    const seq_ctc_item item = {frames, symbols, labels, values, NULL, ids};
    double loss = *get(file, name, "loss", 1),
           off = seq_ctc_gradient(&item, 1, values, room) - loss;
    for (size_t i = 0; i < cells; i++) {
        double expected = get(file, name, "gradient", cells)[i];
        most = fmax(most, fabs(expected));
        worst = fmax(worst, fabs((double)values[i] - expected));
    }
    if (!(fabs(off) <= 1e-6 * loss && worst <= 1e-6 * most))
        fail_msg("%s: loss off by %g of %g, gradient by %g of %g", name, off, loss, worst, most);
    assert_true(fabs(off) <= *get(file, name, "loss.error", 1));
    assert_true(worst <= *get(file, name, "gradient.error", 1));
    free(room);
}

static void matches_pytorch(void **state) {
    (void)state;
    golden *file = golden_open(GOLDEN_DIRECTORY "/ctc.txt");
    expect_item(file, "usual", 40, 8, 9, (const int32_t[]){3, 1, 1, 4, 7, 2, 2, 6, 3});
    expect_item(file, "tight", 9, 5, 6, (const int32_t[]){2, 2, 1, 1, 1, 3});
    expect_item(file, "empty", 5, 4, 0, NULL);
    golden_close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
