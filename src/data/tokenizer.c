// Bytes -> code points -> lines as they should be. Most bytes are plain (ASCII without NUL and CR)
// and go to the units in stretches, eight looked at at once; the others one by one. The invariant:
// however a text is cut into pieces, the units are the same. Tests: tests/unit/data/
// test_tokenizer.c, test_blocks.c.
#include "tokenizer_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
    SEGMENT_LIMIT = 1 << 14, // bytes of combining sequences kept for normalisation
    FIRST_COMBINING = 0x300, // code points below never combine with one before them
    REPLACEMENT = 0xFFFD,
    NEXT_LINE = 0x85,
    BYTE_ORDER_MARK = 0xFEFF,
    COUNT_SOME = 128, // bytes: a count of them fits into a byte, which compilers vectorise best
};

seq_status seq_tokenizer_create(const seq_text_rules *rules, seq_unit_sink sink, void *context,
                                seq_tokenizer **out, seq_error *error) {
    seq_tokenizer *tokenizer = NULL;
    seq_status status = seq_allocate(&tokenizer, 1, sizeof *tokenizer, "a tokenizer", error);
    if (status) return status;
    tokenizer->rules = *rules;
    if (rules->unit == SEQ_UNIT_SUBWORD) tokenizer->rules.unit = SEQ_UNIT_WORD;
    tokenizer->sink = sink;
    tokenizer->context = context;
    seq_units_classify(tokenizer);
    seq_tokenizer_begin(tokenizer, (seq_text_place){.name = "text", .line = 1});
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

void seq_tokenizer_redirect(seq_tokenizer *tokenizer, const char *name, void *context) {
    tokenizer->name = name;
    tokenizer->context = context;
}

void seq_tokenizer_begin(seq_tokenizer *tokenizer, seq_text_place place) {
    tokenizer->name = place.name;
    tokenizer->line = place.line;
    tokenizer->offset = place.offset;
    tokenizer->piece = NULL;
    tokenizer->at = 0;
    tokenizer->partial_size = 0;
    tokenizer->at_start = !place.inside;
    tokenizer->carriage = false;
    tokenizer->ends = (seq_text_ends){.whole = !place.inside};
    tokenizer->word_size = tokenizer->segment_size = 0;
    tokenizer->inside_line = false;
}

seq_text_ends seq_tokenizer_ends(const seq_tokenizer *tokenizer) {
    return tokenizer->ends;
}

const seq_text_counts *seq_tokenizer_counts(const seq_tokenizer *tokenizer) {
    return &tokenizer->counts;
}

static int64_t count_line_feeds(const char *bytes, size_t size) {
    int64_t lines = 0;
    for (size_t some; size; bytes += some, size -= some) {
        unsigned char here = 0;
        some = size < COUNT_SOME ? size : COUNT_SOME;
        for (size_t i = 0; i < some; i++)
            here = (unsigned char)(here + (bytes[i] == '\n'));
        lines += here;
    }
    return lines;
}

int64_t seq_tokenizer_line(const seq_tokenizer *tokenizer) {
    return tokenizer->line + count_line_feeds(tokenizer->piece, tokenizer->at);
}

static seq_status take_all_final(seq_tokenizer *tokenizer, const char *text, size_t size,
                                 seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t at = 0; !status && at < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(size - at), &point);
        status = seq_units_take_point(tokenizer, point, text + at, (size_t)length, error);
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
                             (long long)seq_tokenizer_line(tokenizer), utf8proc_errmsg(length));
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

// `text` is the point's own.
static seq_status take_cased(seq_tokenizer *tokenizer, int32_t point, const char *text, size_t size,
                             seq_error *error) {
    utf8proc_uint8_t lower[4];
    if (tokenizer->rules.lower) {
        point = utf8proc_tolower(point);
        size = (size_t)utf8proc_encode_char(point, lower);
        text = (const char *)lower;
    }
    if (!tokenizer->rules.nfc) return seq_units_take_point(tokenizer, point, text, size, error);
    if (begins_segment(tokenizer, point) && end_segment(tokenizer, error)) return error->status;
    return add_to_segment(tokenizer, text, size, error);
}

static seq_status take_carriage(seq_tokenizer *tokenizer, seq_error *error) {
    tokenizer->carriage = false;
    if (tokenizer->rules.keeps_carriage) return take_cased(tokenizer, '\r', "\r", 1, error);
    tokenizer->counts.carriages++;
    tokenizer->line++;
    return take_cased(tokenizer, '\n', "\n", 1, error);
}

static bool begins_line(const seq_tokenizer *tokenizer) {
    if (tokenizer->at == 0) return false;
    char before = tokenizer->piece[tokenizer->at - 1];
    return before == '\n' || before == '\r';
}

// BOM and the ends of lines.
static seq_status take_point(seq_tokenizer *tokenizer, int32_t point, const char *text, size_t size,
                             seq_error *error) {
    bool start = tokenizer->at_start;
    tokenizer->at_start = false;
    if (start && point == BYTE_ORDER_MARK) return SEQ_OK;
    if (tokenizer->carriage && point != '\n' && take_carriage(tokenizer, error))
        return error->status;
    tokenizer->counts.crlf += tokenizer->carriage;
    tokenizer->carriage = point == '\r';
    if (point == '\r') return SEQ_OK;
    if (point == NEXT_LINE && !tokenizer->rules.keeps_carriage) {
        tokenizer->counts.next_lines++;
        return take_cased(tokenizer, '\n', "\n", 1, error);
    }
    tokenizer->counts.marks += point == BYTE_ORDER_MARK && begins_line(tokenizer);
    return take_cased(tokenizer, point, text, size, error);
}

static seq_status take_invalid(seq_tokenizer *tokenizer, int64_t offset, unsigned char byte,
                               seq_error *error) {
    tokenizer->counts.replaced++;
    if (tokenizer->rules.invalid == SEQ_INVALID_REPLACE)
        return take_point(tokenizer, REPLACEMENT, "\xEF\xBF\xBD", 3, error);
    if (tokenizer->carriage && !tokenizer->rules.keeps_carriage) tokenizer->line++;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s line %lld, byte offset %lld: byte 0x%02x is %s; convert the "
                         "file, or use --invalid replace, or --unit byte",
                         tokenizer->name, (long long)seq_tokenizer_line(tokenizer),
                         (long long)offset, byte, byte ? "not UTF-8" : "NUL, which no text has");
}

// Bytes of a sequence by its first one; 0: none begins so, and none of a text with NUL.
static int sequence_length(unsigned char byte) {
    if (byte < 0x80) return byte != 0;
    return byte >= 0xC2 && byte < 0xE0   ? 2
           : byte >= 0xE0 && byte < 0xF0 ? 3
           : byte >= 0xF0 && byte < 0xF5 ? 4
                                         : 0;
}

// The second byte excludes overlong forms, surrogates and what is beyond U+10FFFF (Unicode, table
// 3-7).
static bool continues(unsigned char first, int size, unsigned char byte) {
    if (size > 1) return byte >= 0x80 && byte < 0xC0;
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return byte >= low && byte <= high;
}

// Of a valid sequence.
static int32_t decode(const unsigned char *bytes, int size) {
    int32_t point = size == 1 ? bytes[0] : bytes[0] & (0x7F >> size);
    for (int i = 1; i < size; i++)
        point = point << 6 | (bytes[i] & 0x3F);
    return point;
}

static seq_status flush_partial(seq_tokenizer *tokenizer, seq_error *error) {
    int size = tokenizer->partial_size;
    int64_t here = tokenizer->offset + (int64_t)tokenizer->at;
    tokenizer->partial_size = 0;
    return size ? take_invalid(tokenizer, here - size, tokenizer->partial[0], error) : SEQ_OK;
}

static seq_status take_byte(seq_tokenizer *tokenizer, unsigned char byte, seq_error *error) {
    if (tokenizer->partial_size > 0 &&
        !continues(tokenizer->partial[0], tokenizer->partial_size, byte) &&
        flush_partial(tokenizer, error))
        return error->status;
    if (tokenizer->partial_size == 0) {
        tokenizer->partial_needed = sequence_length(byte);
        if (tokenizer->partial_needed == 0)
            return take_invalid(tokenizer, tokenizer->offset + (int64_t)tokenizer->at, byte, error);
    }
    tokenizer->partial[tokenizer->partial_size++] = byte;
    if (tokenizer->partial_size < tokenizer->partial_needed) return SEQ_OK;
    int size = tokenizer->partial_size;
    tokenizer->partial_size = 0;
    return take_point(tokenizer, decode(tokenizer->partial, size), (const char *)tokenizer->partial,
                      (size_t)size, error);
}

// The bytes of a valid sequence that is there as a whole; 0: it is not.
static int whole_sequence(const unsigned char *bytes, size_t left) {
    int length = sequence_length(*bytes);
    if (length == 0 || left < (size_t)length) return 0;
    for (int i = 1; i < length; i++)
        if (!continues(*bytes, i, bytes[i])) return 0;
    return length;
}

static seq_status take_next(seq_tokenizer *tokenizer, size_t size, seq_error *error) {
    const char *text = tokenizer->piece + tokenizer->at;
    const unsigned char *bytes = (const unsigned char *)text;
    int length = tokenizer->partial_size ? 0 : whole_sequence(bytes, size - tokenizer->at);
    seq_status status =
        length ? take_point(tokenizer, decode(bytes, length), text, (size_t)length, error)
               : take_byte(tokenizer, *bytes, error);
    tokenizer->at += (size_t)(length ? length : 1);
    return status;
}

// The end of the ASCII bytes other than NUL and CR from `at` on.
static size_t plain_end(const char *bytes, size_t at, size_t size) {
    const uint64_t each = 0x0101010101010101u, high = 0x80 * each;
    for (uint64_t word; at + 8 <= size; at += 8) {
        memcpy(&word, bytes + at, 8);
        uint64_t carriage = word ^ '\r' * each; // a CR is a zero byte here
        if ((word | (word - each) | ((carriage - each) & ~carriage)) & high) break;
    }
    while (at < size && (signed char)bytes[at] > 0 && bytes[at] != '\r')
        at++;
    return at;
}

// Takes the plain bytes that are next, if any, in one go. What comes behind them may combine with
// the last one.
static seq_status take_plain(seq_tokenizer *tokenizer, size_t size, seq_error *error) {
    if (tokenizer->at_start || tokenizer->carriage || tokenizer->partial_size) return SEQ_OK;
    size_t end = plain_end(tokenizer->piece, tokenizer->at, size);
    if (tokenizer->rules.nfc && end > tokenizer->at) end--;
    if (end == tokenizer->at) return SEQ_OK;
    seq_status status = end_segment(tokenizer, error);
    return status ? status : seq_units_take_plain(tokenizer, end, error);
}

// What a text would have, and bytes keep.
static void note_raw(seq_tokenizer *tokenizer, const char *bytes, size_t size) {
    tokenizer->counts.marks +=
        tokenizer->at_start && size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0;
    tokenizer->at_start = false;
    if (tokenizer->rules.eos == SEQ_EOS_LINE)
        tokenizer->counts.carriages += seq_count_lines(bytes, size) - count_line_feeds(bytes, size);
}

seq_status seq_tokenizer_feed(seq_tokenizer *tokenizer, const char *bytes, size_t size,
                              seq_error *error) {
    seq_status status = SEQ_OK;
    tokenizer->piece = bytes;
    tokenizer->at = 0;
    if (tokenizer->rules.unit == SEQ_UNIT_BYTE) {
        note_raw(tokenizer, bytes, size);
        status = seq_units_take_plain(tokenizer, size, error);
    }
    while (!status && tokenizer->at < size) {
        status = take_plain(tokenizer, size, error);
        if (!status && tokenizer->at < size) status = take_next(tokenizer, size, error);
    }
    if (status) return status;
    int64_t line_feeds = count_line_feeds(bytes, size);
    tokenizer->counts.line_feeds += line_feeds;
    tokenizer->line += line_feeds;
    tokenizer->offset += (int64_t)size;
    tokenizer->piece = NULL;
    tokenizer->at = 0;
    return SEQ_OK;
}

seq_status seq_tokenizer_flush(seq_tokenizer *tokenizer, seq_error *error) {
    seq_status status = flush_partial(tokenizer, error);
    if (!status && tokenizer->carriage) status = take_carriage(tokenizer, error);
    if (!status) status = end_segment(tokenizer, error);
    return status ? status : seq_units_end_word(tokenizer, error);
}

seq_status seq_tokenizer_end(seq_tokenizer *tokenizer, seq_error *error) {
    seq_status status = seq_tokenizer_flush(tokenizer, error);
    return status ? status : seq_units_end_document(tokenizer, error);
}

// Before a blank or line end, and for characters before any that cannot combine with what is before
// it, nothing pends but an incomplete sequence, which is invalid then. A CR may be half a line end.
static bool may_cut(const seq_text_rules *rules, unsigned char before, unsigned char next) {
    if (before == '\r') return false;
    if (rules->unit == SEQ_UNIT_BYTE) return true;
    if (rules->unit == SEQ_UNIT_ABC) return before == '\n' && next != 0xEF;
    if (rules->unit >= SEQ_UNIT_WORD) return next == ' ' || (next >= '\t' && next <= '\r');
    if (before == '\n' && next == 0xEF) return false; // a BOM at a line's start is counted
    return next < 0x80 || (next >= 0xC0 && !rules->nfc);
}

size_t seq_text_cut(const seq_text_rules *rules, const char *bytes, size_t size) {
    for (size_t at = size; at-- > 1;)
        if (may_cut(rules, (unsigned char)bytes[at - 1], (unsigned char)bytes[at])) return at;
    return 0;
}

int64_t seq_count_lines(const char *bytes, size_t size) {
    int64_t lines = 0;
    if (size == 0) return 0;
    const char *last = bytes + size - 1;
    for (size_t some; bytes < last; bytes += some) {
        unsigned char here = 0;
        some = (size_t)(last - bytes) < COUNT_SOME ? (size_t)(last - bytes) : COUNT_SOME;
        for (size_t i = 0; i < some; i++)
            here = (unsigned char)(here + ((bytes[i] == '\n') |
                                           ((bytes[i] == '\r') & (bytes[i + 1] != '\n'))));
        lines += here;
    }
    return lines + (*last == '\n' || *last == '\r');
}
