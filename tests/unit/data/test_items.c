// Data sets of items: what was written is read, for any range, size of shards
// and order of the splits; the table of lengths; damage and bad items are
// refused by name. Items are functions of their number, so every column is
// compared with its definition. Checks src/data/items.c and dataset_writer.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/file.h>
#include <seqtrain/data/sampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "item_sets.h"
#include "temporary.h"

static temporary place;
static const int64_t counts[SEQ_SPLITS] = {700, 90, 50};

static int begin(void **state) {
    (void)state;
    temporary_create(&place);
    seq_error error = {0};
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static seq_dataset *open_set(const char *name, size_t shard_bytes) {
    seq_dataset *dataset = NULL;
    seq_error error = {0};
    char path[200];
    snprintf(path, sizeof path, "%s", temporary_path(&place, name));
    write_item_set(place.directory, path, counts, shard_bytes);
    if (seq_dataset_open(path, &dataset, &error)) fail_msg("%s", error.text);
    return dataset;
}

// Item k of a reading against its definition; `at`: where its rows begin.
static void check_item(const seq_items *items, int split, int64_t number, int64_t k, size_t at[],
                       size_t *raw_at) {
    drawn_item item;
    draw_item(&item, split, number);
    assert_int_equal(items->lengths[1][k], item.text_length);
    assert_int_equal(items->lengths[3][k], item.frame_length);
    assert_int_equal(items->counted[k], item.counted);
    assert_int_equal(items->groups[k], item.group);
    for (int t = 0; t < item.text_length; t++) {
        assert_int_equal(items->ids[ITEM_TEXT][at[1] + (size_t)t], item.words[t]);
        assert_int_equal(items->ids[ITEM_TAG][at[1] + (size_t)t], item.tags[t]);
        assert_int_equal(items->lengths[2][at[1] + (size_t)t], item.word_lengths[t]);
    }
    for (size_t i = 0; i < item.items.rows[2]; i++)
        assert_int_equal(items->ids[ITEM_LETTER][at[2] + i], item.letters[i]);
    for (size_t i = 0; i < (size_t)item.frame_length * ITEM_WIDTH; i++)
        assert_true(items->values[ITEM_SOUND][at[3] * ITEM_WIDTH + i] == item.sound[i]);
    assert_true(items->values[ITEM_SCORE][k] == item.score);
    if (split) {
        assert_int_equal(items->raw_sizes[k], item.raw_size);
        assert_memory_equal(items->raw + *raw_at, item.raw, item.raw_size);
        *raw_at += (size_t)item.raw_size;
    }
    for (int axis = 1; axis < 4; axis++)
        at[axis] += item.items.rows[axis];
}

static void check_range(seq_dataset *dataset, seq_split split, int64_t first, int64_t count,
                        seq_items_room *room) {
    seq_items items;
    seq_error error = {0};
    size_t at[4] = {0}, raw = 0;
    if (seq_dataset_read_items(dataset, split, first, count, room, &items, &error))
        fail_msg("%s", error.text);
    assert_int_equal(items.count, count);
    for (int64_t k = 0; k < count; k++)
        check_item(&items, split, first + k, k, at, &raw);
    for (int axis = 1; axis < 4; axis++)
        assert_int_equal(items.rows[axis], at[axis]);
}

static void check_chosen(seq_dataset *dataset, seq_split split, seq_items_room *room) {
    enum { CHOSEN = 41 };
    int64_t numbers[CHOSEN];
    seq_items items;
    seq_error error = {0};
    size_t at[4] = {0}, raw = 0;
    for (int64_t k = 0; k < CHOSEN; k++)
        numbers[k] = k * 31 % counts[split];
    if (seq_dataset_read_chosen(dataset, split, numbers, CHOSEN, room, &items, &error))
        fail_msg("%s", error.text);
    for (int64_t k = 0; k < CHOSEN; k++)
        check_item(&items, split, numbers[k], k, at, &raw);
    assert_int_equal(items.rows[2], at[2]);
}

static void check_table(seq_dataset *dataset, seq_split split) {
    const seq_item_table *table;
    seq_error error = {0};
    int32_t longest[4] = {0};
    if (seq_dataset_table(dataset, split, &table, &error)) fail_msg("%s", error.text);
    assert_int_equal(table->items, counts[split]);
    for (int64_t i = 0; i < counts[split]; i++) {
        drawn_item item;
        draw_item(&item, split, i);
        for (int axis = 1; axis < 4; axis++)
            assert_int_equal(table->at[axis][i + 1] - table->at[axis][i], item.items.rows[axis]);
        if (item.text_length > longest[1]) longest[1] = item.text_length;
        for (int t = 0; t < item.text_length; t++)
            if (item.word_lengths[t] > longest[2]) longest[2] = item.word_lengths[t];
        if (table->counted) assert_int_equal(table->counted[i], item.counted);
    }
    assert_int_equal(table->longest[1], longest[1]);
    assert_int_equal(table->longest[2], longest[2]);
    assert_true((table->counted != NULL) == (split != SEQ_TRAIN));
}

static void items_come_back(void **state) {
    (void)state;
    static const size_t shards[] = {900, 8000, 0}; // few items a shard; many; all
    for (int s = 0; s < 3; s++) {
        char name[20];
        snprintf(name, sizeof name, "set%d", s);
        seq_dataset *dataset = open_set(name, shards[s]);
        seq_items_room room = {0};
        seq_error error = {0};
        assert_int_equal(seq_dataset_verify(dataset, &error), SEQ_OK);
        for (int split = 0; split < SEQ_SPLITS; split++) {
            check_range(dataset, (seq_split)split, 0, counts[split], &room);
            for (int64_t first = 0; first + 7 < counts[split]; first += 13)
                check_range(dataset, (seq_split)split, first, first % 8, &room);
            check_chosen(dataset, (seq_split)split, &room);
            check_table(dataset, (seq_split)split);
        }
        seq_items items;
        assert_int_equal(seq_dataset_read_items(dataset, SEQ_TEST, 40, 11, &room, &items, &error),
                         SEQ_BAD_INPUT);
        seq_items_room_clear(&room);
        seq_dataset_close(dataset);
    }
}

static void schema_comes_back(void **state) {
    (void)state;
    seq_dataset *dataset = open_set("schema", 0);
    const seq_schema *schema = seq_dataset_schema(dataset);
    double mean = 0, squares = 0;
    assert_string_equal(schema->task, "tag");
    assert_string_equal(seq_record_text(&schema->reader, "columns"), "text=1,tag=2");
    assert_int_equal(seq_vocabulary_size(seq_dataset_vocabulary_at(dataset, 2)), ITEM_TAGS);
    for (int64_t i = 0; i < counts[0]; i++) {
        drawn_item item;
        draw_item(&item, 0, i);
        mean += (double)item.score / (double)counts[0];
        squares += (double)item.score * item.score / (double)counts[0];
    }
    const seq_field *score = &schema->fields[ITEM_SCORE];
    assert_true(fabs(score->mean[0] - mean) < 1e-9);
    assert_true(fabs(score->deviation[0] - sqrt(squares - mean * mean)) < 1e-9);
    assert_null(schema->fields[ITEM_SOUND].mean);
    seq_dataset_close(dataset);
}

// Streams are refused as items, and items as streams.
static void kinds_are_told_apart(void **state) {
    (void)state;
    seq_dataset *dataset = open_set("kind", 0);
    seq_error error = {0};
    int32_t ids[4];
    assert_int_equal(seq_dataset_read(dataset, SEQ_TRAIN, 0, 4, ids, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "prepared for the task tag"));
    seq_sampler *sampler = NULL;
    const seq_sampler_settings settings = {.replicas = 1, .count = 1, .batch = 1, .window = 4};
    error = (seq_error){0};
    assert_int_equal(seq_sampler_create(&seq_sampler_streams, dataset, &settings, &sampler, &error),
                     SEQ_BAD_INPUT);
    seq_dataset_close(dataset);
}

static void bad_items_are_refused(void **state) {
    (void)state;
    static const char *const expected[] = {
        "field text row 1: id 300, its vocabulary has 300", "field letter row 0: id -2",
        "field sound row 1: a value that is not finite", "axis letters has length -1",
        "its column score is missing"};
    seq_schema schema;
    seq_vocabulary *vocabularies[] = {make_vocabulary(place.directory, ITEM_WORDS, 2),
                                      make_vocabulary(place.directory, ITEM_LETTERS, 1),
                                      make_vocabulary(place.directory, ITEM_TAGS, 1)};
    item_schema(&schema);
    for (int fault = 0; fault < 5; fault++) {
        drawn_item item;
        seq_error error = {0};
        seq_dataset_writer *writer = NULL;
        char path[200];
        snprintf(path, sizeof path, "%s", temporary_path(&place, "refused"));
        seq_dataset_target target = {.output = path};
        draw_item(&item, 0, 4);
        assert_true(item.text_length > 1 && item.word_lengths[0] && item.frame_length > 1);
        if (fault == 0) item.words[1] = ITEM_WORDS;
        if (fault == 1) item.letters[0] = -2;
        if (fault == 2) item.sound[ITEM_WIDTH] = NAN;
        if (fault == 3) item.word_lengths[0] = -1;
        if (fault == 4) item.items.values[ITEM_SCORE] = NULL;
        assert_int_equal(seq_dataset_writer_create(&target, &writer, &error), SEQ_OK);
        assert_int_equal(seq_dataset_writer_begin(writer, &schema,
                                                  (const seq_vocabulary *const *)vocabularies, 0,
                                                  (seq_pipeline){SEQ_COMPRESS_ZSTD, 1}, &error),
                         SEQ_OK);
        assert_int_equal(seq_dataset_writer_add(writer, SEQ_VALID, &item.items, &error),
                         SEQ_BAD_INPUT);
        if (!strstr(error.text, expected[fault])) fail_msg("%s", error.text);
        assert_non_null(strstr(error.text, "item 0 of valid"));
        seq_dataset_writer_destroy(writer);
        assert_false(seq_path_exists(path)); // nothing is left
    }
    seq_schema_clear(&schema);
    for (int i = 0; i < 3; i++)
        seq_vocabulary_destroy(vocabularies[i]);
}

static void damage_is_named(void **state) {
    (void)state;
    seq_dataset *dataset = open_set("damaged", 3000);
    seq_items_room room = {0};
    seq_items items;
    seq_error error = {0};
    char path[220];
    size_t size;
    snprintf(path, sizeof path, "%s/train-0002.h5", seq_dataset_path(dataset));
    char *bytes = read_bytes(path, &size);
    bytes[size / 2] ^= 1;
    write_bytes(path, bytes, size);
    free(bytes);
    assert_int_equal(seq_dataset_read_items(dataset, SEQ_TRAIN, 0, 5, &room, &items, &error),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "train-0002.h5"));
    seq_items_room_clear(&room);
    seq_dataset_close(dataset);
}

// Bytes do not depend on the machine's state: two writings are equal files.
static void writing_is_repeatable(void **state) {
    (void)state;
    seq_dataset *one = open_set("one", 3000), *two = open_set("two", 3000);
    assert_string_equal(seq_dataset_hash(one), seq_dataset_hash(two));
    seq_dataset_close(one);
    seq_dataset_close(two);
}

// Features and a number: there is an empty vocabulary for those who ask for the first one.
static void no_vocabulary_is_needed(void **state) {
    (void)state;
    float sound[4] = {1, 2, 3, 4}, score = 3;
    int32_t length = 2;
    seq_items item = {.count = 1, .lengths = {NULL, &length}, .values = {sound, &score}}, read;
    seq_items_room room = {0};
    seq_schema schema;
    seq_error error = {0};
    seq_dataset_writer *writer = NULL;
    seq_dataset *dataset = NULL;
    char path[200];
    snprintf(path, sizeof path, "%s", temporary_path(&place, "features"));
    seq_dataset_target target = {.output = path};
    seq_schema_begin(&schema, "rate");
    seq_schema_add_axis(&schema, "frames", 0);
    seq_schema_add_field(&schema, "sound", SEQ_FIELD_VALUES, 1, -1, 2);
    schema.target = seq_schema_add_field(&schema, "score", SEQ_FIELD_NUMBER, 0, -1, 1);
    seq_dataset_writer_create(&target, &writer, &error);
    seq_dataset_writer_begin(writer, &schema, NULL, 0, (seq_pipeline){SEQ_COMPRESS_ZSTD, 1},
                             &error);
    seq_dataset_writer_add(writer, SEQ_TRAIN, &item, &error);
    if (seq_dataset_writer_finish(writer, NULL, &error)) fail_msg("%s", error.text);
    seq_dataset_writer_destroy(writer);
    seq_schema_clear(&schema);
    if (seq_dataset_open(path, &dataset, &error)) fail_msg("%s", error.text);
    assert_int_equal(seq_vocabulary_size(seq_dataset_vocabulary(dataset)), 0);
    assert_int_equal(seq_dataset_read_items(dataset, SEQ_TRAIN, 0, 1, &room, &read, &error),
                     SEQ_OK);
    assert_memory_equal(read.values[0], sound, sizeof sound);
    assert_int_equal(read.counted[0], 1);
    seq_items_room_clear(&room);
    seq_dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_back),         cmocka_unit_test(schema_comes_back),
        cmocka_unit_test(kinds_are_told_apart),    cmocka_unit_test(bad_items_are_refused),
        cmocka_unit_test(damage_is_named),         cmocka_unit_test(writing_is_repeatable),
        cmocka_unit_test(no_vocabulary_is_needed),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
