// Values on their way into a batch: each normalisation against its formula, also
// of a group that training has not and through a manifest; noise, masks and
// turns by their distribution; equal bits for any batch and any replicas.
// Checks src/data/item_values.c, item_augment.c, and the statistics of
// src/prep/dataset_writer.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/random.h>
#include <seqtrain/base/settings.h>
#include <seqtrain/data/sampler.h>
#include <seqtrain/prep/dataset_writer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "item_sets.h"
#include "item_values.h"
#include "temporary.h"

enum { ITEMS = 90, WIDTH = 6, ROWS = 40, GROUPS = 3, FRAMES = 0 };
static temporary place;
static float sequences[ITEMS][ROWS][WIDTH];
static int32_t lengths[ITEMS], groups[ITEMS], targets[ITEMS];
static seq_error error;

// Item 0 has no frame, item 1 has one; items 80 to 89 have no group. Column 5 is constant.
static void draw_items(void) {
    for (int i = 0; i < ITEMS; i++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){3, SEQ_RANDOM_TEST}, (uint32_t)i, 0, 0, words);
        lengths[i] = i < 2 ? i : 1 + (int32_t)(words[0] % ROWS);
        groups[i] = i < 80 ? i % GROUPS : SEQ_NO_ID;
        targets[i] = i % 2;
        for (int t = 0; t < lengths[i]; t++) {
            seq_random_fill_normal((seq_random_key){4, SEQ_RANDOM_TEST}, (uint32_t)(i * ROWS + t),
                                   2, sequences[i][t], WIDTH);
            for (int k = 0; k < WIDTH; k++)
                sequences[i][t][k] += (float)(groups[i] * 3 + k);
            sequences[i][t][5] = 7;
        }
    }
}

static seq_dataset *make_set(const char *name, seq_normalise how, seq_normalise unseen) {
    char path[200];
    seq_dataset_writer *writer = NULL;
    seq_dataset *dataset = NULL;
    seq_schema schema;
    seq_vocabulary *labels = make_vocabulary(place.directory, 3, 2),
                   *names = make_vocabulary(place.directory, GROUPS + 1, 2);
    const seq_vocabulary *list[] = {labels, names};
    snprintf(path, sizeof path, "%s", temporary_path(&place, name));
    seq_schema_begin(&schema, "classify");
    int frames = seq_schema_add_axis(&schema, "frames", 0);
    seq_schema_add_vocabulary(&schema, "label");
    seq_schema_add_vocabulary(&schema, "group");
    seq_schema_add_field(&schema, "frames", SEQ_FIELD_VALUES, frames, -1, WIDTH);
    schema.target = seq_schema_add_field(&schema, "label", SEQ_FIELD_LABEL, 0, 0, 1);
    seq_schema_add_field(&schema, "group", SEQ_FIELD_LABEL, 0, 1, 1);
    schema.fields[FRAMES].normalise = how;
    schema.fields[FRAMES].unseen = unseen;
    error = (seq_error){0};
    seq_dataset_target target = {.output = path};
    seq_dataset_writer_create(&target, &writer, &error);
    if (!error.status)
        seq_dataset_writer_begin(writer, &schema, list, 0, (seq_pipeline){SEQ_COMPRESS_ZSTD, 1},
                                 &error);
    for (int i = 0; !error.status && i < ITEMS; i++) {
        seq_items item = {.count = 1,
                          .lengths = {NULL, &lengths[i]},
                          .ids = {NULL, &targets[i], &groups[i]},
                          .values = {sequences[i][0]}};
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
    draw_items();
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

// ---- Normalisation

typedef bool chosen(int item, int of);
static bool all_items(int item, int of) {
    (void)item, (void)of;
    return true;
}
static bool same_item(int item, int of) {
    return item == of;
}
static bool same_group(int item, int of) {
    return groups[item] == groups[of];
}

static void moments(chosen *in, int of, int column, double *mean, double *deviation) {
    double sum = 0, squares = 0, count = 0;
    for (int i = 0; i < ITEMS; i++)
        for (int t = 0; in(i, of) && t < lengths[i]; t++, count++)
            sum += (double)sequences[i][t][column];
    *mean = sum / count;
    for (int i = 0; i < ITEMS; i++)
        for (int t = 0; in(i, of) && t < lengths[i]; t++)
            squares += ((double)sequences[i][t][column] - *mean) *
                       ((double)sequences[i][t][column] - *mean);
    *deviation = squares > 0 ? sqrt(squares / count) : 1;
}

typedef float packed_values[ITEMS][ROWS][WIDTH];

// All items of an epoch by their numbers.
static seq_coverage read_all(seq_dataset *dataset, const seq_sampler_settings *settings,
                             int64_t epoch, packed_values out) {
    seq_sampler *sampler = NULL;
    seq_batch batch;
    seq_coverage sum = {0};
    error = (seq_error){0};
    if (seq_sampler_create(&seq_sampler_buckets, dataset, settings, &sampler, &error))
        fail_msg("%s", error.text);
    memset(out, 0, sizeof(packed_values));
    for (int64_t step = 0; step < seq_sampler_steps(sampler); step++)
        for (int replica = 0; replica < settings->replicas; replica++) {
            if (seq_sampler_read(sampler, epoch, step, replica, &batch, &error))
                fail_msg("%s", error.text);
            const seq_axis *axis = &batch.axes[1];
            for (int t = 0; t < axis->steps; t++)
                for (int b = 0; b < axis->rows_at[t]; b++)
                    memcpy(out[axis->number[b]][t],
                           batch.columns[FRAMES].values + (axis->first_row[t] + (size_t)b) * WIDTH,
                           WIDTH * sizeof(float));
            seq_coverage_add(&sum, &batch.read);
        }
    seq_sampler_destroy(sampler);
    return sum;
}

static seq_sampler_settings plan(int replicas, int batch) {
    return (seq_sampler_settings){.split = SEQ_TRAIN,
                                  .training = true,
                                  .seed = 5,
                                  .replicas = replicas,
                                  .count = replicas,
                                  .batch = batch};
}

static void normalised(void **state) {
    (void)state;
    static packed_values values;
    static const struct {
        const char *name;
        seq_normalise how, unseen;
        chosen *in, *otherwise;
    } rows[] = {
        {"none", SEQ_NORMALISE_NONE, SEQ_NORMALISE_NONE, NULL, NULL},
        {"global", SEQ_NORMALISE_GLOBAL, SEQ_NORMALISE_NONE, all_items, all_items},
        {"item", SEQ_NORMALISE_ITEM, SEQ_NORMALISE_NONE, same_item, same_item},
        {"group", SEQ_NORMALISE_GROUP, SEQ_NORMALISE_ITEM, same_group, same_item},
        {"group-global", SEQ_NORMALISE_GROUP, SEQ_NORMALISE_GLOBAL, same_group, all_items},
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        seq_dataset *dataset = make_set(rows[row].name, rows[row].how, rows[row].unseen);
        const seq_field *field = &seq_dataset_schema(dataset)->fields[FRAMES];
        seq_sampler_settings settings = plan(2, 7);
        assert_int_equal(field->normalise, rows[row].how);
        assert_int_equal(field->unseen, rows[row].unseen);
        assert_int_equal(field->groups, rows[row].how == SEQ_NORMALISE_GROUP ? GROUPS + 1 : 0);
        read_all(dataset, &settings, 0, values);
        for (int i = 0; i < ITEMS; i++)
            for (int k = 0; k < WIDTH; k++) {
                double mean = 0, deviation = 1;
                if (rows[row].in)
                    moments(groups[i] < 0 ? rows[row].otherwise : rows[row].in, i, k, &mean,
                            &deviation);
                for (int t = 0; t < lengths[i]; t++)
                    assert_true(fabs((double)values[i][t][k] -
                                     ((double)sequences[i][t][k] - mean) / deviation) < 1e-5);
            }
        seq_dataset_close(dataset);
    }
}

// How a field is normalised is part of what a run and a data set must share; its numbers are not.
static void hashes_tell_them_apart(void **state) {
    (void)state;
    char hashes[3][33];
    static const char *const names[] = {"h-global", "h-item", "h-group"};
    for (int i = 0; i < 3; i++) {
        seq_dataset *dataset = make_set(names[i], SEQ_NORMALISE_GLOBAL + (unsigned)i,
                                        i == 2 ? SEQ_NORMALISE_ITEM : SEQ_NORMALISE_NONE);
        assert_int_equal(seq_schema_hash(seq_dataset_schema(dataset), hashes[i], &error), SEQ_OK);
        seq_dataset_close(dataset);
    }
    assert_string_not_equal(hashes[0], hashes[1]);
    assert_string_not_equal(hashes[1], hashes[2]);
}

static void bad_normalisations(void **state) {
    (void)state;
    seq_schema schema;
    seq_schema_begin(&schema, "classify");
    int frames = seq_schema_add_axis(&schema, "frames", 0);
    seq_schema_add_vocabulary(&schema, "label");
    seq_schema_add_field(&schema, "frames", SEQ_FIELD_VALUES, frames, -1, WIDTH);
    seq_field *field = &schema.fields[FRAMES];
    field->normalise = SEQ_NORMALISE_GROUP;
    field->unseen = SEQ_NORMALISE_ITEM;
    const char *expected[] = {"the examples have no label group", "is neither item nor global",
                              "too many groups", "a deviation that is not above 0"};
    double mean[2 * WIDTH] = {0}, deviation[2 * WIDTH] = {1, 1, 1, 1, 1, 0};
    for (int i = 0; i < 4; i++) {
        if (i == 1) {
            seq_schema_add_field(&schema, "group", SEQ_FIELD_LABEL, 0, 0, 1);
            field->unseen = SEQ_NORMALISE_GROUP;
        }
        if (i == 2) field->unseen = SEQ_NORMALISE_ITEM, field->groups = SEQ_STATISTICS_MOST;
        if (i == 3) {
            field->groups = 1;
            field->mean = mean;
            field->deviation = deviation;
        }
        error = (seq_error){0};
        assert_int_equal(seq_schema_check(&schema, &error), SEQ_BAD_INPUT);
        assert_non_null(strstr(error.text, expected[i]));
    }
    deviation[5] = 1; // the group has no rows
    error = (seq_error){0};
    assert_int_equal(seq_schema_check(&schema, &error), SEQ_OK);
    field->mean = field->deviation = NULL;
    seq_schema_clear(&schema);
}

// ---- Changes in training

static void turns(void **state) {
    (void)state;
    for (int degrees = -180; degrees <= 180; degrees += 5) {
        seq_turn turn = seq_turn_make(0, degrees);
        assert_true(fabs(turn.cosine - cos(degrees * acos(-1) / 180)) < 2e-15);
        assert_true(fabs(turn.sine - sin(degrees * acos(-1) / 180)) < 2e-15);
    }
    // About y: z goes to x. About z: x goes to y. About x: y goes to z.
    static const float ways[3][2][3] = {
        {{1, 5, 2}, {2, 5, -1}}, {{1, 2, 5}, {-2, 1, 5}}, {{5, 1, 2}, {5, -2, 1}}};
    for (int vertical = 0; vertical < 3; vertical++) {
        float from[6], to[6];
        double scratch[SEQ_VALUE_MOMENTS * 6];
        const uint32_t row = 0;
        const seq_field field = {.kind = SEQ_FIELD_VALUES, .width = 6};
        memcpy(from, ways[vertical][0], sizeof from / 2);
        memcpy(from + 3, ways[vertical][0], sizeof from / 2);
        seq_item_values values = {
            .field = &field, .rows = 1, .from = from, .to = to, .packed = &row, .moments = scratch};
        seq_turn turn = seq_turn_make(vertical, 90);
        seq_item_values_put(&values, &turn);
        for (int i = 0; i < 6; i++)
            assert_true(fabsf(to[i] - ways[vertical][1][i % 3]) < 1e-6F);
    }
}

// Angles of all items are spread over -30 to 30 degrees; every triple of an item has the same one.
static void items_are_turned(void **state) {
    (void)state;
    static packed_values values;
    seq_dataset *dataset = make_set("turned", SEQ_NORMALISE_NONE, SEQ_NORMALISE_NONE);
    seq_sampler_settings settings = plan(1, 8);
    settings.augmentation.rotation = 30;
    read_all(dataset, &settings, 2, values);
    double least = 30, most = -30, degree = acos(-1) / 180;
    for (int i = 1; i < ITEMS; i++) {
        double first = 0;
        for (int t = 0; t < lengths[i]; t++)
            for (int k = 0; k < WIDTH; k += 3) {
                const float *was = &sequences[i][t][k], *is = &values[i][t][k];
                double angle =
                    atan2((double)is[0], (double)is[2]) - atan2((double)was[0], (double)was[2]);
                angle = remainder(angle / degree, 360);
                assert_true(fabsf(is[1] - was[1]) == 0);
                assert_true(fabs(hypot((double)is[0], (double)is[2]) -
                                 hypot((double)was[0], (double)was[2])) < 1e-5);
                if (hypot((double)was[0], (double)was[2]) < 0.1) continue;
                if (t == 0 && k == 0) first = angle;
                assert_true(fabs(angle - first) < 1e-3);
            }
        least = fmin(least, first);
        most = fmax(most, first);
    }
    assert_true(least >= -30 && least < -24 && most <= 30 && most > 24);
    seq_dataset_close(dataset);
}

static void noise_is_normal(void **state) {
    (void)state;
    static packed_values plain, noisy;
    seq_dataset *dataset = make_set("noise", SEQ_NORMALISE_GLOBAL, SEQ_NORMALISE_NONE);
    seq_sampler_settings settings = plan(1, 8);
    seq_coverage before = read_all(dataset, &settings, 0, plain);
    settings.augmentation.noise = 0.5;
    seq_coverage after = read_all(dataset, &settings, 0, noisy);
    assert_true(before.content == after.content); // taken before
    double sum = 0, squares = 0, count = 0;
    for (int i = 0; i < ITEMS; i++)
        for (int t = 0; t < lengths[i]; t++)
            for (int k = 0; k < WIDTH; k++, count++) {
                double noise = (double)noisy[i][t][k] - (double)plain[i][t][k];
                sum += noise;
                squares += noise * noise;
            }
    assert_true(count > 5000 && fabs(sum / count) < 4 * 0.5 / sqrt(count));
    assert_true(fabs(sqrt(squares / count) - 0.5) < 0.02);
    settings.training = false;
    after = read_all(dataset, &settings, 0, noisy);
    assert_memory_equal(plain, noisy, sizeof plain);
    seq_dataset_close(dataset);
}

// Hidden values are 0, the others as they were; hidden rows and columns lie side by side.
static void masks_hide(void **state) {
    (void)state;
    static packed_values plain, masked;
    int hidden_rows = 0, hidden_columns = 0;
    seq_dataset *dataset = make_set("masks", SEQ_NORMALISE_ITEM, SEQ_NORMALISE_NONE);
    seq_sampler_settings settings = plan(1, 8);
    read_all(dataset, &settings, 0, plain);
    settings.augmentation.time_masks = settings.augmentation.feature_masks = 1;
    settings.augmentation.time_width = 6;
    settings.augmentation.feature_width = 2;
    read_all(dataset, &settings, 0, masked);
    for (int i = 0; i < ITEMS; i++) {
        bool rows[ROWS] = {false}, columns[WIDTH] = {false};
        int row_count = 0, column_count = 0, row_ends = 0;
        for (int t = 0; t < lengths[i]; t++) {
            rows[t] = true;
            for (int k = 0; k < WIDTH; k++)
                rows[t] = rows[t] && masked[i][t][k] == 0;
            row_count += rows[t];
            row_ends += t && rows[t] != rows[t - 1];
        }
        for (int k = 0; k < WIDTH; k++) {
            columns[k] = lengths[i] > 1;
            for (int t = 0; t < lengths[i]; t++)
                columns[k] = columns[k] && masked[i][t][k] == 0;
            column_count += columns[k] && k < 5; // column 5 is constant
        }
        if (lengths[i] < 2) continue;
        assert_true(row_count <= 6 && row_count <= lengths[i] / 2 && row_ends <= 2);
        assert_true(column_count <= 2);
        for (int t = 0; t < lengths[i]; t++)
            for (int k = 0; k < WIDTH; k++)
                assert_true(masked[i][t][k] == (rows[t] || columns[k] ? 0 : plain[i][t][k]));
        hidden_rows += row_count;
        hidden_columns += column_count;
    }
    assert_true(hidden_rows > 2 * ITEMS && hidden_rows < 4 * ITEMS); // 0 to 6 each
    assert_true(hidden_columns > ITEMS / 2 && hidden_columns < 3 * ITEMS / 2);
    seq_dataset_close(dataset);
    // Without a normalisation the item's own mean is what is left.
    dataset = make_set("bare", SEQ_NORMALISE_NONE, SEQ_NORMALISE_NONE);
    read_all(dataset, &settings, 0, masked);
    int changed = 0;
    for (int i = 2; i < ITEMS; i++)
        for (int t = 0; t < lengths[i]; t++) {
            double mean, deviation;
            moments(same_item, i, 0, &mean, &deviation);
            if (masked[i][t][0] == sequences[i][t][0]) continue;
            assert_true(fabs((double)masked[i][t][0] - mean) < 1e-5);
            changed++;
        }
    assert_true(changed > ITEMS);
    seq_dataset_close(dataset);
}

// Batches of any size, one rank or four: an item of an epoch gets the same bits.
static void batches_do_not_matter(void **state) {
    (void)state;
    static packed_values one, other;
    seq_dataset *dataset = make_set("same", SEQ_NORMALISE_GROUP, SEQ_NORMALISE_ITEM);
    seq_sampler_settings settings = plan(1, 1);
    settings.augmentation = (seq_augmentation){2, 5, 1, 2, 0.3, 20, 1};
    read_all(dataset, &settings, 3, one);
    for (int replicas = 1; replicas <= 4; replicas *= 2) {
        settings.replicas = settings.count = replicas;
        settings.batch = 16 / replicas;
        read_all(dataset, &settings, 3, other);
        assert_memory_equal(one, other, sizeof one);
    }
    // Each rank's own replica.
    seq_batch mine, all;
    seq_sampler *whole = NULL, *part = NULL;
    assert_int_equal(seq_sampler_create(&seq_sampler_buckets, dataset, &settings, &whole, &error),
                     SEQ_OK);
    settings.first = 2;
    settings.count = 1;
    assert_int_equal(seq_sampler_create(&seq_sampler_buckets, dataset, &settings, &part, &error),
                     SEQ_OK);
    assert_int_equal(seq_sampler_read(whole, 3, 1, 2, &all, &error), SEQ_OK);
    assert_int_equal(seq_sampler_read(part, 3, 1, 2, &mine, &error), SEQ_OK);
    assert_memory_equal(all.columns[FRAMES].values, mine.columns[FRAMES].values,
                        all.axes[1].rows * WIDTH * sizeof(float));
    seq_sampler_destroy(whole);
    seq_sampler_destroy(part);
    // Another epoch and another seed draw anew.
    settings = plan(1, 1);
    settings.augmentation = (seq_augmentation){2, 5, 1, 2, 0.3, 20, 1};
    read_all(dataset, &settings, 4, other);
    assert_memory_not_equal(one, other, sizeof one);
    settings.seed++;
    read_all(dataset, &settings, 3, other);
    assert_memory_not_equal(one, other, sizeof one);
    seq_dataset_close(dataset);
}

static void options_without_effect(void **state) {
    (void)state;
    seq_dataset *dataset = make_set("refused", SEQ_NORMALISE_NONE, SEQ_NORMALISE_NONE);
    static const struct {
        seq_augmentation wanted;
        const char *expected;
    } rows[] = {
        {{.time_masks = 1}, "--time-masks needs --time-mask-width"},
        {{.time_width = 1}, "--time-mask-width needs --time-masks"},
        {{.feature_masks = 1}, "--feature-masks needs --feature-mask-width"},
        {{.feature_width = 1}, "--feature-mask-width needs --feature-masks"},
        {{.vertical = 1}, "--vertical needs --rotate"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        seq_sampler *sampler = NULL;
        seq_sampler_settings settings = plan(1, 8);
        settings.augmentation = rows[i].wanted;
        error = (seq_error){0};
        assert_int_equal(
            seq_sampler_create(&seq_sampler_buckets, dataset, &settings, &sampler, &error),
            SEQ_BAD_USAGE);
        assert_string_equal(error.text, rows[i].expected);
    }
    seq_dataset_close(dataset);
    static const int64_t counts[SEQ_SPLITS] = {5, 1, 1};
    char path[200];
    snprintf(path, sizeof path, "%s", temporary_path(&place, "words"));
    write_item_set(place.directory, path, counts, 8000);
    error = (seq_error){0};
    assert_int_equal(seq_dataset_open(path, &dataset, &error), SEQ_OK);
    seq_sampler *sampler = NULL;
    seq_sampler_settings settings = plan(1, 8);
    settings.augmentation.rotation = 10; // width 3: allowed
    assert_int_equal(seq_sampler_create(&seq_sampler_buckets, dataset, &settings, &sampler, &error),
                     SEQ_OK);
    seq_sampler_destroy(sampler);
    seq_dataset_close(dataset);
}

static void options_become_settings(void **state) {
    (void)state;
    static const seq_option_group *const list[] = {&seq_buckets_options, NULL};
    static const char *const pairs[][2] = {{"time-masks", "2"},     {"time-mask-width", "9"},
                                           {"feature-masks", "1"},  {"feature-mask-width", "4"},
                                           {"input-noise", "0.25"}, {"rotate", "15"},
                                           {"vertical", "z"}};
    seq_record record = {0};
    seq_settings read;
    seq_sampler_settings settings = {.batch = 3};
    error = (seq_error){0};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        seq_record_set_text(&record, pairs[i][0], pairs[i][1], &error);
    assert_int_equal(seq_settings_read(list, &record, &read, &error), SEQ_OK);
    seq_buckets_configure(seq_option_values(&read.parsed, &seq_buckets_options), &settings);
    const seq_augmentation *found = &settings.augmentation;
    assert_true(found->time_masks == 2 && found->time_width == 9 && found->feature_masks == 1 &&
                found->feature_width == 4 && found->noise == 0.25 && found->rotation == 15 &&
                found->vertical == 1);
    seq_settings_clear(&read);
    seq_record_clear(&record);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalised),
        cmocka_unit_test(hashes_tell_them_apart),
        cmocka_unit_test(bad_normalisations),
        cmocka_unit_test(turns),
        cmocka_unit_test(items_are_turned),
        cmocka_unit_test(noise_is_normal),
        cmocka_unit_test(masks_hide),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(options_without_effect),
        cmocka_unit_test(options_become_settings),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
