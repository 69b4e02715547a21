// Amounts are cut, never rounded up; the least of host and control group
// counts; what is not known is not told. Values are given, except those of this
// host. Checks src/base/free_memory.c.
#include <seqtrain/base/free_memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// after those: <cmocka.h> needs them
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void amounts_are_cut(void **state) {
    (void)state;
    char text[24];
    assert_string_equal(seq_amount(0, text), "0.0 MB");
    assert_string_equal(seq_amount(1999999, text), "1.9 MB");
    assert_string_equal(seq_amount(999999999, text), "999.9 MB");
    assert_string_equal(seq_amount(UINT64_C(12345678901), text), "12.3 GB");
}

static void the_least_counts(void **state) {
    (void)state;
    seq_free_memory memory = {.host_total = 16, .host_free = 8};
    assert_int_equal(seq_free_memory_least(&memory), 8);
    memory.group_limit = 4;
    memory.group_free = 3;
    assert_int_equal(seq_free_memory_least(&memory), 3);
    memory.group_free = 9;
    assert_int_equal(seq_free_memory_least(&memory), 8);
    memory.group_free = 0; // full, not unlimited
    assert_int_equal(seq_free_memory_least(&memory), 0);
}

static void only_what_is_known_is_told(void **state) {
    (void)state;
    char text[200];
    seq_free_memory memory = {.host_total = 16000000, .host_free = 8000000};
    assert_string_equal(seq_free_memory_describe(&memory, text, sizeof text),
                        "8.0 MB of 16.0 MB free on the host");
    memory.shm_total = 64000000;
    assert_string_equal(seq_free_memory_describe(&memory, text, sizeof text),
                        "8.0 MB of 16.0 MB free on the host, 0.0 MB of 64.0 MB free in /dev/shm");
    memory.group_limit = UINT64_C(2000000000);
    memory.group_free = 100000;
    assert_non_null(strstr(seq_free_memory_describe(&memory, text, sizeof text),
                           "0.1 MB of 2.0 GB free in the control group"));
    assert_int_equal(strlen(seq_free_memory_describe(&memory, text, 20)), 19); // cut, not overrun
}

static void this_host_has_some(void **state) {
    (void)state;
    seq_free_memory memory;
    uint64_t space;
    seq_free_memory_read(&memory);
    assert_true(memory.host_total > 0 && memory.host_free <= memory.host_total);
    assert_true(seq_free_memory_least(&memory) > 0);
    assert_true(memory.shm_free <= memory.shm_total);
    assert_int_equal(seq_free_space_read("/nowhere/at/all", &space), SEQ_FS_NONE);
    assert_int_equal(space, 0);
    assert_int_equal(seq_free_space_read("/proc", &space), SEQ_FS_OTHER);
    setenv("SEQ_FREE_MEMORY", "12345", 1);
    seq_free_memory_read(&memory);
    assert_int_equal(seq_free_memory_least(&memory), 12345);
    unsetenv("SEQ_FREE_MEMORY");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_cut), cmocka_unit_test(the_least_counts),
        cmocka_unit_test(only_what_is_known_is_told), cmocka_unit_test(this_host_has_some)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
