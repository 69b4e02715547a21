// What seqprep writes, the library reads: random bytes, under every combination of unit, handling
// of invalid bytes, ends and punctuation, become a data set that opens, whose files fit their
// hashes, whose tokens are the units of the text (or <unk>, where the vocabulary was cut), and
// whose decoded text gives them again. Or the text is refused for one of the reasons that there
// are.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "temporary.h"
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/random.h>
#include <seqtrain/prep/prepare.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 1 << 10, UNITS = 8 * SIZE };
static temporary place;
static int prepared, refused;

typedef struct units {
    char text[UNITS];
    size_t size, count;
} units;

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    snprintf(place.directory, sizeof place.directory, "/dev/shm/seqtrain-test-XXXXXX");
    if (!mkdtemp(place.directory)) temporary_create(&place); // on a disk it takes seconds
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static seq_status add(void *context, const char *text, size_t size, size_t count,
                      seq_error *error) {
    units *out = context;
    (void)error;
    assert_true(out->size + size * count + count <= UNITS);
    for (size_t i = 0; i < count; i++, text += size) {
        memcpy(out->text + out->size, text, size);
        out->size += size;
        out->text[out->size++] = '\xFE'; // no character
    }
    out->count += count;
    return SEQ_OK;
}

static seq_status tokenize(const seq_text_rules *rules, const char *text, size_t size, units *out,
                           seq_error *error) {
    seq_tokenizer *tokenizer = NULL;
    *error = (seq_error){0};
    out->size = out->count = 0;
    assert_int_equal(seq_tokenizer_create(rules, add, out, &tokenizer, error), SEQ_OK);
    seq_status status = seq_tokenizer_feed(tokenizer, text, size, error);
    if (!status) status = seq_tokenizer_end(tokenizer, error);
    seq_tokenizer_destroy(tokenizer);
    return status;
}

static uint32_t draw(uint32_t round, uint32_t i) {
    uint32_t words[4];
    seq_random_words((seq_random_key){12, SEQ_RANDOM_TEST}, round, i, 0, words);
    return words[0];
}

// Any bytes; bytes that mean something; or text with little that is odd in it.
static size_t make_text(uint32_t round, char *text) {
    static const char likely[] = "a B<\n\r\t.\\\x85\xC2\xC3\xA9\xCC\x81\xE2\x80\xA8\xEF\xBB\xBF"
                                 "\xF0\x9F\x98\x80\xFF\x7F\x1B\x0B\x0C\0eos>unk";
    static const char plain[] = "etaoin shrdlu\n\"'\\,.ETA\r\t<eos> <unk> ";
    size_t size = 1 + draw(round, SIZE) % (round % 5 ? 200 : SIZE);
    uint32_t kind = draw(round, SIZE + 2) % 3;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t number = draw(round, i);
        text[i] = kind == 0   ? (char)number
                  : kind == 1 ? likely[number % (sizeof likely - 1)]
                              : plain[number % (sizeof plain - 1)];
    }
    return size;
}

static void check_decoded(const seq_vocabulary *vocabulary, const int32_t *ids, size_t count,
                          const char *text, size_t size) {
    static char decoded[UNITS];
    size_t used = 0, again = 0;
    seq_detokenizer decoder = {0};
    seq_error error = {0};
    int32_t *encoded = NULL;
    const seq_text_rules *rules = seq_vocabulary_rules(vocabulary);
    for (size_t i = 0; i < count; i++)
        used += seq_detokenize(&decoder, vocabulary, ids[i], decoded + used, UNITS - used);
    if (rules->unit == SEQ_UNIT_BYTE && rules->eos == SEQ_EOS_NONE) {
        assert_int_equal(used, size);
        assert_memory_equal(decoded, text, size);
    }
    // An <eos> reads as a line end; behind a document it is no unit of the text.
    if (rules->eos == SEQ_EOS_DOCUMENT || rules->unit == SEQ_UNIT_WORD) return;
    if (seq_vocabulary_encode(vocabulary, decoded, used, false, "decoded", &encoded, &again,
                              &error))
        fail_msg("%s", error.text);
    assert_int_equal(again, count);
    assert_memory_equal(encoded, ids, count * sizeof *ids);
    free(encoded);
}

// Unit by unit, each ended by 0xFE.
static void check_units(const units *expected, const units *found, bool cut) {
    const char *a = expected->text, *b = found->text;
    assert_int_equal(found->count, expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        size_t size = strcspn(a, "\xFE"), other = strcspn(b, "\xFE");
        if (*a == 0) size += 1 + strcspn(a + 1, "\xFE"); // the byte NUL
        if (*b == 0) other += 1 + strcspn(b + 1, "\xFE");
        if (*a == '\xFE') size = 1; // the byte that ends units
        if (*b == '\xFE') other = 1;
        bool same = size == other && memcmp(a, b, size) == 0,
             unknown = cut && other == 5 && memcmp(b, "<unk>", 5) == 0;
        if (!same && !unknown) fail_msg("unit %zu differs", i);
        a += size + 1;
        b += other + 1;
    }
}

static void check_data_set(const seq_prepare *plan, const units *expected, const char *text,
                           size_t size) {
    static units found;
    static int32_t ids[UNITS];
    seq_dataset *dataset = NULL;
    seq_error error = {0};
    if (seq_dataset_open(plan->output, &dataset, &error) || seq_dataset_verify(dataset, &error))
        fail_msg("%s", error.text);
    const seq_vocabulary *vocabulary = seq_dataset_vocabulary(dataset);
    found.size = found.count = 0;
    for (seq_split split = SEQ_TRAIN; split < SEQ_TEST; split++) {
        size_t count = (size_t)seq_dataset_tokens(dataset, split), begin = found.count;
        assert_true(begin + count <= UNITS);
        if (seq_dataset_read(dataset, split, 0, count, ids + begin, &error))
            fail_msg("%s", error.text);
        for (size_t i = 0; i < count; i++) {
            size_t length;
            const char *unit = seq_vocabulary_text(vocabulary, ids[begin + i], &length);
            add(&found, unit, length, 1, &error);
        }
    }
    bool cut = plan->min_count > 1 || plan->max_vocabulary || plan->valid_fraction > 0;
    check_units(expected, &found, cut);
    if (!cut) check_decoded(vocabulary, ids, found.count, text, size);
    seq_dataset_close(dataset);
}

static void check(uint32_t round, const seq_text_rules *rules) {
    const uint32_t again = draw(round, SIZE + 4);
    static units expected;
    static char text[SIZE];
    char input[200], output[200];
    const char *inputs[] = {input};
    seq_error error = {0}, reason = {0};
    size_t size = make_text(round, text);
    snprintf(input, sizeof input, "%s", temporary_path(&place, "input"));
    snprintf(output, sizeof output, "%s", temporary_path(&place, "output"));
    unlink(input); // a file that is overwritten goes to the disk at once
    write_bytes(input, text, size);
    const seq_prepare plan = {.rules = *rules,
                              .output = output,
                              .inputs = inputs,
                              .input_count = 1,
                              .as_is = draw(round, SIZE + 3) % 2,
                              .force = true,
                              .valid_fraction = again % 4 == 1 ? 0.2 : 0,
                              .min_count = again % 4 == 2 ? 3 : 1,
                              .max_vocabulary = again % 4 == 3 ? 5 : 0,
                              .shard_tokens = 1000,
                              .threads = 1,
                              .pipeline = {SEQ_COMPRESS_ZSTD, 1}};
    seq_status wanted = tokenize(rules, text, size, &expected, &reason);
    seq_status status = seq_prepare_run(&plan, &error);
    if (!status) {
        prepared++;
        assert_int_equal(wanted, SEQ_OK);
        check_data_set(&plan, &expected, text, size);
        return;
    }
    refused++;
    bool limits = strstr(error.text, "--min-count") || strstr(error.text, "--max-vocab");
    assert_int_equal(status, limits ? SEQ_BAD_USAGE : SEQ_BAD_INPUT);
    bool form = !plan.as_is && strstr(error.text, ", not text"),
         empty = wanted == SEQ_OK && expected.count == 0 && strstr(error.text, "no units"),
         invalid = wanted == SEQ_BAD_INPUT && rules->invalid == SEQ_INVALID_ERROR;
    bool few = strstr(error.text, "too few for these splits") ||
               strstr(error.text, "leaves an empty vocabulary");
    if (!form && !empty && !invalid && !few && !limits) fail_msg("round %u: %s", round, error.text);
}

static void every_data_set_is_read(void **state) {
    (void)state;
    enum { ROUNDS = 2 };
    uint32_t round = 0;
    for (int again = 0; again < ROUNDS; again++)
        for (int unit = SEQ_UNIT_BYTE; unit <= SEQ_UNIT_WORD; unit++)
            for (int invalid = SEQ_INVALID_ERROR; invalid <= SEQ_INVALID_REPLACE; invalid++)
                for (int eos = SEQ_EOS_NONE; eos <= SEQ_EOS_DOCUMENT; eos++)
                    for (int punctuation = 0; punctuation <= SEQ_PUNCTUATION_DROP; punctuation++) {
                        uint32_t flags = draw(round, SIZE + 1);
                        const seq_text_rules rules = {.unit = (seq_unit)unit,
                                                      .invalid = (seq_invalid)invalid,
                                                      .eos = (seq_eos)eos,
                                                      .punctuation = (seq_punctuation)punctuation,
                                                      .lower = flags & 1,
                                                      .nfc = flags & 2};
                        check(round++, &rules);
                    }
    print_message("%d data sets, %d texts refused\n", prepared, refused);
    assert_true(prepared > 2 * refused);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_data_set_is_read)};
    return cmocka_run_group_tests(tests, begin, end);
}
