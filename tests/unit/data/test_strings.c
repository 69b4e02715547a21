// Strings: every recording once an epoch and within its group, rows against the
// recordings and gaps against the quietest frames, true places of recordings,
// equal batches for any ranks. Recordings are functions of their numbers. Checks
// src/data/join.c and sampler_strings.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/random.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/prep/dataset_writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "item_sets.h"
#include "temporary.h"

enum { ITEMS = 210, GROUPS = 3, WIDTH = 2, MOST = 4, ROWS = 20, LABELS = 10, SILENCE = 3 };
static temporary place;
static seq_error error;
static const seq_join wanted = {.most = MOST, .gap_least = 2, .gap_most = 5};

static int length_of(int64_t item) {
    return 11 + (int)(item * 7 % (ROWS - 10)); // one in twenty: a frame each at most
}

static int group_of(int64_t item) {
    return item % 20 == 19 ? SEQ_NO_ID : (int)(item % GROUPS);
}

// Frame 3 of a recording is its quietest one; a value tells recording and frame.
static float value_of(int64_t item, int t, int k) {
    return k ? (float)item : t == 3 ? -1000 - (float)item : (float)t;
}

static int label_of(int64_t item) {
    return (int)(item % (LABELS - 1));
}

// The task transcribe: a symbol each. The task tag: its label at each frame; the background is w3.
static seq_dataset *make_set(const char *name, bool tags) {
    char path[200];
    seq_dataset_writer *writer = NULL;
    seq_dataset *dataset = NULL;
    seq_schema schema;
    seq_vocabulary *labels = make_vocabulary(place.directory, LABELS, 2),
                   *names = make_vocabulary(place.directory, GROUPS + 1, 2);
    const seq_vocabulary *list[] = {labels, names};
    error = (seq_error){0};
    snprintf(path, sizeof path, "%s", temporary_path(&place, name));
    seq_schema_begin(&schema, tags ? "tag" : "transcribe");
    int frames = seq_schema_add_axis(&schema, "frames", 0),
        axis = tags ? frames : seq_schema_add_axis(&schema, "labels", 0);
    seq_schema_add_vocabulary(&schema, "label");
    seq_schema_add_vocabulary(&schema, "group");
    seq_schema_add_field(&schema, "frames", SEQ_FIELD_VALUES, frames, -1, WIDTH);
    schema.target =
        seq_schema_add_field(&schema, tags ? "tag" : "symbols", SEQ_FIELD_LABEL, axis, 0, 1);
    seq_schema_add_field(&schema, "group", SEQ_FIELD_LABEL, 0, 1, 1);
    seq_record_set_text(&schema.reader, "background", "w3", &error);
    seq_dataset_target target = {.output = path};
    seq_dataset_writer_create(&target, &writer, &error);
    if (!error.status)
        seq_dataset_writer_begin(writer, &schema, list, 0, (seq_pipeline){SEQ_COMPRESS_ZSTD, 1},
                                 &error);
    for (int64_t i = 0; !error.status && i < ITEMS; i++) {
        float values[ROWS][WIDTH];
        int32_t ids[ROWS], length = length_of(i), one = 1, group = group_of(i);
        for (int t = 0; t < length; t++) {
            ids[t] = label_of(i);
            for (int k = 0; k < WIDTH; k++)
                values[t][k] = value_of(i, t, k);
        }
        seq_items item = {.count = 1,
                          .lengths = {NULL, &length, &one},
                          .ids = {NULL, ids, &group},
                          .values = {values[0]}};
        seq_dataset_writer_add(writer, SEQ_TRAIN, &item, &error);
    }
    if (!error.status) seq_dataset_writer_finish(writer, NULL, &error);
    seq_dataset_writer_destroy(writer);
    seq_schema_clear(&schema);
    seq_vocabulary_destroy(labels);
    seq_vocabulary_destroy(names);
    if (!error.status) seq_dataset_open(path, &dataset, &error);
    if (error.status) fail_msg("%s", error.text);
    return dataset;
}

static int begin(void **state) {
    (void)state;
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static void plans_use_all_once(void **state) {
    (void)state;
    int32_t groups[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        groups[i] = group_of(i);
    for (int most = 1; most <= 9; most++) {
        seq_join_plan plan;
        int sizes[10] = {0};
        uint32_t first[5];
        assert_int_equal(seq_join_plan_create(&plan, ITEMS, groups, most, 5, &error), SEQ_OK);
        for (int64_t epoch = 0; epoch < 20; epoch++) {
            int seen[ITEMS] = {0};
            seq_join_plan_make(&plan, epoch);
            for (int64_t s = 0; s < plan.strings; s++) {
                uint32_t size = plan.begins[s + 1] - plan.begins[s];
                assert_true(size >= 1 && size <= (uint32_t)most);
                sizes[size]++;
                for (uint32_t k = plan.begins[s]; k < plan.begins[s + 1]; k++) {
                    seen[plan.order[k]]++;
                    assert_int_equal(group_of(plan.order[k]), group_of(plan.order[plan.begins[s]]));
                }
            }
            for (int i = 0; i < ITEMS; i++)
                assert_int_equal(seen[i], 1);
            if (epoch == 0) memcpy(first, plan.order, sizeof first);
        }
        assert_memory_not_equal(first, plan.order, sizeof first);
        seq_join_plan_make(&plan, 0);
        assert_memory_equal(first, plan.order, sizeof first);
        // About equally many of each size.
        for (int size = 1; size <= most; size++)
            assert_true(abs(sizes[size] * most - (int)plan.strings * 20) < (int)plan.strings * 10);
        seq_join_plan_clear(&plan);
    }
}

static seq_sampler_settings settings_of(int replicas, int batch) {
    return (seq_sampler_settings){.split = SEQ_TRAIN,
                                  .training = true,
                                  .seed = 5,
                                  .replicas = replicas,
                                  .count = replicas,
                                  .batch = batch,
                                  .strings = wanted};
}

static seq_sampler *make(seq_dataset *dataset, const seq_sampler_settings *settings) {
    seq_sampler *sampler = NULL;
    error = (seq_error){0};
    if (seq_sampler_create(&seq_sampler_buckets, dataset, settings, &sampler, &error))
        fail_msg("%s", error.text);
    return sampler;
}

// Frames of the string at place b against its recordings, which its own values tell. Returns how
// many there are; their numbers go to `items`.
static int check_frames(const seq_batch *batch, int b, bool tags, int64_t items[MOST]) {
    const seq_axis *axis = &batch->axes[1];
    int found = 0, t = 0, length = 0;
    while (length < axis->steps && axis->rows_at[length] > b)
        length++;
    while (t < length) {
#define VALUE(t, k) batch->columns[0].values[(axis->first_row[t] + (size_t)b) * WIDTH + (k)]
#define TAG(t)      batch->columns[1].ids[axis->first_row[t] + (size_t)b]
        int64_t item = (int64_t)VALUE(t, 1);
        assert_true(found < MOST);
        for (int i = 0; i < length_of(item); i++, t++) {
            assert_true(t < length && VALUE(t, 0) == value_of(item, i, 0) && VALUE(t, 1) == item);
            if (tags) assert_int_equal(TAG(t), label_of(item));
        }
        items[found++] = item;
        if (t == length) break;
        int gap = 0;
        for (; t < length && VALUE(t, 0) <= -1000; t++, gap++) {
            assert_true(VALUE(t, 0) == value_of((int64_t)VALUE(t, 1), 3, 0));
            if (tags) assert_int_equal(TAG(t), SILENCE);
        }
        assert_in_range(gap, wanted.gap_least, wanted.gap_most);
    }
    for (int i = 1; i < found; i++)
        assert_int_equal(group_of(items[i]), group_of(items[0]));
    return found;
}

static void batches_hold_their_recordings(void **state) {
    (void)state;
    for (int tags = 0; tags < 2; tags++) {
        seq_dataset *dataset = make_set(tags ? "tag" : "symbols", tags);
        seq_sampler_settings settings = settings_of(2, 5);
        seq_sampler *sampler = make(dataset, &settings);
        const seq_limits *limits = seq_sampler_limits(sampler);
        assert_int_equal(seq_sampler_units(sampler), ITEMS);
        uint64_t content[2] = {0};
        for (int64_t epoch = 0; epoch < 2; epoch++) {
            int seen[ITEMS] = {0}, several = 0;
            seq_coverage all = {0};
            double targets = 0;
            for (int64_t step = 0; step < seq_sampler_steps(sampler); step++) {
                double of_step = 0, divisor = 0;
                for (int replica = 0; replica < 2; replica++) {
                    seq_batch batch;
                    assert_int_equal(
                        seq_sampler_read(sampler, epoch, step, replica, &batch, &error), SEQ_OK);
                    seq_coverage planned =
                        seq_sampler_plan(sampler, epoch, step, step + 1, replica);
                    assert_true(seq_coverage_same_places(&planned, &batch.read));
                    seq_coverage_add(&all, &batch.read);
                    for (int axis = 0; axis < batch.axis_count; axis++)
                        assert_true(batch.axes[axis].rows <= limits->axes[axis].rows &&
                                    batch.axes[axis].steps <= limits->axes[axis].steps &&
                                    batch.axes[axis].sequences <= limits->axes[axis].sequences);
                    for (int b = 0; b < batch.axes[1].sequences; b++) {
                        int64_t items[MOST] = {0};
                        int count = check_frames(&batch, b, tags, items), e = batch.axes[1].of[b];
                        several += count > 1;
                        assert_int_equal(batch.columns[2].ids[e], group_of(items[0]));
                        for (int i = 0; i < count; i++) {
                            seen[items[i]]++;
                            if (tags) continue;
                            const seq_axis *labels = &batch.axes[2];
                            int s = labels->at[e];
                            assert_true(labels->rows_at[i] > s);
                            assert_int_equal(batch.columns[1].ids[labels->first_row[i] + (size_t)s],
                                             label_of(items[i]));
                        }
                    }
                    of_step += (double)batch.axes[tags ? 1 : 2].rows;
                    divisor = batch.divisor;
                }
                assert_true(divisor == of_step);
                targets += of_step;
            }
            for (int i = 0; i < ITEMS; i++)
                assert_int_equal(seen[i], 1);
            assert_true(several > ITEMS / 8 && (tags || targets == ITEMS));
            content[epoch] = all.content;
        }
        assert_true(content[0] == content[1]); // the same recordings in other strings
        seq_sampler_destroy(sampler);
        seq_dataset_close(dataset);
    }
}

// A rank with one replica reads what one rank with all reads; noise is drawn for the string.
static void ranks_do_not_matter(void **state) {
    (void)state;
    seq_dataset *dataset = make_set("ranks", false);
    seq_sampler_settings settings = settings_of(4, 3);
    settings.augmentation.noise = 0.5;
    seq_sampler *all = make(dataset, &settings);
    for (int replica = 0; replica < 4; replica++) {
        settings.first = replica;
        settings.count = 1;
        seq_sampler *own = make(dataset, &settings);
        assert_int_equal(seq_sampler_steps(own), seq_sampler_steps(all));
        assert_memory_equal(seq_sampler_limits(own), seq_sampler_limits(all), sizeof(seq_limits));
        for (int64_t step = seq_sampler_steps(all) - 1; step >= 0; step--) {
            seq_batch a, b;
            assert_int_equal(seq_sampler_read(all, 3, step, replica, &a, &error), SEQ_OK);
            assert_int_equal(seq_sampler_read(own, 3, step, replica, &b, &error), SEQ_OK);
            assert_true(a.axes[1].rows == b.axes[1].rows && a.divisor == b.divisor &&
                        a.read.content == b.read.content);
            assert_memory_equal(a.columns[0].values, b.columns[0].values,
                                a.axes[1].rows * WIDTH * sizeof(float));
            assert_memory_equal(a.columns[1].ids, b.columns[1].ids,
                                a.axes[2].rows * sizeof(int32_t));
        }
        seq_sampler_destroy(own);
    }
    seq_sampler_destroy(all);
    // Not in training: the items themselves.
    settings = settings_of(1, 7);
    settings.training = false;
    seq_sampler *judging = make(dataset, &settings);
    seq_batch batch;
    assert_int_equal(seq_sampler_read(judging, 0, 0, 0, &batch, &error), SEQ_OK);
    assert_int_equal(batch.axes[0].sequences, 7);
    assert_true(batch.axes[1].steps <= ROWS);
    seq_sampler_destroy(judging);
    seq_dataset_close(dataset);
}

static void what_cannot_be_joined(void **state) {
    (void)state;
    static const struct {
        seq_join strings;
        seq_status status;
        const char *expected;
    } rows[] = {
        {{0, 1, 2, 0}, SEQ_BAD_USAGE, "without effect without --strings"},
        {{2, 3, 2, 0}, SEQ_BAD_USAGE, "--gap-least 3: expected at most --gap-most 2"},
        {{2, 0, 2, 0}, SEQ_BAD_USAGE, "--gap-least 0: expected 1 at least"},
        {{2, 1, 2, WIDTH + 1}, SEQ_BAD_USAGE, "--gap-level 3: frames have 2 values"},
    };
    seq_dataset *dataset = make_set("refused", false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error = (seq_error){0};
        assert_int_equal(seq_join_check(&rows[i].strings, seq_dataset_schema(dataset), &error),
                         rows[i].status);
        assert_non_null(strstr(error.text, rows[i].expected));
    }
    seq_sampler *sampler = NULL;
    seq_sampler_settings settings = settings_of(1, 4);
    settings.batch_tokens = 100;
    error = (seq_error){0};
    assert_int_equal(seq_sampler_create(&seq_sampler_buckets, dataset, &settings, &sampler, &error),
                     SEQ_BAD_USAGE);
    seq_dataset_close(dataset);
    seq_schema schema;
    seq_schema_begin(&schema, "classify");
    int frames = seq_schema_add_axis(&schema, "frames", 0);
    seq_schema_add_field(&schema, "frames", SEQ_FIELD_VALUES, frames, -1, WIDTH);
    schema.target = seq_schema_add_field(&schema, "label", SEQ_FIELD_NUMBER, 0, -1, 1);
    error = (seq_error){0};
    assert_int_equal(seq_join_check(&wanted, &schema, &error), SEQ_BAD_INPUT);
    assert_string_equal(error.text, "--strings: items with one label each cannot be joined");
    // Tags without a background.
    schema.target = seq_schema_add_field(&schema, "tag", SEQ_FIELD_LABEL, frames, 0, 1);
    schema.fields[1] = schema.fields[2];
    schema.target = 1;
    schema.field_count = 2;
    seq_joiner *maker = NULL;
    error = (seq_error){0};
    assert_int_equal(seq_joiner_create(&wanted, &schema, NULL, 1, &maker, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "no label for the background"));
    seq_joiner_destroy(maker);
    seq_schema_clear(&schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_use_all_once),
        cmocka_unit_test(batches_hold_their_recordings),
        cmocka_unit_test(ranks_do_not_matter),
        cmocka_unit_test(what_cannot_be_joined),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
