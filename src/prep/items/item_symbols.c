// Transcripts -> symbols. A transcript loses what its layout adds (blanks at the
// ends, runs of them), then it is cut by the cutter that cuts texts, in normal
// form C. The alphabet is what the training part has: a symbol that it lacks
// could never be learned, and is mostly a slip of the keyboard. Invariant: a
// symbol's place is that of the first kept item that has it. Tests:
// tests/cli/transcribe.sh.
#include "item_symbols.h"
#include "readers/line_reader.h"
#include <errno.h>
#include <inttypes.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/textgrid.h>
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/data/transcript.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

// The sink of the cutter.
static seq_status take_units(void *context, const char *text, size_t size, size_t count,
                             seq_error *error) {
    seq_item_symbols *symbols = context;
    seq_status status = seq_grow(&symbols->ids, &symbols->capacity, symbols->count + count,
                                 sizeof *symbols->ids, "a transcript", error);
    for (size_t i = 0; !status && i < count; i++) {
        size_t number;
        status = seq_string_table_add(&symbols->table, text + i * size, size, &number, error);
        if (!status) symbols->ids[symbols->count++] = (uint32_t)number;
    }
    return status;
}

seq_status seq_item_symbols_begin(seq_item_symbols *symbols, const seq_item_rules *rules,
                                  seq_error *error) {
    return seq_item_cutter_create(rules, take_units, symbols, &symbols->cutter, error);
}

void seq_item_symbols_end(seq_item_symbols *symbols) {
    seq_item_cutter_destroy(symbols->cutter);
    for (size_t i = 0; i < symbols->place_capacity; i++)
        free(symbols->places[i].file);
    free(symbols->places);
    seq_string_table_clear(&symbols->table);
    free(symbols->ids);
    free(symbols->text);
    free(symbols->file);
    *symbols = (seq_item_symbols){0};
}

seq_status seq_item_symbols_cut(seq_item_symbols *symbols, const char *file,
                                const seq_item_field *text, seq_error *error) {
    symbols->count = 0;
    return seq_item_cut(symbols->cutter, file, text, error);
}

// ---- Where a transcript stands.

static seq_status append(seq_item_symbols *symbols, const char *bytes, size_t size,
                         seq_error *error) {
    seq_status status = seq_grow(&symbols->text, &symbols->text_capacity, symbols->size + size + 2,
                                 1, "a transcript", error);
    if (status) return status;
    if (symbols->size) symbols->text[symbols->size++] = ' ';
    if (size) memcpy(symbols->text + symbols->size, bytes, size);
    symbols->size += size;
    return SEQ_OK;
}

static seq_status set_file(seq_item_symbols *symbols, const char *name, size_t size,
                           const char *suffix, int64_t line, seq_error *error) {
    seq_status status = seq_grow(&symbols->file, &symbols->file_capacity, size + strlen(suffix) + 1,
                                 1, "a path", error);
    if (status) return status;
    memcpy(symbols->file, name, size);
    strcpy(symbols->file + size, suffix);
    symbols->line = line;
    return SEQ_OK;
}

static seq_status read_stream(void *context, char *out, size_t capacity, size_t *out_size,
                              seq_error *error) {
    return seq_byte_reader_read(context, out, capacity, out_size, error);
}

// All lines of a text file.
static seq_status read_text(seq_item_symbols *symbols, seq_error *error) {
    seq_byte_reader_rules rules = *symbols->files;
    seq_byte_reader *bytes = NULL;
    seq_line_reader lines = {0};
    bool more = true;
    rules.text = true;
    seq_status status = seq_byte_reader_open(symbols->file, &rules, &bytes, error);
    const seq_byte_stream stream = {read_stream, bytes};
    if (!status) status = seq_line_reader_begin(&lines, &stream, symbols->file, false, error);
    while (!status && !(status = seq_line_reader_next(&lines, &more, error)) && more)
        status = append(symbols, lines.line, lines.size, error);
    seq_line_reader_end(&lines);
    seq_byte_reader_close(bytes);
    return status;
}

// The labels of all intervals that have one.
static seq_status read_intervals(seq_item_symbols *symbols, seq_error *error) {
    seq_textgrid grid = {0};
    const seq_tier *tier;
    seq_status status = seq_textgrid_read(symbols->file, &grid, error);
    if (!status) status = seq_textgrid_find(&grid, symbols->tier, symbols->file, &tier, error);
    for (size_t i = 0; !status && i < tier->count; i++) {
        const seq_tier_interval *interval = &tier->intervals[i];
        if (*interval->label)
            status = append(symbols, interval->label, strlen(interval->label), error);
    }
    seq_textgrid_clear(&grid);
    return status;
}

bool seq_is_transcript(const char *path, const char *reader) {
    const char *slash = strrchr(path, '/'), *point = strrchr(slash ? slash : path, '.'),
               *named = seq_reader_of_file(path);
    return point && (strcmp(point, ".txt") == 0 || strcmp(point, ".TextGrid") == 0) &&
           !(named && strcmp(named, reader) == 0);
}

// Bytes of a file's name without its ending, and that of a packing.
size_t seq_stem_of(const char *path) {
    static const char *const packings[] = {".gz", ".zst", ".xz", ".bz2"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        size_t length = strlen(packings[i]);
        if (size > length && strcmp(path + size - length, packings[i]) == 0) size -= length;
    }
    for (size_t at = size; path + at > name + 1; at--)
        if (path[at - 1] == '.') return at - 1;
    return size;
}

// The item's file: of a table the one that it names.
void seq_item_find_file(const seq_item *item, char out[SEQ_PATH]) {
    const seq_item_field *path = seq_item_find(item, "path");
    const char *slash = strrchr(item->file, '/');
    bool beside = path && path->count && path->values->bytes[0] != '/';
    int folder = beside && slash ? (int)(slash + 1 - item->file) : 0;
    snprintf(out, SEQ_PATH, "%.*s%s", folder, item->file,
             path && path->count ? path->values->bytes : item->file);
}

static seq_status read_beside(seq_item_symbols *symbols, const seq_item *item, seq_error *error) {
    static const struct {
        const char *suffix;
        seq_status (*read)(seq_item_symbols *symbols, seq_error *error);
    } forms[] = {{".txt", read_text}, {".TextGrid", read_intervals}};
    char file[SEQ_PATH];
    seq_item_find_file(item, file);
    size_t stem = seq_stem_of(file);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        seq_status status = set_file(symbols, file, stem, forms[i].suffix, 1, error);
        if (status) return status;
        if (strcmp(symbols->file, file) != 0 && access(symbols->file, F_OK) == 0)
            return forms[i].read(symbols, error);
    }
    return seq_item_refuse(item->file, item->line, 0, error,
                           "no transcript: the item has no field 'text', and neither %.*s.txt nor "
                           "%.*s.TextGrid is there",
                           (int)stem, file, (int)stem, file);
}

static seq_status read_field(seq_item_symbols *symbols, const seq_item *item,
                             const seq_item_field *field, seq_error *error) {
    int64_t line = field->count ? field->values[0].line : 0;
    seq_status status =
        set_file(symbols, item->file, strlen(item->file), "", line ? line : item->line, error);
    for (size_t i = 0; !status && i < field->count; i++)
        status = append(symbols, field->values[i].bytes, field->values[i].size, error);
    return status;
}

seq_status seq_item_symbols_take(seq_item_symbols *symbols, const seq_item *item,
                                 seq_error *error) {
    const seq_item_field *field = seq_item_find(item, "text");
    symbols->size = symbols->count = 0;
    seq_status status = seq_grow(&symbols->text, &symbols->text_capacity, 1, 1, "a transcript",
                                 error); // an empty one has room, too
    if (!status)
        status =
            field ? read_field(symbols, item, field, error) : read_beside(symbols, item, error);
    if (status) return status;
    symbols->size = seq_transcript_trim(symbols->text, symbols->size, symbols->text);
    symbols->text[symbols->size] = '\0';
    const seq_value value = {
        .bytes = symbols->text, .size = symbols->size, .line = symbols->line, .column = 1};
    const seq_item_field whole = {.name = "text", .values = &value, .count = 1};
    return seq_item_symbols_cut(symbols, symbols->file, &whole, error);
}

// ---- Feasibility.

static size_t repeats_of(const seq_item_symbols *symbols) {
    size_t repeats = 0;
    for (size_t i = 1; i < symbols->count; i++)
        repeats += symbols->ids[i] == symbols->ids[i - 1];
    return repeats;
}

size_t seq_item_symbols_need(const seq_item_symbols *symbols) {
    return symbols->count + repeats_of(symbols);
}

seq_status seq_item_symbols_check(const seq_item_symbols *symbols, size_t frames,
                                  seq_error *error) {
    size_t repeats = repeats_of(symbols);
    if (symbols->count + repeats <= frames) return SEQ_OK;
    return seq_item_refuse(symbols->file, symbols->line, 0, error,
                           "%zu labels, %zu of them as the one before, need %zu frames, and the "
                           "item has %zu (--infeasible skip leaves such items out)",
                           symbols->count, repeats, symbols->count + repeats, frames);
}

// ---- The alphabet.

seq_status seq_item_symbols_keep(seq_item_symbols *symbols, seq_error *error) {
    seq_status status = seq_grow(&symbols->places, &symbols->place_capacity, symbols->table.count,
                                 sizeof *symbols->places, "symbols", error);
    if (status) return status;
    for (size_t i = 0; i < symbols->count; i++) {
        seq_symbol_place *place = &symbols->places[symbols->ids[i]];
        if (place->file) continue;
        place->line = symbols->line;
        place->file = strdup(symbols->file);
        if (!place->file) return seq_error_set(error, SEQ_NO_MEMORY, "no memory for a path");
    }
    return SEQ_OK;
}

// "U+0441 'c'", or "'word'".
static void describe(const seq_string_table *table, size_t number, char *out, size_t size) {
    const char *text = seq_string_table_text(table, number);
    size_t bytes = table->items[number].size;
    utf8proc_int32_t point;
    char shown[80];
    seq_escape(text, bytes, false, shown, sizeof shown);
    if (utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)bytes, &point) ==
        (utf8proc_ssize_t)bytes)
        snprintf(out, size, "U+%04" PRIX32 " '%s'", (uint32_t)point, shown);
    else
        snprintf(out, size, "'%s'", shown);
}

static seq_status check_symbol(const seq_item_symbols *symbols, size_t number, seq_error *error) {
    const seq_symbol_place *place = &symbols->places[number];
    const char *text = seq_string_table_text(&symbols->table, number);
    char shown[120];
    describe(&symbols->table, number, shown, sizeof shown);
    if (strcmp(text, seq_blank_text) == 0 || strcmp(text, seq_eos_text) == 0)
        return seq_item_refuse(place->file, place->line, 0, error,
                               "the symbol %s is one that seqtrain needs for itself", shown);
    if (symbols->table.items[number].count) return SEQ_OK;
    return seq_item_refuse(place->file, place->line, 0, error,
                           "the symbol %s is not in the alphabet: no transcript of the training "
                           "part has it",
                           shown);
}

typedef struct ranked {
    const char *text;
    size_t number;
} ranked;

static bool as_number(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return *text && *end == '\0';
}

// Numbers by value, before others by bytes.
static int by_value(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    double one, other;
    bool is_number = as_number(x->text, &one), is_other = as_number(y->text, &other);
    if (is_number && is_other && one != other) return one < other ? -1 : 1;
    if (is_number != is_other) return is_number ? -1 : 1;
    return strcmp(x->text, y->text);
}

seq_status seq_item_symbols_vocabulary(const seq_item_symbols *symbols, const seq_text_rules *rules,
                                       seq_vocabulary **out, seq_error *error) {
    const seq_string_table *table = &symbols->table;
    ranked *list = NULL;
    size_t count = 0;
    seq_status status = seq_allocate(&list, table->count, sizeof *list, "the alphabet", error);
    for (size_t i = 0; !status && i < table->count; i++) {
        if (i >= symbols->place_capacity || !symbols->places[i].file) continue;
        status = check_symbol(symbols, i, error);
        list[count++] = (ranked){seq_string_table_text(table, i), i};
    }
    if (!status && !count)
        status =
            seq_error_set(error, SEQ_BAD_INPUT, "no transcript of the training part has a symbol");
    if (!status) qsort(list, count, sizeof *list, by_value);
    if (!status) status = seq_vocabulary_create(rules, out, error);
    if (!status)
        status = seq_vocabulary_append(*out, seq_blank_text, strlen(seq_blank_text), 0, error);
    for (size_t i = 0; !status && i < count; i++) {
        const seq_string *symbol = &table->items[list[i].number];
        status = seq_vocabulary_append(*out, list[i].text, symbol->size, symbol->count, error);
    }
    free(list);
    return status;
}
