// Writes and reads vocabulary.tsv: "# seqtrain vocabulary
// 1<TAB>unit=char<TAB>...", then lines "id<TAB>count<TAB>token". Control
// characters and backslashes are escaped, and for unit byte all that is not
// ASCII. Of subwords the header has merges=HASH and glossaries=TEXT, and a file
// beside it the merges. Invariant: what is written can be read back unchanged; other files are
// refused with the line. Tests: tests/unit/data/test_vocabulary.c, test_subword.c,
// tests/fuzz/fuzz_vocabulary.c.
#include "vocabulary_private.h"
#include <ctype.h>
#include <errno.h>
#include <seqtrain/base/file.h>
#include <seqtrain/data/text_file.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static const char header[] = "# seqtrain vocabulary 1";
enum { FILE_LIMIT = 1 << 30, HEADER_LIMIT = 64 }; // bytes; fields, each searched for

static bool is_plain(unsigned char byte, bool bytes) {
    return byte >= 0x20 && byte != 0x7F && byte != '\\' && (byte < 0x80 || !bytes);
}

static void write_token(FILE *stream, const char *text, size_t size, bool bytes) {
    for (size_t i = 0, begin; i < size; i++) {
        for (begin = i; i < size && is_plain((unsigned char)text[i], bytes);)
            i++;
        fwrite(text + begin, 1, i - begin, stream);
        if (i == size) return;
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n')
            fputs("\\n", stream);
        else if (byte == '\t')
            fputs("\\t", stream);
        else if (byte == '\r')
            fputs("\\r", stream);
        else if (byte == '\\')
            fputs("\\\\", stream);
        else
            fprintf(stream, "\\x%02X", byte);
    }
}

// The file of merges beside that of a vocabulary.
static seq_status merges_path(const char *path, char out[SEQ_PATH], seq_error *error) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    static const char stem[] = "vocabulary", end[] = ".tsv";
    size_t size = strlen(name), least = sizeof stem - 1 + sizeof end - 1;
    bool usual = size >= least && memcmp(name, stem, sizeof stem - 1) == 0 &&
                 strcmp(name + size - (sizeof end - 1), end) == 0;
    int middle = usual ? (int)(size - least) : 0;
    if (snprintf(out, SEQ_PATH, "%.*smerges%.*s.txt", (int)(name - path), path, middle,
                 name + sizeof stem - 1) < SEQ_PATH)
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "%s: the path is too long", path);
}

static seq_status describe_merges(const seq_vocabulary *vocabulary, seq_record *rules,
                                  seq_error *error) {
    char hash[33];
    if (!vocabulary->subword) return SEQ_OK;
    const char *glossaries = seq_subword_glossaries(vocabulary->subword);
    seq_status status = seq_subword_hash(vocabulary->subword, hash, error);
    if (!status) status = seq_record_set_text(rules, "merges", hash, error);
    if (!status && *glossaries)
        status = seq_record_set_text(rules, "glossaries", glossaries, error);
    return status;
}

static seq_status print(const seq_vocabulary *vocabulary, FILE *stream, seq_error *error) {
    seq_record rules = {0};
    seq_status status = seq_text_rules_write(&vocabulary->rules, &rules, error);
    if (!status) status = describe_merges(vocabulary, &rules, error);
    fputs(header, stream);
    for (size_t i = 0; i < rules.count; i++)
        fprintf(stream, "\t%s=%s", rules.entries[i].key, rules.entries[i].text);
    fputc('\n', stream);
    seq_record_clear(&rules);
    for (int id = 0; id < seq_vocabulary_size(vocabulary); id++) {
        size_t size;
        const char *text = seq_vocabulary_text(vocabulary, id, &size);
        fprintf(stream, "%d\t%lld\t", id, (long long)seq_vocabulary_count(vocabulary, id));
        write_token(stream, text, size, vocabulary->rules.unit == SEQ_UNIT_BYTE);
        fputc('\n', stream);
    }
    return status;
}

seq_status seq_vocabulary_write(const seq_vocabulary *vocabulary, const char *path,
                                seq_error *error) {
    char *text = NULL, merges[SEQ_PATH];
    size_t size = 0;
    if (vocabulary->subword &&
        (merges_path(path, merges, error) || seq_subword_write(vocabulary->subword, merges, error)))
        return error->status;
    FILE *stream = open_memstream(&text, &size);
    if (stream) print(vocabulary, stream, error);
    seq_status status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
    if (!status) status = error->status;
    if (!status && size > FILE_LIMIT)
        status = seq_error_set(error, SEQ_BAD_INPUT,
                               "writing %s: a vocabulary of %.0f MB, and at most %.0f MB are read; "
                               "use --min-count or --max-vocab",
                               path, (double)size / 1e6, FILE_LIMIT / 1e6);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}

static int hex_digit(char digit) {
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

// One escape after its backslash; NULL when there is no such escape.
static const char *unescape_one(const char *at, char *out) {
    static const char letters[] = "ntr\\", values[] = "\n\t\r\\";
    const char *found = *at ? strchr(letters, *at) : NULL;
    if (found) {
        *out = values[found - letters];
        return at + 1;
    }
    if (*at != 'x' || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0) return NULL;
    *out = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
    return at + 3;
}

// In place; the size without NUL, or -1.
static long unescape(char *text) {
    char *out = text;
    for (const char *at = text; *at; out++) {
        if (*at != '\\') {
            *out = *at++;
            continue;
        }
        at = unescape_one(at + 1, out);
        if (!at) return -1;
    }
    return out - text;
}

static bool is_unit_text(const seq_vocabulary *vocabulary, const char *text, size_t size) {
    if (size == 0 || memchr(text, '\0', size))
        return vocabulary->rules.unit == SEQ_UNIT_BYTE && size == 1;
    if (vocabulary->rules.unit == SEQ_UNIT_BYTE) return true;
    for (size_t at = 0; at < size;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                   (utf8proc_ssize_t)(size - at), &point);
        if (length < 1) return false;
        at += (size_t)length;
    }
    return true;
}

static bool parse_number(char **at, int64_t *out) {
    char *end;
    errno = 0;
    if (!isdigit((unsigned char)**at)) return false;
    *out = strtoll(*at, &end, 10);
    if (errno || *end != '\t') return false;
    *at = end + 1;
    return true;
}

static const char *read_token(seq_vocabulary *vocabulary, char *line, seq_error *error) {
    int64_t id, count;
    char *at = line;
    if (!parse_number(&at, &id) || !parse_number(&at, &count))
        return "expected id, count and token, separated by tabs";
    if (id != seq_vocabulary_size(vocabulary)) return "the ids must count up from 0";
    long size = unescape(at);
    if (size < 0 || !is_unit_text(vocabulary, at, (size_t)size))
        return "the token is not valid text";
    return seq_vocabulary_append(vocabulary, at, (size_t)size, count, error) ? error->text : NULL;
}

// What the header says: rules, and of subwords the merges' hash and glossaries.
typedef struct heading {
    seq_text_rules rules;
    char merges[33], glossaries[SEQ_GLOSSARY_TEXT];
} heading;

static const char *read_merges_entries(const seq_record *record, heading *out) {
    const char *merges = seq_record_text(record, "merges"),
               *glossaries = seq_record_text(record, "glossaries");
    if (out->rules.unit != SEQ_UNIT_SUBWORD) return NULL;
    if (!merges || strlen(merges) != 32) return "it has subwords, and no hash of their merges";
    if (glossaries && strlen(glossaries) >= sizeof out->glossaries)
        return "its glossaries are too long";
    snprintf(out->merges, sizeof out->merges, "%s", merges);
    snprintf(out->glossaries, sizeof out->glossaries, "%s", glossaries ? glossaries : "");
    return NULL;
}

static const char *read_header(char *line, heading *out, seq_error *reason) {
    const char *why = NULL;
    seq_record record = {0};
    char *rest;
    size_t length = strlen(header);
    if (strncmp(line, header, length) != 0 || (line[length] && line[length] != '\t'))
        return "not a vocabulary of seqtrain";
    size_t count = 0;
    for (char *field = strtok_r(line + length, "\t", &rest); field && !reason->status;
         field = strtok_r(NULL, "\t", &rest)) {
        if (count++ == HEADER_LIMIT) {
            seq_record_clear(&record);
            return "the header has too many fields";
        }
        char *equals = strchr(field, '=');
        if (!equals) continue;
        *equals = '\0';
        seq_record_set_text(&record, field, equals + 1, reason);
    }
    if (!reason->status) seq_text_rules_read(&out->rules, &record, reason);
    if (!reason->status) why = read_merges_entries(&record, out);
    seq_record_clear(&record);
    return reason->status ? reason->text : why;
}

// The merges beside the file `path`, held to their hash.
static seq_status read_merges(seq_vocabulary *vocabulary, const char *path, const heading *heading,
                              seq_status failure, seq_error *error) {
    char merges[SEQ_PATH], hash[33];
    seq_subword *subword = NULL;
    seq_error reason = {0};
    seq_status status = merges_path(path, merges, error);
    if (status) return status;
    status = seq_subword_read(merges, heading->glossaries, failure, &subword, &reason);
    if (!status) status = seq_subword_hash(subword, hash, &reason);
    if (status)
        return seq_error_set(error, status == SEQ_NO_MEMORY ? status : failure,
                             "reading %s: its %s", path, reason.text);
    if (strcmp(hash, heading->merges) == 0)
        seq_vocabulary_set_subword(vocabulary, subword);
    else
        status = seq_error_set(error, failure,
                               "reading %s: its merges have the hash %s, and those of %s have %s",
                               path, heading->merges, merges, hash);
    seq_subword_destroy(subword);
    return status;
}

static seq_status read_lines(char *text, const char *path, seq_status failure, seq_vocabulary **out,
                             seq_error *error) {
    seq_vocabulary *vocabulary = NULL;
    const char *why = NULL;
    seq_error reason = {0};
    heading heading;
    int64_t number = 0;
    for (char *line = text; *line && !why;) {
        char *end = strchr(line, '\n');
        if (!end) {
            why = "the last line is cut off";
            break;
        }
        *end = '\0';
        if (++number > 1)
            why = read_token(vocabulary, line, &reason);
        else if (!(why = read_header(line, &heading, &reason)) &&
                 seq_vocabulary_create(&heading.rules, &vocabulary, &reason))
            why = reason.text;
        line = end + 1;
    }
    if (!why && (!vocabulary || seq_vocabulary_size(vocabulary) == 0)) why = "it holds no tokens";
    if (!why && vocabulary->rules.unit == SEQ_UNIT_BYTE &&
        seq_vocabulary_size(vocabulary) < SEQ_BYTES)
        why = "a vocabulary of bytes has at least 256 tokens";
    seq_status status = SEQ_OK;
    if (!why && heading.rules.unit == SEQ_UNIT_SUBWORD)
        status = read_merges(vocabulary, path, &heading, failure, error);
    if (!why && !status) {
        *out = vocabulary;
        return SEQ_OK;
    }
    seq_vocabulary_destroy(vocabulary);
    if (status) return status;
    return seq_error_set(error, reason.status == SEQ_NO_MEMORY ? SEQ_NO_MEMORY : failure,
                         "reading %s line %lld: %s", path, (long long)number, why);
}

seq_status seq_vocabulary_read(const char *path, seq_status failure, seq_vocabulary **out,
                               seq_error *error) {
    char *text = NULL;
    size_t size;
    seq_error reason = {0};
    uint64_t listed;
    if (seq_file_size(path, &listed, &reason) ||
        seq_file_read(path, FILE_LIMIT, &text, &size, &reason))
        return seq_error_set(error, reason.status == SEQ_BAD_INPUT ? failure : reason.status, "%s",
                             reason.text);
    bool other = strncmp(text, header, strlen(header)) != 0;
    if (other && seq_form_check_text(path, text, size, &reason)) {
        free(text);
        return seq_error_set(error, failure, "%s", reason.text);
    }
    seq_status status =
        strlen(text) == size
            ? read_lines(text, path, failure, out, error)
            : seq_error_set(error, failure, "reading %s: it holds a NUL byte, is not text", path);
    free(text);
    return status;
}
