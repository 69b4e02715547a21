// The longest run of a sequence that stands in a text, against all pairs of
// places. Checks src/infer/copied.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/random.h>
#include <seqtrain/infer/copied.h>

enum { MOST = 60, TEXT = 200 };

static int by_pairs(const int32_t *one, int length, const int32_t *other, int count) {
    int longest = 0;
    for (int i = 0; i < length; i++)
        for (int j = 0; j < count; j++) {
            int run = 0;
            while (i + run < length && j + run < count && one[i + run] == other[j + run])
                run++;
            if (run > longest) longest = run;
        }
    return longest;
}

static int found(const int32_t *one, int length, int symbols, const int32_t *other, int count) {
    seq_runs *runs = NULL;
    seq_error error = {0};
    assert_int_equal(seq_runs_create(one, length, symbols, &runs, &error), SEQ_OK);
    int longest = seq_runs_longest(runs, other, count);
    seq_runs_destroy(runs);
    return longest;
}

static void draw(uint32_t number, int symbols, int count, int32_t *out) {
    uint32_t words[4];
    for (int i = 0; i < count; i++) {
        seq_random_words((seq_random_key){7, 0}, number, (uint32_t)i, 0, words);
        out[i] = (int32_t)(words[0] % (uint32_t)symbols);
    }
}

static void runs_are_found(void **state) {
    int32_t one[MOST], other[TEXT];
    (void)state;
    for (uint32_t n = 0; n < 300; n++) {
        int symbols = 1 + (int)(n % 7), length = (int)(n % (MOST + 1));
        draw(2 * n, symbols, length, one);
        draw(2 * n + 1, symbols + (n % 3 == 0), TEXT, other); // one that the sequence has not
        if (n % 5 == 0) other[TEXT / 2] = -1;
        int expected = by_pairs(one, length, other, TEXT);
        assert_int_equal(found(one, length, symbols, other, TEXT), expected);
    }
}

static void ends_are_right(void **state) {
    const int32_t text[] = {1, 2, 3, 4, 1, 2, 3}, own[] = {2, 3, 4, 1, 2};
    (void)state;
    assert_int_equal(found(own, 5, 5, text, 7), 5);
    assert_int_equal(found(own, 0, 5, text, 7), 0);
    assert_int_equal(found(own, 5, 5, text, 0), 0);
    assert_int_equal(found((const int32_t[]){0}, 1, 5, text, 7), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_found),
        cmocka_unit_test(ends_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
