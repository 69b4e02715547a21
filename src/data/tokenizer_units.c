// Code points -> units. A word that spans pieces is gathered in `word`; one that grows beyond
// WORD_LIMIT is refused, or its bytes are no longer kept and `word_size` stays at OVERLONG until it
// ends. Tests: tests/unit/data/test_tokenizer.c.
#include "tokenizer_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/abc.h>
#include <string.h>
#include <utf8proc.h>

enum { WORD_LIMIT = 1 << 16, OVERLONG }; // bytes: beyond it, a file is hardly a text of words

const char seq_eos_text[] = "<eos>";
const char seq_unk_text[] = "<unk>";

// What an ASCII character does to words.
typedef enum char_class { IN_WORD, BLANK, LINE_END, MARK, DROPPED } char_class;

static seq_status emit(seq_tokenizer *tokenizer, const char *text, size_t size, size_t count,
                       seq_error *error) {
    tokenizer->ends.any = tokenizer->ends.line_open = true;
    return tokenizer->sink(tokenizer->context, text, size, count, error);
}

static seq_status emit_eos(seq_tokenizer *tokenizer, seq_error *error) {
    seq_status status = emit(tokenizer, seq_eos_text, strlen(seq_eos_text), 1, error);
    tokenizer->ends.line_open = false;
    return status;
}

// The symbols of a line of ABC, or of a stretch of one that is too long to be kept.
static seq_status emit_symbols(seq_tokenizer *tokenizer, seq_error *error) {
    if (!tokenizer->word_size) return SEQ_OK; // there may be no word at all
    const char *at = tokenizer->word, *end = at + tokenizer->word_size;
    seq_status status = SEQ_OK;
    while (!status && at < end) {
        const char *next = seq_abc_symbol_end(at, end, !tokenizer->inside_line);
        tokenizer->inside_line = true;
        status = emit(tokenizer, at, (size_t)(next - at), 1, error);
        at = next;
    }
    tokenizer->word_size = 0;
    return status;
}

seq_status seq_units_end_word(seq_tokenizer *tokenizer, seq_error *error) {
    size_t size = tokenizer->word_size;
    if (tokenizer->rules.unit == SEQ_UNIT_ABC) return emit_symbols(tokenizer, error);
    tokenizer->word_size = 0;
    if (size < OVERLONG) return size ? emit(tokenizer, tokenizer->word, size, 1, error) : SEQ_OK;
    tokenizer->counts.long_words++;
    return tokenizer->rules.long_words == SEQ_LONG_UNK
               ? emit(tokenizer, seq_unk_text, strlen(seq_unk_text), 1, error)
               : SEQ_OK;
}

static seq_status refuse_word(const seq_tokenizer *tokenizer, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "%s line %lld, byte offset %lld: a word of more than %d bytes ends or "
                         "goes on here: is this text? --long-words unk makes <unk> of it, drop "
                         "leaves it out",
                         tokenizer->name, (long long)seq_tokenizer_line(tokenizer),
                         (long long)(tokenizer->offset + (int64_t)tokenizer->at), WORD_LIMIT);
}

static seq_status add_to_word(seq_tokenizer *tokenizer, const char *text, size_t size,
                              seq_error *error) {
    if (tokenizer->word_size + size > WORD_LIMIT) {
        tokenizer->word_size = OVERLONG;
        return tokenizer->rules.long_words == SEQ_LONG_ERROR ? refuse_word(tokenizer, error)
                                                             : SEQ_OK;
    }
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
    return emit(tokenizer, "\n", 1, 1, error);
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

static char_class classify(const seq_text_rules *rules, int32_t point) {
    if (point == '\n') return LINE_END;
    if (is_space(point)) return BLANK;
    if (rules->punctuation == SEQ_PUNCTUATION_KEEP || !is_punctuation(point)) return IN_WORD;
    return rules->punctuation == SEQ_PUNCTUATION_DROP ? DROPPED : MARK;
}

void seq_units_classify(seq_tokenizer *tokenizer) {
    for (int point = 0; point < SEQ_ASCII; point++)
        tokenizer->classes[point] = (unsigned char)classify(&tokenizer->rules, point);
}

static seq_status take_classified(seq_tokenizer *tokenizer, char_class class, const char *text,
                                  size_t size, seq_error *error) {
    if (class == IN_WORD) return add_to_word(tokenizer, text, size, error);
    if (class == DROPPED) return SEQ_OK;
    if (seq_units_end_word(tokenizer, error)) return error->status;
    return class == LINE_END ? end_line(tokenizer, error)
           : class == MARK   ? emit(tokenizer, text, size, 1, error)
                             : SEQ_OK;
}

// Of unit abc: `text` has a line end as its last byte, or none.
static seq_status take_line(seq_tokenizer *tokenizer, const char *text, size_t size,
                            seq_error *error) {
    bool ends = size && text[size - 1] == '\n';
    seq_status status = SEQ_OK;
    for (size_t left = size - ends, some; !status && left; text += some, left -= some) {
        some = left < WORD_LIMIT ? left : WORD_LIMIT;
        if (tokenizer->word_size + some > WORD_LIMIT) status = emit_symbols(tokenizer, error);
        if (!status) status = add_to_word(tokenizer, text, some, error);
    }
    if (status || !ends) return status;
    status = emit_symbols(tokenizer, error);
    tokenizer->inside_line = false;
    return status ? status : end_line(tokenizer, error);
}

seq_status seq_units_take_point(seq_tokenizer *tokenizer, int32_t point, const char *text,
                                size_t size, seq_error *error) {
    if (tokenizer->rules.unit == SEQ_UNIT_ABC) return take_line(tokenizer, text, size, error);
    if (tokenizer->rules.unit == SEQ_UNIT_WORD) {
        char_class class = point < SEQ_ASCII ? (char_class)tokenizer->classes[point]
                                             : classify(&tokenizer->rules, point);
        return take_classified(tokenizer, class, text, size, error);
    }
    return point == '\n' ? end_line(tokenizer, error) : emit(tokenizer, text, size, 1, error);
}

static void lower_ascii(char *out, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(text[i] + (text[i] >= 'A' && text[i] <= 'Z' ? 'a' - 'A' : 0));
}

// Units of one byte.
static seq_status emit_bytes(seq_tokenizer *tokenizer, const char *text, size_t size,
                             seq_error *error) {
    enum { SOME = 1024 };
    char lower[SOME];
    if (!tokenizer->rules.lower || tokenizer->rules.unit == SEQ_UNIT_BYTE)
        return size ? emit(tokenizer, text, 1, size, error) : SEQ_OK;
    for (size_t some; size; text += some, size -= some) {
        some = size < SOME ? size : SOME;
        lower_ascii(lower, text, some);
        if (emit(tokenizer, lower, 1, some, error)) return error->status;
    }
    return SEQ_OK;
}

static seq_status take_plain_bytes(seq_tokenizer *tokenizer, const char *text, size_t size,
                                   seq_error *error) {
    const char *line_end;
    if (tokenizer->rules.eos != SEQ_EOS_LINE) return emit_bytes(tokenizer, text, size, error);
    for (; (line_end = memchr(text, '\n', size)); text = line_end + 1) {
        size_t before = (size_t)(line_end - text);
        if (emit_bytes(tokenizer, text, before, error) || emit_eos(tokenizer, error))
            return error->status;
        size -= before + 1;
    }
    return emit_bytes(tokenizer, text, size, error);
}

// A stretch of a word; `whole`: the word ends behind it.
static seq_status take_stretch(seq_tokenizer *tokenizer, const char *text, size_t size, bool whole,
                               seq_error *error) {
    size_t before = tokenizer->word_size;
    if (before == 0 && whole && !tokenizer->rules.lower && size <= WORD_LIMIT)
        return emit(tokenizer, text, size, 1, error);
    seq_status status = add_to_word(tokenizer, text, size, error);
    if (!status && tokenizer->rules.lower && tokenizer->word_size < OVERLONG)
        lower_ascii(tokenizer->word + before, text, size);
    return status;
}

static seq_status take_plain_words(seq_tokenizer *tokenizer, size_t end, seq_error *error) {
    const char *piece = tokenizer->piece;
    const unsigned char *classes = tokenizer->classes;
    for (size_t begin = tokenizer->at, at; begin < end; begin = at + 1) {
        for (at = begin; at < end && classes[(unsigned char)piece[at]] == IN_WORD;)
            at++;
        char_class class = at < end ? (char_class)classes[(unsigned char)piece[at]] : IN_WORD;
        tokenizer->at = at;
        if (at > begin && take_stretch(tokenizer, piece + begin, at - begin,
                                       class != IN_WORD && class != DROPPED, error))
            return error->status;
        if (at < end && take_classified(tokenizer, class, piece + at, 1, error))
            return error->status;
    }
    return SEQ_OK;
}

static seq_status take_plain_lines(seq_tokenizer *tokenizer, size_t end, seq_error *error) {
    for (size_t at = tokenizer->at; at < end;) {
        const char *text = tokenizer->piece + at, *feed = memchr(text, '\n', end - at);
        size_t size = feed ? (size_t)(feed - text) + 1 : end - at;
        if (take_line(tokenizer, text, size, error)) return error->status;
        at += size;
    }
    return SEQ_OK;
}

seq_status seq_units_take_plain(seq_tokenizer *tokenizer, size_t end, seq_error *error) {
    seq_status status = tokenizer->rules.unit == SEQ_UNIT_ABC
                            ? take_plain_lines(tokenizer, end, error)
                        : tokenizer->rules.unit == SEQ_UNIT_WORD
                            ? take_plain_words(tokenizer, end, error)
                            : take_plain_bytes(tokenizer, tokenizer->piece + tokenizer->at,
                                               end - tokenizer->at, error);
    if (!status) tokenizer->at = end;
    return status;
}

bool seq_text_wants_end(const seq_text_rules *rules, seq_text_ends ends) {
    return (rules->eos == SEQ_EOS_LINE && ends.line_open) ||
           (rules->eos == SEQ_EOS_DOCUMENT && ends.any);
}

seq_status seq_units_end_document(seq_tokenizer *tokenizer, seq_error *error) {
    return seq_text_wants_end(&tokenizer->rules, tokenizer->ends) ? emit_eos(tokenizer, error)
                                                                  : SEQ_OK;
}
