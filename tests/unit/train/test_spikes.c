// Rolling windows: limits against sums in long double, the same bits after a
// journey through a record; setbacks and old records. A mean of 1e6 beside a
// deviation of 1 would spoil one-pass formulas. Checks
// src/train/stability/spikes.c and recovery_history.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "stability/recovery_history.h"
#include <string.h>

enum { CAPACITY = 7 };

static double sample(int i) {
    return 1e6 + sin(3.0 * i) + 0.01 * i; // a large mean: one-pass formulas lose the deviation
}

static seq_rolling rolling_of(int capacity, int from, int to) {
    seq_rolling rolling;
    seq_error error = {0};
    assert_int_equal(seq_rolling_create(&rolling, capacity, &error), SEQ_OK);
    for (int i = from; i < to; i++)
        seq_rolling_add(&rolling, sample(i));
    return rolling;
}

static double reference_limit(int from, int to, double sigma) {
    long double sum = 0, squares = 0;
    for (int i = from; i < to; i++)
        sum += (long double)sample(i);
    long double mean = sum / (to - from);
    for (int i = from; i < to; i++)
        squares += ((long double)sample(i) - mean) * ((long double)sample(i) - mean);
    return (double)(mean + (long double)sigma * sqrtl(squares / (to - from - 1)));
}

static void limits(void **unused) {
    (void)unused;
    seq_rolling rolling = rolling_of(CAPACITY, 0, 0);
    for (int i = 0; i < 40; i++) {
        double limit = seq_rolling_limit(&rolling, 6);
        if (i < CAPACITY)
            assert_true(isinf(limit));
        else
            assert_true(fabs(limit - reference_limit(i - CAPACITY, i, 6)) < 1e-8);
        seq_rolling_add(&rolling, sample(i));
        seq_rolling_add(&rolling, i % 2 ? NAN : INFINITY); // is not taken
    }
    seq_rolling_clear(&rolling);
}

// Six deviations are rare in what is normal, and a spike is beyond them.
static void catches(void **unused) {
    (void)unused;
    seq_rolling rolling = rolling_of(50, 0, 50);
    double limit = seq_rolling_limit(&rolling, 6), one = seq_rolling_limit(&rolling, 1);
    assert_true(limit > 1e6 + 1.5 && one < 1e6 + 1.5);
    for (int i = 50; i < 5000; i++) {
        assert_true(sample(i) <= seq_rolling_limit(&rolling, 6));
        seq_rolling_add(&rolling, sample(i));
    }
    assert_true(sample(5000) + 10 > seq_rolling_limit(&rolling, 6));
    seq_rolling_clear(&rolling);
}

static void nothing(void **unused) {
    (void)unused;
    seq_rolling rolling = rolling_of(0, 0, 30);
    assert_true(isinf(seq_rolling_limit(&rolling, 0.1)));
    seq_rolling_clear(&rolling);
}

// A window that has come through a record begins elsewhere in memory and goes on with the same
// bits.
static void travels(void **unused) {
    (void)unused;
    for (int seen = 0; seen < 3 * CAPACITY; seen++) {
        seq_rolling whole = rolling_of(CAPACITY, 0, seen), again = rolling_of(CAPACITY, 90, 95);
        seq_rolling smaller = rolling_of(3, 0, 0);
        seq_record record = {0};
        seq_error error = {0};
        assert_int_equal(seq_rolling_write(&whole, &record, "losses", &error), SEQ_OK);
        assert_int_equal(seq_rolling_read(&again, &record, "losses", &error), SEQ_OK);
        assert_int_equal(seq_rolling_read(&smaller, &record, "losses", &error), SEQ_OK);
        assert_int_equal(again.count, whole.count);
        for (int i = seen; i < seen + 10; i++) {
            assert_true(seq_rolling_limit(&again, 6) == seq_rolling_limit(&whole, 6));
            seq_rolling_add(&whole, sample(i));
            seq_rolling_add(&again, sample(i));
        }
        if (seen >= 3) // the newest are kept
            assert_true(fabs(seq_rolling_limit(&smaller, 6) - reference_limit(seen - 3, seen, 6)) <
                        1e-8);
        seq_record_clear(&record);
        seq_rolling_clear(&whole);
        seq_rolling_clear(&again);
        seq_rolling_clear(&smaller);
    }
}

static void setbacks_travel(void **unused) {
    (void)unused;
    seq_recovery_history history, again;
    seq_record record = {0};
    seq_error error = {0};
    assert_int_equal(seq_recovery_create(&history, CAPACITY, &error), SEQ_OK);
    assert_int_equal(seq_recovery_create(&again, CAPACITY, &error), SEQ_OK);
    history.skipped = 3;
    seq_recovery_roll_back(&history, 11, 0.3);
    seq_recovery_roll_back(&history, 4000000000, 0.3);
    seq_recovery_roll_back(&history, 11, 0.3);
    seq_rolling_add(&history.norms, 1.0 / 3);
    assert_int_equal(seq_recovery_write(&history, &record, &error), SEQ_OK);
    assert_int_equal(seq_recovery_read(&again, &record, 20, &error), SEQ_OK);
    assert_true(again.skipped == 3 && again.rollbacks == 3 &&
                again.rate_factor == history.rate_factor && again.excluded_count == 2);
    assert_true(seq_recovery_is_excluded(&again, 11) &&
                seq_recovery_is_excluded(&again, 4000000000) &&
                !seq_recovery_is_excluded(&again, 12));
    assert_true(again.losses.count == 0 && again.norms.count == 1 &&
                again.norms.values[0] == 1.0 / 3);
    // Windows 0 .. 19: three skipped, one jumped.
    assert_int_equal(seq_recovery_updates(&again, 20), 16);
    assert_int_equal(seq_recovery_updates(&again, 11), 8);
    // Moments that begin at zero there have seen nothing, also after the next resume.
    assert_null(seq_record_text(&record, "unseen"));
    seq_recovery_forget_updates(&again, 20);
    assert_int_equal(seq_recovery_updates(&again, 25), 5);
    assert_int_equal(seq_recovery_write(&again, &record, &error), SEQ_OK);
    assert_int_equal(seq_recovery_read(&history, &record, 25, &error), SEQ_OK);
    assert_int_equal(seq_recovery_updates(&history, 25), 5);
    seq_record_clear(&record);
    seq_recovery_clear(&history);
    seq_recovery_clear(&again);
}

static void old_and_bad_records(void **unused) {
    (void)unused;
    static const char *const bad[][2] = {
        {"skipped", "21"},      {"skipped", "x"},     {"rate_factor", "0"},
        {"rate_factor", "nan"}, {"rate_factor", "2"}, {"jumps", "1,"},
        {"jumps", "1,two"},     {"losses", "1,nan"},  {"log_norms", "1;2"}};
    seq_recovery_history history;
    seq_record record = {0};
    seq_error error = {0};
    assert_int_equal(seq_recovery_create(&history, CAPACITY, &error), SEQ_OK);
    history.skipped = 9;
    assert_int_equal(seq_recovery_read(&history, &record, 20, &error), SEQ_OK);
    assert_true(history.skipped == 0 && history.rate_factor == 1 && history.excluded_count == 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        seq_error why = {0};
        seq_recovery_begin(&history);
        assert_int_equal(seq_recovery_write(&history, &record, &error), SEQ_OK);
        assert_int_equal(seq_recovery_read(&history, &record, 20, &error), SEQ_OK);
        seq_record_set_text(&record, bad[i][0], bad[i][1], &error);
        assert_int_equal(seq_recovery_read(&history, &record, 20, &why), SEQ_NO_CHECKPOINT);
        assert_non_null(strstr(why.text, bad[i][0]));
    }
    seq_record_clear(&record);
    seq_recovery_clear(&history);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits),          cmocka_unit_test(catches),
        cmocka_unit_test(nothing),         cmocka_unit_test(travels),
        cmocka_unit_test(setbacks_travel), cmocka_unit_test(old_and_bad_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
