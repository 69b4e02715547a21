// Text as seqprep meets it: plain, gzip, zstd, xz or bzip2, cut into blocks and
// units. The first byte chooses the rules. A few bytes may unpack to gigabytes,
// so 16 blocks are the most. Checks src/prep/byte_reader.c, text_input.c and
// tokenizer.c; run by tests/fault/fuzz.sh and tests/fuzz/run.sh.
#include "fuzz.h"
#include "text_blocks.h"
#include <seqtrain/base/log.h>

static seq_status count(void *context, const char *text, size_t size, size_t units,
                        seq_error *error) {
    (void)error;
    size_t *sum = context;
    for (size_t i = 0; i < size * units; i++)
        *sum += (unsigned char)text[i];
    return SEQ_OK;
}

static seq_status take(const seq_text_block *block, seq_tokenizer *tokenizer, seq_error *error) {
    const char *bytes = block->bytes;
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < block->part_count; i++) {
        const seq_text_part *part = &block->parts[i];
        if (i || !block->resumes) seq_tokenizer_begin(tokenizer, part->place);
        status = seq_tokenizer_feed(tokenizer, bytes, part->size, error);
        bool torn = block->torn && i + 1 == block->part_count;
        if (!status && part->ends)
            status = seq_tokenizer_end(tokenizer, error);
        else if (!status && !torn)
            status = seq_tokenizer_flush(tokenizer, error);
    }
    return status;
}

static void read_all(const char *path, const seq_text_rules *rules) {
    enum { BLOCKS = 16 }; // a few bytes may unpack to gigabytes
    const seq_byte_reader_rules packing = {.memory = 1 << 24};
    seq_text_blocks input = {0};
    seq_text_block block = {0};
    seq_tokenizer *tokenizer = NULL;
    seq_error error = {0};
    size_t sum = 0;
    seq_status status = seq_text_blocks_begin(&input, rules, &packing, &path, 1, &error);
    if (!status) status = seq_text_block_begin(&block, &error);
    if (!status) status = seq_tokenizer_create(rules, count, &sum, &tokenizer, &error);
    for (int i = 0; !status && i < BLOCKS; i++) {
        status = seq_text_blocks_fetch(&input, &block, &error);
        if (!status && block.part_count == 0) break;
        if (!status) status = take(&block, tokenizer, &error);
    }
    fuzz_check(status, &error);
    seq_tokenizer_destroy(tokenizer);
    seq_text_block_end(&block);
    seq_text_blocks_end(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    seq_text_rules rules = {.unit = (seq_unit)(*data % 3),
                            .punctuation = (seq_punctuation)(*data / 3 % 3),
                            .lower = *data / 9 % 2,
                            .nfc = *data / 18 % 2,
                            .eos = (seq_eos)(*data / 36 % 3),
                            .invalid = (seq_invalid)(*data / 108 % 2),
                            .long_words = SEQ_LONG_UNK};
    fuzz_file file;
    fuzz_file_create(&file, data + 1, size - 1);
    read_all(file.path, &rules);
    fuzz_file_destroy(&file);
    return 0;
}
