// The tree against its definition, written out by recursion, for 1 to 48
// leaves, and the same bits for every division into aligned blocks. Sums are
// compared with ==, since the order of additions is the contract. Checks
// src/comm/tree.c and comm_self.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/random.h>
#include <seqtrain/comm/comm.h>
#include <seqtrain/comm/sparsity_map.h>
#include <seqtrain/comm/tree.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 33, MOST = 48 };
static float leaves_of[MOST][COUNT];

static int fill(void **state) {
    (void)state;
    for (int leaf = 0; leaf < MOST; leaf++)
        seq_random_fill_uniform((seq_random_key){1, SEQ_RANDOM_TEST}, (uint32_t)leaf, 1,
                                leaves_of[leaf], COUNT);
    return 0;
}

// The definition: pairs as long as the number of leaves is even, then left to right.
static float defined_sum(int first, int leaves, int i) {
    if (leaves == 1) return leaves_of[first][i];
    if ((leaves & (leaves - 1)) == 0)
        return defined_sum(first, leaves / 2, i) + defined_sum(first + leaves / 2, leaves / 2, i);
    int block = leaves & -leaves;
    float sum = defined_sum(first, block, i);
    for (int left = block; left < leaves; left += block)
        sum += defined_sum(first + left, block, i);
    return sum;
}

static uint64_t all_live = UINT64_MAX;

static void add_leaves(seq_tree *tree, int first, int count) {
    seq_tree_begin(tree, &all_live);
    for (int leaf = first; leaf < first + count; leaf++) {
        float *next = seq_tree_next(tree);
        memcpy(next, leaves_of[leaf], COUNT * sizeof *next);
        seq_tree_add(tree);
    }
}

static void tree_is_its_definition(void **state) {
    (void)state;
    for (int leaves = 1; leaves <= MOST; leaves++) {
        seq_tree *tree;
        seq_error error = {0};
        float result[COUNT];
        assert_int_equal(seq_tree_create(leaves, COUNT, result, &tree, &error), SEQ_OK);
        for (int round = 0; round < 3; round++) { // a tree is used again
            memset(result, 0, sizeof result);
            add_leaves(tree, 0, leaves);
            for (int i = 0; i < COUNT; i++)
                assert_true(result[i] == defined_sum(0, leaves, i));
        }
        seq_tree_destroy(tree);
    }
}

// Of the last leaf, what has been added is the sum already.
static void a_leaf_may_be_added_in_parts(void **state) {
    (void)state;
    enum { CUT = 13 };
    for (int leaves = 1; leaves <= MOST; leaves++) {
        seq_tree *tree;
        seq_error error = {0};
        float result[COUNT];
        assert_int_equal(seq_tree_create(leaves, COUNT, result, &tree, &error), SEQ_OK);
        for (int round = 0; round < 2; round++) {
            add_leaves(tree, 0, leaves - 1);
            float *next = seq_tree_next(tree);
            memcpy(next + CUT, leaves_of[leaves - 1] + CUT, (COUNT - CUT) * sizeof *next);
            seq_tree_add_part(tree, CUT, COUNT);
            for (int i = CUT; i < COUNT; i++)
                assert_true(result[i] == defined_sum(0, leaves, i));
            memcpy(next, leaves_of[leaves - 1], CUT * sizeof *next);
            seq_tree_add_part(tree, 0, CUT);
            seq_tree_close(tree);
            for (int i = 0; i < COUNT; i++)
                assert_true(result[i] == defined_sum(0, leaves, i));
        }
        seq_tree_destroy(tree);
    }
}

static void vectors_that_stay_are_added_alike(void **state) {
    (void)state;
    const float *vectors[MOST];
    for (int leaf = 0; leaf < MOST; leaf++)
        vectors[leaf] = leaves_of[leaf];
    for (int leaves = 1; leaves <= MOST; leaves++) {
        float sum[COUNT], *scratch = malloc((size_t)seq_tree_depth(leaves) * sizeof sum);
        seq_tree_sum_into(sum, vectors, leaves, COUNT, scratch);
        for (int i = 0; i < COUNT; i++)
            assert_true(sum[i] == defined_sum(0, leaves, i));
        free(scratch);
    }
}

// What is not live is neither written nor read.
static bool is_live(int i) {
    return (i >= SEQ_GRANULE && i < 2 * SEQ_GRANULE) || i >= 3 * SEQ_GRANULE;
}

static void only_what_is_live_is_added(void **state) {
    (void)state;
    enum { SIZE = 3 * SEQ_GRANULE + 7 };
    uint64_t live = 0;
    float result[SIZE];
    seq_tree *tree;
    seq_error error = {0};
    seq_sparsity_add(&live, 70, 75);
    seq_sparsity_add(&live, SIZE - 1, SIZE);
    for (int i = 0; i < SIZE; i++)
        result[i] = -1;
    assert_int_equal(seq_tree_create(3, SIZE, result, &tree, &error), SEQ_OK);
    seq_tree_begin(tree, &live);
    for (int leaf = 0; leaf < 3; leaf++) {
        float *next = seq_tree_next(tree);
        for (int i = 0; i < SIZE; i++)
            if (is_live(i)) next[i] = 0;
        next[70] = (float)(1 + leaf);
        next[SIZE - 1] = 2;
        seq_tree_add(tree);
    }
    for (int i = 0; i < SIZE; i++) {
        assert_true(result[i] == (i == 70 || i == SIZE - 1 ? 6 : is_live(i) ? 0 : -1));
    }
    seq_tree_destroy(tree);
}

static void processes_do_not_change_the_bits(void **state) {
    (void)state;
    for (int leaves = 1; leaves <= MOST; leaves++)
        for (int processes = 1; processes <= leaves; processes++) {
            if (!seq_tree_same_bits(leaves, processes)) continue;
            int own = leaves / processes;
            float partial[MOST * COUNT];
            for (int rank = 0; rank < processes; rank++) {
                seq_tree *tree;
                seq_error error = {0};
                assert_int_equal(seq_tree_create(own, COUNT, partial + rank * COUNT, &tree, &error),
                                 SEQ_OK);
                add_leaves(tree, rank * own, own);
                seq_tree_destroy(tree);
            }
            seq_tree_sum(partial, processes, COUNT, COUNT);
            for (int i = 0; i < COUNT; i++)
                assert_true(partial[i] == defined_sum(0, leaves, i));
        }
    assert_true(seq_tree_same_bits(12, 3) && seq_tree_same_bits(12, 6) &&
                seq_tree_same_bits(64, 1));
    assert_false(seq_tree_same_bits(12, 4) || seq_tree_same_bits(12, 5));
}

static void one_process_serves_every_call(void **state) {
    (void)state;
    seq_comm *comm;
    seq_error error = {0};
    float values[3] = {1, 2, 3};
    assert_int_equal(seq_comm_open_self(&comm, &error), SEQ_OK);
    assert_true(seq_comm_rank(comm) == 0 && seq_comm_size(comm) == 1);
    assert_int_equal(seq_comm_sum_nodes(comm, values, 3, SEQ_WIRE_FP32, &error), SEQ_OK);
    assert_true(values[2] == 3);
    float *shared;
    assert_int_equal(seq_comm_share(comm, 100, &shared, "a test", &error), SEQ_OK);
    assert_true((uintptr_t)shared % 64 == 0 && shared[24] == 0);
    assert_int_equal(seq_comm_broadcast_shared(comm, shared, 100, &error), SEQ_OK);
    assert_int_equal(seq_comm_gather_shared(comm, shared, 100, &error), SEQ_OK);
    seq_error_set(&error, SEQ_IO, "trouble");
    assert_int_equal(seq_comm_agree(comm, &error), SEQ_IO);
    seq_comm_close(comm);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tree_is_its_definition),
                                       cmocka_unit_test(vectors_that_stay_are_added_alike),
                                       cmocka_unit_test(a_leaf_may_be_added_in_parts),
                                       cmocka_unit_test(only_what_is_live_is_added),
                                       cmocka_unit_test(processes_do_not_change_the_bits),
                                       cmocka_unit_test(one_process_serves_every_call)};
    return cmocka_run_group_tests(tests, fill, NULL);
}
