// Groups and parts: equal keys are joined across lists, folds are disjoint and
// cover everything, no group is torn, classes are spread evenly.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "items/partition.h"
#include <string.h>

enum { ITEMS = 103 };

static seq_partition_key key_of(int value) {
    seq_partition_key key = {{0}};
    memcpy(key.hash, &value, sizeof value);
    return key;
}

static void equal_keys_are_joined(void **state) {
    const int texts[] = {1, 2, 1, 3, 4, 3, 5}, speakers[] = {7, 8, 9, 9, 10, 11, 12};
    seq_partition_key a[7], b[7];
    int32_t group[7];
    size_t groups;
    seq_error error = {0};
    const seq_partition_key *const keys[] = {a, b};
    (void)state;
    for (int i = 0; i < 7; i++) {
        a[i] = key_of(texts[i]);
        b[i] = key_of(speakers[i]);
    }
    assert_int_equal(seq_partition_groups(keys, 1, 7, group, &groups, &error), SEQ_OK);
    assert_int_equal(groups, 5);
    assert_memory_equal(group, ((const int32_t[]){0, 1, 0, 3, 4, 3, 6}), sizeof group);
    // Speaker 9 said texts 1 and 3: items 0, 2, 3 and 5 are one group.
    assert_int_equal(seq_partition_groups(keys, 2, 7, group, &groups, &error), SEQ_OK);
    assert_int_equal(groups, 4);
    assert_memory_equal(group, ((const int32_t[]){0, 1, 0, 0, 4, 0, 6}), sizeof group);
    assert_int_equal(seq_partition_groups(keys, 1, 0, group, &groups, &error), SEQ_OK);
    assert_int_equal(groups, 0);
}

// Item i is of group i / 2 and class i % 3 of its first item.
static void fill(int32_t *group, int32_t *class_of) {
    for (int i = 0; i < ITEMS; i++) {
        group[i] = i / 2 * 2;
        class_of[i] = i / 2 % 3;
    }
}

static void folds_cover_all_groups_once(void **state) {
    int32_t group[ITEMS], class_of[ITEMS];
    unsigned char split[ITEMS];
    int in_test[ITEMS] = {0};
    int64_t folds;
    seq_error error = {0};
    (void)state;
    fill(group, class_of);
    for (int fold = 1; fold <= 5; fold++) {
        const seq_partition partition = {
            .seed = 3, .valid = 0.2, .folds = 5, .fold = fold, .class_of = class_of};
        int test[3] = {0}, valid = 0;
        assert_int_equal(seq_partition_items(&partition, group, ITEMS, split, &folds, &error),
                         SEQ_OK);
        for (int i = 0; i < ITEMS; i++) {
            assert_int_equal(split[i], split[group[i]]);
            in_test[i] += split[i] == SEQ_TEST;
            if (group[i] == i) test[class_of[i]] += split[i] == SEQ_TEST;
            if (group[i] == i) valid += split[i] == SEQ_VALID;
        }
        for (int c = 0; c < 3; c++)
            assert_in_range(test[c], 3, 4); // of 18, 17 and 17 groups
        assert_in_range(valid, 9, 9);       // of 52 - 10 or 11, rounded up
    }
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(in_test[i], 1);
}

static void one_group_is_left_out(void **state) {
    int32_t group[ITEMS], class_of[ITEMS];
    unsigned char split[ITEMS];
    int64_t folds;
    seq_error error = {0};
    (void)state;
    fill(group, class_of);
    const seq_partition partition = {.all_folds = true, .fold = 52};
    assert_int_equal(seq_partition_items(&partition, group, ITEMS, split, &folds, &error), SEQ_OK);
    assert_int_equal(folds, 52);
    int left_out = 0;
    for (int i = 0; i < ITEMS; i++)
        left_out += split[i] == SEQ_TEST && group[i] == i;
    assert_int_equal(left_out, 1);
}

static void fractions_count_groups(void **state) {
    int32_t group[ITEMS], class_of[ITEMS];
    unsigned char split[ITEMS], again[ITEMS];
    int64_t folds;
    int counts[SEQ_SPLITS] = {0};
    seq_error error = {0};
    (void)state;
    fill(group, class_of);
    seq_partition partition = {.seed = 1, .valid = 0.1, .test = 0.25};
    assert_int_equal(seq_partition_items(&partition, group, ITEMS, split, &folds, &error), SEQ_OK);
    assert_int_equal(folds, 0);
    for (int i = 0; i < ITEMS; i++)
        if (group[i] == i) counts[split[i]]++;
    assert_int_equal(counts[SEQ_TEST], 13);
    assert_int_equal(counts[SEQ_VALID], 6); // a tenth of 52 groups, rounded up
    int32_t alone[100];
    int valid = 0;
    for (int i = 0; i < 100; i++)
        alone[i] = i;
    const seq_partition tenths = {.seed = 1, .valid = 0.1, .test = 0.15};
    assert_int_equal(seq_partition_items(&tenths, alone, 100, again, &folds, &error), SEQ_OK);
    for (int i = 0; i < 100; i++)
        valid += again[i] == SEQ_VALID;
    assert_int_equal(valid, 10);
    partition.seed = 2;
    assert_int_equal(seq_partition_items(&partition, group, ITEMS, again, &folds, &error), SEQ_OK);
    assert_memory_not_equal(split, again, sizeof split);
}

static void wrong_folds_are_refused(void **state) {
    int32_t group[ITEMS], class_of[ITEMS];
    unsigned char split[ITEMS];
    int64_t folds;
    const seq_partition wrong[] = {
        {.folds = 53, .fold = 1}, {.folds = 1, .fold = 1},
        {.folds = 5, .fold = 6},  {.folds = 5},
        {.valid = 0.999},         {.folds = 52, .fold = 1, .valid = .999}};
    (void)state;
    fill(group, class_of);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        seq_error error = {0};
        assert_int_equal(seq_partition_items(&wrong[i], group, ITEMS, split, &folds, &error),
                         SEQ_BAD_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_keys_are_joined),   cmocka_unit_test(folds_cover_all_groups_once),
        cmocka_unit_test(one_group_is_left_out),   cmocka_unit_test(fractions_count_groups),
        cmocka_unit_test(wrong_folds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
