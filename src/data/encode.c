// Text -> ids for primes and sentences, ids -> text for samples.
// What is not text, or not in the vocabulary, is told with its byte offset, in words that fit to
// any program: seqprep's options for bad text are not theirs. Tested by
// tests/unit/data/test_vocabulary.c and tests/cli/advice.sh.
#include <seqtrain/data/tokenizer.h>
#include "vocabulary_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef struct encoding {
    const seq_vocabulary *vocabulary;
    const char *what, *text; // what is encoded
    size_t size;
    int32_t *ids;
    size_t count, capacity;
} encoding;

typedef struct cutters {
    seq_subword_cutter *subword; // NULL: the tokenizer's units are units
    seq_tokenizer *tokenizer;
} cutters;

// A character's first appearance is this one; a word may stand inside another before.
static seq_status refuse_unknown(const encoding *encoding, const char *text, size_t size,
                                 seq_error *error) {
    char unit[80], place[48] = "";
    const char *at = encoding->vocabulary->rules.unit == SEQ_UNIT_CHAR
                         ? memmem(encoding->text, encoding->size, text, size)
                         : NULL;
    if (at) snprintf(place, sizeof place, ", byte offset %zu", (size_t)(at - encoding->text));
    seq_escape(text, size, false, unit, sizeof unit);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s%s: '%s' is not in the vocabulary, which has no <unk>", encoding->what,
                         place, unit);
}

// Of a vocabulary that reads UTF-8 and replaces nothing.
static seq_status check_text(const encoding *encoding, seq_error *error) {
    const seq_text_rules *rules = &encoding->vocabulary->rules;
    if (rules->unit == SEQ_UNIT_BYTE || rules->invalid == SEQ_INVALID_REPLACE) return SEQ_OK;
    size_t bad = seq_utf8_invalid(encoding->text, encoding->size);
    const char *nul = memchr(encoding->text, '\0', bad);
    if (nul)
        return seq_error_set(error, SEQ_BAD_INPUT, "%s, byte offset %zu: a NUL byte is not text",
                             encoding->what, (size_t)(nul - encoding->text));
    if (bad < encoding->size)
        return seq_error_set(
            error, SEQ_BAD_INPUT,
            "%s, byte offset %zu: byte 0x%02x is not UTF-8, which this model reads", encoding->what,
            bad, (unsigned char)encoding->text[bad]);
    return SEQ_OK;
}

static seq_status take_one(encoding *encoding, const char *text, size_t size, seq_error *error) {
    int id = seq_vocabulary_find_or_unk(encoding->vocabulary, text, size);
    if (id == SEQ_NO_ID) return refuse_unknown(encoding, text, size, error);
    seq_status status = seq_grow(&encoding->ids, &encoding->capacity, encoding->count + 1,
                                 sizeof *encoding->ids, "encoded text", error);
    if (!status) encoding->ids[encoding->count++] = id;
    return status;
}

static seq_status take(void *context, const char *text, size_t size, size_t count,
                       seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = take_one(context, text + i * size, size, error);
    return status;
}

static seq_status create_cutters(encoding *encoding, cutters *out, seq_error *error) {
    const seq_vocabulary *vocabulary = encoding->vocabulary;
    seq_text_rules rules = vocabulary->rules;
    seq_status status = SEQ_OK;
    if (rules.long_words == SEQ_LONG_ERROR) rules.long_words = SEQ_LONG_UNK; // it is unknown
    if (vocabulary->subword)
        status = seq_subword_cutter_for(vocabulary, take, encoding, &out->subword, error);
    if (status) return status;
    return out->subword ? seq_tokenizer_create(&rules, seq_subword_take, out->subword,
                                               &out->tokenizer, error)
                        : seq_tokenizer_create(&rules, take, encoding, &out->tokenizer, error);
}

seq_status seq_vocabulary_encode(const seq_vocabulary *vocabulary, const char *text, size_t size,
                                 bool with_eos, const char *what, int32_t **out_ids,
                                 size_t *out_count, seq_error *error) {
    encoding encoding = {.vocabulary = vocabulary, .what = what, .text = text, .size = size};
    cutters cutters = {0};
    seq_status status = check_text(&encoding, error);
    if (!status) status = create_cutters(&encoding, &cutters, error);
    if (!status) {
        seq_tokenizer_begin(cutters.tokenizer, (seq_text_place){.name = what, .line = 1});
        status = seq_tokenizer_feed(cutters.tokenizer, text, size, error);
        if (!status) status = seq_tokenizer_flush(cutters.tokenizer, error);
    }
    if (!status && with_eos && vocabulary->eos != SEQ_NO_ID)
        status = take_one(&encoding, seq_eos_text, strlen(seq_eos_text), error);
    seq_tokenizer_destroy(cutters.tokenizer);
    seq_subword_cutter_destroy(cutters.subword);
    if (status) {
        free(encoding.ids);
        return status;
    }
    *out_ids = encoding.ids;
    *out_count = encoding.count;
    return SEQ_OK;
}

// The category of a token that is one mark of punctuation split off its word.
static utf8proc_category_t mark_category(const seq_vocabulary *vocabulary, int id) {
    size_t size;
    utf8proc_int32_t point;
    const char *text = seq_vocabulary_text(vocabulary, id, &size);
    if (vocabulary->rules.punctuation != SEQ_PUNCTUATION_SPLIT) return UTF8PROC_CATEGORY_CN;
    utf8proc_ssize_t length =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, &point);
    return length == (utf8proc_ssize_t)size ? utf8proc_category(point) : UTF8PROC_CATEGORY_CN;
}

static bool closes(utf8proc_category_t category) {
    return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF ||
           category == UTF8PROC_CATEGORY_PO;
}

static bool opens(utf8proc_category_t category) {
    return category == UTF8PROC_CATEGORY_PS || category == UTF8PROC_CATEGORY_PI;
}

// Whether a token is a part of a word with more behind it.
static bool goes_on(const seq_vocabulary *vocabulary, int id) {
    size_t size;
    const char *text = seq_vocabulary_text(vocabulary, id, &size);
    return vocabulary->rules.unit == SEQ_UNIT_SUBWORD && seq_subword_continues(text, &size);
}

static bool needs_blank(const seq_detokenizer *decoder, const seq_vocabulary *vocabulary, int id) {
    int previous = decoder->previous - 1;
    if (vocabulary->rules.unit < SEQ_UNIT_WORD || previous < 0 || previous == vocabulary->eos ||
        id == vocabulary->eos || goes_on(vocabulary, previous))
        return false;
    return !closes(mark_category(vocabulary, id)) && !opens(mark_category(vocabulary, previous));
}

size_t seq_detokenize(seq_detokenizer *decoder, const seq_vocabulary *vocabulary, int id, char *out,
                      size_t capacity) {
    size_t size, used = 0;
    const char *text = seq_vocabulary_text(vocabulary, id, &size);
    if (vocabulary->rules.unit == SEQ_UNIT_SUBWORD) seq_subword_continues(text, &size);
    if (id == vocabulary->eos) {
        text = "\n";
        size = 1;
    }
    if (needs_blank(decoder, vocabulary, id)) out[used++] = ' ';
    if (size > capacity - used) { // cut at a character's start
        size = capacity - used;
        while (size && ((unsigned char)text[size] & 0xC0) == 0x80)
            size--;
    }
    memcpy(out + used, text, size);
    decoder->previous = id + 1;
    return used + size;
}
