// The model behind --dry-run: formulas against numbers worked out by hand,
// layouts, which ranks are listed. Every number of the made-up machine is
// round, so a term that is missing shows. Checks src/scaling/plan_predict.c.
#include "plan.h"
#include <seqtrain/train/rank_report.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// The library's header needs those above.
#include <cmocka.h>

#define REPORT  (double)sizeof(seq_rank_report)
#define LOSS    (double)sizeof(seq_loss)
#define SEGMENT 262144.0 // floats that travel at a time

static void near(double expected, double found) {
    if (fabs(expected - found) > 1e-9 * fabs(expected))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

// A million floats, all of them live.
static const seq_plan_model model = {
    .floats = 1e6,
    .values = 1e6,
    .rows = 200,
    .units = 200,
    .state_floats = 1000,
    .moments = 2,
    .updates_all = true,
    .packed_bytes = 5e6,
    .workspace_bytes = 3e6,
    .shards = 4,
    .snapshot = true,
    .wire_bytes = 4,
    .threads = 1,
    .bucket_count = 3,
    .buckets = {{5e5, 0.3}, {3e5, 0.2}, {2e5, 0}},
};

static const seq_plan_machine machine = {
    .cores = 4,
    .ranks_per_node = 4,
    .together = 4,
    .window = {0.1, 0.13},
    .stream = {1e-9, 2e-9},
    .update = {4e-9, 5e-9},
    .pack = {0.002, 0.003},
    .hop = 1e-6,
    .latency = 1e-5,
    .bandwidth = 1e9,
    .process_bytes = 1e7,
};

static seq_plan_row row(int ranks, int replicas, bool overlap) {
    seq_plan_row row;
    seq_plan_predict(&model, &machine, ranks, replicas, overlap, &row);
    return row;
}

static void test_one_rank(void **state) {
    (void)state;
    seq_plan_row one = row(1, 0, false);
    near(0.1, one.compute);
    near(2e-3, one.sum); // reads and writes its gradient
    near(4e-3 + 2e-3, one.update);
    near(0, one.network + one.reports + one.hidden);
    near(0.108, one.step);
    near(200 / 0.108, one.tokens_per_second);
    near(1, one.efficiency);
    // gradient, snapshot of everything; shared: parameters, two moments, states, packed weights
    near(1e7 + 3e6 + 4 * (1e6 + 3e6 + 1000) + REPORT + 2 * LOSS + 22e6, one.rank_bytes);
    near(one.rank_bytes + 4 * (3e6 + 1000) + 5e6, one.host_bytes);
}

static void test_one_host(void **state) {
    (void)state;
    seq_plan_row two = row(2, 0, false), four = row(4, 0, false);
    assert_int_equal(1, four.hosts);
    near(0.11, two.compute); // a third of the way from one to four
    near(0.13, four.compute);
    near(5 * 250000 * 2e-9, four.sum); // reads a quarter of four gradients, writes one
    near((5e-3 + 3e-3) / 4, four.update);
    near(4 * 2 * 1e-6, four.reports); // three barriers and a gathering, two rounds each
    near(0, four.network);
    near(800 / four.step, four.tokens_per_second);
    near(four.tokens_per_second / 4 / row(1, 0, false).tokens_per_second, four.efficiency);
}

static void test_hosts(void **state) {
    (void)state;
    seq_plan_row many = row(16, 0, false);
    assert_int_equal(4, many.hosts);
    assert_int_equal(4, many.nodes);
    // 250,000 floats a rank: one segment, 2 * 3 messages; 2 * 3/4 of the vector leave a host
    near(6e-5 + 1.5 * 4e6 / 1e9, many.network);
    near((5 + 7) * 250000 * 2e-9, many.sum);
    near(0.13, many.compute);
    double map = 1e6 / 4096 * 8, reports = 16 * (REPORT + LOSS) * 4;
    near(4 * 2e-6 + 4 * 1e-5 + (reports + 2 * map) / 1e9, many.reports);
    // a segment that is packed and one that is received; a quarter of the snapshot
    near(1e7 + 3e6 + 4 * (1e6 + 2 * SEGMENT + (3e6 + 16000) / 4) + 16 * (REPORT + 2 * LOSS) + 22e6,
         many.rank_bytes);
}

// 16 ranks on hosts of 6: blocks of 2, three of them on a host.
static void test_blocks(void **state) {
    (void)state;
    seq_plan_machine six = machine;
    seq_plan_row row;
    six.ranks_per_node = six.cores = 6;
    seq_plan_predict(&model, &six, 16, 0, false, &row);
    assert_int_equal(3, row.hosts);
    assert_int_equal(8, row.nodes);
    // 500,000 floats a rank: two segments; of a block's sums 5/8 leave the host, three blocks
    near(2 * 14 * 1e-5 + 2 * 5.0 / 8 * 4e6 * 3 / 1e9, row.network);
    // the first four ranks of the first host write a shard each
    double writer = 22e6 + (3e6 + 16 * 1000);
    near(6 * (row.rank_bytes - writer) + 4 * writer + 3 * (4 * (3e6 + 16 * 1000) + 5e6),
         row.host_bytes);
}

static void test_shared_cores(void **state) {
    (void)state;
    seq_plan_machine crowded = machine;
    seq_plan_row row;
    crowded.ranks_per_node = 8;
    seq_plan_predict(&model, &crowded, 8, 0, false, &row);
    assert_int_equal(1, row.hosts);
    near(2 * 0.13, row.compute);
    near(2 * 9 * 125000 * 2e-9, row.sum);
    near(2 * 8e-3 / 8, row.update);
}

static void test_strong(void **state) {
    (void)state;
    seq_plan_row one = row(1, 4, false), two = row(2, 4, false), four = row(4, 4, false);
    assert_int_equal(4, one.replicas);
    near(0.4 + 3 * 3e-3, one.compute); // three additions of two vectors
    assert_int_equal(1, four.replicas);
    near(0.13, four.compute);
    near(800 / four.step, four.tokens_per_second);
    near(one.step / four.step / 4, four.efficiency);
    // two replicas: a vector that waits and one that is filled besides the sum's; half of the
    // shards; no buffers of the network, since there is none
    near(1e7 + 3e6 + 4 * (3e6 + (3e6 + 4000) / 2) + 2 * (REPORT + 4 * LOSS) + 22e6, two.rank_bytes);
}

static void test_overlap(void **state) {
    (void)state;
    seq_plan_row open = row(16, 0, false), hidden = row(16, 0, true);
    near(open.step - hidden.hidden, hidden.step);
    // 0.13 s of a window, 6 ms of network: only the upper half is ready before backward is over
    near(0.5 * open.network, hidden.hidden);
    seq_plan_machine slow = machine;
    slow.bandwidth = 1e7; // 0.6 s: backward of the layer in the middle hides as much as it takes
    seq_plan_predict(&model, &slow, 16, 0, true, &hidden);
    near(0.2 * 0.13, hidden.hidden);
}

static void test_live_rows(void **state) {
    (void)state;
    seq_plan_model words = model;
    seq_plan_row row;
    words.row_floats = 9e5;
    words.table = 9000;
    words.columns = 100;
    words.updates_all = false;
    seq_plan_predict(&words, &machine, 1, 0, false, &row);
    double distinct = 9000 * (1 - pow(1 - 1.0 / 9000, 200)), live = 1e5 + 100 * distinct;
    assert_true(distinct > 190 && distinct < 200);
    near(2e-9 * live, row.sum);
    near(4e-9 * live + 2e-3, row.update);
}

// A sampled output layer of 4e5 floats: a window looks at a tenth of its words, two at 19
// hundredths.
static void test_sampled_rows(void **state) {
    (void)state;
    seq_plan_model words = model;
    seq_plan_row row;
    words.chosen_floats = 4e5;
    words.chosen_share = 0.1;
    seq_plan_predict(&words, &machine, 1, 0, false, &row);
    near(2e-9 * (6e5 + 4e4), row.sum);
    seq_plan_predict(&words, &machine, 1, 2, false, &row);
    near(2e-9 * (6e5 + 7.6e4), row.sum);
    words.chosen_share = 1; // all of them
    seq_plan_predict(&words, &machine, 1, 0, false, &row);
    near(2e-9 * 1e6, row.sum);
}

static void test_wire(void **state) {
    (void)state;
    seq_plan_model narrow = model;
    seq_plan_machine slow = machine;
    seq_plan_row wide, half;
    slow.latency = 0;
    narrow.wire_bytes = 2;
    seq_plan_predict(&model, &slow, 16, 0, false, &wide);
    seq_plan_predict(&narrow, &slow, 16, 0, false, &half);
    assert_true(wide.network > 0);
    near(wide.network / 2, half.network);
    near(4 * SEGMENT, half.rank_bytes - wide.rank_bytes); // two segments more, as bf16
}

static void check_ranks(int most, int replicas, const int *expected) {
    int index = 0;
    do
        assert_int_equal(expected[index], seq_plan_ranks(index, most, replicas));
    while (expected[index++]);
}

static void test_ranks(void **state) {
    (void)state;
    check_ranks(1, 0, (const int[]){1, 0});
    check_ranks(8, 0, (const int[]){1, 2, 4, 8, 0});
    check_ranks(6, 0, (const int[]){1, 2, 4, 6, 0});
    check_ranks(1024, 12, (const int[]){1, 2, 4, 12, 0});
    check_ranks(8, 12, (const int[]){1, 2, 4, 0});
    check_ranks(6, 12, (const int[]){1, 2, 4, 6, 0});
    check_ranks(64, 15, (const int[]){1, 15, 0});
    check_ranks(4, 1, (const int[]){1, 0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_rank),     cmocka_unit_test(test_one_host),
        cmocka_unit_test(test_hosts),        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_shared_cores), cmocka_unit_test(test_strong),
        cmocka_unit_test(test_overlap),      cmocka_unit_test(test_live_rows),
        cmocka_unit_test(test_sampled_rows), cmocka_unit_test(test_wire),
        cmocka_unit_test(test_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
