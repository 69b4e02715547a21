// Which part each item falls into: train, valid or test. Parts are made of
// groups, never of items: items of one group are in one part. Pure functions of
// numbers; the draw is keyed by the seed.
#ifndef SEQ_PREP_PARTITION_H
#define SEQ_PREP_PARTITION_H

#include <seqtrain/base/status.h>
#include <seqtrain/data/dataset.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_partition_key {
    unsigned char hash[16];
} seq_partition_key;

// Joins items into groups: out_group[i] is the first item of i's group. Items
// with an equal key of any of the `key_count` lists (each of `count` keys) are
// joined, and so are those that others join. Returns the number of groups.
seq_status seq_partition_groups(const seq_partition_key *const *keys, int key_count, size_t count,
                                int32_t *out_group, size_t *out_groups, seq_error *error);

typedef struct seq_partition {
    uint64_t seed;
    double valid, test;  // fractions of the groups; test is 0 with folds
    int64_t folds, fold; // 0: none; fold counts from 1. Folds are dealt to `test`
    bool all_folds;      // as many folds as groups: leave one out
    const int32_t
        *class_of; // (count): each class gets its share in every part; NULL: not stratified
} seq_partition;

// out_split[i] for items [0, count). The group's class is that of its first
// item. *out_folds: their number, with all_folds, too. SEQ_BAD_USAGE when a part
// would be empty or there are fewer groups than folds.
seq_status seq_partition_items(const seq_partition *partition, const int32_t *group, size_t count,
                               unsigned char *out_split, int64_t *out_folds, seq_error *error);

#endif
