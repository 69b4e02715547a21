// Runs of live floats against a bit a float: random ranges are added, and each
// run must be as long as can be, with nothing live between runs. Windows of
// whole blocks and a cut limit are walked, too. Checks src/comm/sparsity_map.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/random.h>
#include <seqtrain/comm/sparsity_map.h>
#include <string.h>

enum { COUNT = 3 * SEQ_BLOCK + 1000, WORDS = 4 };

static void mark(bool *bits, size_t begin, size_t end) {
    for (size_t granule = begin / SEQ_GRANULE; begin < end && granule <= (end - 1) / SEQ_GRANULE;
         granule++)
        memset(bits + granule * SEQ_GRANULE, true, SEQ_GRANULE);
}

static void check_runs(const uint64_t *live, const bool *bits, size_t from, size_t limit) {
    size_t at = from;
    for (seq_range run = {from, from}; seq_sparsity_next(live, limit, &run); at = run.end) {
        assert_true(run.begin >= at && run.begin < run.end && run.end <= limit);
        for (size_t i = at; i < run.begin; i++)
            assert_false(bits[i]);
        for (size_t i = run.begin; i < run.end; i++)
            assert_true(bits[i]);
        assert_true(run.end == limit || !bits[run.end]); // as long as can be
    }
    for (; at < limit; at++)
        assert_false(bits[at]);
}

static void runs_are_what_was_added(void **state) {
    (void)state;
    assert_int_equal(seq_sparsity_words(COUNT), WORDS);
    for (uint32_t round = 0; round < 200; round++) {
        uint64_t live[WORDS] = {0};
        bool bits[WORDS * SEQ_BLOCK] = {false};
        for (uint32_t i = 0; i < round % 20; i++) {
            uint32_t words[4];
            seq_random_words((seq_random_key){3, SEQ_RANDOM_TEST}, round, i, 0, words);
            size_t begin = words[0] % COUNT, length = words[1] % (words[2] % 3 ? 200 : 6000);
            size_t end = begin + length < COUNT ? begin + length : COUNT;
            seq_sparsity_add(live, begin, end);
            mark(bits, begin, end);
        }
        check_runs(live, bits, 0, COUNT);
        check_runs(live, bits, SEQ_BLOCK, 2 * SEQ_BLOCK);
        check_runs(live, bits, 2 * SEQ_BLOCK, COUNT);
        check_runs(live, bits, 0, 777);
    }
}

static void nothing_and_all(void **state) {
    (void)state;
    uint64_t live[WORDS] = {0};
    seq_range run = {0, 0};
    seq_sparsity_add(live, 5, 5);
    assert_false(seq_sparsity_next(live, COUNT, &run));
    seq_sparsity_add(live, 0, COUNT);
    assert_true(seq_sparsity_next(live, COUNT, &run) && run.begin == 0 && run.end == COUNT);
    assert_false(seq_sparsity_next(live, COUNT, &run));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(runs_are_what_was_added),
                                       cmocka_unit_test(nothing_and_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
