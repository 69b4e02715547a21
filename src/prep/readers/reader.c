// The table of readers, their settings, and the item that they build.
//
// To register a reader add its row to `kinds`. Settings arrive as the texts of
// the options; the same texts are recorded in a data set and parsed again when
// raw input is read for a prediction, so both obey the same bounds. An item's
// values are found in one pool, in order, when the item is complete: until then
// the pool may move. Tests: tests/unit/prep/test_readers.c,
// tests/fuzz/fuzz_reader.c, tests/cli/seqprep_items.sh.
#include "reader_private.h"
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern const seq_reader_kind seq_reader_arff, seq_reader_conll, seq_reader_conllu, seq_reader_csv,
    seq_reader_csv_frames, seq_reader_fasta, seq_reader_folder, seq_reader_hdf5, seq_reader_jsonl,
    seq_reader_kaldi, seq_reader_lines, seq_reader_npy, seq_reader_promoters, seq_reader_skeleton,
    seq_reader_sound, seq_reader_ts, seq_reader_tsv, seq_reader_abc;

static const seq_reader_kind *const kinds[] = {
    &seq_reader_lines, &seq_reader_folder,    &seq_reader_csv,        &seq_reader_tsv,
    &seq_reader_jsonl, &seq_reader_conll,     &seq_reader_conllu,     &seq_reader_fasta,
    &seq_reader_arff,  &seq_reader_promoters, &seq_reader_csv_frames, &seq_reader_npy,
    &seq_reader_ts,    &seq_reader_skeleton,  &seq_reader_sound,      &seq_reader_hdf5,
    &seq_reader_kaldi, &seq_reader_abc,
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *const seq_skip_names[SEQ_SKIPS] = {"blank lines",
                                               "comments",
                                               "document marks",
                                               "ranges of tokens",
                                               "empty nodes",
                                               "missing values",
                                               "items marked as not used",
                                               "sounds shorter than a frame",
                                               "data sets that are no frames",
                                               "lost frames",
                                               "items without an extent to be scaled by",
                                               "lines outside of tunes",
                                               "tunes without notes"};

const char *const *seq_reader_choices(void) {
    static const char *const choices[] = {"auto",      "lines",      "folder", "csv",   "tsv",
                                          "jsonl",     "conll",      "conllu", "fasta", "arff",
                                          "promoters", "csv-frames", "npy",    "ts",    "skeleton",
                                          "sound",     "hdf5",       "kaldi",  "abc",   NULL};
    _Static_assert(sizeof choices / sizeof *choices == KINDS + 2, "auto, and a name for each row");
    return choices;
}

const char *const *seq_reader_names(void) {
    return seq_reader_choices() + 1;
}

const seq_reader_kind *seq_reader_kind_find(const char *name) {
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
    return NULL;
}

const char *seq_reader_input_field(const char *reader) {
    return seq_reader_kind_find(reader)->input;
}

const char *seq_reader_input(const seq_reader *reader) {
    return reader->settings->pairs ? "source" : reader->kind->input;
}

const char *seq_reader_target(const seq_reader *reader) {
    return reader->settings->pairs ? "target" : reader->kind->target;
}

const char *seq_reader_summary(const char *reader) {
    return seq_reader_kind_find(reader)->summary;
}

// Whether --columns has the field `path`.
static bool has_path(const char *columns) {
    for (const char *at = columns; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "path=", 5) == 0) return true;
    }
    return false;
}

static bool names_files(const seq_reader_kind *kind, const char *columns) {
    return (kind->uses & SEQ_USES_FILES) && (has_path(columns) || !strcmp(kind->input, "frames"));
}

bool seq_reader_makes_frames(const char *reader, const char *columns) {
    const seq_reader_kind *kind = seq_reader_kind_find(reader);
    return strcmp(kind->input, "frames") == 0 || names_files(kind, columns);
}

bool seq_reader_names_files(const char *reader) {
    return seq_reader_kind_find(reader)->uses & SEQ_USES_FILES;
}

bool seq_reader_takes(const char *reader, const char *path) {
    const char *only = seq_reader_kind_find(reader)->only, *slash = strrchr(path, '/');
    return !only || strcmp(slash ? slash + 1 : path, only) == 0;
}

bool seq_reader_takes_bytes(const char *reader) {
    return seq_reader_kind_find(reader)->bytes;
}

static bool ends_with(const char *text, size_t size, const char *suffix, size_t length) {
    return size > length && strncasecmp(text + size - length, suffix, length) == 0;
}

const char *seq_reader_of_file(const char *path) {
    static const char *const packings[] = {".gz", ".zst", ".xz", ".bz2"};
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (ends_with(path, size, packings[i], strlen(packings[i]))) {
            size -= strlen(packings[i]);
            break;
        }
    for (size_t i = 0; i < KINDS; i++)
        for (const char *at = kinds[i]->suffixes; at && *at; at += strcspn(at, " ") + 1)
            if (ends_with(path, size, at, strcspn(at, " "))) return kinds[i]->name;
    return NULL;
}

const char *seq_reader_of_item(const char *path) {
    const char *named = seq_reader_of_file(path);
    bool table = named && (strcmp(named, "csv") == 0 || strcmp(named, "tsv") == 0);
    if (table) return "csv-frames";
    return named && seq_reader_makes_frames(named, NULL) && !seq_reader_names_files(named) ? named
                                                                                           : NULL;
}

seq_status seq_item_refuse(const char *file, int64_t line, int64_t column, seq_error *error,
                           const char *format, ...) {
    char what[SEQ_ERROR_TEXT], place[64] = "";
    int used = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (line) used = snprintf(place, sizeof place, " line %" PRId64, line);
    if (line && column)
        snprintf(place + used, sizeof place - (size_t)used, ", column %" PRId64, column);
    return seq_error_set(error, SEQ_BAD_INPUT, "%s%s: %s", file, place, what);
}

void seq_trim(const char **bytes, size_t *size) {
    while (*size && strchr(" \t", **bytes) && **bytes) {
        ++*bytes;
        --*size;
    }
    while (*size && strchr(" \t", (*bytes)[*size - 1]) && (*bytes)[*size - 1])
        --*size;
}

// --- settings -----------------------------------------------------------------

typedef struct setting {
    const char *key, *option;
    unsigned use;
    size_t offset; // of a text
} setting;

#define TEXT(field) offsetof(seq_reader_settings, field)
static const setting recorded[] = {
    {"reader", "reader", 0, TEXT(reader)},
    {"columns", "columns", SEQ_USES_COLUMNS, TEXT(columns)},
    {"ignore", "ignore", SEQ_USES_IGNORE, TEXT(ignore)},
    {"delimiter", "delimiter", SEQ_USES_DELIMITER, TEXT(delimiter)},
    {"comment", "comment", SEQ_USES_COMMENT, TEXT(comment)},
    {"label_pattern", "label-pattern", SEQ_USES_PATTERN | SEQ_USES_NAME, TEXT(label_pattern)},
};
enum { RECORDED = sizeof recorded / sizeof *recorded };

static const char *text_of(const seq_reader_settings *settings, const setting *which) {
    const char *text;
    memcpy(&text, (const char *)settings + which->offset, sizeof text);
    return text;
}

seq_status seq_reader_settings_write(const seq_reader_settings *settings, seq_record *record,
                                     seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < RECORDED; i++)
        if (text_of(settings, &recorded[i]))
            status = seq_record_set_text(record, recorded[i].key, text_of(settings, &recorded[i]),
                                         error);
    if (!status && settings->header)
        status = seq_record_set_integer(record, "header", settings->header, error);
    if (!status && settings->separator)
        status = seq_record_set_integer(record, "separator", settings->separator, error);
    if (!status && settings->raw_quotes)
        status = seq_record_set_integer(record, "raw_quotes", 1, error);
    if (!status && settings->missing)
        status = seq_record_set_integer(record, "missing_values", settings->missing, error);
    if (!status && settings->sound.mel_bins)
        status = seq_sound_settings_write(&settings->sound, record, error);
    return status ? status : seq_frame_settings_write(&settings->frames, record, error);
}

static seq_status read_choice(const seq_record *record, const char *key, int64_t maximum,
                              int64_t *out, seq_error *error) {
    *out = 0;
    return seq_record_text(record, key)
               ? seq_record_get_integer(record, key, 0, maximum, out, error)
               : SEQ_OK;
}

seq_status seq_reader_settings_read(seq_reader_settings *out, const seq_record *record,
                                    seq_error *error) {
    int64_t header, separator, raw, missing;
    *out = (seq_reader_settings){0};
    for (size_t i = 0; i < RECORDED; i++) {
        const char *text = seq_record_text(record, recorded[i].key);
        memcpy((char *)out + recorded[i].offset, &text, sizeof text);
    }
    if (!out->reader || !seq_reader_kind_find(out->reader))
        return seq_error_set(error, SEQ_BAD_INPUT, "reader settings: '%s' is no reader",
                             out->reader ? out->reader : "");
    seq_status status = read_choice(record, "header", SEQ_HEADER_NO, &header, error);
    if (!status) status = read_choice(record, "separator", SEQ_SEPARATOR_BLANK, &separator, error);
    if (!status) status = read_choice(record, "raw_quotes", 1, &raw, error);
    if (!status)
        status = read_choice(record, "missing_values", SEQ_MISSING_INTERPOLATE, &missing, error);
    if (!status && seq_reader_makes_frames(out->reader, out->columns))
        status = seq_sound_settings_read(&out->sound, record, error);
    if (!status && seq_reader_makes_frames(out->reader, out->columns))
        status = seq_frame_settings_read(&out->frames, record, error);
    if (status) return status;
    out->header = (seq_header)header;
    out->separator = (seq_separator)separator;
    out->raw_quotes = raw != 0;
    out->missing = (seq_missing_values)missing;
    return SEQ_OK;
}

static seq_status check_use(const seq_reader *reader, bool given, unsigned use, const char *option,
                            seq_error *error) {
    if (!given || (reader->kind->uses & use) || reader->names_files) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE, "--%s: without effect with --reader %s", option,
                         reader->kind->name);
}

// Clears recorded settings: those of which some use is among `uses`, or all others.
static void clear_settings(seq_reader_settings *settings, unsigned uses, bool among) {
    const char *none = NULL;
    for (size_t i = 1; i < RECORDED; i++)
        if (((recorded[i].use & uses) != 0) == among)
            memcpy((char *)settings + recorded[i].offset, &none, sizeof none);
    if (((SEQ_USES_HEADER & uses) != 0) == among) settings->header = SEQ_HEADER_AUTO;
    if (((SEQ_USES_SEPARATOR & uses) != 0) == among) settings->separator = SEQ_SEPARATOR_AUTO;
    if (((SEQ_USES_QUOTES & uses) != 0) == among) settings->raw_quotes = false;
    if (((SEQ_USES_MISSING & uses) != 0) == among) settings->missing = SEQ_MISSING_REFUSE;
    if (((SEQ_USES_SOUND & uses) != 0) == among) settings->sound = (seq_sound_settings){0};
}

seq_reader_settings seq_reader_settings_of_file(const seq_reader *reader) {
    seq_reader_settings out = *reader->settings;
    clear_settings(&out, reader->kind->uses, true);
    out.group = out.root = NULL;
    return out;
}

seq_reader_settings seq_reader_settings_for(const seq_reader_settings *from, const char *reader) {
    const seq_reader_kind *own = seq_reader_kind_find(from->reader),
                          *kind = seq_reader_kind_find(reader);
    seq_reader_settings out = *from;
    out.reader = reader;
    if (names_files(own, from->columns)) clear_settings(&out, own->uses, true);
    clear_settings(&out, kind->uses, kind->uses & SEQ_USES_FILES);
    return out;
}

static seq_status check_settings(const seq_reader *reader, seq_error *error) {
    const seq_reader_settings *settings = reader->settings;
    const char *of_frames = seq_frame_settings_given(&settings->frames);
    seq_status status = SEQ_OK;
    if (of_frames && !seq_reader_makes_frames(reader->kind->name, settings->columns))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: without effect with --reader %s",
                             of_frames, reader->kind->name);
    for (size_t i = 1; !status && i < RECORDED; i++)
        status = check_use(reader, text_of(settings, &recorded[i]) != NULL, recorded[i].use,
                           recorded[i].option, error);
    if (!status)
        status = check_use(reader, settings->header != 0, SEQ_USES_HEADER, "header", error);
    if (!status)
        status =
            check_use(reader, settings->separator != 0, SEQ_USES_SEPARATOR, "separator", error);
    if (!status) status = check_use(reader, settings->raw_quotes, SEQ_USES_QUOTES, "quotes", error);
    if (!status)
        status =
            check_use(reader, settings->missing != 0, SEQ_USES_MISSING, "missing-values", error);
    if (!status)
        status = check_use(reader, settings->sound.given != NULL, SEQ_USES_SOUND,
                           settings->sound.given, error);
    if (!status)
        status =
            check_use(reader, settings->label_table != NULL, SEQ_USES_TABLE, "label-table", error);
    return status;
}

// "7", "7-9"; anything else is a name.
static bool parse_numbers(const char *text, int *out_from, int *out_to) {
    char *end;
    long from = strtol(text, &end, 10), to = from;
    if (end == text || *text < '0' || *text > '9') return false;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9') to = strtol(end + 1, &end, 10);
    if (*end) return false;
    *out_from = from > INT32_MAX ? INT32_MAX : (int)from;
    *out_to = to > INT32_MAX ? INT32_MAX : (int)to;
    return true;
}

enum { CHOSEN_FIELDS = SEQ_ITEM_FIELDS - 3 }; // beside them sequence, target and group

static seq_status add_choice(seq_reader *reader, const char *option, const char *field,
                             const char *text, seq_error *error) {
    seq_column_choice choice = {.field = field, .name = text};
    if (reader->choice_count == (int)(sizeof reader->choices / sizeof *reader->choices))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: more than %d columns", option,
                             reader->choice_count);
    int fields = 0;
    for (int i = 0; i < reader->choice_count; i++)
        fields += reader->choices[i].field != NULL;
    if (field && fields == CHOSEN_FIELDS)
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: more than %d fields", option, fields);
    if (!*text || (field && !*field))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s %s: expected FIELD=NAME or FIELD=NUMBER",
                             option, reader->settings->columns);
    if (parse_numbers(text, &choice.from, &choice.to)) {
        choice.name = NULL;
        if (choice.from < 1 || choice.to < choice.from)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s: column %s: columns count from 1, and ranges rise", option,
                                 text);
    }
    if (field && seq_reader_choice(reader, field))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: field '%s' is given twice", option,
                             field);
    reader->choices[reader->choice_count++] = choice;
    return SEQ_OK;
}

// Entries of a list, in place: "label=1,text=review" or, without fields, "id,3".
static seq_status parse_list(seq_reader *reader, const char *option, char *list, bool fields,
                             seq_error *error) {
    char *rest = list;
    while (rest) {
        char *entry = strsep(&rest, ","), *equals = fields ? strchr(entry, '=') : NULL;
        if (fields && !equals)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--%s: '%s': expected FIELD=NAME or FIELD=NUMBER, such as label=1",
                                 option, entry);
        if (equals) *equals++ = '\0';
        seq_status status =
            add_choice(reader, option, fields ? entry : NULL, fields ? equals : entry, error);
        if (status) return status;
    }
    return SEQ_OK;
}

static seq_status parse_choices(seq_reader *reader, seq_error *error) {
    const seq_reader_settings *settings = reader->settings;
    size_t columns = settings->columns ? strlen(settings->columns) + 1 : 0,
           ignore = settings->ignore ? strlen(settings->ignore) + 1 : 0;
    seq_status status =
        seq_allocate(&reader->choice_text, columns + ignore, 1, "names of columns", error);
    if (status) return status;
    if (columns) memcpy(reader->choice_text, settings->columns, columns);
    if (ignore) memcpy(reader->choice_text + columns, settings->ignore, ignore);
    if (columns) status = parse_list(reader, "columns", reader->choice_text, true, error);
    if (!status && ignore)
        status = parse_list(reader, "ignore", reader->choice_text + columns, false, error);
    return status;
}

const seq_column_choice *seq_reader_choice(const seq_reader *reader, const char *field) {
    for (int i = 0; i < reader->choice_count; i++)
        if (reader->choices[i].field && strcmp(reader->choices[i].field, field) == 0)
            return &reader->choices[i];
    return NULL;
}

// --- building an item -----------------------------------------------------------

void seq_build_item(seq_reader *reader, int64_t line) {
    reader->line = line;
    reader->field_count = 0;
    reader->value_count = reader->pool_used = 0;
    reader->has_frames = false;
}

seq_status seq_build_field(seq_reader *reader, const char *name, bool list, seq_error *error) {
    if (reader->field_count == SEQ_ITEM_FIELDS)
        return seq_item_refuse(reader->name, reader->line, 0, error, "more than %d fields",
                               SEQ_ITEM_FIELDS);
    reader->fields[reader->field_count++] = (seq_item_field){.name = name, .list = list};
    return SEQ_OK;
}

seq_status seq_build_value(seq_reader *reader, const char *bytes, size_t size, int64_t line,
                           int64_t column, seq_error *error) {
    seq_status status = seq_grow(&reader->values, &reader->value_capacity, reader->value_count + 1,
                                 sizeof *reader->values, "an item", error);
    if (status) return status;
    reader->values[reader->value_count++] = (seq_value){.line = line, .column = column};
    reader->fields[reader->field_count - 1].count++;
    reader->pool_used += reader->value_count > 1; // the NUL of the value before
    return seq_build_more(reader, bytes, size, error);
}

seq_status seq_build_more(seq_reader *reader, const char *bytes, size_t size, seq_error *error) {
    if (reader->pool_used + size >= SEQ_ITEM_BYTES)
        return seq_item_refuse(reader->name, reader->line, 0, error,
                               "the item that begins here is longer than %d bytes", SEQ_ITEM_BYTES);
    seq_status status = seq_grow(&reader->pool, &reader->pool_capacity,
                                 reader->pool_used + size + 1, 1, "an item", error);
    if (status) return status;
    if (size) memcpy(reader->pool + reader->pool_used, bytes, size);
    reader->pool_used += size;
    reader->pool[reader->pool_used] = '\0';
    reader->values[reader->value_count - 1].size += size;
    return SEQ_OK;
}

seq_status seq_build_text(seq_reader *reader, const char *field, const char *bytes, size_t size,
                          int64_t line, int64_t column, seq_error *error) {
    seq_status status = seq_build_field(reader, field, false, error);
    return status ? status : seq_build_value(reader, bytes, size, line, column, error);
}

seq_status seq_build_line(seq_reader *reader, const char *bytes, size_t size, int64_t token,
                          seq_error *error) {
    if (!reader->settings->keep_lines) return SEQ_OK;
    if (reader->kept_used + size >= SEQ_ITEM_BYTES)
        return seq_item_refuse(reader->name, reader->lines.number, 0, error,
                               "the lines of an item have more than %d bytes", SEQ_ITEM_BYTES);
    seq_status status = seq_grow(&reader->kept, &reader->kept_capacity, reader->kept_count + 1,
                                 sizeof *reader->kept, "the lines of an item", error);
    if (!status)
        status = seq_grow(&reader->kept_pool, &reader->kept_size, reader->kept_used + size + 1, 1,
                          "the lines of an item", error);
    if (status) return status;
    memcpy(reader->kept_pool + reader->kept_used, bytes, size);
    reader->kept_pool[reader->kept_used + size] = '\0';
    reader->kept[reader->kept_count++] = (seq_item_line){.size = size, .token = token};
    reader->kept_used += size + 1;
    return SEQ_OK;
}

static void finish(seq_reader *reader, seq_item *item) {
    const char *at = reader->pool;
    for (size_t i = 0; i < reader->value_count; i++) {
        reader->values[i].bytes = at;
        at += reader->values[i].size + 1;
    }
    size_t first = 0;
    for (int i = 0; i < reader->field_count; i++) {
        reader->fields[i].values = reader->values ? reader->values + first : NULL; // none at all
        first += reader->fields[i].count;
    }
    at = reader->kept_pool;
    for (size_t i = 0; i < reader->kept_count; i++) {
        reader->kept[i].bytes = at;
        at += reader->kept[i].size + 1;
    }
    *item = (seq_item){.fields = reader->fields,
                       .field_count = reader->field_count,
                       .file = reader->name,
                       .line = reader->line,
                       .frames = reader->has_frames ? &reader->frames : NULL,
                       .lines = reader->kept,
                       .line_count = reader->kept_count};
}

const seq_item_field *seq_item_find(const seq_item *item, const char *name) {
    for (int i = 0; i < item->field_count; i++)
        if (strcmp(item->fields[i].name, name) == 0) return &item->fields[i];
    return NULL;
}

// --- the reader -----------------------------------------------------------------

static seq_status open_reader(seq_reader *reader, seq_error *error) {
    const seq_reader_kind *kind = reader->kind;
    reader->names_files = names_files(kind, reader->settings->columns);
    seq_status status = check_settings(reader, error);
    if (!status) status = parse_choices(reader, error);
    if (!status && (kind->uses & SEQ_USES_NAME) && reader->settings->label_pattern)
        status = seq_name_pattern_parse(reader->settings->label_pattern, &reader->pattern, error);
    if (!status && kind->state)
        status = seq_allocate(&reader->state, 1, kind->state, "a reader", error);
    if (!status)
        status = seq_line_reader_begin(&reader->lines, reader->stream, reader->name,
                                       kind->binary && reader->settings->any_bytes, error);
    return status || !kind->open ? status : kind->open(reader, error);
}

seq_status seq_reader_open(const seq_reader_settings *settings, const seq_byte_stream *stream,
                           const char *name, seq_reader **out, seq_error *error) {
    seq_reader *reader = NULL;
    const seq_reader_kind *kind = seq_reader_kind_find(settings->reader);
    if (!kind)
        return seq_error_set(error, SEQ_BAD_USAGE, "--reader %s: there is no such reader",
                             settings->reader);
    seq_status status = seq_allocate(&reader, 1, sizeof *reader, "a reader", error);
    if (status) return status;
    reader->kind = kind;
    reader->settings = settings;
    reader->stream = stream;
    reader->name = name;
    if (open_reader(reader, error)) {
        seq_reader_close(reader);
        return error->status;
    }
    *out = reader;
    return SEQ_OK;
}

static seq_status check_group(const seq_reader *reader, const seq_item *item, seq_error *error) {
    const char *group = reader->settings->group;
    if (!group || seq_item_find(item, group)) return SEQ_OK;
    return seq_item_refuse(reader->name, reader->line, 0, error,
                           "--group: the item has no field '%s'", group);
}

static seq_status check_frames(seq_reader *reader, seq_error *error) {
    if (reader->settings->missing)
        reader->skipped[SEQ_SKIP_MISSING] += (int64_t)seq_frames_fill(&reader->frames);
    seq_status status = seq_frames_check(&reader->frames, reader->name, error);
    if (status || reader->names_files) return status; // the file's reader has prepared them
    seq_frame_counts counts = {0};
    status = seq_frames_prepare(&reader->settings->frames, &reader->frames, &counts, error);
    if (status == SEQ_BAD_INPUT && reader->line)
        seq_error_add_context(error, "%s line %" PRId64, reader->name, reader->line);
    else if (status == SEQ_BAD_INPUT)
        seq_error_add_context(error, "%s", reader->name);
    reader->skipped[SEQ_SKIP_LOST] += counts.lost;
    reader->skipped[SEQ_SKIP_UNSCALED] += counts.unscaled;
    return status;
}

seq_status seq_reader_next(seq_reader *reader, seq_item *item, bool *out_more, seq_error *error) {
    *out_more = false;
    seq_build_item(reader, 0);
    reader->kept_count = reader->kept_used = 0;
    seq_status status = reader->kind->next(reader, out_more, error);
    if (!status && *out_more && reader->names_files) status = seq_build_table_file(reader, error);
    if (!status && *out_more && reader->settings->group &&
        strcmp(reader->settings->group, "file") == 0)
        status = seq_build_text(reader, "file", reader->name, strlen(reader->name), 0, 0, error);
    if (!status && *out_more && reader->has_frames) status = check_frames(reader, error);
    if (status) return status;
    if (!*out_more) seq_build_item(reader, 0);
    finish(reader, item);
    return *out_more ? check_group(reader, item, error) : SEQ_OK;
}

const int64_t *seq_reader_skipped(const seq_reader *reader) {
    return reader->skipped;
}

void seq_reader_close(seq_reader *reader) {
    if (!reader) return;
    if (reader->kind->close && reader->state) reader->kind->close(reader);
    seq_line_reader_end(&reader->lines);
    free(reader->state);
    free(reader->choice_text);
    seq_name_pattern_clear(&reader->pattern);
    free(reader->values);
    free(reader->pool);
    free(reader->kept);
    free(reader->kept_pool);
    seq_frames_clear(&reader->frames);
    free(reader);
}
