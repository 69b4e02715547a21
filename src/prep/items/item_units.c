// Fields -> units. Texts go through the tokenizer that a language model's corpus
// goes through. Tokens of a list pass it in characters, so lower case and normal
// forms are the same and a blank inside a token is not an end. k-mers are slices
// of the letters. Where letters stand beside words, a unit is cut with its case
// and a word made of it later. Tests: tests/unit/prep/test_item_units.c.
#include <seqtrain/prep/item_units.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

// A token that is being normalised.
typedef struct normal_form {
    seq_tokenizer *tokenizer; // into characters
    char *bytes;
    size_t size, capacity;
} normal_form;

struct seq_item_cutter {
    seq_item_rules rules; // text.lower: that of units
    seq_unit_sink sink;
    void *context;
    seq_tokenizer *texts;
    normal_form token, word; // of a list's token; of a cased unit, without tokenizer: none is
};

seq_status seq_item_rules_write(const seq_item_rules *rules, seq_record *record, seq_error *error) {
    seq_status status = SEQ_OK;
    if (rules->kmer) status = seq_record_set_integer(record, "kmer", rules->kmer, error);
    if (!status && rules->kmer)
        status = seq_record_set_integer(record, "stride", rules->stride, error);
    if (!status && rules->max_length)
        status = seq_record_set_integer(record, "max_length", rules->max_length, error);
    if (!status && rules->max_length)
        status = seq_record_set_integer(record, "overlap", rules->overlap, error);
    if (!status && rules->unescape) status = seq_record_set_integer(record, "unescape", 1, error);
    return status;
}

seq_status seq_item_rules_read(seq_item_rules *out, const seq_record *record, seq_error *error) {
    int64_t kmer = 0, stride = 0, unescape = 0;
    seq_status status = SEQ_OK;
    if (seq_record_text(record, "kmer")) {
        status = seq_record_get_integer(record, "kmer", 1, 32, &kmer, error);
        if (!status) status = seq_record_get_integer(record, "stride", 1, 32, &stride, error);
    }
    if (!status && seq_record_text(record, "max_length")) {
        status =
            seq_record_get_integer(record, "max_length", 1, INT32_MAX, &out->max_length, error);
        if (!status)
            status = seq_record_get_integer(record, "overlap", 0, out->max_length - 1,
                                            &out->overlap, error);
    }
    if (!status && seq_record_text(record, "unescape"))
        status = seq_record_get_integer(record, "unescape", 0, 1, &unescape, error);
    out->unescape = unescape != 0;
    out->kmer = (int)kmer;
    out->stride = (int)stride;
    return status;
}

bool seq_item_takes_any_bytes(const seq_item_rules *rules) {
    return rules->text.unit == SEQ_UNIT_BYTE || rules->text.invalid;
}

const seq_item_field *seq_item_find_input(const seq_item *item) {
    const seq_item_field *token = seq_item_find(item, "token"), *text = seq_item_find(item, "text");
    return token ? token : text ? text : seq_item_find(item, "source");
}

static seq_status keep_characters(void *context, const char *text, size_t size, size_t count,
                                  seq_error *error) {
    normal_form *form = context;
    seq_status status =
        seq_grow(&form->bytes, &form->capacity, form->size + size * count + 1, 1, "a token", error);
    if (status) return status;
    memcpy(form->bytes + form->size, text, size * count);
    form->size += size * count;
    return SEQ_OK;
}

seq_status seq_item_cutter_create(const seq_item_rules *rules, seq_unit_sink sink, void *context,
                                  seq_item_cutter **out, seq_error *error) {
    seq_item_cutter *cutter = NULL;
    bool lowers = rules->cased && rules->text.lower;
    seq_text_rules characters = rules->text;
    characters.unit = SEQ_UNIT_CHAR;
    seq_status status = seq_allocate(&cutter, 1, sizeof *cutter, "cutting items", error);
    if (status) return status;
    cutter->rules = *rules;
    cutter->sink = sink;
    cutter->context = context;
    if (lowers)
        status = seq_tokenizer_create(&characters, keep_characters, &cutter->word,
                                      &cutter->word.tokenizer, error);
    cutter->rules.text.lower = characters.lower = rules->text.lower && !rules->cased;
    if (!status)
        status = seq_tokenizer_create(&cutter->rules.text, sink, context, &cutter->texts, error);
    if (!status)
        status = seq_tokenizer_create(&characters, keep_characters, &cutter->token,
                                      &cutter->token.tokenizer, error);
    if (status)
        seq_item_cutter_destroy(cutter);
    else
        *out = cutter;
    return status;
}

void seq_item_cutter_destroy(seq_item_cutter *cutter) {
    if (!cutter) return;
    seq_tokenizer_destroy(cutter->texts);
    seq_tokenizer_destroy(cutter->token.tokenizer);
    seq_tokenizer_destroy(cutter->word.tokenizer);
    free(cutter->token.bytes);
    free(cutter->word.bytes);
    free(cutter);
}

static seq_status pass(seq_tokenizer *tokenizer, const char *file, const seq_value *value,
                       seq_error *error) {
    seq_tokenizer_begin(tokenizer, (seq_text_place){.name = file,
                                                    .line = value->line,
                                                    .offset = value->column ? value->column - 1 : 0,
                                                    .inside = true});
    seq_status status = seq_tokenizer_feed(tokenizer, value->bytes, value->size, error);
    return status ? status : seq_tokenizer_flush(tokenizer, error);
}

static seq_status cut_token(seq_item_cutter *cutter, const char *file, const seq_value *value,
                            seq_error *error) {
    const seq_text_rules *rules = &cutter->rules.text;
    if (memchr(value->bytes, '\n', value->size))
        return seq_item_refuse(file, value->line, value->column, error, "a token holds a line end");
    if ((!rules->lower && !rules->nfc) || !value->size)
        return cutter->sink(cutter->context, value->bytes, value->size, 1, error);
    normal_form *form = &cutter->token;
    form->size = 0;
    seq_status status = pass(form->tokenizer, file, value, error);
    return status ? status : cutter->sink(cutter->context, form->bytes, form->size, 1, error);
}

seq_status seq_item_word(seq_item_cutter *cutter, const char *unit, size_t size, const char **out,
                         size_t *out_size, seq_error *error) {
    normal_form *form = &cutter->word;
    const seq_value value = {.bytes = unit, .size = size};
    *out = unit;
    *out_size = size;
    if (!form->tokenizer || !size) return SEQ_OK;
    form->size = 0;
    seq_status status = pass(form->tokenizer, "a word", &value, error);
    *out = form->bytes;
    *out_size = form->size;
    return status;
}

static seq_status cut_letters(seq_item_cutter *cutter, const char *file, const seq_value *value,
                              seq_error *error) {
    const seq_item_rules *rules = &cutter->rules;
    seq_status status = SEQ_OK;
    for (size_t i = 0; i < value->size; i++)
        if (value->bytes[i] <= ' ' || value->bytes[i] > '~')
            return seq_item_refuse(
                file, value->line, value->column ? value->column + (int64_t)i : 0, error,
                "--kmer: byte 0x%02x is no letter of a sequence", (unsigned char)value->bytes[i]);
    for (size_t at = 0; !status && at + (size_t)rules->kmer <= value->size;
         at += (size_t)rules->stride)
        status = cutter->sink(cutter->context, value->bytes + at, (size_t)rules->kmer, 1, error);
    return status;
}

seq_status seq_item_cut(seq_item_cutter *cutter, const char *file, const seq_item_field *field,
                        seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < field->count; i++) {
        const seq_value *value = &field->values[i];
        if (field->list)
            status = cut_token(cutter, file, value, error);
        else if (cutter->rules.kmer)
            status = cut_letters(cutter, file, value, error);
        else
            status = pass(cutter->texts, file, value, error);
    }
    return status;
}

const char *seq_item_next_letter(const char *at, const char *end) {
    do
        at++;
    while (at < end && ((unsigned char)*at & 0xC0) == 0x80);
    return at;
}

seq_status seq_item_spell(const seq_vocabulary *letters, const char *unit, size_t size,
                          int32_t **ids, size_t *count, size_t *capacity, seq_error *error) {
    const char *end = unit + size;
    seq_status status = seq_grow(ids, capacity, *count + size + 1, sizeof **ids, "an item", error);
    while (!status && unit < end) {
        const char *next = seq_item_next_letter(unit, end);
        (*ids)[(*count)++] = seq_vocabulary_find_or_unk(letters, unit, (size_t)(next - unit));
        unit = next;
    }
    return status;
}

int64_t seq_item_windows(const seq_item_rules *rules, int64_t length) {
    if (!rules->max_length || length <= rules->max_length) return 1;
    int64_t step = rules->max_length - rules->overlap;
    return 1 + (length - rules->max_length + step - 1) / step;
}

void seq_item_window(const seq_item_rules *rules, int64_t length, int64_t window,
                     int64_t *out_begin, int64_t *out_end) {
    *out_begin = window * (rules->max_length - rules->overlap);
    *out_end = rules->max_length && *out_begin + rules->max_length < length
                   ? *out_begin + rules->max_length
                   : length;
}
