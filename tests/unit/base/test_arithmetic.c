// Denormals are zero between begin and end, and on the threads that seqtrain
// starts, whoever starts them. A caller gets back what it had set. A product
// that underflows and a denormal operand tell. Checks src/base/arithmetic.c,
// team.c and background.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fenv.h>
#include <seqtrain/base/arithmetic.h>
#include <seqtrain/base/background.h>
#include <seqtrain/base/team.h>
#include <stdbool.h>
#include <string.h>

// A denormal product (flush to zero), and a denormal operand (denormals are zero).
static bool keeps_results(void) {
    volatile float small = 0x1p-100f, product = small * 0x1p-40f;
    uint32_t bits;
    memcpy(&bits, (const void *)&product, sizeof bits);
    return bits != 0;
}

static bool keeps_operands(void) {
    volatile float denormal = 0x1p-140f, product = denormal * 0x1p100f;
    return product > 0;
}

static void flushed_from_begin_to_end(void **state) {
    (void)state;
    assert_string_equal(seq_arithmetic_denormals(), "flushed");
    assert_true(keeps_results() && keeps_operands());
    seq_arithmetic outer = seq_arithmetic_begin();
    assert_false(keeps_results() || keeps_operands());
    seq_arithmetic inner = seq_arithmetic_begin();
    assert_false(keeps_results() || keeps_operands());
    seq_arithmetic_end(inner);
    assert_false(keeps_results() || keeps_operands());
    seq_arithmetic_end(outer);
    assert_true(keeps_results() && keeps_operands());
}

static float third(void) {
    volatile float one = 1, three = 3, out = one / three;
    return out;
}

static void callers_rounding_comes_back(void **state) {
    (void)state;
    float nearest = third();
    fesetround(FE_DOWNWARD);
    float down = third();
    seq_arithmetic before = seq_arithmetic_begin();
    float ours = third();
    seq_arithmetic_end(before);
    float after = third();
    fesetround(FE_TONEAREST);
    assert_true(down < nearest && ours == nearest && after == down);
}

static void note_part(void *context, int part, int parts) {
    (void)parts;
    bool *keeps = context;
    keeps[part] = keeps_results() || keeps_operands();
}

static void note(void *context) {
    note_part(context, 0, 1);
}

static void threads_flush_by_themselves(void **state) {
    (void)state;
    seq_error error = {0};
    seq_team *team;
    seq_background *background;
    bool keeps[3] = {false, true, true};
    assert_int_equal(seq_team_create(3, &team, &error), SEQ_OK);
    seq_team_run(team, note_part, keeps);
    seq_team_destroy(team);
    assert_true(keeps[0]); // the caller's own
    assert_false(keeps[1] || keeps[2]);
    assert_int_equal(seq_background_create(&background, &error), SEQ_OK);
    seq_background_start(background, note, keeps);
    seq_background_destroy(background);
    assert_false(keeps[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(flushed_from_begin_to_end),
                                       cmocka_unit_test(callers_rounding_comes_back),
                                       cmocka_unit_test(threads_flush_by_themselves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
