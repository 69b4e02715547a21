// Samplers: every item once an epoch for any number of replicas, `planned`
// against what was read, batches against the definition of their items, limits,
// divisors, equal work, changes of inputs, and independence of which rank reads.
// Streams are compared with data/windows.h. Checks src/data/sampler*.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/prep/prepare.h>
#include <seqtrain/data/sampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "item_sets.h"
#include "temporary.h"
#include "windows.h"

enum { ITEMS = 700 };
static temporary place;
static seq_dataset *set;
static const int64_t counts[SEQ_SPLITS] = {ITEMS, 90, 50};

static seq_dataset *open_path(const char *path) {
    seq_dataset *dataset = NULL;
    seq_error error = {0};
    if (seq_dataset_open(path, &dataset, &error)) fail_msg("%s", error.text);
    return dataset;
}

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    char path[200];
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    if (seq_storage_begin(&error)) return 1;
    snprintf(path, sizeof path, "%s", temporary_path(&place, "set"));
    write_item_set(place.directory, path, counts, 8000);
    set = open_path(path);
    return 0;
}

static int end(void **state) {
    (void)state;
    seq_dataset_close(set);
    temporary_destroy(&place);
    return 0;
}

static seq_sampler_settings plan(int replicas, int batch, int64_t tokens) {
    return (seq_sampler_settings){.split = SEQ_TRAIN,
                                  .training = true,
                                  .seed = 5,
                                  .replicas = replicas,
                                  .count = replicas,
                                  .batch = batch,
                                  .batch_tokens = tokens};
}

static seq_sampler *make(seq_dataset *dataset, const seq_sampler_settings *settings) {
    seq_sampler *sampler = NULL;
    seq_error error = {0};
    if (seq_sampler_create(&seq_sampler_buckets, dataset, settings, &sampler, &error))
        fail_msg("%s", error.text);
    return sampler;
}

static seq_batch read_one(seq_sampler *sampler, int64_t epoch, int64_t step, int replica) {
    seq_batch batch;
    seq_error error = {0};
    if (seq_sampler_read(sampler, epoch, step, replica, &batch, &error)) fail_msg("%s", error.text);
    return batch;
}

static void count_range(void *context, int64_t begin, int64_t end) {
    int *seen = context;
    for (int64_t i = begin; i < end; i++)
        seen[i]++;
}

static void every_item_once(void **state) {
    (void)state;
    static const int64_t tokens[] = {0, 0, 40, 1000, 5};
    static const int batches[] = {1, 8, 1, 1, 1};
    for (int way = 0; way < 5; way++)
        for (int replicas = 1; replicas <= 5; replicas++) {
            seq_sampler_settings settings = plan(replicas, batches[way], tokens[way]);
            seq_sampler *sampler = make(set, &settings);
            int64_t steps = seq_sampler_steps(sampler), smaller = 0;
            for (int64_t epoch = 0; epoch < 3; epoch++) {
                int seen[ITEMS] = {0};
                smaller = 0;
                for (int replica = 0; replica < replicas; replica++)
                    seq_sampler_planned(sampler, epoch, 0, steps, replica, count_range, seen);
                for (int i = 0; i < ITEMS; i++)
                    assert_int_equal(seen[i], 1);
                for (int64_t step = 0; step < steps; step++)
                    smaller += !seq_sampler_full(sampler, epoch, step);
            }
            if (!tokens[way]) {
                assert_int_equal(steps,
                                 (ITEMS + replicas * batches[way] - 1) / (replicas * batches[way]));
                assert_int_equal(smaller, ITEMS % (replicas * batches[way]) != 0);
            }
            seq_sampler_destroy(sampler);
        }
}

// Who reads what differs between epochs and seeds, and is the same when it is asked for again.
static void epochs_are_shuffled(void **state) {
    (void)state;
    seq_sampler_settings settings = plan(2, 8, 0);
    seq_sampler *sampler = make(set, &settings);
    settings.seed = 6;
    seq_sampler *other = make(set, &settings);
    seq_coverage first = seq_sampler_plan(sampler, 0, 0, 5, 1),
                 second = seq_sampler_plan(sampler, 1, 0, 5, 1),
                 again = seq_sampler_plan(sampler, 0, 0, 5, 1),
                 seed = seq_sampler_plan(other, 0, 0, 5, 1);
    assert_false(seq_coverage_same_places(&first, &second));
    assert_false(seq_coverage_same_places(&first, &seed));
    assert_true(seq_coverage_same_places(&first, &again));
    seq_sampler_destroy(sampler);
    seq_sampler_destroy(other);
}

static void check_axis(const seq_batch *batch, int a, const seq_axis_limit *limit) {
    const seq_axis *axis = &batch->axes[a];
    size_t row = 0;
    assert_true(axis->sequences <= limit->sequences && axis->steps <= limit->steps &&
                axis->rows <= limit->rows);
    for (int t = 0; t < axis->steps; t++) {
        assert_int_equal(axis->first_row[t], row);
        row += (size_t)axis->rows_at[t];
        assert_true(axis->rows_at[t] <= (t ? axis->rows_at[t - 1] : axis->sequences));
    }
    assert_int_equal(row, axis->rows);
    if (!a) return;
    assert_int_equal(axis->sequences, batch->axes[axis->parent].rows);
    for (int b = 0; b < axis->sequences; b++) {
        assert_int_equal(axis->at[axis->of[b]], b);
        if (b && axis->last_row[b] >= 0 && axis->last_row[b - 1] >= 0 &&
            axis->last_row[b] / axis->sequences == axis->last_row[b - 1] / axis->sequences &&
            axis->steps == 1)
            assert_true(axis->of[b] > axis->of[b - 1]); // equal lengths: by the parent's row
    }
}

// `word`: its position in the split.
static void check_word(const seq_batch *batch, const drawn_item *item, int t, int64_t word,
                       size_t row, size_t *letter) {
    const seq_axis *letters = &batch->axes[ITEM_AXIS_LETTERS];
    int s = letters->at[row];
    assert_int_equal(letters->number[s], word);
    assert_int_equal(batch->columns[ITEM_TEXT].ids[row], item->words[t]);
    assert_int_equal(batch->columns[ITEM_TAG].ids[row], item->tags[t]);
    for (int i = 0; i < item->word_lengths[t]; i++) {
        assert_true(letters->rows_at[i] > s);
        assert_int_equal(batch->columns[ITEM_LETTER].ids[letters->first_row[i] + (size_t)s],
                         item->letters[(*letter)++]);
    }
    if (item->word_lengths[t] < letters->steps)
        assert_true(letters->rows_at[item->word_lengths[t]] <= s);
}

// Every value of a batch against its item. Returns its rows on the text axis.
static size_t check_batch(const seq_batch *batch, const seq_sampler *sampler, seq_split split) {
    const seq_field *score = &seq_dataset_schema(set)->fields[ITEM_SCORE];
    const seq_axis *text = &batch->axes[ITEM_AXIS_TEXT], *frames = &batch->axes[ITEM_AXIS_FRAMES];
    const seq_item_table *table;
    seq_error error = {0};
    assert_int_equal(seq_dataset_table(set, split, &table, &error), SEQ_OK);
    for (int axis = 0; axis < batch->axis_count; axis++)
        check_axis(batch, axis, &seq_sampler_limits(sampler)->axes[axis]);
    for (int e = 0; e < batch->axes[0].sequences; e++) {
        drawn_item item;
        size_t letter = 0;
        int64_t number = batch->axes[0].number[e];
        int b = text->at[e], f = frames->at[e];
        draw_item(&item, (int)split, number);
        assert_int_equal(text->number[b], number);
        for (int t = 0; t < item.text_length; t++) {
            assert_true(text->rows_at[t] > b);
            check_word(batch, &item, t, table->at[ITEM_AXIS_TEXT][number] + (uint32_t)t,
                       text->first_row[t] + (size_t)b, &letter);
        }
        if (item.text_length < text->steps) assert_true(text->rows_at[item.text_length] <= b);
        assert_int_equal(text->last_row[b],
                         item.text_length ? (int)text->first_row[item.text_length - 1] + b : -1);
        for (int t = 0; t < item.frame_length; t++)
            for (int i = 0; i < ITEM_WIDTH; i++)
                assert_true(
                    batch->columns[ITEM_SOUND]
                        .values[(frames->first_row[t] + (size_t)f) * ITEM_WIDTH + (size_t)i] ==
                    item.sound[t * ITEM_WIDTH + i]);
        float expected = (float)(((double)item.score - score->mean[0]) / score->deviation[0]);
        assert_true(batch->columns[ITEM_SCORE].values[e] == expected);
    }
    return text->rows;
}

static double counted_targets(const seq_batch *batch) {
    double sum = 0;
    for (size_t row = 0; row < batch->axes[ITEM_AXIS_TEXT].rows; row++)
        sum += batch->columns[ITEM_TAG].ids[row] != SEQ_NO_ID;
    return sum;
}

static void batches_hold_their_items(void **state) {
    (void)state;
    for (int split = 0; split < SEQ_SPLITS; split++) {
        seq_sampler_settings settings = plan(3, 7, split == SEQ_TEST ? 60 : 0);
        settings.split = (seq_split)split;
        settings.training = split == SEQ_TRAIN;
        seq_sampler *sampler = make(set, &settings);
        uint64_t content = 0;
        for (int64_t epoch = 0; epoch < 2; epoch++) {
            seq_coverage all = {0};
            for (int64_t step = 0; step < seq_sampler_steps(sampler); step++) {
                double targets = 0, divisor = 0;
                for (int replica = 0; replica < 3; replica++) {
                    seq_batch batch = read_one(sampler, epoch, step, replica);
                    seq_coverage planned =
                        seq_sampler_plan(sampler, epoch, step, step + 1, replica);
                    check_batch(&batch, sampler, (seq_split)split);
                    assert_true(seq_coverage_same_places(&planned, &batch.read));
                    assert_int_equal(batch.draw_key, replica);
                    seq_coverage_add(&all, &batch.read);
                    targets += counted_targets(&batch);
                    divisor = batch.divisor;
                }
                assert_true(divisor == (targets > 1 ? targets : 1));
                assert_true(divisor == seq_sampler_divisor(sampler, epoch, step));
            }
            assert_int_equal(all.tokens, counts[split]);
            if (epoch) assert_true(all.content == content); // the same items in another order
            content = all.content;
        }
        seq_sampler_destroy(sampler);
    }
}

static void check_same(const seq_batch *a, const seq_batch *b) {
    const seq_schema *schema = seq_dataset_schema(set);
    assert_int_equal(a->axis_count, b->axis_count);
    assert_true(a->divisor == b->divisor && a->read.content == b->read.content);
    for (int i = 0; i < a->axis_count; i++) {
        const seq_axis *x = &a->axes[i], *y = &b->axes[i];
        assert_int_equal(x->rows, y->rows);
        assert_int_equal(x->steps, y->steps);
        assert_memory_equal(x->rows_at, y->rows_at, (size_t)x->steps * sizeof *x->rows_at);
        assert_memory_equal(x->number, y->number, (size_t)x->sequences * sizeof *x->number);
        assert_memory_equal(x->reversed, y->reversed, x->rows * sizeof *x->reversed);
    }
    for (int i = 0; i < a->column_count; i++) {
        size_t rows = a->axes[a->columns[i].axis].rows;
        if (a->columns[i].ids)
            assert_memory_equal(a->columns[i].ids, b->columns[i].ids, rows * sizeof(int32_t));
        else
            assert_memory_equal(a->columns[i].values, b->columns[i].values,
                                rows * (size_t)schema->fields[i].width * sizeof(float));
    }
}

// One rank that reads all replicas, and ranks that read one each: from another opening of the data,
// in another order, with and without reading ahead.
static void ranks_do_not_matter(void **state) {
    (void)state;
    enum { REPLICAS = 4 };
    seq_dataset *again = open_path(seq_dataset_path(set));
    seq_sampler_settings settings = plan(REPLICAS, 6, 0);
    settings.word_dropout = 0.2;
    settings.singletons = 0.5;
    seq_sampler *all = make(set, &settings);
    for (int replica = 0; replica < REPLICAS; replica++) {
        settings.first = replica;
        settings.count = 1;
        settings.read_ahead = true;
        seq_sampler *own = make(again, &settings);
        assert_int_equal(seq_sampler_steps(own), seq_sampler_steps(all));
        assert_memory_equal(seq_sampler_limits(own), seq_sampler_limits(all), sizeof(seq_limits));
        for (int64_t step = seq_sampler_steps(all) - 1; step >= 0; step -= 1 + replica) {
            seq_batch one = read_one(all, 7, step, replica),
                      other = read_one(own, 7, step, replica);
            check_same(&one, &other);
        }
        seq_sampler_destroy(own);
    }
    seq_sampler_destroy(all);
    seq_dataset_close(again);
}

static void inputs_are_changed_in_training_only(void **state) {
    (void)state;
    seq_sampler_settings settings = plan(1, 50, 0);
    seq_sampler *plain = make(set, &settings);
    settings.singletons = 1;
    seq_sampler *singles = make(set, &settings);
    settings.singletons = 0;
    settings.word_dropout = 0.25;
    seq_sampler *dropping = make(set, &settings);
    settings.training = false;
    seq_sampler *judging = make(set, &settings);
    int64_t words = 0, dropped = 0;
    for (int64_t step = 0; step < seq_sampler_steps(plain); step++) {
        seq_batch a = read_one(plain, 0, step, 0), b = read_one(singles, 0, step, 0),
                  c = read_one(dropping, 0, step, 0);
        assert_true(a.read.content == b.read.content && a.read.content == c.read.content);
        size_t rows = a.axes[ITEM_AXIS_TEXT].rows;
        assert_memory_equal(a.columns[ITEM_TAG].ids, b.columns[ITEM_TAG].ids,
                            rows * sizeof(int32_t));
        assert_memory_equal(a.columns[ITEM_LETTER].ids, c.columns[ITEM_LETTER].ids,
                            a.axes[ITEM_AXIS_LETTERS].rows * sizeof(int32_t));
        for (size_t row = 0; row < rows; row++) {
            int32_t was = a.columns[ITEM_TEXT].ids[row];
            assert_int_equal(b.columns[ITEM_TEXT].ids[row], was % 2 ? was : ITEM_WORDS - 1);
            words++;
            dropped += c.columns[ITEM_TEXT].ids[row] != was;
            if (c.columns[ITEM_TEXT].ids[row] != was)
                assert_int_equal(c.columns[ITEM_TEXT].ids[row], ITEM_WORDS - 1);
        }
        seq_batch d = read_one(judging, 0, step, 0);
        check_batch(&d, judging, SEQ_TRAIN);
    }
    assert_true(dropped > words / 5 && dropped < words * 3 / 10);
    seq_sampler_destroy(plain);
    seq_sampler_destroy(singles);
    seq_sampler_destroy(dropping);
    seq_sampler_destroy(judging);
}

// A resume with other replicas: what was read of the epoch and what is left, as sets of items.
static void repartition_is_counted(void **state) {
    (void)state;
    int done[ITEMS] = {0}, left[ITEMS] = {0}, read[ITEMS] = {0};
    seq_sampler_settings before = plan(2, 8, 0), after = plan(3, 8, 0);
    seq_sampler *old = make(set, &before), *new = make(set, &after);
    int64_t at = seq_sampler_steps(old) / 3,
            then = (int64_t)((double)at / (double)seq_sampler_steps(old) *
                                 (double)seq_sampler_steps(new) +
                             0.5);
    for (int replica = 0; replica < 2; replica++)
        seq_sampler_planned(old, 4, 0, at, replica, count_range, done);
    for (int replica = 0; replica < 3; replica++)
        seq_sampler_planned(new, 4, then, seq_sampler_steps(new), replica, count_range, left);
    for (int64_t step = 0; step < at; step++)
        for (int replica = 0; replica < 2; replica++) {
            seq_batch batch = read_one(old, 4, step, replica);
            for (int e = 0; e < batch.axes[0].sequences; e++)
                read[batch.axes[0].number[e]]++;
        }
    int twice = 0, missed = 0;
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(read[i], done[i]);
        twice += done[i] && left[i];
        missed += !done[i] && !left[i];
    }
    assert_true(twice > 0 && missed > 0 && twice < ITEMS / 2 && missed < ITEMS / 2);
    seq_sampler_destroy(old);
    seq_sampler_destroy(new);
}

// A plan without replicas of its own is the same plan; evaluation keeps one batch at a time.
static void memory_is_for_what_is_read(void **state) {
    (void)state;
    seq_sampler_settings settings = plan(3, 8, 0);
    seq_sampler *reading = make(set, &settings);
    settings.count = 0;
    seq_sampler *planning = make(set, &settings);
    assert_int_equal(seq_sampler_units(planning), ITEMS);
    assert_int_equal(seq_sampler_steps(planning), seq_sampler_steps(reading));
    assert_memory_equal(seq_sampler_limits(planning), seq_sampler_limits(reading),
                        sizeof(seq_limits));
    for (int replica = 0; replica < 3; replica++) {
        seq_coverage a = seq_sampler_plan(planning, 2, 1, 9, replica),
                     b = seq_sampler_plan(reading, 2, 1, 9, replica);
        assert_true(seq_coverage_same_places(&a, &b) && a.tokens > 0);
    }
    assert_int_equal(seq_sampler_batch_bytes(planning), 0);
    assert_true(seq_sampler_bytes(planning) < seq_sampler_bytes(reading));
    seq_batch first = read_one(reading, 0, 0, 0), second = read_one(reading, 0, 0, 1);
    assert_ptr_not_equal(first.columns[0].ids, second.columns[0].ids);
    settings.count = 3;
    settings.training = false;
    seq_sampler *evaluating = make(set, &settings);
    first = read_one(evaluating, 0, 0, 0), second = read_one(evaluating, 0, 0, 1);
    assert_ptr_equal(first.columns[0].ids, second.columns[0].ids);
    assert_int_equal(seq_sampler_batch_bytes(evaluating), seq_sampler_batch_bytes(reading));
    seq_sampler_destroy(planning);
    seq_sampler_destroy(reading);
    seq_sampler_destroy(evaluating);
}

// What a new cut is: of items the seed decides, too, of streams the window.
static void plans_are_told_apart(void **state) {
    (void)state;
    seq_sampler_settings a = plan(3, 8, 0), seed = a, window = a, batch = a, tokens = a;
    seed.seed++, window.window++, batch.batch++, tokens.batch_tokens++;
    const struct {
        const seq_sampler_settings *settings;
        bool streams, buckets;
    } cases[] = {{&a, true, true},
                 {&seed, true, false},
                 {&window, false, true},
                 {&batch, false, false},
                 {&tokens, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(seq_sampler_same_plan(&seq_sampler_streams, &a, cases[i].settings),
                         cases[i].streams);
        assert_int_equal(seq_sampler_same_plan(&seq_sampler_buckets, &a, cases[i].settings),
                         cases[i].buckets);
    }
}

static void options_become_settings(void **state) {
    (void)state;
    static const seq_option_group *const groups[] = {&seq_buckets_options, NULL};
    seq_record record = {0};
    seq_settings read;
    seq_error error = {0};
    seq_sampler_settings settings = {.batch = 3};
    seq_buckets_configure(NULL, &settings);
    assert_true(!settings.batch_tokens && !settings.per_item && settings.batch == 3);
    assert_int_equal(seq_record_set_text(&record, "batch-tokens", "900", &error), SEQ_OK);
    assert_int_equal(seq_record_set_text(&record, "normalize", "items", &error), SEQ_OK);
    assert_int_equal(seq_record_set_text(&record, "word-dropout", "0.25", &error), SEQ_OK);
    assert_int_equal(seq_record_set_text(&record, "singletons", "0.5", &error), SEQ_OK);
    assert_int_equal(seq_settings_read(groups, &record, &read, &error), SEQ_OK);
    seq_buckets_configure(seq_option_values(&read.parsed, &seq_buckets_options), &settings);
    assert_int_equal(settings.batch_tokens, 900);
    assert_true(settings.per_item && settings.batch == 3);
    assert_true(settings.word_dropout == 0.25 && settings.singletons == 0.5);
    seq_settings_clear(&read);
    seq_record_clear(&record);
}

static void lengths_even(int64_t number, int32_t out[2]) {
    out[0] = (int32_t)(number * 7919 % 60);
    out[1] = (int32_t)(number * 104729 % 40);
}
static void lengths_zero(int64_t number, int32_t out[2]) {
    (void)number;
    out[0] = out[1] = 0;
}
// Most are short, few are long, as sentences and recordings are.
static void lengths_skewed(int64_t number, int32_t out[2]) {
    out[0] = (int32_t)(number % 1000 ? number * 7919 % 7 : 200 + number * 31 % 300);
    out[1] = 1;
}

static seq_dataset *pairs(const char *name, int64_t items,
                          void (*lengths)(int64_t, int32_t out[2])) {
    char path[200];
    snprintf(path, sizeof path, "%s", temporary_path(&place, name));
    write_pairs(place.directory, path, items, lengths);
    return open_path(path);
}

// Of the mean number of rows, what the replica with most of them has: over all steps.
static double imbalance(seq_sampler *sampler, int replicas) {
    double most = 0, all = 0;
    for (int64_t step = 0; step < seq_sampler_steps(sampler); step++) {
        size_t longest = 0;
        for (int replica = 0; replica < replicas; replica++) {
            seq_batch batch = read_one(sampler, 1, step, replica);
            size_t rows = batch.axes[1].rows;
            longest = rows > longest ? rows : longest;
            all += (double)rows;
        }
        most += (double)longest * replicas;
    }
    return most / all;
}

static void work_is_equal(void **state) {
    (void)state;
    seq_dataset *even = pairs("even", 20000, lengths_even);
    for (int replicas = 2; replicas <= 8; replicas *= 2)
        for (int by_tokens = 0; by_tokens < 2; by_tokens++) {
            seq_sampler_settings settings = plan(replicas, 16, by_tokens ? 600 : 0);
            seq_sampler *sampler = make(even, &settings);
            double found = imbalance(sampler, replicas);
            print_message("%d replicas%s: the largest share is %.4f of the mean\n", replicas,
                          by_tokens ? ", by tokens" : "", found);
            assert_true(found < 1.02);
            seq_sampler_destroy(sampler);
        }
    seq_dataset_close(even);
}

static void tokens_bound_batches(void **state) {
    (void)state;
    seq_dataset *skewed = pairs("skewed", 5000, lengths_skewed);
    seq_sampler_settings settings = plan(2, 1, 100);
    seq_sampler *sampler = make(skewed, &settings);
    int64_t alone = 0;
    for (int64_t step = 0; step < seq_sampler_steps(sampler); step++)
        for (int replica = 0; replica < 2; replica++) {
            seq_batch batch = read_one(sampler, 0, step, replica);
            assert_true(batch.axes[1].rows <= 100 || batch.axes[0].sequences == 1);
            assert_true(batch.axes[1].rows <= seq_sampler_limits(sampler)->axes[1].rows);
            alone += batch.axes[1].rows > 100;
        }
    assert_int_equal(alone, 5);
    // The mean of a step is at most 2 x 100 rows, and near it.
    assert_true(seq_sampler_mean_rows(sampler, 1) > 150);
    seq_sampler_destroy(sampler);
    seq_dataset_close(skewed);
}

static void decoders_get_the_id_before(void **state) {
    (void)state;
    seq_dataset *even = pairs("before", 100, lengths_even);
    const seq_schema *schema = seq_dataset_schema(even);
    seq_sampler_settings settings = plan(1, 9, 0);
    seq_sampler *sampler = make(even, &settings);
    assert_int_equal(seq_schema_columns(schema), 3);
    assert_int_equal(seq_schema_before_column(schema), 2);
    for (int64_t step = 0; step < seq_sampler_steps(sampler); step++) {
        seq_batch batch = read_one(sampler, 0, step, 0);
        const seq_axis *axis = &batch.axes[2];
        assert_int_equal(batch.columns[2].axis, 2);
        for (int t = 0; t < axis->steps; t++)
            for (int b = 0; b < axis->rows_at[t]; b++) {
                int64_t number = axis->number[b];
                size_t row = axis->first_row[t] + (size_t)b;
                assert_int_equal(batch.columns[1].ids[row], (number + 3 * t + 1) % PAIR_WORDS);
                assert_int_equal(batch.columns[2].ids[row],
                                 t ? (number + 3 * (t - 1) + 1) % PAIR_WORDS : SEQ_NO_ID);
            }
    }
    seq_sampler_destroy(sampler);
    seq_dataset_close(even);
}

static void empty_items_and_replicas(void **state) {
    (void)state;
    static const int64_t sizes[] = {1, 3, 64};
    for (int way = 0; way < 3; way++) {
        char name[20];
        snprintf(name, sizeof name, "zero%d", way);
        seq_dataset *zero = pairs(name, sizes[way], lengths_zero);
        for (int by_tokens = 0; by_tokens < 2; by_tokens++) {
            seq_sampler_settings settings = plan(4, 8, by_tokens ? 16 : 0);
            seq_sampler *sampler = make(zero, &settings);
            int64_t items = 0;
            assert_true(seq_sampler_limits(sampler)->axes[1].rows == 0);
            for (int64_t step = 0; step < seq_sampler_steps(sampler); step++)
                for (int replica = 0; replica < 4; replica++) {
                    seq_batch batch = read_one(sampler, 0, step, replica);
                    items += batch.axes[0].sequences;
                    assert_int_equal(batch.axes[0].rows, batch.axes[0].sequences);
                    assert_int_equal(batch.axes[1].sequences, batch.axes[0].sequences);
                    assert_true(!batch.axes[1].rows && !batch.axes[1].steps);
                    assert_true(batch.divisor == 1);
                    if (sizes[way] == 1) assert_int_equal(batch.axes[0].sequences, replica == 0);
                }
            assert_int_equal(items, sizes[way]);
            seq_sampler_destroy(sampler);
        }
        seq_dataset_close(zero);
    }
}

static void a_million_items(void **state) {
    (void)state;
    enum { MILLION = 1000000, REPLICAS = 16 };
    seq_dataset *large = pairs("large", MILLION, lengths_skewed);
    seq_sampler_settings settings = plan(REPLICAS, 32, 0);
    settings.count = 1;
    seq_sampler *sampler = make(large, &settings);
    int *seen = calloc(MILLION, sizeof *seen);
    for (int replica = 0; replica < REPLICAS; replica++)
        seq_sampler_planned(sampler, 3, 0, seq_sampler_steps(sampler), replica, count_range, seen);
    for (int i = 0; i < MILLION; i++)
        assert_int_equal(seen[i], 1);
    // 4 bytes an item for the order; batches and steps beside it.
    assert_true(seq_sampler_bytes(sampler) < 10u * MILLION);
    free(seen);
    seq_sampler_destroy(sampler);
    seq_dataset_close(large);
}

// ---- Streams.

static seq_dataset *stream_set(void) {
    static char input[200], output[220];
    const char *inputs[] = {input};
    char text[3001];
    seq_error error = {0};
    for (int i = 0; i < 3000; i++)
        text[i] = i % 61 == 60 ? '\n' : (char)('a' + i * i % 23);
    snprintf(input, sizeof input, "%s", temporary_path(&place, "text"));
    snprintf(output, sizeof output, "%s.data", input);
    write_bytes(input, text, 3000);
    seq_prepare prepare = {.rules = {.unit = SEQ_UNIT_CHAR},
                           .output = output,
                           .inputs = inputs,
                           .input_count = 1,
                           .valid_fraction = 0.1,
                           .min_count = 1,
                           .shard_tokens = 1000,
                           .pipeline = {SEQ_COMPRESS_ZSTD, 1}};
    if (seq_prepare_run(&prepare, &error)) fail_msg("%s", error.text);
    return open_path(output);
}

static void check_window(seq_sampler *sampler, seq_batches *batches, int64_t step, int replica) {
    enum { B = 3, T = 32 };
    int32_t inputs[B * T], targets[B * T];
    seq_error error = {0};
    seq_batch batch = read_one(sampler, 2, step, replica);
    const seq_axis *text = &batch.axes[1];
    assert_int_equal(
        seq_batches_read(batches, replica * B, B, step * T, text->steps, inputs, targets, &error),
        SEQ_OK);
    size_t bytes = text->rows * sizeof *inputs;
    assert_int_equal(text->rows, B * text->steps);
    assert_memory_equal(batch.columns[0].ids, targets, bytes);
    assert_memory_equal(batch.columns[1].ids, inputs, bytes);
    assert_int_equal(text->continues, step > 0);
    assert_true(batch.divisor == 2.0 * B * T);
    assert_int_equal(batch.draw_key, replica * B);
    for (int b = 0; b < B; b++)
        assert_int_equal(text->number[b], replica * B + b);
    for (int t = 0; t < text->steps; t++)
        assert_int_equal(text->rows_at[t], B);
    seq_coverage served = seq_batches_served(batches),
                 planned = seq_sampler_plan(sampler, 2, step, step + 1, replica);
    assert_true(seq_coverage_same_places(&planned, &batch.read));
    assert_true(batch.read.content == served.content && batch.read.places == served.places);
}

static void streams_are_todays(void **state) {
    (void)state;
    seq_dataset *dataset = stream_set();
    for (int cut = 0; cut < 2; cut++) {
        seq_sampler *sampler = NULL;
        seq_batches *batches = NULL;
        seq_error error = {0};
        seq_sampler_settings settings = plan(2, 3, 0);
        settings.cut = cut ? SEQ_CUT_ALL : SEQ_CUT_EQUAL;
        settings.window = 32;
        assert_int_equal(
            seq_sampler_create(seq_sampler_find("streams"), dataset, &settings, &sampler, &error),
            SEQ_OK);
        assert_int_equal(
            seq_batches_create(dataset, SEQ_TRAIN, settings.cut, 6, 0, 6, &batches, &error),
            SEQ_OK);
        int64_t tokens = seq_dataset_tokens(dataset, SEQ_TRAIN), steps = seq_sampler_steps(sampler),
                length = seq_stream_length(tokens, settings.cut, 6);
        assert_int_equal(steps, (length + 31) / 32);
        for (int64_t step = 0; step < steps; step++) {
            assert_int_equal(seq_sampler_full(sampler, 0, step), (step + 1) * 32 <= length);
            for (int replica = 0; replica < 2; replica++)
                check_window(sampler, batches, step, replica);
        }
        int seen[3000] = {0}, all = 0;
        for (int replica = 0; replica < 2; replica++)
            seq_sampler_planned(sampler, 0, 0, steps, replica, count_range, seen);
        for (int i = 0; i < 3000; i++) {
            assert_true(seen[i] <= 1);
            all += seen[i];
        }
        assert_int_equal(all, cut ? tokens : tokens - tokens % 6);
        seq_batches_destroy(batches);
        seq_sampler_destroy(sampler);
    }
    seq_dataset_close(dataset);
}

static void kinds_need_their_data(void **state) {
    (void)state;
    seq_sampler *sampler = NULL;
    seq_error error = {0};
    seq_sampler_settings settings = plan(2, 3, 0);
    settings.window = 32;
    assert_int_equal(seq_sampler_create(&seq_sampler_streams, set, &settings, &sampler, &error),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "task tag"));
    assert_null(seq_sampler_find("no such"));
    for (const seq_sampler_kind *const *kind = seq_samplers(); *kind; kind++)
        assert_ptr_equal(seq_sampler_find((*kind)->name), *kind);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),
        cmocka_unit_test(epochs_are_shuffled),
        cmocka_unit_test(batches_hold_their_items),
        cmocka_unit_test(ranks_do_not_matter),
        cmocka_unit_test(inputs_are_changed_in_training_only),
        cmocka_unit_test(repartition_is_counted),
        cmocka_unit_test(memory_is_for_what_is_read),
        cmocka_unit_test(plans_are_told_apart),
        cmocka_unit_test(options_become_settings),
        cmocka_unit_test(work_is_equal),
        cmocka_unit_test(tokens_bound_batches),
        cmocka_unit_test(decoders_get_the_id_before),
        cmocka_unit_test(empty_items_and_replicas),
        cmocka_unit_test(a_million_items),
        cmocka_unit_test(streams_are_todays),
        cmocka_unit_test(kinds_need_their_data),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
