// Pairs of texts, such as translations. Two files are read side by side, line by
// line; a table has both texts in a record. Invariant: a pair never joins lines of
// different numbers, and files of unequal lengths are refused. Tests:
// tests/unit/prep/test_pairs.c, tests/fuzz/fuzz_pairs.c, tests/cli/seqprep_pairs.sh.
#include "item_pairs.h"
#include "unescape.h"
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[2] = {"source", "target"};

// The next line of a side as a field of that side's name.
static seq_status read_side(seq_pair_lines *pairs, int side, bool *out_more, seq_error *error) {
    seq_item line;
    seq_status status = seq_reader_next(pairs->readers[side], &line, out_more, error);
    if (status || !*out_more) return status;
    const seq_item_field *text = seq_item_find(&line, "text");
    pairs->lines[side]++;
    pairs->fields[side] =
        (seq_item_field){.name = names[side], .values = text->values, .count = text->count};
    return SEQ_OK;
}

// Reads the longer side to its end, so that both counts are known.
static seq_status refuse_unequal(seq_pair_lines *pairs, int longer, seq_error *error) {
    bool more = true;
    seq_status status = SEQ_OK;
    while (!status && more)
        status = read_side(pairs, longer, &more, error);
    if (status) return status;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s has %" PRId64 " lines and %s has %" PRId64
                         ": expected as many, line by line a text and its translation",
                         pairs->names[0], pairs->lines[0], pairs->names[1], pairs->lines[1]);
}

seq_status seq_pair_lines_next(seq_pair_lines *pairs, seq_item *item, bool *out_more,
                               seq_error *error) {
    bool more[2] = {false, false};
    seq_status status = read_side(pairs, 0, &more[0], error);
    if (!status) status = read_side(pairs, 1, &more[1], error);
    *out_more = more[0];
    if (!status && more[0] != more[1]) status = refuse_unequal(pairs, more[1], error);
    if (status || !*out_more) return status;
    *item = (seq_item){.fields = pairs->fields,
                       .field_count = 2,
                       .file = pairs->names[0],
                       .line = pairs->lines[0]};
    return SEQ_OK;
}

seq_status seq_pair_find(const seq_item *item, const seq_item_field *out[2], seq_error *error) {
    for (int side = 0; side < 2; side++) {
        out[side] = seq_item_find(item, names[side]);
        if (!out[side])
            return seq_item_refuse(item->file, item->line, 0, error,
                                   "the item has no field '%s' (--columns %s=COLUMN names it)",
                                   names[side], names[side]);
        if (out[side]->list || out[side]->count != 1)
            return seq_item_refuse(item->file, item->line, 0, error,
                                   "field '%s' is a list, expected a text", names[side]);
    }
    return SEQ_OK;
}

seq_status seq_pair_text_take(seq_pair_text *out, const seq_value *value, bool unescape,
                              seq_error *error) {
    seq_status status = seq_grow(&out->bytes, &out->capacity, value->size + 1, 1, "a text", error);
    if (status) return status;
    if (value->size) memcpy(out->bytes, value->bytes, value->size);
    out->size = unescape ? seq_unescape(out->bytes, value->size) : value->size;
    out->bytes[out->size] = '\0';
    for (size_t i = 0; i < out->size; i++)
        if (out->bytes[i] == '\n' || out->bytes[i] == '\r') out->bytes[i] = ' ';
    return SEQ_OK;
}

bool seq_pair_text_is_blank(const seq_pair_text *text) {
    return strspn(text->bytes, " \t\v\f") == text->size;
}
