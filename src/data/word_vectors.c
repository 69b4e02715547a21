// Reads word vectors in text form, line by line, through zlib, which passes
// plain text on as it is. The last numbers of a line are the vector, so words
// may hold blanks. A word in lower case serves all words of the vocabulary that
// become it, until one of them is found as it is. Invariant: numbers of words
// that nobody wants are looked at by their letters only, which is enough to
// refuse nan and inf. Test: tests/unit/data/test_word_vectors.c.
#include <seqtrain/data/word_vectors.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/base/signals.h>
#include <seqtrain/data/forms.h>
#include <seqtrain/data/string_table.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>
#include <zlib.h>

enum {
    PIECE = 1 << 16,      // bytes that are read at once
    LINE_MOST = 1 << 22,  // bytes of a line: 65536 numbers and a word
    SIGNALS_EVERY = 4096, // lines
};

// ---- lines

typedef struct source {
    const char *path;
    gzFile file;
    char *buffer;
    size_t used, filled, capacity;
    bool ended;
    int64_t line; // of the file, from 1
} source;

// A file that is neither text nor gzip, by its first bytes.
static seq_status check_form(const char *path, seq_error *error) {
    char head[SEQ_FORM_BYTES];
    FILE *file = fopen(path, "re");
    if (!file) return seq_error_set_errno(error, "opening %s", path);
    size_t size = fread(head, 1, sizeof head, file);
    fclose(file);
    const seq_form *form = seq_form_find_named(path, head, size);
    const char *wide = seq_form_wide_encoding(head, size);
    if (!wide && (!form || form->packing == SEQ_GZIP)) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading word vectors from %s: it is %s; expected text, plain or gzip",
                         path, wide ? wide : form->name);
}

static seq_status open_source(source *source, const char *path, seq_error *error) {
    uint64_t size;
    source->path = path;
    seq_status status = seq_file_size(path, &size, error);
    if (!status) status = check_form(path, error);
    if (status) return status;
    errno = 0;
    source->file = gzopen(path, "rbe");
    if (!source->file)
        return errno ? seq_error_set_errno(error, "opening %s", path)
                     : seq_error_set(error, SEQ_NO_MEMORY, "opening %s: out of memory", path);
    gzbuffer(source->file, PIECE);
    return SEQ_OK;
}

static void close_source(source *source) {
    if (source->file) gzclose_r(source->file);
    free(source->buffer);
}

static seq_status refuse_line(const source *source, size_t width, const char *found,
                              seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading word vectors from %s line %lld: expected a word and %zu numbers, "
                         "found %s",
                         source->path, (long long)source->line, width, found);
}

// More bytes behind those that are not used yet.
static seq_status fill(source *source, seq_error *error) {
    size_t left = source->filled - source->used;
    if (left) memmove(source->buffer, source->buffer + source->used, left);
    source->used = 0;
    source->filled = left;
    if (left > LINE_MOST)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading word vectors from %s line %lld: more than %d bytes: expected "
                             "a word and its numbers a line",
                             source->path, (long long)source->line + 1, LINE_MOST);
    seq_status status = seq_grow(&source->buffer, &source->capacity, left + PIECE + 1, 1,
                                 "a line of word vectors", error);
    if (status) return status;
    int failure = Z_OK, some = gzread(source->file, source->buffer + left, PIECE);
    const char *what = gzerror(source->file, &failure);
    if (failure == Z_ERRNO) return seq_error_set_errno(error, "reading %s", source->path);
    if (some < 0 || failure == Z_BUF_ERROR || failure == Z_DATA_ERROR)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "reading word vectors from %s: damaged gzip data behind line %lld: %s",
                             source->path, (long long)source->line, what);
    source->ended = some == 0;
    source->filled += (size_t)some;
    return SEQ_OK;
}

// The next line, without its end and blanks before it, NUL behind it; *out NULL at the end of all.
static seq_status next_line(source *source, char **out, size_t *out_size, seq_error *error) {
    size_t looked = 0;
    char *begin, *end = NULL;
    *out = NULL;
    for (;;) {
        begin = source->buffer + source->used;
        size_t left = source->filled - source->used;
        end = left > looked ? memchr(begin + looked, '\n', left - looked) : NULL;
        if (end || source->ended) break;
        looked = left;
        if (fill(source, error)) return error->status;
    }
    if (!end && source->used == source->filled) return SEQ_OK;
    size_t size = end ? (size_t)(end - begin) : source->filled - source->used;
    source->used += size + (end != NULL);
    source->line++;
    if (source->line == 1 && size >= 3 && memcmp(begin, "\xef\xbb\xbf", 3) == 0) {
        begin += 3;
        size -= 3;
    }
    while (size && (begin[size - 1] == '\r' || begin[size - 1] == ' ' || begin[size - 1] == '\t'))
        size--;
    begin[size] = '\0';
    *out = begin;
    *out_size = size;
    return SEQ_OK;
}

// ---- what a line holds

static bool is_blank(char letter) {
    return letter == ' ' || letter == '\t';
}

// Letters of decimal numbers: neither nan nor inf, nor hexadecimal.
static bool is_number(const char *text, size_t size) {
    bool digit = false;
    for (size_t i = 0; i < size; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_digit && (!text[i] || !strchr("+-.eE", text[i]))) return false;
        digit |= is_digit;
    }
    return digit;
}

// The last column of text[0, *size), and *size cut back to the end of what stands before it.
static size_t last_column(const char *text, size_t *size, const char **out) {
    size_t begin = *size, end = *size;
    while (begin && !is_blank(text[begin - 1]))
        begin--;
    *out = text + begin;
    *size = begin;
    while (*size && is_blank(text[*size - 1]))
        --*size;
    return end - begin;
}

// Numbers at the end of a line, behind a word.
static size_t count_numbers(const char *line, size_t size) {
    const char *column;
    size_t count = 0;
    while (size) {
        size_t length = last_column(line, &size, &column);
        if (!size || !is_number(column, length)) break;
        count++;
    }
    return count;
}

// "N WIDTH", both positive integers.
static bool read_header(const char *line, size_t size, int64_t *out_words, size_t *out_width) {
    int64_t values[2];
    for (int i = 0; i < 2; i++) {
        char *end;
        if (*line < '0' || *line > '9') return false;
        errno = 0;
        long long value = strtoll(line, &end, 10);
        if (errno || value < 1 || (i == 0 ? !is_blank(*end) : *end != '\0')) return false;
        values[i] = value;
        size_t blanks = strspn(end, " \t");
        size -= (size_t)(end - line) + blanks;
        line = end + blanks;
    }
    *out_words = values[0];
    *out_width = (size_t)values[1];
    return size == 0;
}

// Cuts the word off: its size; the numbers follow.
static seq_status cut_word(const source *source, const char *line, size_t size, size_t width,
                           size_t *out_word, seq_error *error) {
    char found[120];
    const char *column;
    size_t whole = size;
    for (size_t i = 0; i < width; i++) {
        size_t before = size, length = last_column(line, &size, &column);
        if (length && size && is_number(column, length)) continue;
        if (memchr(line, '\0', whole))
            return refuse_line(source, width, "bytes that are no text: a binary file?", error);
        if (!before || !size)
            snprintf(found, sizeof found, "columns: %zu", i + (before > 0));
        else
            snprintf(found, sizeof found, "'%.*s' in place of a number",
                     (int)(length < 60 ? length : 60), column);
        return refuse_line(source, width, found, error);
    }
    *out_word = size;
    return SEQ_OK;
}

static seq_status read_numbers(const source *source, const char *at, size_t width, float *out,
                               seq_error *error) {
    for (size_t i = 0; i < width; i++) {
        char *end, found[100];
        at += strspn(at, " \t");
        out[i] = strtof(at, &end);
        if (isfinite(out[i]) && (*end == '\0' || is_blank(*end))) {
            at = end;
            continue;
        }
        snprintf(found, sizeof found, "'%.*s', which is no finite number",
                 (int)(strcspn(at, " \t") < 60 ? strcspn(at, " \t") : 60), at);
        return refuse_line(source, width, found, error);
    }
    return SEQ_OK;
}

// ---- words of the vocabulary

enum { FOUND_LOWERED = 1, FOUND_EXACT = 2 };

typedef struct wanted {
    const seq_vocabulary *vocabulary;
    unsigned char *found;     // (V): FOUND_...
    seq_string_table lowered; // of words that have upper case
    int32_t *first;           // by number of `lowered`: a word that becomes it
    size_t first_capacity;
    int32_t *next; // (V): another one, or SEQ_NO_ID
} wanted;

static void clear_wanted(wanted *wanted) {
    seq_string_table_clear(&wanted->lowered);
    free(wanted->found);
    free(wanted->first);
    free(wanted->next);
}

// *out_size 0: it has no upper case, or is not UTF-8. `out` holds two times `size` bytes: the
// longest growth is from two bytes to three.
static void lower(const char *text, size_t size, char *out, size_t *out_size) {
    bool changed = false;
    *out_size = 0;
    for (size_t at = 0; at < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(size - at), &point);
        if (length <= 0) {
            *out_size = 0;
            return;
        }
        utf8proc_int32_t low = utf8proc_tolower(point);
        changed |= low != point;
        *out_size += (size_t)utf8proc_encode_char(low, (utf8proc_uint8_t *)out + *out_size);
        at += (size_t)length;
    }
    if (!changed) *out_size = 0;
}

static seq_status add_lowered(wanted *wanted, int id, const char *text, size_t size,
                              seq_error *error) {
    size_t number = 0, before = wanted->lowered.count;
    seq_status status = seq_string_table_add(&wanted->lowered, text, size, &number, error);
    if (!status)
        status = seq_grow(&wanted->first, &wanted->first_capacity, wanted->lowered.count,
                          sizeof *wanted->first, "words in lower case", error);
    if (status) return status;
    wanted->next[id] = number < before ? wanted->first[number] : SEQ_NO_ID;
    wanted->first[number] = id;
    return SEQ_OK;
}

static seq_status list_wanted(wanted *wanted, seq_error *error) {
    size_t words = (size_t)seq_vocabulary_size(wanted->vocabulary), capacity = 0;
    char *text = NULL;
    seq_status status = seq_allocate(&wanted->found, words, 1, "the words that were found", error);
    if (!status)
        status =
            seq_allocate(&wanted->next, words, sizeof *wanted->next, "words in lower case", error);
    for (size_t id = 0; !status && id < words; id++) {
        size_t size, lowered;
        const char *word = seq_vocabulary_text(wanted->vocabulary, (int)id, &size);
        status = seq_grow(&text, &capacity, 2 * size + 4, 1, "a word in lower case", error);
        if (status) break;
        lower(word, size, text, &lowered);
        if (lowered) status = add_lowered(wanted, (int)id, text, lowered, error);
    }
    free(text);
    return status;
}

// Whether the line serves the word `id`, for which `table` has a row.
static bool take(wanted *wanted, int id, unsigned char how, const float *numbers, size_t width,
                 float *table) {
    if (wanted->found[id] >= how) return false;
    wanted->found[id] = how;
    memcpy(table + (size_t)id * width, numbers, width * sizeof *table);
    return true;
}

static void count_matches(const wanted *wanted, seq_word_matches *out) {
    for (int id = 0; id < seq_vocabulary_size(wanted->vocabulary); id++) {
        int64_t count = seq_vocabulary_count(wanted->vocabulary, id);
        out->exact += wanted->found[id] == FOUND_EXACT;
        out->lowered += wanted->found[id] == FOUND_LOWERED;
        out->missing += !wanted->found[id];
        out->covered += wanted->found[id] ? count : 0;
        out->total += count;
    }
}

// ---- the file

static seq_status take_line(source *source, wanted *wanted, char *line, size_t size, size_t width,
                            float *numbers, float *table, seq_word_matches *out, seq_error *error) {
    size_t word = 0;
    seq_status status = cut_word(source, line, size, width, &word, error);
    if (status) return status;
    out->lines++;
    int id = seq_vocabulary_find(wanted->vocabulary, line, word);
    size_t number = seq_string_table_find(&wanted->lowered, line, word);
    if (id == SEQ_NO_ID && number == SIZE_MAX) return SEQ_OK;
    status = read_numbers(source, line + word, width, numbers, error);
    if (status) return status;
    if (id != SEQ_NO_ID) out->duplicates += !take(wanted, id, FOUND_EXACT, numbers, width, table);
    if (number == SIZE_MAX) return SEQ_OK;
    for (id = wanted->first[number]; id != SEQ_NO_ID; id = wanted->next[id])
        take(wanted, id, FOUND_LOWERED, numbers, width, table);
    return SEQ_OK;
}

static seq_status check_width(const source *source, size_t found, size_t width, seq_error *error) {
    if (found == width) return SEQ_OK;
    if (!found) return refuse_line(source, width, "no number at its end", error);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading word vectors from %s line %lld: %zu numbers a word, the model's "
                         "embedding has %zu: --embed %zu fits",
                         source->path, (long long)source->line, found, width, found);
}

static seq_status read_lines(source *source, wanted *wanted, size_t width, float *numbers,
                             float *table, seq_word_matches *out, seq_error *error) {
    char *line;
    size_t size = 0, found;
    int64_t promised = -1;
    seq_status status = next_line(source, &line, &size, error);
    if (!status && line && read_header(line, size, &promised, &found)) {
        status = check_width(source, found, width, error);
        if (!status) status = next_line(source, &line, &size, error);
    } else if (!status && line) {
        status = check_width(source, count_numbers(line, size), width, error);
    }
    while (!status && line) {
        if (source->line % SIGNALS_EVERY == 0 && seq_signals_caught())
            return seq_error_set(error, SEQ_STOPPED, "stopped by a signal while reading %s",
                                 source->path);
        status = take_line(source, wanted, line, size, width, numbers, table, out, error);
        if (!status) status = next_line(source, &line, &size, error);
    }
    if (status) return status;
    if (!out->lines)
        return seq_error_set(error, SEQ_BAD_INPUT, "reading word vectors from %s: it has none",
                             source->path);
    if (promised < 0 || promised == out->lines) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading word vectors from %s: its first line promises %lld words, %lld "
                         "follow",
                         source->path, (long long)promised, (long long)out->lines);
}

seq_status seq_word_vectors_read(const char *path, const seq_vocabulary *vocabulary, size_t width,
                                 float *table, seq_word_matches *out, seq_error *error) {
    source source = {0};
    wanted wanted = {.vocabulary = vocabulary};
    float *numbers = NULL;
    *out = (seq_word_matches){0};
    seq_status status = open_source(&source, path, error);
    if (!status) status = list_wanted(&wanted, error);
    if (!status) status = seq_allocate(&numbers, width, sizeof *numbers, "a word vector", error);
    if (!status) status = read_lines(&source, &wanted, width, numbers, table, out, error);
    if (!status) count_matches(&wanted, out);
    free(numbers);
    clear_wanted(&wanted);
    close_source(&source);
    return status;
}
