// ABC notation: symbols joined are the text, and the unit abc cuts alike; a place
// in the bar does not depend on the pieces; a tune in another key has as many
// symbols and its melody, and moved back it is playable again. Checks
// src/data/abc.c, src/prep/abc_tune.c; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/data/abc.h>
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/prep/abc_tune.h>
#include <stdlib.h>
#include <string.h>

typedef struct joined {
    char *text;
    size_t size, units;
} joined;

static seq_status join(void *context, const char *text, size_t size, size_t count,
                       seq_error *error) {
    joined *out = context;
    (void)error;
    memcpy(out->text + out->size, text, size * count);
    out->size += size * count;
    out->units += count;
    return SEQ_OK;
}

static void check_symbols(const char *text, size_t size) {
    const seq_text_rules rules = {.unit = SEQ_UNIT_ABC, .invalid = SEQ_INVALID_REPLACE};
    joined whole = {.text = malloc(3 * size + 4)}, pieces = {.text = malloc(3 * size + 4)};
    seq_tokenizer *tokenizer = NULL;
    seq_error error = {0};
    assert(whole.text && pieces.text);
    assert(!seq_tokenizer_create(&rules, join, &whole, &tokenizer, &error));
    assert(!seq_tokenizer_feed(tokenizer, text, size, &error));
    assert(!seq_tokenizer_end(tokenizer, &error));
    seq_tokenizer_redirect(tokenizer, "pieces", &pieces);
    seq_tokenizer_begin(tokenizer, (seq_text_place){.name = "pieces", .line = 1});
    for (size_t at = 0; at < size; at += 3)
        assert(!seq_tokenizer_feed(tokenizer, text + at, size - at < 3 ? size - at : 3, &error));
    assert(!seq_tokenizer_end(tokenizer, &error));
    assert(whole.units == pieces.units && whole.size == pieces.size);
    assert(!whole.size || memcmp(whole.text, pieces.text, whole.size) == 0);
    seq_tokenizer_destroy(tokenizer);
    free(whole.text);
    free(pieces.text);
}

static void check_places(const char *text, size_t size) {
    seq_abc_place whole = {0}, pieces = {0};
    char one[SEQ_ABC_PLACE], other[SEQ_ABC_PLACE];
    seq_abc_place_feed(&whole, text, size);
    for (size_t i = 0; i < size; i++) {
        seq_abc_place_text(&pieces, other);
        assert(*other && strlen(other) < SEQ_ABC_PLACE);
        seq_abc_place_feed(&pieces, text + i, 1);
    }
    seq_abc_place_text(&whole, one);
    seq_abc_place_text(&pieces, other);
    assert(strcmp(one, other) == 0);
}

static void check_keys(const char *text, size_t size) {
    seq_abc_survey before, after;
    seq_error error = {0};
    char *moved = NULL;
    size_t moved_size;
    assert(!seq_abc_survey_tune(text, size, &before, &error));
    assert(!seq_abc_transpose(text, size, 2, 2, &moved, &moved_size, &error));
    if (!moved) return;
    assert(strlen(moved) <= moved_size);
    assert(!seq_abc_survey_tune(moved, moved_size, &after, &error));
    assert(before.lowest > before.highest || !before.keyed ||
           (after.highest >= after.lowest && after.keyed));
    free(moved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    if (size > 1 << 16) return 0;
    check_symbols(text, size);
    check_places(text, size);
    check_keys(text, size);
    return 0;
}
