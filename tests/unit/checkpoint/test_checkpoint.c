// Checkpoints without a trainer: shards cut anywhere hold the whole state,
// retention keeps what it promises, a state of another size or name is refused.
// Checks src/checkpoint/write.c, read.c, load.c and prune.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/log.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "small_model.h"
#include "temporary.h"

enum { STREAM_STATES = 77 };
static temporary place;
static small_case model;
static seq_vocabulary *vocabulary;

static int begin(void **state) {
    (void)state;
    char text[600] = "# seqtrain vocabulary "
                     "1\tunit=word\tpunctuation=keep\tlower=no\tnfc=no\teos=line\tinvalid=error\n";
    seq_error error = {0};
    seq_model_config config = small_config("gru", 1);
    for (int id = 0; id < config.vocabulary; id++)
        sprintf(text + strlen(text), "%d\t1\tw%d\n", id, id);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    temporary_create(&place);
    small_case_create(&model, &config, 1, 1, 3);
    write_bytes(temporary_path(&place, "v.tsv"), text, strlen(text));
    return seq_vocabulary_read(place.path, SEQ_BAD_INPUT, &vocabulary, &error) ||
           seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    small_case_destroy(&model);
    seq_vocabulary_destroy(vocabulary);
    temporary_destroy(&place);
    return 0;
}

static seq_state state_of(float *parameters, float *streams) {
    return (seq_state){.vectors = {{"parameters", parameters, model.table->size},
                                   {"stream_states", streams, STREAM_STATES}},
                       .count = 2};
}

static void save(const char *run, int64_t step, int shards, float *streams) {
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
    assert_int_equal(seq_checkpoint_commit(directory, shards, digests, &state, model.table,
                                           (const seq_vocabulary *const *)&vocabulary, &manifest,
                                           &error),
                     SEQ_OK);
    seq_manifest_clear(&manifest);
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
        assert_int_equal(seq_vocabulary_size(loaded.vocabulary), seq_vocabulary_size(vocabulary));
        seq_loaded_clear(&loaded);
    }
    free(read);
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
        cmocka_unit_test(retention),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
