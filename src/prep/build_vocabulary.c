// Types and their counts -> vocabulary: of the training part alone, by falling count, equal counts
// by their bytes; or the one of --vocab, in whose order the types are found again. Tests:
// tests/cli/seqprep.sh, tests/cli/seqprep_text.sh.
#include "prepare_private.h"
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

static seq_status discount_piece(void *context, const uint32_t *numbers, size_t count,
                                 seq_error *error) {
    seq_string_table *types = context;
    (void)error;
    for (size_t i = 0; i < count; i++)
        types->items[numbers[i]].count--;
    return SEQ_OK;
}

seq_status seq_units_discount(seq_unit_stream *stream, seq_unit_range range, seq_error *error) {
    return seq_units_visit(stream, range, discount_piece, &stream->types, error);
}

static bool is_special(const seq_string_table *types, size_t number) {
    const char *text = seq_string_table_text(types, number);
    return strcmp(text, seq_unk_text) == 0 || strcmp(text, seq_eos_text) == 0;
}

typedef struct ranked {
    const char *text;
    size_t number;
    int64_t count;
    uint64_t first; // the text's first bytes, in an order of numbers
} ranked;

static uint64_t first_bytes(const char *text) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | (*text ? (unsigned char)*text++ : 0);
    return value;
}

// Most frequent first, ties by text.
static int compare(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return strcmp(x->text, y->text);
}

static int64_t count_of(const seq_string_table *types, const char *text) {
    size_t number = seq_string_table_find(types, text, strlen(text));
    return number == SIZE_MAX ? 0 : types->items[number].count;
}

static bool occurs(const seq_string_table *types, const char *text) {
    return seq_string_table_find(types, text, strlen(text)) != SIZE_MAX;
}

// Ordinary types of the training part by frequency. *out_left: some type is rarer than --min-count,
// or in the other splits only. The first `letters` types are of the training part in any case.
static seq_status rank_types(const seq_prepare *prepare, const seq_string_table *types,
                             size_t letters, ranked **out, size_t *out_count, bool *out_left,
                             seq_error *error) {
    ranked *items = NULL;
    size_t count = 0;
    seq_status status =
        seq_allocate(&items, types->count, sizeof *items, "the ranking of types", error);
    if (status) return status;
    int64_t least = prepare->min_count > 1 ? prepare->min_count : 1;
    *out_left = false;
    for (size_t number = 0; number < types->count; number++) {
        if (is_special(types, number)) continue;
        const char *text = seq_string_table_text(types, number);
        if (types->items[number].count >= (number < letters ? 0 : least))
            items[count++] = (ranked){text, number, types->items[number].count, first_bytes(text)};
        else
            *out_left = true;
    }
    if (count) qsort(items, count, sizeof *items, compare);
    *out = items;
    *out_count = count;
    return SEQ_OK;
}

static seq_status append_special(seq_vocabulary *vocabulary, const seq_string_table *types,
                                 const char *text, seq_error *error) {
    return seq_vocabulary_append(vocabulary, text, strlen(text), count_of(types, text), error);
}

// Of limits that leave no unit.
static seq_status refuse_limits(const seq_prepare *prepare, size_t count, int least,
                                seq_error *error) {
    if (count == 0)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--min-count %lld: no unit of the training part occurs as often",
                             (long long)prepare->min_count);
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--max-vocab %lld: at least %d, for one unit beside <unk> and <eos>",
                         (long long)prepare->max_vocabulary, least);
}

static seq_status build_from_text(const seq_prepare *prepare, const seq_unit_stream *stream,
                                  seq_vocabulary *vocabulary, seq_error *error) {
    const seq_string_table *types = &stream->types;
    ranked *items = NULL;
    size_t count = 0;
    bool left = false, eos = occurs(types, seq_eos_text);
    seq_status status = rank_types(prepare, types, prepare->min_count > 1 ? 0 : stream->letters,
                                   &items, &count, &left, error);
    if (status) return status;
    size_t limit = prepare->max_vocabulary ? (size_t)prepare->max_vocabulary : SIZE_MAX;
    bool unk = left || occurs(types, seq_unk_text) || count + eos > limit ||
               prepare->rules.unit == SEQ_UNIT_SUBWORD; // for characters that come later
    if (count ? limit < 1 + (size_t)unk + eos : left && prepare->min_count > 1) {
        free(items);
        return refuse_limits(prepare, count, 1 + unk + eos, error);
    }
    size_t ordinary = limit > (size_t)unk + eos ? limit - unk - eos : 0;
    ordinary = count < ordinary ? count : ordinary;
    if (unk) status = append_special(vocabulary, types, seq_unk_text, error);
    if (!status && eos) status = append_special(vocabulary, types, seq_eos_text, error);
    for (size_t i = 0; !status && i < ordinary; i++)
        status = seq_vocabulary_append(vocabulary, items[i].text,
                                       types->items[items[i].number].size, items[i].count, error);
    if (status == SEQ_BAD_INPUT)
        seq_error_add_context(error, "--min-count or --max-vocab is needed");
    free(items);
    return status;
}

static int64_t count_of_byte(const seq_string_table *types, char byte) {
    size_t number = seq_string_table_find(types, &byte, 1);
    return number == SIZE_MAX ? 0 : types->items[number].count;
}

// All 256, in their order, so that every text can be read.
static seq_status build_from_bytes(const seq_string_table *types, seq_vocabulary *vocabulary,
                                   seq_error *error) {
    seq_status status = SEQ_OK;
    for (int byte = 0; !status && byte < SEQ_BYTES; byte++) {
        char text = (char)byte;
        status = seq_vocabulary_append(vocabulary, &text, 1, count_of_byte(types, text), error);
    }
    if (!status && occurs(types, seq_eos_text))
        status = append_special(vocabulary, types, seq_eos_text, error);
    return status;
}

seq_status seq_prepare_reuse(const char *from, seq_vocabulary **out, seq_error *error) {
    char path[SEQ_PATH];
    if (!seq_path_is_directory(from)) return seq_vocabulary_read(from, SEQ_BAD_INPUT, out, error);
    seq_status status = seq_path_join(path, from, "vocabulary.tsv", error);
    return status ? status : seq_vocabulary_read(path, SEQ_BAD_INPUT, out, error);
}

// Counts of types are those of all splits yet.
static seq_status check_coverage(const seq_string_table *types, const seq_vocabulary *vocabulary,
                                 seq_error *error) {
    const char *first = NULL;
    int64_t units = 0, distinct = 0;
    if (seq_vocabulary_unk(vocabulary) != SEQ_NO_ID) return SEQ_OK;
    for (size_t number = 0; number < types->count; number++) {
        const char *text = seq_string_table_text(types, number);
        int64_t count = types->items[number].count;
        if (count &&
            seq_vocabulary_find(vocabulary, text, types->items[number].size) == SEQ_NO_ID) {
            if (!first) first = text;
            units += count;
            distinct++;
        }
    }
    if (!first) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "--vocab: the corpus holds '%.60s', which the vocabulary does not have, "
                         "nor <unk> (in all %lld units, %lld of them distinct); --missing drop "
                         "leaves them out",
                         first, (long long)units, (long long)distinct);
}

seq_status seq_prepare_vocabulary(const seq_prepare *prepare, seq_unit_stream *stream,
                                  const seq_unit_range ranges[SEQ_SPLITS], seq_subword *subword,
                                  seq_vocabulary **out, seq_error *error) {
    seq_vocabulary *vocabulary = *out;
    seq_status status = vocabulary ? check_coverage(&stream->types, vocabulary, error) : SEQ_OK;
    if (!status) status = seq_units_discount(stream, ranges[SEQ_VALID], error);
    if (!status) status = seq_units_discount(stream, ranges[SEQ_TEST], error);
    if (status || vocabulary) return status;
    status = seq_vocabulary_create(&prepare->rules, &vocabulary, error);
    if (!status && subword) seq_vocabulary_set_subword(vocabulary, subword);
    if (!status)
        status = prepare->rules.unit == SEQ_UNIT_BYTE
                     ? build_from_bytes(&stream->types, vocabulary, error)
                     : build_from_text(prepare, stream, vocabulary, error);
    if (!status && seq_vocabulary_size(vocabulary) == 0)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "the training part leaves an empty vocabulary: lower --min-count");
    if (status)
        seq_vocabulary_destroy(vocabulary);
    else
        *out = vocabulary;
    return status;
}
