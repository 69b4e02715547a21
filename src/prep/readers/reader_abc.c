// Reader `abc`: tunes in ABC notation. A tune begins with X: and ends before a
// blank line or the next X:. Its text is its lines of notes and those fields that
// are music: K: L: M: P: Q: V:. What stands before the first line of notes is its
// head, which is the begin of the text. Other fields, and lines that are comments,
// are left out. Key, metre and length of L: are those in force at the first note;
// the type is the name of the file up to its first dot. Invariant: head and the
// lines behind it, joined by line ends, are the text. Tests:
// tests/unit/prep/test_readers.c, tests/cli/generate.sh.
#include "reader_private.h"
#include <seqtrain/base/memory.h>
#include <seqtrain/data/abc.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE = 64 };

typedef struct abc_state {
    char *text;
    size_t size, capacity, head;
    bool has_notes;
    char key[VALUE], metre[VALUE], length[VALUE], rhythm[VALUE], number[VALUE], title[4 * VALUE];
} abc_state;

static bool is_field(const seq_line_reader *lines) {
    const char *end = lines->line + lines->size;
    return lines->size >= 2 && lines->line[1] == ':' && strchr(":|", lines->line[0]) == NULL &&
           seq_abc_symbol_end(lines->line, end, true) == end;
}

static bool begins_tune(const seq_line_reader *lines) {
    return lines->size >= 2 && lines->line[0] == 'X' && lines->line[1] == ':';
}

static bool is_blank(const seq_line_reader *lines) {
    return strspn(lines->line, " \t") == lines->size;
}

// The value of a field without blanks at its ends, and without a comment.
static void take_value(const seq_line_reader *lines, char *out, size_t capacity) {
    const char *at = lines->line + 2;
    size_t size = strcspn(at, "%");
    seq_trim(&at, &size);
    if (size >= capacity) {
        size = capacity - 1;
        while (size && ((unsigned char)at[size] & 0xC0) == 0x80)
            size--;
    }
    memcpy(out, at, size);
    out[size] = '\0';
}

static void take_key(const seq_line_reader *lines, abc_state *state) {
    char text[VALUE];
    seq_abc_key key;
    take_value(lines, text, sizeof text);
    snprintf(state->key, sizeof state->key, "%s",
             seq_abc_key_read(text, text + strlen(text), &key) ? key.name : "none");
}

static void take_metre(const seq_line_reader *lines, abc_state *state) {
    take_value(lines, state->metre, sizeof state->metre);
    if (strcmp(state->metre, "C") == 0) strcpy(state->metre, "4/4");
    if (strcmp(state->metre, "C|") == 0) strcpy(state->metre, "2/2");
}

static void take_field(const seq_line_reader *lines, abc_state *state) {
    char letter = lines->line[0];
    if (letter == 'T' && !*state->title) take_value(lines, state->title, sizeof state->title);
    if (letter == 'R') take_value(lines, state->rhythm, sizeof state->rhythm);
    if (state->has_notes) return;
    if (letter == 'K') take_key(lines, state);
    if (letter == 'M') take_metre(lines, state);
    if (letter == 'L') take_value(lines, state->length, sizeof state->length);
}

static seq_status append(seq_reader *reader, abc_state *state, seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    if (state->size + lines->size + 1 >= SEQ_ITEM_BYTES)
        return seq_item_refuse(reader->name, lines->number, 0, error,
                               "the tune is longer than %d bytes", SEQ_ITEM_BYTES);
    seq_status status =
        seq_grow(&state->text, &state->capacity, state->size + lines->size + 2, 1, "a tune", error);
    if (status) return status;
    memcpy(state->text + state->size, lines->line, lines->size);
    state->size += lines->size;
    state->text[state->size++] = '\n';
    return SEQ_OK;
}

static seq_status take_line(seq_reader *reader, abc_state *state, seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    bool field = is_field(lines);
    if (*lines->line == '%') {
        reader->skipped[SEQ_SKIP_COMMENT]++;
        return SEQ_OK;
    }
    if (field) take_field(lines, state);
    if (field && !strchr("KLMPQV", lines->line[0])) return SEQ_OK;
    if (!field && !state->has_notes) state->head = state->size;
    state->has_notes |= !field;
    return append(reader, state, error);
}

static seq_status build(seq_reader *reader, const abc_state *state, seq_error *error) {
    const char *slash = strrchr(reader->name, '/'), *name = slash ? slash + 1 : reader->name;
    const struct {
        const char *name, *bytes;
        size_t size;
    } fields[] = {{"text", state->text, state->size - 1},
                  {"head", state->text, state->head},
                  {"type", name, strcspn(name, ".")},
                  {"key", state->key, strlen(state->key)},
                  {"metre", state->metre, strlen(state->metre)},
                  {"length", state->length, strlen(state->length)},
                  {"rhythm", state->rhythm, strlen(state->rhythm)},
                  {"number", state->number, strlen(state->number)},
                  {"title", state->title, strlen(state->title)}};
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < sizeof fields / sizeof *fields; i++)
        status = seq_build_text(reader, fields[i].name, fields[i].bytes, fields[i].size,
                                reader->line, 0, error);
    return status;
}

// The lines of a tune behind its X:.
static seq_status read_tune(seq_reader *reader, abc_state *state, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    bool more = true;
    state->size = state->head = 0;
    state->has_notes = false;
    *state->title = '\0';
    strcpy(state->key, "none");
    strcpy(state->metre, "none");
    strcpy(state->length, "none");
    strcpy(state->rhythm, "none");
    take_value(lines, state->number, sizeof state->number);
    while (!seq_line_reader_next(lines, &more, error) && more && !is_blank(lines)) {
        if (begins_tune(lines)) {
            seq_line_reader_keep(lines);
            break;
        }
        if (take_line(reader, state, error)) break;
    }
    return error->status;
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    abc_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        if (!begins_tune(lines)) {
            bool comment = *lines->line == '%';
            if (!is_blank(lines)) reader->skipped[comment ? SEQ_SKIP_COMMENT : SEQ_SKIP_OUTSIDE]++;
            continue;
        }
        seq_build_item(reader, lines->number);
        if (read_tune(reader, state, error)) return error->status;
        if (state->has_notes) return build(reader, state, error);
        reader->skipped[SEQ_SKIP_SILENT]++;
    }
}

static void close_reader(seq_reader *reader) {
    free(((abc_state *)reader->state)->text);
}

const seq_reader_kind seq_reader_abc = {
    .name = "abc",
    .summary = "tunes in ABC notation, with key, metre, length, rhythm, title and type",
    .input = "text",
    .target = "type",
    .suffixes = ".abc ",
    .state = sizeof(abc_state),
    .next = next,
    .close = close_reader,
};
