// Preparation and batches: every token served once, inputs are the tokens
// before, shards and ways to serve do not matter. Batches are compared with
// their definition, token by token. Checks src/data/dataset.c, windows.c,
// src/prep/prepare.c and reverse_units.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/log.h>
#include <seqtrain/prep/prepare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include "temporary.h"
#include "windows.h"

enum { SIZE = 5003 };
static temporary place;
static char text[SIZE + 1];

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    for (int i = 0; i < SIZE; i++)
        text[i] = i % 61 == 60 ? '\n' : (char)('a' + i * i % 23);
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static seq_prepare plan(const char *const *input, const char *output) {
    return (seq_prepare){.rules = {.unit = SEQ_UNIT_CHAR},
                         .output = output,
                         .inputs = input,
                         .input_count = 1,
                         .valid_fraction = 0.1,
                         .test_fraction = 0.05,
                         .min_count = 1,
                         .shard_tokens = 1000,
                         .pipeline = {SEQ_COMPRESS_ZSTD, 1}};
}

static seq_dataset *prepare_and_open(const char *name, const void *bytes, size_t size) {
    static char input[200], output[220];
    const char *inputs[] = {input};
    seq_error error = {0};
    seq_dataset *dataset = NULL;
    snprintf(input, sizeof input, "%s", temporary_path(&place, name));
    snprintf(output, sizeof output, "%s.data", input);
    write_bytes(input, bytes, size);
    seq_prepare prepare = plan(inputs, output);
    if (seq_prepare_run(&prepare, &error)) fail_msg("%s", error.text);
    assert_int_equal(seq_dataset_open(output, &dataset, &error), SEQ_OK);
    assert_int_equal(seq_dataset_verify(dataset, &error), SEQ_OK);
    return dataset;
}

static void splits_and_packings(void **state) {
    (void)state;
    static char packed[2 * SIZE];
    seq_dataset *plain = prepare_and_open("plain", text, SIZE);
    assert_int_equal(seq_dataset_tokens(plain, SEQ_TEST), 251);  // ceil(5 %)
    assert_int_equal(seq_dataset_tokens(plain, SEQ_VALID), 500); // between the two cuts
    assert_int_equal(seq_dataset_tokens(plain, SEQ_TRAIN), SIZE - 751);
    int64_t at = 0;
    for (int split = 0; split < SEQ_SPLITS; split++) {
        int64_t count = seq_dataset_tokens(plain, (seq_split)split);
        int32_t *ids = malloc((size_t)count * sizeof *ids);
        seq_error error = {0};
        assert_int_equal(seq_dataset_read(plain, (seq_split)split, 0, (size_t)count, ids, &error),
                         SEQ_OK);
        for (int64_t i = 0; i < count; i++, at++)
            assert_int_equal(seq_vocabulary_text(seq_dataset_vocabulary(plain), ids[i], NULL)[0],
                             text[at]);
        assert_int_not_equal(
            seq_dataset_read(plain, (seq_split)split, 1, (size_t)count, ids, &error), SEQ_OK);
        free(ids);
    }
    z_stream stream = {.next_in = (Bytef *)text,
                       .avail_in = SIZE,
                       .next_out = (Bytef *)packed,
                       .avail_out = sizeof packed};
    deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY); // 31: a gzip header
    deflate(&stream, Z_FINISH);
    seq_dataset *gzip = prepare_and_open("gzip", packed, stream.total_out);
    deflateEnd(&stream);
    size_t size = ZSTD_compress(packed, sizeof packed, text, SIZE, 3);
    seq_dataset *zstd = prepare_and_open("zstd", packed, size);
    assert_string_equal(seq_dataset_vocabulary_hash(plain), seq_dataset_vocabulary_hash(gzip));
    assert_string_equal(seq_dataset_vocabulary_hash(plain), seq_dataset_vocabulary_hash(zstd));
    for (int split = 0; split < SEQ_SPLITS; split++)
        assert_int_equal(seq_dataset_tokens(plain, (seq_split)split),
                         seq_dataset_tokens(zstd, (seq_split)split));
    seq_dataset_close(plain);
    seq_dataset_close(gzip);
    seq_dataset_close(zstd);
}

static void shards_are_those_of_the_start(void **state) {
    (void)state;
    static char other[SIZE];
    int32_t ids[1000], again[1000];
    seq_error error = {0};
    for (int i = 0; i < SIZE; i++)
        other[i] = text[i] == 'a' ? 'b' : text[i];
    seq_dataset *dataset = prepare_and_open("moving", text, SIZE);
    assert_int_equal(seq_dataset_read(dataset, SEQ_TRAIN, 0, 1000, ids, &error), SEQ_OK);
    // The same data set again, other files: the next shard is right.
    char path[220];
    const char *inputs[] = {temporary_path(&place, "moving")};
    snprintf(path, sizeof path, "%s.data", inputs[0]);
    seq_prepare prepare = plan(inputs, path);
    prepare.force = true;
    if (seq_prepare_run(&prepare, &error)) fail_msg("%s", error.text);
    assert_int_equal(seq_dataset_read(dataset, SEQ_TRAIN, 1000, 1000, ids, &error), SEQ_OK);
    // Another: neither the shard that is open nor one that is opened later comes from it.
    write_bytes(inputs[0], other, SIZE);
    if (seq_prepare_run(&prepare, &error)) fail_msg("%s", error.text);
    for (int shard = 1; shard < 4; shard++) {
        seq_error reason = {0};
        assert_int_equal(seq_dataset_read(dataset, SEQ_TRAIN, shard * 1000, 1000, again, &reason),
                         SEQ_BAD_INPUT);
        assert_non_null(strstr(reason.text, "was replaced or removed while it was read"));
    }
    seq_dataset_close(dataset);
}

// Streams by their definition, against every way to serve them.
static void check_batches(seq_dataset *dataset, seq_split split, seq_cut cut, int streams,
                          int first, int count, int steps) {
    seq_batches *batches = NULL;
    seq_error error = {0};
    int64_t total = seq_dataset_tokens(dataset, split), floor = total / streams,
            extra = cut == SEQ_CUT_ALL ? total % streams : 0;
    int32_t *all = malloc((size_t)total * sizeof *all),
            *inputs = malloc((size_t)(steps * count) * sizeof *inputs),
            *targets = malloc((size_t)(steps * count) * sizeof *targets);
    assert_int_equal(seq_dataset_read(dataset, split, 0, (size_t)total, all, &error), SEQ_OK);
    assert_int_equal(
        seq_batches_create(dataset, split, cut, streams, first, count, &batches, &error), SEQ_OK);
    for (int64_t at = 0; at < seq_stream_length(total, cut, streams); at += steps) {
        assert_int_equal(seq_batches_read(batches, 0, count, at, steps, inputs, targets, &error),
                         SEQ_OK);
        for (int t = 0; t < steps; t++)
            for (int b = 0; b < count; b++) {
                int64_t stream = first + b,
                        start = stream * floor + (stream < extra ? stream : extra),
                        length = floor + (stream < extra), position = at + t;
                int32_t target = position < length ? all[start + position] : -1;
                int32_t input = position < length && position > 0 ? all[start + position - 1] : -1;
                assert_int_equal(targets[t * count + b], target);
                assert_int_equal(inputs[t * count + b], input);
            }
    }
    seq_batches_destroy(batches);
    free(all);
    free(inputs);
    free(targets);
}

static void batches_follow_their_definition(void **state) {
    (void)state;
    seq_dataset *dataset = prepare_and_open("batches", text, SIZE);
    for (int cut = SEQ_CUT_EQUAL; cut <= SEQ_CUT_ALL; cut++) {
        check_batches(dataset, SEQ_TRAIN, (seq_cut)cut, 7, 0, 7, 13);
        check_batches(dataset, SEQ_TRAIN, (seq_cut)cut, 8, 2, 3, 50);
        check_batches(dataset, SEQ_VALID, (seq_cut)cut, 1, 0, 1, 64);
        check_batches(dataset, SEQ_TEST, (seq_cut)cut, 251, 100, 151, 2);
    }
    seq_sampler *sampler = NULL;
    const seq_sampler_settings settings = {
        .split = SEQ_TEST, .replicas = 252, .count = 1, .batch = 1, .window = 2};
    seq_error error = {0};
    assert_int_equal(seq_sampler_create(&seq_sampler_streams, dataset, &settings, &sampler, &error),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "251"));
    seq_dataset_close(dataset);
}

// Against the definition, from the same text as it is: lines that end in a block of the reading,
// lines longer than that, and splits in the middle of one.
static void reversed(void **state) {
    (void)state;
    enum { LONG = 400000 };
    static char letters[LONG];
    char input[200], output[220];
    const char *inputs[] = {input};
    static int32_t plain[LONG], turned[LONG];
    for (int i = 0; i < LONG; i++)
        letters[i] = i > 100000 && i < 350000 ? (char)('a' + i % 25) : i % 61 ? 'z' : '\n';
    snprintf(input, sizeof input, "%s", temporary_path(&place, "reversed"));
    snprintf(output, sizeof output, "%s.data", input);
    write_bytes(input, letters, LONG);
    for (int ends = 0; ends < 2; ends++) {
        seq_dataset *datasets[2];
        seq_error error = {0};
        for (int reverse = 0; reverse < 2; reverse++) {
            seq_prepare prepare = plan(inputs, output);
            prepare.rules.eos = ends ? SEQ_EOS_LINE : SEQ_EOS_NONE;
            prepare.shard_tokens = 100000;
            prepare.reverse = reverse;
            snprintf(output, sizeof output, "%s.%d.%d", input, ends, reverse);
            if (seq_prepare_run(&prepare, &error)) fail_msg("%s", error.text);
            assert_int_equal(seq_dataset_open(output, &datasets[reverse], &error), SEQ_OK);
        }
        int eos = seq_vocabulary_eos(seq_dataset_vocabulary(datasets[0]));
        for (int split = 0; split < SEQ_SPLITS; split++) {
            int64_t count = seq_dataset_tokens(datasets[0], (seq_split)split), begin = 0;
            assert_int_equal(seq_dataset_tokens(datasets[1], (seq_split)split), count);
            seq_dataset_read(datasets[0], (seq_split)split, 0, (size_t)count, plain, &error);
            seq_dataset_read(datasets[1], (seq_split)split, 0, (size_t)count, turned, &error);
            assert_int_equal(error.status, SEQ_OK);
            for (int64_t i = 0; i < count; i++) {
                bool end = ends && plain[i] == eos;
                if (!end && i + 1 < count) continue;
                for (int64_t j = begin, last = end ? i - 1 : i; j <= last; j++)
                    assert_int_equal(turned[j], plain[last - (j - begin)]);
                if (end) assert_int_equal(turned[i], eos);
                begin = i + 1;
            }
        }
        seq_dataset_close(datasets[0]);
        seq_dataset_close(datasets[1]);
    }
}

static void bad_inputs(void **state) {
    (void)state;
    static const struct {
        const char *content;
        size_t size;
        const char *message;
    } cases[] = {
        {"", 0, "empty"},
        {"a", 1, "the inputs have 1 units"},
        {"ok\n\xC3(", 5, "bad line 2"},
        {"\x1f\x8b\x08 broken", 10, "bad"},
        {"\x28\xB5\x2F\xFD broken", 11, "bad"},
    };
    char input[200], output[200];
    const char *inputs[] = {input};
    snprintf(input, sizeof input, "%s", temporary_path(&place, "bad"));
    snprintf(output, sizeof output, "%s", temporary_path(&place, "bad.data"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seq_error error = {0};
        seq_prepare prepare = plan(inputs, output);
        write_bytes(input, cases[i].content, cases[i].size);
        assert_int_equal(seq_prepare_run(&prepare, &error), SEQ_BAD_INPUT);
        if (!strstr(error.text, cases[i].message)) fail_msg("case %zu: %s", i, error.text);
        FILE *left = fopen(temporary_path(&place, "bad.data/dataset.json"), "r");
        assert_null(left);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_and_packings),
        cmocka_unit_test(shards_are_those_of_the_start),
        cmocka_unit_test(batches_follow_their_definition),
        cmocka_unit_test(reversed),
        cmocka_unit_test(bad_inputs),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
