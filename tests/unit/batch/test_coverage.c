// The digest of a set of tokens: windows in any order make the whole; every
// window that is missing, repeated or exchanged for its neighbour is seen;
// contents depend on places. Checks src/batch/coverage.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/batch/coverage.h>

static seq_coverage whole(int64_t tokens) {
    seq_coverage sum = {0};
    seq_coverage_add_range(&sum, 0, tokens);
    return sum;
}

// 1000 tokens in windows of 7 of 13 streams, in an order that jumps about, in two sums that are
// added.
static seq_coverage in_pieces(int64_t skipped, int64_t repeated) {
    enum { STREAMS = 13, LENGTH = 77, WINDOW = 7 };
    seq_coverage sums[2] = {{0}, {0}};
    for (int64_t window = 0; window < LENGTH; window += WINDOW)
        for (int64_t i = 0; i < STREAMS; i++) {
            int64_t begin = i * 5 % STREAMS * LENGTH + window, end = begin + WINDOW;
            if (begin / WINDOW == repeated) seq_coverage_add_range(&sums[0], begin, end);
            if (begin / WINDOW != skipped) seq_coverage_add_range(&sums[i % 2], begin, end);
        }
    seq_coverage_add(&sums[0], &sums[1]);
    return sums[0];
}

static void pieces_make_a_whole(void **state) {
    (void)state;
    seq_coverage all = whole(1001), pieces = in_pieces(-1, -1);
    assert_true(seq_coverage_same_places(&all, &pieces));
    assert_int_equal(pieces.tokens, 1001);
}

static void every_fault_is_seen(void **state) {
    (void)state;
    seq_coverage all = whole(1001);
    for (int64_t window = 0; window < 143; window++) {
        seq_coverage less = in_pieces(window, -1), more = in_pieces(-1, window);
        assert_false(seq_coverage_same_places(&all, &less));
        assert_false(seq_coverage_same_places(&all, &more));
        // As many tokens, but one window twice and its neighbour not at all.
        seq_coverage swapped = in_pieces(window, (window + 1) % 143);
        assert_int_equal(swapped.tokens, 1001);
        assert_false(seq_coverage_same_places(&all, &swapped));
    }
}

static void contents_depend_on_places(void **state) {
    (void)state;
    seq_coverage a = {0}, b = {0}, c = {0};
    seq_coverage_add_token(&a, 3, 7);
    seq_coverage_add_token(&a, 4, 8);
    seq_coverage_add_token(&b, 4, 8);
    seq_coverage_add_token(&b, 3, 7);
    seq_coverage_add_token(&c, 3, 8);
    seq_coverage_add_token(&c, 4, 7);
    assert_true(a.content == b.content);
    assert_true(a.content != c.content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_a_whole),
        cmocka_unit_test(every_fault_is_seen),
        cmocka_unit_test(contents_depend_on_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
