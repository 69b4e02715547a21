// Readers `conll` and `conllu`: a token a line, columns split by tabs or by
// blanks, a blank line behind each sentence. conll: `token` is the first column
// and `tag` the last; --comment names a prefix, and -DOCSTART- lines are marks.
// conllu: ten columns, `token` is FORM and `tag` UPOS; comments begin with #;
// ranges (3-4) and empty nodes (8.1) are passed over, words count from 1.
//
// With keep_lines every line goes with an item, so a file can be written back
// with new tags and nothing lost. A blank line that ends no sentence and no
// comment or mark is a sentence of length 0 with blank_items, else skipped and
// counted. Tests: tests/unit/prep/test_readers.c, tests/cli/seqprep_items.sh.
#include "reader_private.h"
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

extern const seq_reader_kind seq_reader_conll, seq_reader_conllu;

enum { WANTED = SEQ_ITEM_FIELDS };

typedef struct conll_column {
    const char *field;
    int index; // from 0; -1: the last
} conll_column;

typedef struct conll_token {
    size_t offset, size; // in the pool
    int64_t line, column;
} conll_token;

typedef struct conll_state {
    bool universal;          // conllu
    seq_separator separator; // AUTO: not known yet
    int width;               // columns of a token; 0: not known yet
    conll_column columns[WANTED];
    int column_count;
    // Tokens of the sentence, column_count cells each.
    conll_token *cells;
    size_t cell_count, cell_capacity;
    char *pool;
    size_t used, capacity;
    int64_t tokens, documents;
    char group[256]; // value of the comment that --group names
    bool has_group;
} conll_state;

static bool is_blank(const char *line) {
    return line[strspn(line, " \t")] == '\0';
}

// The next column from *at on; false behind the last one.
static bool take_column(bool tabs, const char **at, const char **out_begin, size_t *out_size) {
    if (!*at) return false;
    if (tabs) {
        *out_begin = *at;
        *out_size = strcspn(*at, "\t");
        *at = (*at)[*out_size] ? *at + *out_size + 1 : NULL;
        return true;
    }
    *at += strspn(*at, " \t");
    if (!**at) return false;
    *out_begin = *at;
    *out_size = strcspn(*at, " \t");
    *at += *out_size;
    return true;
}

static int count_columns(const conll_state *state, const char *line) {
    const char *at = line, *begin;
    size_t size;
    int count = 0;
    while (take_column(state->separator == SEQ_SEPARATOR_TAB, &at, &begin, &size))
        count++;
    return count;
}

static bool is_wanted(const conll_state *state, int index, int column) {
    int wanted = state->columns[index].index;
    return column == (wanted < 0 ? state->width - 1 : wanted);
}

static seq_status put_cell(seq_reader *reader, size_t at, const char *begin, size_t size,
                           seq_error *error) {
    conll_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    int64_t column = begin - lines->line + 1;
    if (size == 0)
        return seq_item_refuse(reader->name, lines->number, column, error, "the column is empty");
    if (state->used + size > SEQ_ITEM_BYTES)
        return seq_item_refuse(reader->name, lines->number, 0, error,
                               "the sentence is longer than %d bytes", SEQ_ITEM_BYTES);
    seq_status status =
        seq_grow(&state->pool, &state->capacity, state->used + size, 1, "a sentence", error);
    if (status) return status;
    memcpy(state->pool + state->used, begin, size);
    state->cells[at] = (conll_token){state->used, size, lines->number, column};
    state->used += size;
    return SEQ_OK;
}

// How a line of tokens must look: as the first one of the file.
static seq_status check_width(seq_reader *reader, int width, seq_error *error) {
    conll_state *state = reader->state;
    const seq_line_reader *lines = &reader->lines;
    int least = 1;
    bool unlabelled = reader->settings->unlabelled;
    for (int i = 0; i < state->column_count; i++)
        if (state->columns[i].index >= least &&
            !(unlabelled && strcmp(state->columns[i].field, "tag") == 0))
            least = state->columns[i].index + 1;
    if (!unlabelled && !state->universal && least < 2) least = 2;
    if (!state->width) {
        if (width < least)
            return seq_item_refuse(reader->name, lines->number, (int64_t)lines->size + 1, error,
                                   "expected at least %d columns split by %s, found %d", least,
                                   state->separator == SEQ_SEPARATOR_TAB ? "tabs" : "blanks",
                                   width);
        state->width = width;
    }
    if (width == state->width) return SEQ_OK;
    return seq_item_refuse(reader->name, lines->number, (int64_t)lines->size + 1, error,
                           "the line has %d columns, and %s", width,
                           state->universal ? "CoNLL-U has 10"
                                            : "those before it have another "
                                              "number");
}

static seq_status take_token(seq_reader *reader, seq_error *error) {
    conll_state *state = reader->state;
    const seq_line_reader *lines = &reader->lines;
    if (check_width(reader, count_columns(state, lines->line), error)) return error->status;
    size_t first = state->cell_count, wanted = (size_t)state->column_count, size;
    if (seq_grow(&state->cells, &state->cell_capacity, first + wanted, sizeof *state->cells,
                 "a sentence", error))
        return error->status;
    const char *at = lines->line, *begin;
    bool tabs = state->separator == SEQ_SEPARATOR_TAB;
    for (int column = 0; take_column(tabs, &at, &begin, &size); column++)
        for (int i = 0; i < state->column_count; i++)
            if (is_wanted(state, i, column) &&
                put_cell(reader, first + (size_t)i, begin, size, error))
                return error->status;
    state->cell_count += wanted;
    return seq_build_line(reader, lines->line, lines->size, state->tokens++, error);
}

// The comment `# KEY = VALUE` that --group names; `# newdoc id = VALUE` is a document's.
static void note_group(seq_reader *reader, const char *comment) {
    conll_state *state = reader->state;
    const char *group = reader->settings->group, *equals = strchr(comment, '=');
    const char *key = comment + strspn(comment, "# \t");
    if (!group || !equals) return;
    size_t size = (size_t)(equals - key);
    seq_trim(&key, &size);
    bool document = strcmp(group, "document") == 0 && size == 9 && memcmp(key, "newdoc id", 9) == 0;
    if (!document && (size != strlen(group) || memcmp(key, group, size) != 0)) return;
    const char *value = equals + 1;
    size = strlen(value);
    seq_trim(&value, &size);
    snprintf(state->group, sizeof state->group, "%.*s", (int)(size > 255 ? 255 : size), value);
    state->has_group = true;
}

static seq_status pass_over(seq_reader *reader, seq_skip why, seq_error *error) {
    const seq_line_reader *lines = &reader->lines;
    reader->skipped[why]++;
    return seq_build_line(reader, lines->line, lines->size, -1, error);
}

// A line of CoNLL-U by its ID: a token, or passed over.
static seq_status take_universal(seq_reader *reader, seq_error *error) {
    conll_state *state = reader->state;
    const seq_line_reader *lines = &reader->lines;
    char *end;
    long number = strtol(lines->line, &end, 10);
    bool digits = *lines->line >= '0' && *lines->line <= '9';
    if (digits && (*end == '-' || *end == '.') && end[1] >= '0' && end[1] <= '9') {
        bool range = *end == '-';
        strtol(end + 1, &end, 10);
        if (*end == '\t') {
            seq_status status = check_width(reader, count_columns(state, lines->line), error);
            return status ? status
                          : pass_over(reader, range ? SEQ_SKIP_RANGE : SEQ_SKIP_EMPTY_NODE, error);
        }
    }
    if (!digits || *end != '\t' || number != state->tokens + 1)
        return seq_item_refuse(reader->name, lines->number, 1, error,
                               "expected word %" PRId64
                               " of the sentence: its number, and a tab behind it",
                               state->tokens + 1);
    return take_token(reader, error);
}

static bool is_mark(const char *line) {
    static const char mark[] = "-DOCSTART-";
    return strncmp(line, mark, sizeof mark - 1) == 0 && strchr(" \t", line[sizeof mark - 1]);
}

// One line that is not blank. *out_passed: it was no token.
static seq_status take_line(seq_reader *reader, bool *out_passed, seq_error *error) {
    conll_state *state = reader->state;
    const char *line = reader->lines.line, *comment = reader->settings->comment;
    if (state->universal) comment = state->tokens ? NULL : "#";
    int64_t before = state->tokens;
    seq_status status;
    if (comment && strncmp(line, comment, strlen(comment)) == 0) {
        note_group(reader, line);
        if (strncmp(line + strspn(line, "# "), "newdoc", 6) == 0) state->documents++;
        status = pass_over(reader, SEQ_SKIP_COMMENT, error);
    } else if (!state->universal && is_mark(line)) {
        state->documents++;
        status = pass_over(reader, SEQ_SKIP_DOCUMENT, error);
    } else {
        if (!state->separator)
            state->separator = strchr(line, '\t') ? SEQ_SEPARATOR_TAB : SEQ_SEPARATOR_BLANK;
        status = state->universal ? take_universal(reader, error) : take_token(reader, error);
    }
    *out_passed = state->tokens == before;
    return status;
}

static seq_status build_group(seq_reader *reader, seq_error *error) {
    conll_state *state = reader->state;
    const char *group = reader->settings->group;
    char number[32];
    if (!group || strcmp(group, "file") == 0 || seq_reader_choice(reader, group)) return SEQ_OK;
    if (state->has_group)
        return seq_build_text(reader, group, state->group, strlen(state->group), reader->line, 0,
                              error);
    if (strcmp(group, "document") != 0) return SEQ_OK;
    snprintf(number, sizeof number, "%" PRId64, state->documents);
    return seq_build_text(reader, group, number, strlen(number), reader->line, 0, error);
}

static seq_status build(seq_reader *reader, int64_t line, seq_error *error) {
    conll_state *state = reader->state;
    seq_status status = SEQ_OK;
    seq_build_item(reader, line);
    for (int i = 0; !status && i < state->column_count; i++) {
        int index = state->columns[i].index;
        bool missing = state->tokens && (index < 0 ? state->width < 2 : index >= state->width);
        if (missing) continue; // raw input has no tags
        status = seq_build_field(reader, state->columns[i].field, true, error);
        for (int64_t t = 0; !status && t < state->tokens; t++) {
            const conll_token *cell =
                &state->cells[(size_t)t * (size_t)state->column_count + (size_t)i];
            status = seq_build_value(reader, state->pool + cell->offset, cell->size, cell->line,
                                     cell->column, error);
        }
    }
    return status ? status : build_group(reader, error);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    conll_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    bool more = true, marked = false, passed;
    int64_t first = 0;
    state->tokens = 0;
    state->cell_count = state->used = 0;
    for (;;) {
        if (seq_line_reader_next(lines, &more, error)) return error->status;
        if (!more) break;
        if (!first) first = lines->number;
        if (!is_blank(lines->line)) {
            if (take_line(reader, &passed, error)) return error->status;
            marked |= passed;
            continue;
        }
        if (seq_build_line(reader, lines->line, lines->size, -1, error)) return error->status;
        if (state->tokens || (!marked && reader->settings->blank_items)) break;
        reader->skipped[SEQ_SKIP_BLANK] += !marked;
        marked = false;
        first = 0;
    }
    *out_more = more || state->tokens;
    return *out_more ? build(reader, first, error) : SEQ_OK;
}

static void add_column(conll_state *state, const char *field, int index) {
    state->columns[state->column_count++] = (conll_column){field, index};
}

// A column of CoNLL-U by its name, from 0; -1: no such.
static int universal_column(const char *name) {
    static const char *const names[] = {"id",    "form", "lemma",  "upos", "xpos",
                                        "feats", "head", "deprel", "deps", "misc"};
    for (int i = 0; i < 10; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

static seq_status open_columns(seq_reader *reader, int token, int tag, seq_error *error) {
    conll_state *state = reader->state;
    for (int i = 0; i < reader->choice_count; i++) {
        const seq_column_choice *choice = &reader->choices[i];
        int index =
            choice->name && state->universal ? universal_column(choice->name) : choice->from - 1;
        if (index < 0 || choice->to > choice->from || index > 9999 ||
            (state->universal && index > 9))
            return seq_error_set(
                error, SEQ_BAD_USAGE, "--columns %s=%s: expected the number of a column%s",
                choice->field, choice->name ? choice->name : "...",
                state->universal ? " from 1 to 10, or its name (form, upos ...)" : ", from 1");
        if (state->column_count + 2 >= WANTED)
            return seq_error_set(error, SEQ_BAD_USAGE, "--columns: more than %d fields",
                                 WANTED - 2);
        add_column(state, choice->field, index);
    }
    if (!seq_reader_choice(reader, "token")) add_column(state, "token", token);
    if (!seq_reader_choice(reader, "tag")) add_column(state, "tag", tag);
    return SEQ_OK;
}

static seq_status open_conll(seq_reader *reader, seq_error *error) {
    conll_state *state = reader->state;
    const char *comment = reader->settings->comment;
    state->separator = reader->settings->separator;
    if (comment && !*comment)
        return seq_error_set(error, SEQ_BAD_USAGE, "--comment: the prefix is empty");
    return open_columns(reader, 0, -1, error);
}

static seq_status open_conllu(seq_reader *reader, seq_error *error) {
    conll_state *state = reader->state;
    state->universal = true;
    state->separator = SEQ_SEPARATOR_TAB;
    state->width = 10;
    return open_columns(reader, 1, 3, error);
}

static void close_conll(seq_reader *reader) {
    conll_state *state = reader->state;
    free(state->cells);
    free(state->pool);
}

seq_conll_layout seq_conll_layout_of(const seq_reader *reader) {
    seq_conll_layout layout = {false, -1};
    if (reader->kind != &seq_reader_conll && reader->kind != &seq_reader_conllu) return layout;
    const conll_state *state = reader->state;
    layout.tabs = state->separator == SEQ_SEPARATOR_TAB;
    for (int i = 0; i < state->column_count; i++)
        if (strcmp(state->columns[i].field, "tag") == 0) layout.tag = state->columns[i].index;
    if (layout.tag < 0 && state->width > 1) layout.tag = state->width - 1;
    return layout;
}

void seq_conll_print(FILE *stream, seq_conll_layout layout, const seq_item_line *lines,
                     size_t count, const char *const *tags) {
    for (size_t i = 0; i < count; i++) {
        const seq_item_line *line = &lines[i];
        const char *at = line->bytes, *begin, *rest = line->bytes;
        size_t size;
        bool replaced = line->token < 0;
        for (int column = 0; !replaced && take_column(layout.tabs, &at, &begin, &size); column++)
            if (column == layout.tag) {
                fprintf(stream, "%.*s%s", (int)(begin - rest), rest, tags[line->token]);
                rest = begin + size;
                replaced = true;
            }
        fputs(rest, stream);
        if (!replaced) fprintf(stream, "%c%s", layout.tabs ? '\t' : ' ', tags[line->token]);
        putc('\n', stream);
    }
}

const seq_reader_kind seq_reader_conll = {
    .name = "conll",
    .summary = "a token and its tag a line, a blank line behind each sentence",
    .input = "token",
    .target = "tag",
    .suffixes = ".conll .bio .iob .iob2 ",
    .uses = SEQ_USES_COLUMNS | SEQ_USES_SEPARATOR | SEQ_USES_COMMENT,
    .state = sizeof(conll_state),
    .open = open_conll,
    .next = next,
    .close = close_conll,
};

const seq_reader_kind seq_reader_conllu = {
    .name = "conllu",
    .summary = "the ten columns of CoNLL-U; --columns tag=upos",
    .input = "token",
    .target = "tag",
    .suffixes = ".conllu ",
    .uses = SEQ_USES_COLUMNS,
    .state = sizeof(conll_state),
    .open = open_conllu,
    .next = next,
    .close = close_conll,
};
