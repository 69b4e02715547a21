// The audit's fields of a position: the same after a journey through a record;
// what is assumed of checkpoints that were written before there was an audit.
// Checks src/train/verify/audit_record.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "verify/verify.h"
#include <string.h>

static void test_round_trip(void **state) {
    (void)state;
    seq_position position = {.window = 3, .windows = 10, .origin = -4, .repartition_step = 7},
                 back = {.window = 3};
    position.audit.read = (seq_coverage){.tokens = 5, .places = UINT64_MAX, .content = 1};
    position.audit.carried_window = 2;
    seq_record record = {0};
    seq_error error = {0};
    assert_int_equal(seq_train_describe_audit(&position, &record, &error), SEQ_OK);
    assert_int_equal(seq_train_read_audit(&record, &back, &error), SEQ_OK);
    assert_memory_equal(&position, &back, sizeof back);
    seq_record_clear(&record);
}

static void test_without_audit(void **state) {
    (void)state;
    seq_position position = {.window = 3, .windows = 99};
    position.audit.read.tokens = 1;
    seq_record record = {0};
    seq_error error = {0};
    assert_int_equal(seq_record_set_integer(&record, "window", 3, &error), SEQ_OK);
    assert_int_equal(seq_train_read_audit(&record, &position, &error), SEQ_OK);
    assert_int_equal(position.windows, 0); // those of the trainer
    assert_int_equal(position.audit.carried_window, 3);
    assert_int_equal(position.audit.read.tokens, 0);
    seq_record_clear(&record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_without_audit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
