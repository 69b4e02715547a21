// Pairs of texts from two files of lines: the first byte says how texts are taken,
// the rest up to a byte 0xFE are the sources, the others the targets. Texts must
// not grow when references to characters are resolved, and an end must come for
// both sides at once. Checks src/prep/items/item_pairs.c and unescape.c; run by
// tests/fault/fuzz.sh and tests/fuzz/run.sh.
#include "fuzz.h"
#include "byte_memory.h"
#include "items/item_pairs.h"
#include <assert.h>
#include <stdlib.h>

static void take(const seq_item *item, bool unescape, seq_pair_text *text, seq_error *error) {
    const seq_item_field *fields[2];
    fuzz_check(seq_pair_find(item, fields, error), error);
    for (int side = 0; side < 2; side++) {
        fuzz_check(seq_pair_text_take(text, fields[side]->values, unescape, error), error);
        assert(text->size <= fields[side]->values->size && text->bytes[text->size] == '\0');
        assert(unescape || text->size == fields[side]->values->size);
        seq_pair_text_is_blank(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    const uint8_t flags = *data++, *cut = memchr(data, 0xFE, --size);
    size_t first = cut ? (size_t)(cut - data) : size;
    byte_memory memories[2] = {{data, first, 0, flags & 2 ? 5 : 4096},
                               {cut ? cut + 1 : data, cut ? size - first - 1 : 0, 0, 7}};
    const seq_byte_stream streams[2] = {{byte_memory_read, &memories[0]},
                                        {byte_memory_read, &memories[1]}};
    const seq_reader_settings settings = {
        .reader = "lines", .unlabelled = true, .blank_items = true, .any_bytes = flags & 4};
    seq_pair_lines pairs = {.names = {"one", "other"}};
    seq_pair_text text = {0};
    seq_item item;
    seq_error error = {0};
    bool more = true;
    seq_status status = SEQ_OK;
    for (int side = 0; !status && side < 2; side++)
        status = seq_reader_open(&settings, &streams[side], pairs.names[side], &pairs.readers[side],
                                 &error);
    while (!status && more) {
        status = seq_pair_lines_next(&pairs, &item, &more, &error);
        assert(status || pairs.lines[0] == pairs.lines[1]);
        if (!status && more) take(&item, flags & 1, &text, &error);
    }
    fuzz_check(status, &error);
    seq_reader_close(pairs.readers[0]);
    seq_reader_close(pairs.readers[1]);
    free(text.bytes);
    return 0;
}
