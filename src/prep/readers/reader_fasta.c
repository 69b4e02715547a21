// Reader `fasta`: a header line `>id description`, then the sequence on any
// number of lines. Letters of any case become upper case; IUPAC nucleotides,
// proteins, * and gaps are letters, blanks inside a line are not. The label is
// the first group of --label-pattern in the header, or what --label-table says
// of the id; without either the reader asks for one of them. Lines that begin
// with ; are comments. Tests: tests/unit/prep/test_readers.c.
#include "reader_private.h"
#include "sequence_letters.h"
#include <ctype.h>
#include <regex.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 1 << 16, TABLE_BYTES = 1 << 30 };

typedef struct label_entry {
    const char *id, *label;
    int64_t line;
} label_entry;

typedef struct fasta_state {
    bool begun, more;
    char *header;
    size_t header_size, header_capacity;
    regex_t pattern;
    bool has_pattern;
    char *table;
    label_entry *entries;
    size_t entry_count, entry_capacity;
} fasta_state;

// --- the table of labels ------------------------------------------------------------

static int compare_ids(const void *a, const void *b) {
    return strcmp(((const label_entry *)a)->id, ((const label_entry *)b)->id);
}

static seq_status add_entry(seq_reader *reader, char *line, int64_t number, seq_error *error) {
    fasta_state *state = reader->state;
    const char *path = reader->settings->label_table;
    size_t size = strlen(line);
    if (size && line[size - 1] == '\r') line[--size] = '\0';
    if (!size) return SEQ_OK;
    if (seq_check_text(path, number, line, size, error)) return error->status;
    char *tab = strchr(line, '\t');
    if (!tab || tab == line || !tab[1])
        return seq_item_refuse(path, number, 1, error, "expected ID<TAB>LABEL");
    *tab = '\0';
    seq_status status = seq_grow(&state->entries, &state->entry_capacity, state->entry_count + 1,
                                 sizeof *state->entries, "the table of labels", error);
    if (status) return status;
    state->entries[state->entry_count++] = (label_entry){line, tab + 1, number};
    return SEQ_OK;
}

static seq_status read_table(seq_reader *reader, seq_error *error) {
    fasta_state *state = reader->state;
    const char *path = reader->settings->label_table;
    size_t size;
    seq_status status = seq_file_read(path, TABLE_BYTES, &state->table, &size, error);
    if (status) return status;
    if (memchr(state->table, 0, size))
        return seq_item_refuse(path, 0, 0, error, "it holds a NUL byte, which is not text");
    char *rest = state->table;
    for (int64_t number = 1; !status && rest; number++)
        status = add_entry(reader, strsep(&rest, "\n"), number, error);
    if (status) return status;
    if (state->entry_count)
        qsort(state->entries, state->entry_count, sizeof *state->entries, compare_ids);
    for (size_t i = 1; i < state->entry_count; i++)
        if (compare_ids(&state->entries[i - 1], &state->entries[i]) == 0)
            return seq_item_refuse(path, state->entries[i].line, 1, error,
                                   "id '%s' has two entries", state->entries[i].id);
    return SEQ_OK;
}

// --- items ----------------------------------------------------------------------------

static seq_status build_label(seq_reader *reader, const char *id, seq_error *error) {
    fasta_state *state = reader->state;
    regmatch_t match[2];
    bool optional = reader->settings->unlabelled;
    if (state->has_pattern && regexec(&state->pattern, state->header, 2, match, 0) == 0 &&
        match[1].rm_so >= 0)
        return seq_build_text(reader, "label", state->header + match[1].rm_so,
                              (size_t)(match[1].rm_eo - match[1].rm_so), reader->line,
                              match[1].rm_so + 2, error);
    const label_entry key = {.id = id}, *entry = NULL;
    if (state->entry_count)
        entry = bsearch(&key, state->entries, state->entry_count, sizeof key, compare_ids);
    if (entry)
        return seq_build_text(reader, "label", entry->label, strlen(entry->label), reader->line, 0,
                              error);
    if (optional) return SEQ_OK;
    if (state->has_pattern)
        return seq_item_refuse(reader->name, reader->line, 1, error,
                               "--label-pattern '%s' does not match the header",
                               reader->settings->label_pattern);
    return seq_item_refuse(reader->name, reader->line, 2, error, "%s has no entry for id '%s'",
                           reader->settings->label_table, id);
}

static seq_status build_header(seq_reader *reader, seq_error *error) {
    fasta_state *state = reader->state;
    char id[256];
    size_t size = strcspn(state->header, " \t");
    if (!size || size >= sizeof id)
        return seq_item_refuse(reader->name, reader->line, 2, error,
                               "expected an id of 1 to %zu bytes behind '>'", sizeof id - 1);
    snprintf(id, sizeof id, "%.*s", (int)size, state->header);
    seq_status status = seq_build_text(reader, "id", id, size, reader->line, 2, error);
    return status ? status : build_label(reader, id, error);
}

// Upper case, in place, without blanks; *size becomes the letters left.
static seq_status clean_letters(seq_reader *reader, size_t *size, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    size_t kept = 0;
    for (size_t i = 0; i < lines->size; i++) {
        char byte = lines->line[i];
        if (byte == ' ' || byte == '\t') continue;
        if (!seq_is_sequence_letter(byte))
            return seq_item_refuse(reader->name, lines->number, (int64_t)i + 1, error,
                                   "byte 0x%02x is no letter of a sequence", (unsigned char)byte);
        lines->line[kept++] = (char)toupper((unsigned char)byte);
    }
    *size = kept;
    return SEQ_OK;
}

// Lines up to the next header, which stays the current line.
static seq_status build_sequence(seq_reader *reader, seq_error *error) {
    fasta_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    size_t size = 0;
    seq_status status = seq_build_text(reader, "text", "", 0, reader->line + 1, 1, error);
    while (!status && !(status = seq_line_reader_next(lines, &state->more, error)) && state->more &&
           *lines->line != '>') {
        if (*lines->line == ';') { // comments of the oldest form
            reader->skipped[SEQ_SKIP_COMMENT]++;
            continue;
        }
        reader->skipped[SEQ_SKIP_BLANK] += lines->size == 0;
        status = clean_letters(reader, &size, error);
        if (!status) status = seq_build_more(reader, lines->line, size, error);
    }
    return status;
}

static seq_status keep_header(seq_reader *reader, seq_error *error) {
    fasta_state *state = reader->state;
    const seq_line_reader *lines = &reader->lines;
    if (lines->size > HEADER)
        return seq_item_refuse(reader->name, lines->number, 0, error,
                               "the header is longer than %d bytes", HEADER);
    seq_status status =
        seq_grow(&state->header, &state->header_capacity, lines->size + 1, 1, "a header", error);
    if (!status) memcpy(state->header, lines->line + 1, lines->size);
    return status;
}

static seq_status find_first(seq_reader *reader, seq_error *error) {
    fasta_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    state->begun = true;
    for (;;) {
        if (seq_line_reader_next(lines, &state->more, error) || !state->more) return error->status;
        if (*lines->line == '>') return SEQ_OK;
        if (lines->size && *lines->line != ';')
            return seq_item_refuse(reader->name, lines->number, 1, error,
                                   "expected a header, >ID; is this FASTA?");
        reader->skipped[lines->size ? SEQ_SKIP_COMMENT : SEQ_SKIP_BLANK]++;
    }
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    fasta_state *state = reader->state;
    seq_status status = state->begun ? SEQ_OK : find_first(reader, error);
    *out_more = state->more;
    if (status || !state->more) return status;
    seq_build_item(reader, reader->lines.number);
    status = keep_header(reader, error);
    if (!status) status = build_header(reader, error);
    return status ? status : build_sequence(reader, error);
}

static seq_status open_fasta(seq_reader *reader, seq_error *error) {
    fasta_state *state = reader->state;
    const seq_reader_settings *settings = reader->settings;
    char reason[200];
    if (settings->label_pattern && settings->label_table)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--label-pattern and --label-table: give one of them");
    if (!settings->label_pattern && !settings->label_table && !settings->unlabelled)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "FASTA: where is the label? --label-pattern 'class=([^ ]+)' finds it "
                             "in the header, --label-table FILE by the id");
    if (settings->label_table) return read_table(reader, error);
    if (!settings->label_pattern) return SEQ_OK;
    int code = regcomp(&state->pattern, settings->label_pattern, REG_EXTENDED);
    if (code) {
        regerror(code, &state->pattern, reason, sizeof reason);
        return seq_error_set(error, SEQ_BAD_USAGE, "--label-pattern '%s': %s",
                             settings->label_pattern, reason);
    }
    state->has_pattern = true;
    if (state->pattern.re_nsub < 1)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--label-pattern '%s': expected a group: the label is what stands in "
                             "its first parentheses",
                             settings->label_pattern);
    return SEQ_OK;
}

static void close_fasta(seq_reader *reader) {
    fasta_state *state = reader->state;
    if (state->has_pattern) regfree(&state->pattern);
    free(state->header);
    free(state->table);
    free(state->entries);
}

const seq_reader_kind seq_reader_fasta = {
    .name = "fasta",
    .summary = "sequences behind >ID headers; --label-pattern or --label-table",
    .input = "text",
    .target = "label",
    .suffixes = ".fasta .fa .fna .faa .ffn .frn ",
    .uses = SEQ_USES_PATTERN | SEQ_USES_TABLE,
    .state = sizeof(fasta_state),
    .open = open_fasta,
    .next = next,
    .close = close_fasta,
};
