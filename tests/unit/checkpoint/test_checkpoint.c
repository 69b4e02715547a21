// Checkpoints without a trainer: shards cut anywhere hold the whole state, and
// several readers have all of it together; each vocabulary of a schema is a
// file; retention keeps what it promises, a state of another size or name is
// refused. Checks src/checkpoint/write.c, read.c, content.c, load.c, reshard.c
// and prune.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/base/log.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "small_model.h"
#include "temporary.h"

enum { STREAM_STATES = 77 };
static temporary place;
static small_case model;
static seq_vocabulary *vocabularies[2];

static seq_vocabulary *vocabulary_of(const char *letter, int size) {
    char text[600] = "# seqtrain vocabulary "
                     "1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=line\tinvalid=error\n";
    seq_vocabulary *vocabulary = NULL;
    seq_error error = {0};
    for (int id = 0; id < size; id++)
        sprintf(text + strlen(text), "%d\t1\t%s%d\n", id, letter, id);
    write_bytes(temporary_path(&place, "v.tsv"), text, strlen(text));
    assert_int_equal(seq_vocabulary_read(place.path, SEQ_BAD_INPUT, &vocabulary, &error), SEQ_OK);
    return vocabulary;
}

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    seq_model_config config = small_config("gru", 1);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    temporary_create(&place);
    small_case_create(&model, &config, 1, 1, 3);
    vocabularies[0] = vocabulary_of("w", config.vocabulary);
    vocabularies[1] = vocabulary_of("t", 4);
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    small_case_destroy(&model);
    seq_vocabulary_destroy(vocabularies[0]);
    seq_vocabulary_destroy(vocabularies[1]);
    temporary_destroy(&place);
    return 0;
}

static seq_state state_of(float *parameters, float *streams) {
    return (seq_state){.vectors = {{"parameters", parameters, model.table->size},
                                   {"stream_states", streams, STREAM_STATES}},
                       .count = 2};
}

// `schema`: NULL for none.
static void save_with(const seq_schema *schema, const char *run, int64_t step, int shards,
                      float *streams) {
    char directory[SEQ_PATH];
    seq_digest digests[200];
    seq_error error = {0};
    seq_manifest manifest = {0};
    seq_state state = state_of(model.parameters, streams);
    assert_int_equal(seq_checkpoint_begin(run, step, directory, &error), SEQ_OK);
    for (int i = 0; i < shards; i++) {
        seq_state slices;
        seq_checkpoint_slice(&state, i, shards, &slices);
        assert_int_equal(seq_checkpoint_write_shard(directory, i, &slices,
                                                    (seq_pipeline){SEQ_COMPRESS_ZSTD, 1},
                                                    &digests[i], &error),
                         SEQ_OK);
    }
    assert_int_equal(seq_model_config_write(seq_model_get_config(model.model),
                                            seq_manifest_section_get(&manifest, "model"), &error),
                     SEQ_OK);
    if (schema) assert_int_equal(seq_schema_write(schema, &manifest, &error), SEQ_OK);
    seq_record *options = seq_manifest_section_get(&manifest, "options"),
               *position = seq_manifest_section_get(&manifest, "position");
    assert_int_equal(seq_record_set_integer(position, "step", step, &error), SEQ_OK);
    assert_int_equal(seq_record_set_text(options, "compression", "zstd", &error), SEQ_OK);
    assert_int_equal(seq_record_set_text(options, "compression-level", "1", &error), SEQ_OK);
    if (seq_checkpoint_commit(directory, shards, digests, &state, model.table,
                              (const seq_vocabulary *const *)vocabularies, &manifest, &error))
        fail_msg("%s", error.text);
    seq_manifest_clear(&manifest);
}

static void save(const char *run, int64_t step, int shards, float *streams) {
    save_with(NULL, run, step, shards, streams);
}

static void shards_hold_the_whole_state(void **state) {
    (void)state;
    static const int counts[] = {1, 2, 3, 7, 100};
    float streams[STREAM_STATES], read_streams[STREAM_STATES],
        *read = malloc(model.table->size * sizeof *read);
    char run[200], directory[SEQ_PATH];
    snprintf(run, sizeof run, "%s", temporary_path(&place, "shards"));
    for (int i = 0; i < STREAM_STATES; i++)
        streams[i] = (float)i / 7;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        seq_error error = {0};
        seq_manifest manifest;
        seq_loaded loaded;
        save(run, (int64_t)i, counts[i], streams);
        assert_int_equal(seq_checkpoint_directory(run, (int64_t)i, directory, &error), SEQ_OK);
        assert_int_equal(seq_checkpoint_read_manifest(directory, &manifest, &error), SEQ_OK);
        assert_int_equal(seq_checkpoint_shards(&manifest), counts[i]);
        assert_int_equal(seq_checkpoint_verify(directory, &manifest, 0, 1, &error), SEQ_OK);
        seq_state into = state_of(read, read_streams);
        assert_int_equal(seq_checkpoint_read(directory, &manifest, &into, 0, 1, &error), SEQ_OK);
        assert_memory_equal(read, model.parameters, model.table->size * sizeof *read);
        assert_memory_equal(read_streams, streams, sizeof streams);
        into.vectors[1].count++; // a state of another size
        assert_int_equal(seq_checkpoint_read(directory, &manifest, &into, 0, 1, &error),
                         SEQ_NO_CHECKPOINT);
        error = (seq_error){0};
        into.vectors[1] = (seq_state_vector){"first_moment", read_streams, STREAM_STATES};
        assert_int_equal(seq_checkpoint_read(directory, &manifest, &into, 0, 1, &error),
                         SEQ_NO_CHECKPOINT);
        error = (seq_error){0};
        seq_manifest_clear(&manifest);
        seq_compute compute;
        assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
        assert_int_equal(seq_checkpoint_load(directory, true, &compute, &loaded, &error), SEQ_OK);
        assert_memory_equal(loaded.parameters, model.parameters, model.table->size * sizeof *read);
        assert_int_equal(seq_vocabulary_size(loaded.vocabulary),
                         seq_vocabulary_size(vocabularies[0]));
        seq_loaded_clear(&loaded);
    }
    free(read);
}

// Readers of any number have the whole together, each value once, whatever the number of shards.
static void readers_share_the_vectors(void **state) {
    (void)state;
    float streams[STREAM_STATES], *read = calloc(model.table->size, sizeof *read);
    char run[200], directory[SEQ_PATH];
    seq_error error = {0};
    seq_manifest manifest;
    for (int i = 0; i < STREAM_STATES; i++)
        streams[i] = (float)i / 3;
    snprintf(run, sizeof run, "%s", temporary_path(&place, "shared"));
    save(run, 1, 5, streams);
    assert_int_equal(seq_checkpoint_directory(run, 1, directory, &error), SEQ_OK);
    assert_int_equal(seq_checkpoint_read_manifest(directory, &manifest, &error), SEQ_OK);
    for (int of = 1; of <= 200; of = of < 9 ? of + 1 : 3 * of) {
        float read_streams[STREAM_STATES] = {0};
        size_t next[2] = {0, 0};
        memset(read, 0, model.table->size * sizeof *read);
        for (int index = 0; index < of; index++) {
            seq_state into = state_of(read, read_streams);
            for (int i = 0; i < into.count; i++) {
                seq_vector_range range = seq_checkpoint_range(into.vectors[i].count, index, of);
                assert_int_equal(range.begin, next[i]);
                if (index) assert_int_equal(range.end - range.begin, into.vectors[i].count / of);
                next[i] = range.end;
                into.vectors[i].values += range.begin;
            }
            assert_int_equal(seq_checkpoint_verify(directory, &manifest, index, of, &error),
                             SEQ_OK);
            if (seq_checkpoint_read(directory, &manifest, &into, index, of, &error))
                fail_msg("%s", error.text);
            for (int i = 0; i < into.count; i++) // looked at only
                into.vectors[i].values = NULL;
            assert_int_equal(seq_checkpoint_read(directory, &manifest, &into, index, of, &error),
                             SEQ_OK);
        }
        assert_int_equal(next[0], model.table->size);
        assert_int_equal(next[1], STREAM_STATES);
        assert_memory_equal(read, model.parameters, model.table->size * sizeof *read);
        assert_memory_equal(read_streams, streams, sizeof streams);
    }
    seq_manifest_clear(&manifest);
    free(read);
}

// The value is in the part of one reader: that one refuses, with the place in the shard.
static void what_is_no_number_is_refused_by_its_reader(void **state) {
    (void)state;
    float streams[STREAM_STATES] = {0};
    char run[200], directory[SEQ_PATH];
    seq_manifest manifest;
    seq_error error = {0};
    streams[70] = NAN;
    snprintf(run, sizeof run, "%s", temporary_path(&place, "spoilt"));
    save(run, 1, 2, streams);
    assert_int_equal(seq_checkpoint_directory(run, 1, directory, &error), SEQ_OK);
    assert_int_equal(seq_checkpoint_read_manifest(directory, &manifest, &error), SEQ_OK);
    for (int index = 0; index < 4; index++) {
        seq_state into;
        seq_error reason = {0};
        assert_int_equal(seq_checkpoint_state(directory, &manifest, &into, &error), SEQ_OK);
        assert_int_equal(into.count, 2);
        seq_status status = seq_checkpoint_read(directory, &manifest, &into, index, 4, &reason);
        assert_int_equal(status, index == 3 ? SEQ_NO_CHECKPOINT : SEQ_OK);
        if (index == 3) // 38 values are in the shard before
            assert_non_null(strstr(reason.text, "shard-0001.h5: stream_states: value 32 is nan"));
    }
    seq_manifest_clear(&manifest);
}

static void make_schema(seq_schema *out) {
    seq_schema_begin(out, "lm");
    int text = seq_schema_add_axis(out, "text", 0), words = seq_schema_add_vocabulary(out, "words"),
        tags = seq_schema_add_vocabulary(out, "tags");
    out->target = seq_schema_add_field(out, "tokens", SEQ_FIELD_IDS, text, words, 1);
    seq_schema_add_field(out, "tag", SEQ_FIELD_LABEL, text, tags, 1);
    out->length_axis = text;
}

static void check_loaded(const char *path, int shards) {
    seq_loaded loaded;
    seq_compute compute;
    seq_error error = {0};
    size_t size;
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    if (seq_checkpoint_load(path, true, &compute, &loaded, &error)) fail_msg("%s", error.text);
    assert_int_equal(seq_checkpoint_shards(&loaded.manifest), shards);
    assert_int_equal(loaded.manifest.file_count, shards + 3);
    assert_int_equal(loaded.schema.field_count, 2);
    assert_ptr_equal(loaded.vocabulary, loaded.vocabularies[0]);
    assert_int_equal(seq_vocabulary_size(loaded.vocabularies[0]),
                     seq_vocabulary_size(vocabularies[0]));
    assert_int_equal(seq_vocabulary_size(loaded.vocabularies[1]), 4);
    assert_string_equal(seq_vocabulary_text(loaded.vocabularies[1], 3, &size), "t3");
    assert_null(loaded.vocabularies[2]);
    assert_memory_equal(loaded.parameters, model.parameters, model.table->size * sizeof(float));
    seq_loaded_clear(&loaded);
}

static void exchange(const char *a, const char *b) {
    char other[SEQ_PATH + 8];
    snprintf(other, sizeof other, "%s.other", a);
    assert_false(rename(a, other) || rename(b, a) || rename(other, b));
}

// The schema in the manifest says which files there are; loading, --reshard and pruning know them.
static void every_vocabulary_is_a_file(void **state) {
    (void)state;
    float streams[STREAM_STATES] = {0};
    char run[200], directory[SEQ_PATH], path[SEQ_PATH], first[SEQ_PATH], second[SEQ_PATH];
    seq_schema schema;
    seq_loaded opened = {0};
    seq_error error = {0};
    make_schema(&schema);
    snprintf(run, sizeof run, "%s", temporary_path(&place, "fields"));
    save_with(&schema, run, 1, 3, streams);
    save_with(&schema, run, 2, 3, streams);
    assert_int_equal(seq_checkpoint_directory(run, 2, directory, &error), SEQ_OK);
    check_loaded(directory, 3);
    check_loaded(run, 3);
    snprintf(path, sizeof path, "%s", temporary_path(&place, "resharded"));
    if (seq_checkpoint_reshard(directory, 2, path, &error)) fail_msg("%s", error.text);
    check_loaded(path, 2);
    seq_retention rule = {.newest = 1, .best_step = -1, .target_step = -1};
    assert_int_equal(seq_checkpoint_prune(run, &rule, &error), SEQ_OK);
    assert_int_equal(seq_checkpoint_directory(run, 1, path, &error), SEQ_OK);
    assert_false(seq_path_exists(path));
    assert_int_equal(seq_path_join(first, directory, "vocabulary.tsv", &error), SEQ_OK);
    assert_int_equal(seq_path_join(second, directory, "vocabulary-tags.tsv", &error), SEQ_OK);
    exchange(first, second);
    seq_compute compute;
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    assert_int_equal(seq_checkpoint_open(directory, &opened, &error), SEQ_OK);
    assert_int_equal(seq_checkpoint_build(&opened, &compute, &error), SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "vocabulary.tsv"));
    seq_loaded_clear(&opened);
    exchange(first, second);
    error = (seq_error){0};
    assert_int_equal(seq_checkpoint_open(directory, &opened, &error), SEQ_OK);
    free(opened.manifest.files[--opened.manifest.file_count].name); // a vocabulary is not listed
    assert_int_equal(seq_manifest_write(&opened.manifest, directory, "manifest.json", &error),
                     SEQ_OK);
    seq_loaded_clear(&opened);
    assert_int_equal(seq_checkpoint_open(directory, &opened, &error), SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "does not list the files"));
    seq_loaded_clear(&opened);
    seq_schema_clear(&schema);
}

// The mean of the last two of three, in double; of more than there are, of others, of one alone.
static void means(void **state) {
    (void)state;
    float streams[STREAM_STATES] = {0};
    size_t size = model.table->size * sizeof(float);
    float *first = malloc(size), *kept = model.parameters, *second = malloc(size);
    char run[200], directory[SEQ_PATH], shard[SEQ_PATH];
    seq_loaded loaded;
    seq_compute compute;
    seq_error error = {0};
    assert_int_equal(seq_compute_find("auto", SEQ_FP32, NULL, &compute, &error), SEQ_OK);
    snprintf(run, sizeof run, "%s", temporary_path(&place, "means"));
    save(run, 1, 2, streams);
    for (size_t i = 0; i < model.table->size; i++) {
        first[i] = kept[i] * 3 + 1e-3F;
        second[i] = kept[i] * 7;
    }
    model.parameters = first;
    save(run, 2, 2, streams);
    model.parameters = second;
    save(run, 3, 1, streams);
    model.parameters = kept;
    if (seq_checkpoint_load_average(run, 2, &compute, &loaded, &error)) fail_msg("%s", error.text);
    for (size_t i = 0; i < model.table->size; i++) {
        float expected = (float)(((double)first[i] + (double)second[i]) / 2);
        assert_true(loaded.parameters[i] == expected);
    }
    assert_int_equal(seq_checkpoint_directory(run, 3, directory, &error), SEQ_OK);
    assert_string_equal(loaded.directory, directory);
    seq_loaded_clear(&loaded);
    assert_int_equal(seq_checkpoint_load_average(run, 4, &compute, &loaded, &error),
                     SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "has 3"));
    assert_int_equal(seq_checkpoint_directory(run, 2, directory, &error), SEQ_OK);
    assert_int_equal(seq_path_join(shard, directory, "shard-0000.h5", &error), SEQ_OK);
    assert_int_equal(truncate(shard, 100), 0);
    assert_int_equal(seq_checkpoint_load_average(run, 2, &compute, &loaded, &error),
                     SEQ_NO_CHECKPOINT);
    assert_non_null(strstr(error.text, "the checkpoint of step 2"));
    free(first);
    free(second);
}

static void retention(void **state) {
    (void)state;
    char run[200];
    float streams[STREAM_STATES] = {0};
    seq_error error = {0};
    int64_t *steps;
    size_t count;
    snprintf(run, sizeof run, "%s", temporary_path(&place, "kept"));
    assert_int_equal(seq_checkpoint_list(run, &steps, &count, &error), SEQ_OK);
    assert_int_equal(count, 0);
    free(steps);
    for (int64_t step = 10; step <= 80; step += 10)
        save(run, step, 2, streams);
    char unfinished[SEQ_PATH];
    assert_int_equal(seq_checkpoint_begin(run, 35, unfinished, &error),
                     SEQ_OK); // no manifest: a leftover
    seq_retention rule = {.newest = 2, .every = 40, .best_step = 20, .target_step = 50};
    assert_int_equal(seq_checkpoint_prune(run, &rule, &error), SEQ_OK);
    assert_int_equal(seq_checkpoint_list(run, &steps, &count, &error), SEQ_OK);
    const int64_t expected[] = {80, 70, 50, 40, 20};
    assert_int_equal(count, 5);
    assert_memory_equal(steps, expected, sizeof expected);
    assert_false(seq_path_exists(unfinished));
    free(steps);
    assert_int_equal(seq_checkpoint_begin(run, 80, unfinished, &error),
                     SEQ_BAD_USAGE); // a committed one is never overwritten
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_hold_the_whole_state),
        cmocka_unit_test(readers_share_the_vectors),
        cmocka_unit_test(what_is_no_number_is_refused_by_its_reader),
        cmocka_unit_test(every_vocabulary_is_a_file),
        cmocka_unit_test(means),
        cmocka_unit_test(retention),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
