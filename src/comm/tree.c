// Sums leaves in a fixed binary tree, leaf by leaf, as a binary counter
// carries: a leaf meets each full level and moves up (pairwise summation;
// Higham, SIAM J. Sci. Comput. 14, 1993). Vectors are exchanged, not copied.
// Invariant: the order of additions depends on the number of leaves only, never
// on ranks or parts. Test: tests/unit/comm/test_tree.c.
#include <seqtrain/comm/tree.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/comm/sparsity_map.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEVELS = 40 };

// Level k < power holds the sum of 2^k leaves while it waits for its neighbour; level `power` is
// the running sum of the odd number of complete subtrees. `next` takes the leaf that is being
// filled. A sum keeps the vector of its left operand, so the total is where the first leaf was:
// in `result`.
struct seq_tree {
    int leaves, power;
    size_t count;
    const uint64_t *live;
    int added;
    float *result;             // the caller's
    float *levels[MAX_LEVELS]; // vectors; a level's is meaningful while its bit of `added` is set
    float *next;
};

static int powers_of_two(int leaves) {
    int power = 0;
    while (leaves % 2 == 0) {
        leaves /= 2;
        power++;
    }
    return power;
}

seq_status seq_tree_create(int leaves, size_t count, float *result, seq_tree **out,
                           seq_error *error) {
    seq_tree *tree = NULL;
    seq_status status = seq_allocate(&tree, 1, sizeof *tree, "the summation tree", error);
    if (status) return status;
    tree->leaves = leaves;
    tree->power = powers_of_two(leaves);
    tree->count = count;
    tree->next = tree->result = result;
    bool waits = leaves > 1; // a single leaf is its own sum
    for (int level = 0; !status && waits && level <= tree->power; level++)
        status = seq_allocate(&tree->levels[level], count, sizeof(float), "gradient sums", error);
    if (status) {
        seq_tree_destroy(tree);
        return status;
    }
    *out = tree;
    return SEQ_OK;
}

static void release(seq_tree *tree, float *vector) {
    if (vector != tree->result) free(vector);
}

void seq_tree_destroy(seq_tree *tree) {
    if (!tree) return;
    for (int level = 0; level < MAX_LEVELS; level++)
        release(tree, tree->levels[level]);
    release(tree, tree->next);
    free(tree);
}

static void swap(float **a, float **b) {
    float *old = *a;
    *a = *b;
    *b = old;
}

// The last sum left `result` on the top level.
void seq_tree_begin(seq_tree *tree, const uint64_t *live) {
    tree->added = 0;
    tree->live = live;
    for (int level = 0; level <= tree->power; level++)
        if (tree->levels[level] == tree->result) swap(&tree->levels[level], &tree->next);
}

float *seq_tree_next(seq_tree *tree) {
    return tree->next;
}

static void add(float *restrict left, const float *restrict right, size_t count) {
    for (size_t i = 0; i < count; i++)
        left[i] += right[i];
}

static void add_live(const seq_tree *tree, float *left, const float *right, seq_range part) {
    for (seq_range run = {part.begin, part.begin}; seq_sparsity_next(tree->live, part.end, &run);)
        add(left + run.begin, right + run.begin, run.end - run.begin);
}

// The level at which the next leaf's way ends: it meets full levels as a carry does in a binary
// counter.
static int last_level(const seq_tree *tree) {
    int level = 0;
    while (level < tree->power && (tree->added >> level & 1))
        level++;
    return level;
}

static bool joins_subtrees(const seq_tree *tree, int level) {
    return level == tree->power && tree->added >> tree->power != 0;
}

void seq_tree_add_part(seq_tree *tree, size_t begin, size_t end) {
    const float *right = tree->next;
    if (tree->leaves == 1) return;
    int last = last_level(tree);
    for (int level = 0; level < last; level++) {
        add_live(tree, tree->levels[level], right, (seq_range){begin, end});
        right = tree->levels[level];
    }
    if (joins_subtrees(tree, last))
        add_live(tree, tree->levels[last], right, (seq_range){begin, end});
}

// A sum goes where its left operand was, and the vector of the right one is free.
void seq_tree_close(seq_tree *tree) {
    int last = last_level(tree);
    bool joins = joins_subtrees(tree, last);
    tree->added++;
    if (tree->leaves == 1) return;
    for (int level = 0; level < last; level++)
        swap(&tree->levels[level], &tree->next);
    if (!joins) swap(&tree->levels[last], &tree->next);
}

void seq_tree_add(seq_tree *tree) {
    seq_tree_add_part(tree, 0, tree->count);
    seq_tree_close(tree);
}

void seq_tree_sum(float *vectors, int leaves, size_t stride, size_t count) {
    int power = powers_of_two(leaves), apart = 1;
    for (int level = 0; level < power; level++, apart *= 2)
        for (int left = 0; left < leaves; left += 2 * apart)
            add(vectors + (size_t)left * stride, vectors + (size_t)(left + apart) * stride, count);
    for (int left = apart; left < leaves; left += apart)
        add(vectors, vectors + (size_t)left * stride, count);
}

// 2^k leaves. The left half is summed in place, the right half in scratch.
static void sum_pairs(float *sum, const float *const *vectors, int leaves, size_t count,
                      float *scratch) {
    if (leaves == 1) {
        memcpy(sum, vectors[0], count * sizeof *sum);
    } else if (leaves == 2) {
        const float *left = vectors[0], *right = vectors[1];
        for (size_t i = 0; i < count; i++)
            sum[i] = left[i] + right[i];
    } else {
        sum_pairs(sum, vectors, leaves / 2, count, scratch);
        sum_pairs(scratch, vectors + leaves / 2, leaves / 2, count, scratch + count);
        add(sum, scratch, count);
    }
}

void seq_tree_sum_into(float *sum, const float *const *vectors, int leaves, size_t count,
                       float *scratch) {
    int block = 1 << powers_of_two(leaves);
    sum_pairs(sum, vectors, block, count, scratch);
    for (int left = block; left < leaves; left += block) {
        sum_pairs(scratch, vectors + left, block, count, scratch + count);
        add(sum, scratch, count);
    }
}

int seq_tree_depth(int leaves) {
    return powers_of_two(leaves) + 1;
}

static double sum_subtree(const double *values, int leaves) {
    return leaves == 1
               ? values[0]
               : sum_subtree(values, leaves / 2) + sum_subtree(values + leaves / 2, leaves / 2);
}

double seq_tree_sum_double(const double *values, int leaves) {
    int block = 1 << powers_of_two(leaves);
    double total = sum_subtree(values, block);
    for (int left = block; left < leaves; left += block)
        total += sum_subtree(values + left, block);
    return total;
}

bool seq_tree_same_bits(int leaves, int processes) {
    if (processes == 1) return true;
    if (leaves % processes) return false;
    int quotient = leaves / processes;
    return (quotient & (quotient - 1)) == 0;
}
