#include "tokenizer.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
    WORD_LIMIT = 1 << 16,    // bytes: beyond it, a file is no text of words
    SEGMENT_LIMIT = 1 << 14, // bytes of combining sequences kept for normalisation
    FIRST_COMBINING = 0x300, // code points below never combine with one before them
    REPLACEMENT = 0xFFFD,
};

const char seq_eos_text[] = "<eos>";
const char seq_unk_text[] = "<unk>";

struct seq_tokenizer {
    seq_text_rules rules;
    seq_unit_sink sink;
    void *context;
    const char *name;
    int64_t line, offset; // of the next byte, from 1 and from 0
    int64_t replaced;
    unsigned char partial[4]; // of a UTF-8 sequence
    int partial_size, partial_needed;
    bool at_start;  // nothing of the document has been seen: a BOM may come
    bool carriage;  // a CR waits for its LF
    bool line_open; // units since the last line end
    bool any;       // units in this document
    char *word;
    size_t word_size, word_capacity;
    char *segment; // UTF-8 waiting for normalisation
    size_t segment_size, segment_capacity;
};

seq_status seq_tokenizer_create(const seq_text_rules *rules, seq_unit_sink sink, void *context,
                                seq_tokenizer **out, seq_error *error) {
    seq_tokenizer *tokenizer = NULL;
    seq_status status = seq_allocate(&tokenizer, 1, sizeof *tokenizer, "a tokenizer", error);
    if (status) return status;
    tokenizer->rules = *rules;
    tokenizer->sink = sink;
    tokenizer->context = context;
    seq_tokenizer_begin(tokenizer, "text");
    *out = tokenizer;
    return SEQ_OK;
}

void seq_tokenizer_destroy(seq_tokenizer *tokenizer) {
    if (tokenizer) {
        free(tokenizer->word);
        free(tokenizer->segment);
    }
    free(tokenizer);
}

void seq_tokenizer_begin(seq_tokenizer *tokenizer, const char *name) {
    tokenizer->name = name;
    tokenizer->line = 1;
    tokenizer->offset = 0;
    tokenizer->partial_size = 0;
    tokenizer->at_start = true;
    tokenizer->carriage = tokenizer->line_open = tokenizer->any = false;
    tokenizer->word_size = tokenizer->segment_size = 0;
}

int64_t seq_tokenizer_replaced(const seq_tokenizer *tokenizer) {
    return tokenizer->replaced;
}

static seq_status emit(seq_tokenizer *tokenizer, const char *text, size_t size, seq_error *error) {
    tokenizer->line_open = tokenizer->any = true;
    return tokenizer->sink(tokenizer->context, text, size, error);
}

static seq_status emit_eos(seq_tokenizer *tokenizer, seq_error *error) {
    seq_status status = emit(tokenizer, seq_eos_text, strlen(seq_eos_text), error);
    tokenizer->line_open = false;
    return status;
}

static seq_status emit_word(seq_tokenizer *tokenizer, seq_error *error) {
    size_t size = tokenizer->word_size;
    tokenizer->word_size = 0;
    return size ? emit(tokenizer, tokenizer->word, size, error) : SEQ_OK;
}

static seq_status add_to_word(seq_tokenizer *tokenizer, const char *text, size_t size,
                              seq_error *error) {
    if (tokenizer->word_size + size > WORD_LIMIT)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "%s line %lld: a word of more than %d bytes: is this text?",
                             tokenizer->name, (long long)tokenizer->line, WORD_LIMIT);
    seq_status status = seq_grow(&tokenizer->word, &tokenizer->word_capacity,
                                 tokenizer->word_size + size, 1, "a word", error);
    if (status) return status;
    memcpy(tokenizer->word + tokenizer->word_size, text, size);
    tokenizer->word_size += size;
    return SEQ_OK;
}

static seq_status end_line(seq_tokenizer *tokenizer, seq_error *error) {
    if (tokenizer->rules.eos == SEQ_EOS_LINE) return emit_eos(tokenizer, error);
    if (tokenizer->rules.unit == SEQ_UNIT_WORD) return SEQ_OK;
    seq_status status = emit(tokenizer, "\n", 1, error);
    tokenizer->line_open = false;
    return status;
}

// White_Space of Unicode.
static bool is_space(int32_t point) {
    if (point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85) return true;
    utf8proc_category_t category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

static bool is_punctuation(int32_t point) {
    utf8proc_category_t category = utf8proc_category(point);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

static seq_status take_word_point(seq_tokenizer *tokenizer, int32_t point, const char *text,
                                  size_t size, seq_error *error) {
    if (is_space(point)) return emit_word(tokenizer, error);
    if (tokenizer->rules.punctuation == SEQ_PUNCTUATION_KEEP || !is_punctuation(point))
        return add_to_word(tokenizer, text, size, error);
    if (tokenizer->rules.punctuation == SEQ_PUNCTUATION_DROP) return SEQ_OK;
    seq_status status = emit_word(tokenizer, error);
    return status ? status : emit(tokenizer, text, size, error);
}

// A code point after all transformations.
static seq_status take_final(seq_tokenizer *tokenizer, int32_t point, const char *text, size_t size,
                             seq_error *error) {
    bool word = tokenizer->rules.unit == SEQ_UNIT_WORD;
    if (point == '\n') {
        seq_status status = word ? emit_word(tokenizer, error) : SEQ_OK;
        return status ? status : end_line(tokenizer, error);
    }
    return word ? take_word_point(tokenizer, point, text, size, error)
                : emit(tokenizer, text, size, error);
}

static seq_status take_all_final(seq_tokenizer *tokenizer, const char *text, size_t size,
                                 seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t at = 0; !status && at < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(size - at), &point);
        status = take_final(tokenizer, point, text + at, (size_t)length, error);
        at += (size_t)length;
    }
    return status;
}

// One code point below FIRST_COMBINING is its own normal form.
static bool needs_normalisation(const seq_tokenizer *tokenizer) {
    return tokenizer->segment_size > 2 ||
           (tokenizer->segment_size == 2 && (unsigned char)tokenizer->segment[0] < 0x80);
}

static seq_status end_segment(seq_tokenizer *tokenizer, seq_error *error) {
    utf8proc_uint8_t *normal = NULL;
    size_t size = tokenizer->segment_size;
    tokenizer->segment_size = 0;
    if (size == 0) return SEQ_OK;
    tokenizer->segment_size = size;
    bool needed = needs_normalisation(tokenizer);
    tokenizer->segment_size = 0;
    if (!needed) return take_all_final(tokenizer, tokenizer->segment, size, error);
    utf8proc_ssize_t length =
        utf8proc_map((const utf8proc_uint8_t *)tokenizer->segment, (utf8proc_ssize_t)size, &normal,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (length < 0)
        return seq_error_set(error, SEQ_NO_MEMORY, "%s line %lld: normalising: %s", tokenizer->name,
                             (long long)tokenizer->line, utf8proc_errmsg(length));
    seq_status status = take_all_final(tokenizer, (const char *)normal, (size_t)length, error);
    free(normal);
    return status;
}

// A new segment begins where nothing can combine backwards; after SEGMENT_LIMIT bytes at the next
// code point that is no mark.
static bool begins_segment(const seq_tokenizer *tokenizer, int32_t point) {
    if (point < FIRST_COMBINING) return true;
    return tokenizer->segment_size > SEGMENT_LIMIT &&
           utf8proc_get_property(point)->combining_class == 0;
}

static seq_status add_to_segment(seq_tokenizer *tokenizer, const char *text, size_t size,
                                 seq_error *error) {
    seq_status status = seq_grow(&tokenizer->segment, &tokenizer->segment_capacity,
                                 tokenizer->segment_size + size, 1, "a combining sequence", error);
    if (status) return status;
    memcpy(tokenizer->segment + tokenizer->segment_size, text, size);
    tokenizer->segment_size += size;
    return SEQ_OK;
}

static seq_status take_cased(seq_tokenizer *tokenizer, int32_t point, seq_error *error) {
    utf8proc_uint8_t text[4];
    if (tokenizer->rules.lower) point = utf8proc_tolower(point);
    size_t size = (size_t)utf8proc_encode_char(point, text);
    if (!tokenizer->rules.nfc) return take_final(tokenizer, point, (const char *)text, size, error);
    if (begins_segment(tokenizer, point) && end_segment(tokenizer, error)) return error->status;
    return add_to_segment(tokenizer, (const char *)text, size, error);
}

// BOM and CRLF.
static seq_status take_point(seq_tokenizer *tokenizer, int32_t point, seq_error *error) {
    bool start = tokenizer->at_start;
    tokenizer->at_start = false;
    if (start && point == 0xFEFF) return SEQ_OK;
    bool carriage = tokenizer->carriage;
    tokenizer->carriage = point == '\r';
    if (carriage && point != '\n' && take_cased(tokenizer, '\r', error)) return error->status;
    return point == '\r' ? SEQ_OK : take_cased(tokenizer, point, error);
}

static seq_status take_invalid(seq_tokenizer *tokenizer, int64_t offset, unsigned char byte,
                               seq_error *error) {
    tokenizer->replaced++;
    if (tokenizer->rules.invalid == SEQ_INVALID_REPLACE)
        return take_point(tokenizer, REPLACEMENT, error);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s line %lld, byte offset %lld: byte 0x%02x is not UTF-8; convert the "
                         "file, or use --invalid replace, or --unit byte",
                         tokenizer->name, (long long)tokenizer->line, (long long)offset, byte);
}

// Bytes of a sequence by its first one; 0: none begins so.
static int sequence_length(unsigned char byte) {
    if (byte < 0x80) return 1;
    return byte >= 0xC2 && byte < 0xE0   ? 2
           : byte >= 0xE0 && byte < 0xF0 ? 3
           : byte >= 0xF0 && byte < 0xF5 ? 4
                                         : 0;
}

// The second byte excludes overlong forms, surrogates and what is beyond U+10FFFF (Unicode, table
// 3-7).
static bool continues(const seq_tokenizer *tokenizer, unsigned char byte) {
    unsigned char first = tokenizer->partial[0];
    if (tokenizer->partial_size > 1) return byte >= 0x80 && byte < 0xC0;
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return byte >= low && byte <= high;
}

static int32_t decode(const unsigned char *bytes, int size) {
    utf8proc_int32_t point = 0;
    utf8proc_iterate(bytes, size, &point);
    return point;
}

static seq_status flush_partial(seq_tokenizer *tokenizer, seq_error *error) {
    int size = tokenizer->partial_size;
    tokenizer->partial_size = 0;
    return size ? take_invalid(tokenizer, tokenizer->offset - size, tokenizer->partial[0], error)
                : SEQ_OK;
}

static seq_status take_byte(seq_tokenizer *tokenizer, unsigned char byte, seq_error *error) {
    if (tokenizer->partial_size > 0 && !continues(tokenizer, byte) &&
        flush_partial(tokenizer, error))
        return error->status;
    if (tokenizer->partial_size == 0) {
        tokenizer->partial_needed = sequence_length(byte);
        if (tokenizer->partial_needed == 0)
            return take_invalid(tokenizer, tokenizer->offset, byte, error);
    }
    tokenizer->partial[tokenizer->partial_size++] = byte;
    if (tokenizer->partial_size < tokenizer->partial_needed) return SEQ_OK;
    int size = tokenizer->partial_size;
    tokenizer->partial_size = 0;
    return take_point(tokenizer, size == 1 ? byte : decode(tokenizer->partial, size), error);
}

static seq_status take_raw(seq_tokenizer *tokenizer, unsigned char byte, seq_error *error) {
    char text = (char)byte;
    return byte == '\n' ? end_line(tokenizer, error) : emit(tokenizer, &text, 1, error);
}

seq_status seq_tokenizer_feed(seq_tokenizer *tokenizer, const char *bytes, size_t size,
                              seq_error *error) {
    bool raw = tokenizer->rules.unit == SEQ_UNIT_BYTE;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        seq_status status =
            raw ? take_raw(tokenizer, byte, error) : take_byte(tokenizer, byte, error);
        if (status) return status;
        tokenizer->offset++;
        tokenizer->line += byte == '\n';
    }
    return SEQ_OK;
}

seq_status seq_tokenizer_end(seq_tokenizer *tokenizer, bool with_eos, seq_error *error) {
    seq_status status = flush_partial(tokenizer, error);
    if (!status && tokenizer->carriage) status = take_cased(tokenizer, '\r', error);
    tokenizer->carriage = false;
    if (!status) status = end_segment(tokenizer, error);
    if (!status) status = emit_word(tokenizer, error);
    bool open_line = tokenizer->rules.eos == SEQ_EOS_LINE && tokenizer->line_open;
    bool document = tokenizer->rules.eos == SEQ_EOS_DOCUMENT && tokenizer->any;
    if (!status && with_eos && (open_line || document)) status = emit_eos(tokenizer, error);
    return status;
}
