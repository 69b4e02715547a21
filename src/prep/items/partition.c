// Groups: union-find over items whose keys are equal, found by sorting. Parts:
// the groups are shuffled by a keyed draw (within each class when stratified,
// the classes one after another) and dealt in turn, so fold sizes differ by at
// most one group, and each class is spread as evenly. A fraction p takes every
// place i where ceil(p (i + 1)) exceeds ceil(p i), which spreads over classes and
// rounds up. Invariant: the folds of one seed are disjoint and cover all
// groups. Tests: tests/unit/prep/test_partition.c.
#include "partition.h"
#include <inttypes.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/random.h>
#include <stdlib.h>
#include <string.h>

typedef struct keyed {
    seq_partition_key key;
    int32_t item;
} keyed;

static int compare_keys(const void *a, const void *b) {
    const keyed *one = a, *other = b;
    int order = memcmp(one->key.hash, other->key.hash, sizeof one->key.hash);
    return order ? order : (one->item > other->item) - (one->item < other->item);
}

static int32_t find_root(int32_t *parent, int32_t item) {
    while (parent[item] != item)
        item = parent[item] = parent[parent[item]];
    return item;
}

// The smaller item becomes the root: a group is named by its first item.
static void join(int32_t *parent, int32_t a, int32_t b) {
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

seq_status seq_partition_groups(const seq_partition_key *const *keys, int key_count, size_t count,
                                int32_t *out_group, size_t *out_groups, seq_error *error) {
    keyed *sorted = NULL;
    if (count > INT32_MAX)
        return seq_error_set(error, SEQ_BAD_INPUT, "more than %d items", INT32_MAX);
    seq_status status = seq_allocate(&sorted, count, sizeof *sorted, "groups of items", error);
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        out_group[i] = (int32_t)i;
    for (int k = 0; k < key_count; k++) {
        for (size_t i = 0; i < count; i++)
            sorted[i] = (keyed){keys[k][i], (int32_t)i};
        qsort(sorted, count, sizeof *sorted, compare_keys);
        for (size_t i = 1; i < count; i++)
            if (memcmp(&sorted[i].key, &sorted[i - 1].key, sizeof sorted->key) == 0)
                join(out_group, sorted[i].item, sorted[i - 1].item);
    }
    free(sorted);
    *out_groups = 0;
    for (size_t i = 0; i < count; i++) {
        out_group[i] = find_root(out_group, (int32_t)i);
        *out_groups += out_group[i] == (int32_t)i;
    }
    return SEQ_OK;
}

typedef struct drawn {
    int32_t class, group;
    uint64_t draw;
} drawn;

static int compare_draws(const void *a, const void *b) {
    const drawn *one = a, *other = b;
    if (one->class != other->class) return one->class < other->class ? -1 : 1;
    if (one->draw != other->draw) return one->draw < other->draw ? -1 : 1;
    return (one->group > other->group) - (one->group < other->group);
}

// Places before `at` that belong to a part of `fraction`, rounded up. 0.1 of 100 is 10,
// whatever binary fractions make of it.
static double taken_before(double fraction, int64_t at) {
    return ceil(fraction * (double)at - 1e-9);
}

static bool is_taken(double fraction, int64_t at) {
    return taken_before(fraction, at + 1) > taken_before(fraction, at);
}

static seq_status check_folds(const seq_partition *partition, int64_t groups, int64_t folds,
                              seq_error *error) {
    if (folds && (folds < 2 || folds > groups))
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--folds %" PRId64 ": there are %" PRId64
                             " groups: expected 2 to %" PRId64 ", or all",
                             folds, groups, groups);
    if (folds && (partition->fold < 1 || partition->fold > folds))
        return seq_error_set(error, SEQ_BAD_USAGE, "--fold %" PRId64 ": expected 1 to %" PRId64,
                             partition->fold, folds);
    return SEQ_OK;
}

// Deals the groups in their order; counts[split] receives how many.
static void deal(const seq_partition *partition, const drawn *groups, int64_t count, int64_t folds,
                 unsigned char *split, int64_t counts[SEQ_SPLITS]) {
    int64_t left = 0; // groups that are not of the test part so far
    double valid = partition->valid / (1 - partition->test); // of those
    for (int64_t i = 0; i < count; i++) {
        seq_split part = SEQ_TRAIN;
        if (folds ? i % folds == partition->fold - 1 : is_taken(partition->test, i))
            part = SEQ_TEST;
        else if (is_taken(valid, left++))
            part = SEQ_VALID;
        split[groups[i].group] = (unsigned char)part;
        counts[part]++;
    }
}

seq_status seq_partition_items(const seq_partition *partition, const int32_t *group, size_t count,
                               unsigned char *out_split, int64_t *out_folds, seq_error *error) {
    seq_random_key key = {partition->seed, SEQ_RANDOM_SHUFFLE};
    drawn *groups = NULL;
    int64_t total = 0, counts[SEQ_SPLITS] = {0};
    uint32_t words[4];
    seq_status status = seq_allocate(&groups, count, sizeof *groups, "groups of items", error);
    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        if (group[i] != (int32_t)i) continue;
        seq_random_words(key, (uint32_t)i, 0, 0, words);
        groups[total++] = (drawn){partition->class_of ? partition->class_of[i] : 0, (int32_t)i,
                                  (uint64_t)words[0] << 32 | words[1]};
    }
    int64_t folds = partition->all_folds ? total : partition->folds;
    status = check_folds(partition, total, folds, error);
    if (!status) {
        qsort(groups, (size_t)total, sizeof *groups, compare_draws);
        deal(partition, groups, total, folds, out_split, counts);
        for (size_t i = 0; i < count; i++)
            out_split[i] = out_split[group[i]];
        *out_folds = folds;
    }
    free(groups);
    bool empty = counts[SEQ_TRAIN] == 0 || (partition->valid > 0 && counts[SEQ_VALID] == 0) ||
                 (partition->test > 0 && counts[SEQ_TEST] == 0);
    if (status || !empty) return status;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "%" PRId64 " groups of items are too few for these parts: train %" PRId64
                         ", valid %" PRId64 ", test %" PRId64,
                         total, counts[SEQ_TRAIN], counts[SEQ_VALID], counts[SEQ_TEST]);
}
