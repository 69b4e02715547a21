// A vocabulary is a table of types with rules: the id of a token is its number
// in the table. <unk> and <eos> are recognised by their texts as they are
// appended. Invariant: ids count up from 0 without gaps, and no text stands
// twice. Tests: tests/unit/data/test_vocabulary.c,
// tests/fuzz/fuzz_vocabulary.c.
#include "vocabulary_private.h"
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKENS = 1 << 24 };

seq_status seq_vocabulary_create(const seq_text_rules *rules, seq_vocabulary **out,
                                 seq_error *error) {
    seq_vocabulary *vocabulary = NULL;
    seq_status status = seq_allocate(&vocabulary, 1, sizeof *vocabulary, "a vocabulary", error);
    if (status) return status;
    vocabulary->rules = *rules;
    vocabulary->unk = vocabulary->eos = SEQ_NO_ID;
    *out = vocabulary;
    return SEQ_OK;
}

void seq_vocabulary_destroy(seq_vocabulary *vocabulary) {
    if (vocabulary) {
        seq_string_table_clear(&vocabulary->types);
        seq_subword_destroy(vocabulary->subword);
    }
    free(vocabulary);
}

static bool is_text(const char *text, size_t size, const char *expected) {
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

seq_status seq_vocabulary_append(seq_vocabulary *vocabulary, const char *text, size_t size,
                                 int64_t count, seq_error *error) {
    size_t id = vocabulary->types.count, number;
    if (id >= MAX_TOKENS)
        return seq_error_set(error, SEQ_BAD_INPUT, "a vocabulary of more than %d tokens",
                             MAX_TOKENS);
    seq_status status = seq_string_table_add(&vocabulary->types, text, size, &number, error);
    if (status) return status;
    if (number != id)
        return seq_error_set(error, SEQ_BAD_INPUT, "token %.40s stands twice in the vocabulary",
                             text);
    vocabulary->types.items[id].count = count;
    if (is_text(text, size, seq_unk_text)) vocabulary->unk = (int)id;
    if (is_text(text, size, seq_eos_text)) vocabulary->eos = (int)id;
    if (vocabulary->rules.unit == SEQ_UNIT_CHAR &&
        (is_text(text, size, "\r") || is_text(text, size, "\xC2\x85")))
        vocabulary->rules.keeps_carriage = true;
    return SEQ_OK;
}

const seq_text_rules *seq_vocabulary_rules(const seq_vocabulary *vocabulary) {
    return &vocabulary->rules;
}

void seq_vocabulary_set_subword(seq_vocabulary *vocabulary, seq_subword *subword) {
    vocabulary->subword = seq_subword_share(subword);
}

seq_subword *seq_vocabulary_subword(const seq_vocabulary *vocabulary) {
    return vocabulary->subword;
}

seq_status seq_subword_cutter_for(const seq_vocabulary *vocabulary, seq_unit_sink sink,
                                  void *context, seq_subword_cutter **out, seq_error *error) {
    return seq_subword_cutter_create(vocabulary->subword, &vocabulary->types, 0, sink, context, out,
                                     error);
}

int seq_vocabulary_size(const seq_vocabulary *vocabulary) {
    return (int)vocabulary->types.count;
}

int seq_vocabulary_unk(const seq_vocabulary *vocabulary) {
    return vocabulary->unk;
}

int seq_vocabulary_eos(const seq_vocabulary *vocabulary) {
    return vocabulary->eos;
}

const char *seq_vocabulary_text(const seq_vocabulary *vocabulary, int id, size_t *size) {
    if (size) *size = vocabulary->types.items[id].size;
    return seq_string_table_text(&vocabulary->types, (size_t)id);
}

int64_t seq_vocabulary_count(const seq_vocabulary *vocabulary, int id) {
    return vocabulary->types.items[id].count;
}

int seq_vocabulary_find(const seq_vocabulary *vocabulary, const char *text, size_t size) {
    size_t number = seq_string_table_find(&vocabulary->types, text, size);
    return number == SIZE_MAX ? SEQ_NO_ID : (int)number;
}

int seq_vocabulary_find_or_unk(const seq_vocabulary *vocabulary, const char *text, size_t size) {
    int id = seq_vocabulary_find(vocabulary, text, size);
    return id == SEQ_NO_ID ? vocabulary->unk : id;
}

int64_t seq_count_points(const char *text, size_t size) {
    int64_t points = 0;
    for (size_t i = 0; i < size; i++)
        points += ((unsigned char)text[i] & 0xC0) != 0x80;
    return points;
}

int64_t seq_unit_characters(seq_unit unit, const char *text, size_t size) {
    if (unit == SEQ_UNIT_BYTE) return 1;
    bool blank =
        unit == SEQ_UNIT_WORD || (unit == SEQ_UNIT_SUBWORD && !seq_subword_continues(text, &size));
    return seq_count_points(text, size) + blank;
}

int seq_vocabulary_characters(const seq_vocabulary *vocabulary, int id) {
    size_t size;
    const char *text = seq_vocabulary_text(vocabulary, id, &size);
    return id == vocabulary->eos ? 1 : (int)seq_unit_characters(vocabulary->rules.unit, text, size);
}
