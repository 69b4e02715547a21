// IUPAC letters: every code and its complement, RNA, gaps, both cases.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "readers/sequence_letters.h"
#include <string.h>

static void complements(const char *letters, const char *expected) {
    char text[64];
    size_t size = strlen(letters);
    memcpy(text, letters, size + 1);
    assert_int_equal(seq_not_nucleotide(text, size), size);
    seq_reverse_complement(text, size);
    assert_string_equal(text, expected);
    seq_reverse_complement(text, size);
    assert_string_equal(text, letters);
}

static void sequences_are_turned(void **state) {
    (void)state;
    complements("", "");
    complements("A", "T");
    complements("AACGT", "ACGTT");
    complements("ACGTNRYSWKMBDHV-.", ".-BDHVKMWSRYNACGT");
    complements("aacg", "cgtt");
    complements("AUGC", "GCAU");
}

static void others_are_told(void **state) {
    (void)state;
    assert_int_equal(seq_not_nucleotide("ACE", 3), 2);
    assert_int_equal(seq_not_nucleotide("A\0C", 3), 1);
    assert_true(seq_is_sequence_letter('*') && seq_is_sequence_letter('e'));
    assert_false(seq_is_sequence_letter('1') || seq_is_sequence_letter(0) ||
                 seq_is_sequence_letter('\xC3'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_are_turned),
        cmocka_unit_test(others_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
