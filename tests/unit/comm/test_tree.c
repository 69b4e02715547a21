// The tree against its definition, and the same bits for every division into aligned blocks.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/random.h>
#include <seqtrain/comm/comm.h>
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

static void add_leaves(seq_tree *tree, int first, int count) {
    seq_tree_begin(tree);
    for (int leaf = first; leaf < first + count; leaf++) {
        float *next = seq_tree_next(tree);
        for (int i = 0; i < COUNT; i++) {
            assert_true(next[i] == 0);
            next[i] = leaves_of[leaf][i];
        }
        seq_tree_add(tree);
    }
}

static void tree_is_its_definition(void **state) {
    (void)state;
    for (int leaves = 1; leaves <= MOST; leaves++) {
        seq_tree *tree;
        seq_error error = {0};
        assert_int_equal(seq_tree_create(leaves, COUNT, &tree, &error), SEQ_OK);
        for (int round = 0; round < 2; round++) { // a tree is used again
            add_leaves(tree, 0, leaves);
            for (int i = 0; i < COUNT; i++)
                assert_true(seq_tree_result(tree)[i] == defined_sum(0, leaves, i));
        }
        seq_tree_destroy(tree);
    }
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
                assert_int_equal(seq_tree_create(own, COUNT, &tree, &error), SEQ_OK);
                add_leaves(tree, rank * own, own);
                memcpy(partial + rank * COUNT, seq_tree_result(tree), COUNT * sizeof *partial);
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
    assert_int_equal(seq_comm_sum(comm, values, 3, &error), SEQ_OK);
    assert_true(values[2] == 3);
    seq_error_set(&error, SEQ_IO, "trouble");
    assert_int_equal(seq_comm_agree(comm, &error), SEQ_IO);
    seq_comm_close(comm);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tree_is_its_definition),
                                       cmocka_unit_test(processes_do_not_change_the_bits),
                                       cmocka_unit_test(one_process_serves_every_call)};
    return cmocka_run_group_tests(tests, fill, NULL);
}
