// Buckets, and rounds of one process; tests/mpi/test_comm.c has those of many.
// Every third round is abandoned, one has a NaN, and the last is destroyed in
// the middle. Checks src/comm/exchange.c and exchange_bucket.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <exchange_private.h>
#include <math.h>
#include <string.h>

static void check_cut(size_t floats, size_t least, const size_t *ends, size_t expected) {
    static const size_t parts[] = {9 * SEQ_BLOCK + 7, 9 * SEQ_BLOCK, 5 * SEQ_BLOCK + 1, 100, 0};
    seq_range buckets[5];
    assert_int_equal(seq_exchange_cut(parts, 5, floats, least, buckets), expected);
    size_t end = seq_sparsity_words(floats);
    for (size_t i = 0; i < expected; i++) {
        assert_int_equal(buckets[i].end, end);
        assert_int_equal(buckets[i].begin, ends[i]);
        end = buckets[i].begin;
    }
}

// Whole blocks, each in the bucket of the last part to be final in it.
static void buckets_begin_where_parts_do(void **state) {
    (void)state;
    size_t floats = 12 * SEQ_BLOCK + 1;
    check_cut(floats, 1, (const size_t[]){10, 9, 6, 1, 0}, 5);
    check_cut(floats, 4 * SEQ_BLOCK, (const size_t[]){9, 1, 0}, 3);
    check_cut(floats, 8 * SEQ_BLOCK, (const size_t[]){1, 0}, 2);
    check_cut(floats, 100 * SEQ_BLOCK, (const size_t[]){0}, 1);
    check_cut(9 * SEQ_BLOCK + 9, 1, (const size_t[]){9, 6, 1, 0}, 4);
}

static void exchange_alone(bool overlap) {
    enum { COUNT = 3 * SEQ_BLOCK };
    seq_comm *comm;
    seq_exchange *exchange;
    seq_exchanged sum;
    seq_error error = {0};
    const size_t parts[] = {2 * SEQ_BLOCK, 0};
    seq_exchange_config config = {
        .count = COUNT, .overlap = overlap, .parts = parts, .part_count = 2};
    assert_int_equal(seq_comm_open_self(&comm, &error), SEQ_OK);
    assert_int_equal(
        seq_exchange_create(comm, seq_kernels_of("portable"), &config, &exchange, &error), SEQ_OK);
    for (int round = 0; round < 20; round++) {
        float *gradient = seq_exchange_gradient(exchange);
        for (size_t i = 0; i < COUNT; i++)
            gradient[i] = 2;
        seq_sparsity_add(seq_exchange_live(exchange), 0, COUNT);
        seq_exchange_begin(exchange, &(seq_exchange_options){0});
        seq_exchange_ready(exchange, 2 * SEQ_BLOCK);
        if (round % 3 == 2) {
            assert_int_equal(seq_exchange_abandon(exchange, &error), SEQ_OK);
            continue;
        }
        if (round == 4) gradient[5] = NAN;
        assert_int_equal(seq_exchange_finish(exchange, &sum, &error), SEQ_OK);
        assert_true(round == 4 ? isnan(sum.norm) : sum.norm == sqrt(4.0 * COUNT));
        assert_true(sum.bad == (round == 4) && (!sum.bad || sum.bad_index == 5));
        assert_int_equal(sum.slice_count, overlap ? 2 : 1);
    }
    seq_exchange_begin(exchange, &(seq_exchange_options){0}); // destroyed in the middle
    seq_exchange_ready(exchange, 0);
    seq_exchange_destroy(exchange);
    seq_comm_close(comm);
}

static void one_process_exchanges(void **state) {
    (void)state;
    exchange_alone(false);
    exchange_alone(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(buckets_begin_where_parts_do),
                                       cmocka_unit_test(one_process_exchanges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
