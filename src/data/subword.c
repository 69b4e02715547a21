// Merges: a list of pairs of symbols, a hash table from a pair to its place, and for each symbol
// the merge that makes it. Read from and written to subword-nmt's files, whose lines are held to
// what a word can have: UTF-8 without blanks. A glossary is a POSIX expression; its matches are cut
// out of a word at whole characters. Invariant: of equal merges the first counts. Tests:
// tests/golden/test_subword.c, tests/cli/subword.sh, tests/fuzz/fuzz_merges.c.
#include "subword_private.h"
#include <ctype.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/text_file.h>
#include <seqtrain/storage/manifest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 26 }; // bytes
static const char version_mark[] = "#version:";
static const char sentencepiece[] = "\x0A\x05<unk>"; // the first piece of such a model

bool seq_subword_is_special(const char *text, size_t size) {
    return (size == strlen(seq_unk_text) && memcmp(text, seq_unk_text, size) == 0) ||
           (size == strlen(seq_eos_text) && memcmp(text, seq_eos_text, size) == 0);
}

// ---- Glossaries.

static seq_status add_pattern(seq_subword *subword, const char *text, size_t size,
                              seq_error *error) {
    char pattern[SEQ_GLOSSARY_TEXT], reason[80];
    memcpy(pattern, text, size);
    pattern[size] = '\0';
    if (subword->pattern_count == SEQ_GLOSSARIES)
        return seq_error_set(error, SEQ_BAD_USAGE, "more than %d glossaries", SEQ_GLOSSARIES);
    for (const char *at = pattern; *at; at++)
        if (iscntrl((unsigned char)*at) || *at == '{' ||
            (*at == '\\' && isdigit((unsigned char)at[1])))
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "glossary '%.200s': expected a POSIX extended expression without "
                                 "{m,n}, \\1 and control characters",
                                 pattern);
    regex_t *compiled = &subword->patterns[subword->pattern_count];
    int code = size ? regcomp(compiled, pattern, REG_EXTENDED) : REG_BADPAT;
    if (!code) {
        subword->pattern_count++;
        return SEQ_OK;
    }
    if (size)
        regerror(code, compiled, reason, sizeof reason);
    else
        snprintf(reason, sizeof reason, "it is empty");
    return seq_error_set(error, SEQ_BAD_USAGE, "glossary '%.200s': %s", pattern, reason);
}

static seq_status add_glossaries(seq_subword *subword, const char *text, seq_error *error) {
    size_t size = strlen(text);
    seq_status status = SEQ_OK;
    if (size >= SEQ_GLOSSARY_TEXT)
        return seq_error_set(error, SEQ_BAD_USAGE, "glossaries of more than %d bytes",
                             SEQ_GLOSSARY_TEXT - 1);
    memcpy(subword->glossaries, text, size + 1);
    for (const char *at = text; !status && *text; at += strcspn(at, ";") + 1) {
        status = add_pattern(subword, at, strcspn(at, ";"), error);
        if (!at[strcspn(at, ";")]) break;
    }
    return status;
}

static bool is_inside(char byte) {
    return ((unsigned char)byte & 0xC0) == 0x80;
}

// Parts of [begin, end) between the matches of patterns from `first` on.
static seq_status isolate(const seq_subword *subword, size_t first, char *word, size_t begin,
                          size_t end, seq_segment_sink sink, void *context, seq_error *error) {
    if (begin == end) return SEQ_OK;
    if (first == subword->pattern_count) return sink(context, begin, end, false, error);
    seq_status status = SEQ_OK;
    for (size_t at = begin, from = begin; !status && from < end;) {
        regmatch_t match;
        char kept = word[end];
        word[end] = '\0';
        int code =
            regexec(&subword->patterns[first], word + at, 1, &match, at > begin ? REG_NOTBOL : 0);
        word[end] = kept;
        if (code == REG_ESPACE)
            return seq_error_set(error, SEQ_NO_MEMORY, "glossaries: out of memory");
        if (code) return isolate(subword, first + 1, word, from, end, sink, context, error);
        size_t left = at + (size_t)match.rm_so, right = at + (size_t)match.rm_eo;
        if (left == right) { // nothing: look behind the next character
            for (at = right + 1; at < end && is_inside(word[at]);)
                at++;
            if (at < end) continue;
            return isolate(subword, first + 1, word, from, end, sink, context, error);
        }
        while (left > from && is_inside(word[left]))
            left--;
        while (right < end && is_inside(word[right]))
            right++;
        status = isolate(subword, first + 1, word, from, left, sink, context, error);
        if (!status) status = sink(context, left, right, true, error);
        from = at = right;
    }
    return status;
}

seq_status seq_subword_isolate(const seq_subword *subword, char *word, size_t size,
                               seq_segment_sink sink, void *context, seq_error *error) {
    return isolate(subword, 0, word, 0, size, sink, context, error);
}

// ---- Making.

seq_status seq_subword_create(const char *glossaries, seq_subword **out, seq_error *error) {
    seq_subword *subword = NULL;
    seq_status status = seq_allocate(&subword, 1, sizeof *subword, "merges", error);
    if (status) return status;
    subword->references = 1;
    if (glossaries) status = add_glossaries(subword, glossaries, error);
    if (status)
        seq_subword_destroy(subword);
    else
        *out = subword;
    return status;
}

seq_subword *seq_subword_share(seq_subword *subword) {
    if (subword) subword->references++;
    return subword;
}

void seq_subword_destroy(seq_subword *subword) {
    if (!subword || --subword->references) return;
    for (size_t i = 0; i < subword->pattern_count; i++)
        regfree(&subword->patterns[i]);
    seq_string_table_clear(&subword->symbols);
    free(subword->merges);
    free(subword->slots);
    free(subword->made_by);
    free(subword);
}

int64_t seq_subword_merges(const seq_subword *subword) {
    return (int64_t)subword->count;
}

const char *seq_subword_glossaries(const seq_subword *subword) {
    return subword->glossaries;
}

uint64_t seq_pair_hash(uint32_t left, uint32_t right) {
    uint64_t value = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u; // 2^64 / golden ratio
    value = (value ^ value >> 29) * 0xBF58476D1CE4E5B9u;
    return value ^ value >> 32;
}

// The slot of a pair, or the free one where it belongs.
static uint32_t *find_slot(const seq_subword *subword, uint32_t left, uint32_t right) {
    size_t mask = subword->slot_count - 1;
    for (size_t at = seq_pair_hash(left, right) & mask;; at = (at + 1) & mask) {
        uint32_t *slot = &subword->slots[at];
        if (!*slot) return slot;
        const seq_merge *merge = &subword->merges[*slot - 1];
        if (merge->left == left && merge->right == right) return slot;
    }
}

uint32_t seq_subword_find(const seq_subword *subword, uint32_t left, uint32_t right) {
    if (!subword->slot_count || left == SEQ_NO_SYMBOL || right == SEQ_NO_SYMBOL)
        return SEQ_NO_MERGE;
    return *find_slot(subword, left, right) - 1; // 0 - 1 is SEQ_NO_MERGE
}

// At most half of the slots are taken.
static seq_status make_room(seq_subword *subword, seq_error *error) {
    size_t wanted = subword->slot_count ? 2 * subword->slot_count : 1024;
    if (2 * (subword->count + 1) <= subword->slot_count) return SEQ_OK;
    free(subword->slots);
    subword->slots = NULL;
    subword->slot_count = 0;
    seq_status status =
        seq_allocate(&subword->slots, wanted, sizeof *subword->slots, "merges", error);
    if (status) return status;
    subword->slot_count = wanted;
    for (size_t i = 0; i < subword->count; i++) {
        uint32_t *slot = find_slot(subword, subword->merges[i].left, subword->merges[i].right);
        if (!*slot) *slot = (uint32_t)i + 1;
    }
    return SEQ_OK;
}

static seq_status add_symbol(seq_subword *subword, const char *text, size_t size, uint32_t *out,
                             seq_error *error) {
    size_t number;
    seq_status status = seq_string_table_add(&subword->symbols, text, size, &number, error);
    if (!status)
        status = seq_grow(&subword->made_by, &subword->made_capacity, number + 1,
                          sizeof *subword->made_by, "merges", error);
    if (!status) *out = (uint32_t)number;
    return status;
}

seq_status seq_subword_add(seq_subword *subword, const char *left, size_t left_size,
                           const char *right, size_t right_size, seq_error *error) {
    seq_merge merge = {0};
    char *whole = NULL;
    if (subword->count == SEQ_MERGES_MOST)
        return seq_error_set(error, SEQ_BAD_INPUT, "more than %d merges", SEQ_MERGES_MOST);
    seq_status status = seq_allocate(&whole, left_size + right_size + 1, 1, "a merge", error);
    if (status) return status;
    memcpy(whole, left, left_size);
    memcpy(whole + left_size, right, right_size);
    if (!status) status = make_room(subword, error);
    if (!status)
        status = seq_grow(&subword->merges, &subword->capacity, subword->count + 1,
                          sizeof *subword->merges, "merges", error);
    // The texts may be those of symbols, which move when one is added.
    if (!status) status = add_symbol(subword, whole, left_size, &merge.left, error);
    if (!status) status = add_symbol(subword, whole + left_size, right_size, &merge.right, error);
    if (!status) status = add_symbol(subword, whole, left_size + right_size, &merge.whole, error);
    free(whole);
    if (status) return status;
    uint32_t number = (uint32_t)++subword->count, *slot;
    subword->merges[number - 1] = merge;
    slot = find_slot(subword, merge.left, merge.right);
    if (!*slot) *slot = number;
    if (!subword->made_by[merge.whole]) subword->made_by[merge.whole] = number;
    return SEQ_OK;
}

// ---- Files.

static bool is_layout(char byte) {
    return byte == ' ' || byte == '\r';
}

// Of one line, without its end: "LEFT RIGHT". NULL: it is well.
static const char *read_merge(seq_subword *subword, const char *line, size_t size,
                              seq_error *error) {
    static const char expected[] = "expected two symbols with one blank between them";
    while (size && is_layout(line[size - 1]))
        size--;
    while (size && is_layout(*line)) {
        line++;
        size--;
    }
    const char *blank = size ? memchr(line, ' ', size) : NULL;
    if (!blank) return expected;
    size_t left = (size_t)(blank - line), right = size - left - 1;
    for (size_t i = 0; i < size; i++)
        if (iscntrl((unsigned char)line[i]) || (line[i] == ' ' && i != left)) return expected;
    return seq_subword_add(subword, line, left, blank + 1, right, error) ? error->text : NULL;
}

static const char *read_version(seq_subword *subword, const char *line, size_t size) {
    static const char *const versions[] = {"0.1", "0.2"};
    const char *at = line + strlen(version_mark), *end = line + size;
    while (at < end && *at == ' ')
        at++;
    while (end > at && is_layout(end[-1]))
        end--;
    for (size_t i = 0; i < 2; i++)
        if (end - at == 3 && memcmp(at, versions[i], 3) == 0) {
            subword->end_apart = i == 0;
            return NULL;
        }
    return "its version is neither 0.1 nor 0.2";
}

static seq_status read_lines(seq_subword *subword, const char *path, const char *text, size_t size,
                             seq_status failure, seq_error *error) {
    seq_error reason = {0};
    const char *why = NULL;
    int64_t number = 0;
    subword->end_apart = true;
    while (size && text[size - 1] == '\n')
        size--;
    for (size_t at = 0, length; !why && at < size; at += length + 1) {
        const char *line = text + at, *end = memchr(line, '\n', size - at);
        length = end ? (size_t)(end - line) : size - at;
        if (++number == 1 && length >= strlen(version_mark) &&
            memcmp(line, version_mark, strlen(version_mark)) == 0)
            why = read_version(subword, line, length);
        else
            why = read_merge(subword, line, length, &reason);
    }
    if (!why && !subword->count) why = "it holds no merges";
    if (!why) return SEQ_OK;
    return seq_error_set(error, reason.status == SEQ_NO_MEMORY ? SEQ_NO_MEMORY : failure,
                         "reading merges %s line %lld: %s", path, (long long)number, why);
}

seq_status seq_subword_read(const char *path, const char *glossaries, seq_status failure,
                            seq_subword **out, seq_error *error) {
    seq_subword *subword = NULL;
    char *text = NULL;
    size_t size;
    seq_error reason = {0};
    if (seq_file_read(path, FILE_LIMIT, &text, &size, &reason))
        return seq_error_set(error, reason.status == SEQ_BAD_INPUT ? failure : reason.status,
                             "reading merges: %s", reason.text);
    seq_status status = SEQ_OK;
    if (size > 16 && memmem(text, 16, sentencepiece, strlen(sentencepiece)))
        status = seq_error_set(error, failure,
                               "reading merges %s: a model of SentencePiece, which is not read: "
                               "expected merges as subword-nmt writes them",
                               path);
    else if (seq_form_check_text(path, text, size, &reason))
        status = seq_error_set(error, failure, "reading merges: %s", reason.text);
    size_t bad = seq_utf8_invalid(text, size);
    if (!status && bad < size)
        status = seq_error_set(error, failure,
                               "reading merges %s, byte offset %zu: it is not UTF-8", path, bad);
    if (!status) status = seq_subword_create(glossaries, &subword, error);
    if (!status) status = read_lines(subword, path, text, size, failure, error);
    free(text);
    if (status)
        seq_subword_destroy(subword);
    else
        *out = subword;
    return status;
}

static seq_status print(const seq_subword *subword, char **out, size_t *out_size,
                        seq_error *error) {
    FILE *stream = open_memstream(out, out_size);
    if (stream) fprintf(stream, "%s 0.%d\n", version_mark, subword->end_apart ? 1 : 2);
    for (size_t i = 0; stream && i < subword->count; i++) {
        fputs(seq_string_table_text(&subword->symbols, subword->merges[i].left), stream);
        fputc(' ', stream);
        fputs(seq_string_table_text(&subword->symbols, subword->merges[i].right), stream);
        fputc('\n', stream);
    }
    return seq_memory_stream_close(stream, out, error, "writing merges");
}

seq_status seq_subword_write(const seq_subword *subword, const char *path, seq_error *error) {
    char *text = NULL;
    size_t size = 0;
    seq_status status = print(subword, &text, &size, error);
    if (!status && size > FILE_LIMIT)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "writing %s: merges of %.0f MB, and at most %.0f MB are read", path,
                               (double)size / 1e6, FILE_LIMIT / 1e6);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}

seq_status seq_subword_hash(const seq_subword *subword, char out[33], seq_error *error) {
    char *text = NULL;
    size_t size = 0;
    seq_digest digest;
    seq_status status = print(subword, &text, &size, error);
    if (status) return status;
    seq_digest_bytes(text, size, &digest);
    seq_digest_text(&digest, out);
    free(text);
    return SEQ_OK;
}
