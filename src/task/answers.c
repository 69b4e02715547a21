// Answers of files: their container, the choice of a reader, and the comparison
// of two files item by item. A file is in memory as a whole, as the bootstrap
// needs all items anyway. Invariant: an item is complete or not there, and every
// place has its line. Tests: tests/unit/task/test_answers.c.
#include "answers_private.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/text_file.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const seq_answer_kind_names[] = {"auto",       "tag",       "classify", "rate",
                                             "transcribe", "translate", NULL};
const char *const seq_gold_names[] = {"gold", "label", NULL};
const char *const seq_prediction_names[] = {"output", "prediction", "label", NULL};
const char *const seq_text_names[] = {"text", "input", "sentence", NULL};

void seq_answers_clear(seq_answers *answers) {
    free(answers->first);
    free(answers->ids);
    free(answers->values);
    free(answers->lines);
    free(answers->item_lines);
    free(answers->word_first);
    free(answers->words);
    free(answers->probability_first);
    free(answers->probabilities);
    *answers = (seq_answers){0};
}

void seq_answer_tables_clear(seq_answer_tables *tables) {
    seq_labels_clear(&tables->labels);
    seq_strings_clear(&tables->words);
}

static seq_status set_column(const char *name, size_t name_size, const char *value,
                             size_t value_size, seq_answer_columns *out, seq_error *error) {
    const struct {
        const char *name;
        char *field;
    } fields[] = {{"token", out->token},
                  {"gold", out->gold},
                  {"prediction", out->prediction},
                  {"text", out->text}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (seq_text_is((seq_text){name, name_size}, fields[i].name)) {
            if (value_size == 0 || value_size >= sizeof out->token)
                return seq_error_set(error, SEQ_BAD_USAGE,
                                     "--columns: %s: expected a number from 1 or a name of at most "
                                     "%zu bytes",
                                     fields[i].name, sizeof out->token - 1);
            snprintf(fields[i].field, sizeof out->token, "%.*s", (int)value_size, value);
            return SEQ_OK;
        }
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--columns: '%.*s': expected token=, gold=, prediction= or text=",
                         (int)(name_size < 200 ? name_size : 200), name);
}

seq_status seq_answer_columns_parse(const char *text, seq_answer_columns *out, seq_error *error) {
    *out = (seq_answer_columns){0};
    while (text && *text) {
        size_t size = strcspn(text, ","), name = strcspn(text, "=,");
        size_t value = name < size ? name + 1 : size;
        seq_status status = set_column(text, name, text + value, size - value, out, error);
        if (status) return status;
        text += size + (text[size] == ',');
    }
    return SEQ_OK;
}

static seq_status read_stream(FILE *stream, seq_answer_file *out, seq_error *error) {
    size_t capacity = 0, got;
    do {
        seq_status status =
            seq_grow(&out->bytes, &capacity, out->size + (1 << 16) + 1, 1, out->name, error);
        if (status) return status;
        got = fread(out->bytes + out->size, 1, capacity - out->size - 1, stream);
        out->size += got;
    } while (got);
    if (ferror(stream)) return seq_error_set_errno(error, "reading %s", out->name);
    return SEQ_OK;
}

static seq_status check_bytes(seq_answer_file *file, seq_error *error) {
    size_t shown = file->size < 4096 ? file->size : 4096;
    seq_status status = seq_form_check_text(file->name, file->bytes, shown, error);
    const char *zero = status || !file->size ? NULL : memchr(file->bytes, 0, file->size);
    if (!zero) return status;
    size_t line = 1;
    for (const char *at = file->bytes; at < zero; at++)
        line += *at == '\n';
    return seq_error_set(error, SEQ_BAD_INPUT, "%s line %zu: a NUL byte: not a text file",
                         file->name, line);
}

seq_status seq_answer_file_read(const char *path, seq_answer_file *out, seq_error *error) {
    bool standard = strcmp(path, "-") == 0;
    FILE *stream = standard ? stdin : fopen(path, "re");
    *out = (seq_answer_file){.name = standard ? "standard input" : path};
    if (!stream) return seq_error_set_errno(error, "opening %s", path);
    seq_status status = read_stream(stream, out, error);
    if (!standard) fclose(stream);
    if (!status) status = check_bytes(out, error);
    if (status) seq_answer_file_clear(out);
    return status;
}

void seq_answer_file_clear(seq_answer_file *file) {
    free(file->bytes);
    *file = (seq_answer_file){0};
}

bool seq_answer_line(seq_answer_reader *reader, seq_text *out) {
    const seq_answer_file *file = reader->file;
    if (reader->at == 0 && file->size >= 3 && memcmp(file->bytes, "\xEF\xBB\xBF", 3) == 0)
        reader->at = 3;
    if (reader->at >= file->size) return false;
    const char *begin = file->bytes + reader->at;
    const char *end = memchr(begin, '\n', file->size - reader->at);
    size_t size = end ? (size_t)(end - begin) : file->size - reader->at;
    reader->at += size + 1;
    reader->line++;
    if (size && begin[size - 1] == '\r') size--;
    *out = (seq_text){begin, size};
    return true;
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

bool seq_text_is_blank(seq_text line) {
    while (line.size && is_blank(line.bytes[line.size - 1]))
        line.size--;
    return line.size == 0;
}

size_t seq_text_split(seq_text line, bool tabs, seq_text *out) {
    size_t count = 0, at = 0;
    while (at <= line.size) {
        while (!tabs && at < line.size && is_blank(line.bytes[at]))
            at++;
        if (!tabs && at == line.size) break;
        size_t begin = at;
        while (at < line.size && !(tabs ? line.bytes[at] == '\t' : is_blank(line.bytes[at])))
            at++;
        if (count < SEQ_ANSWER_FIELDS) out[count] = (seq_text){line.bytes + begin, at - begin};
        count++;
        at++;
    }
    return count;
}

bool seq_text_is(seq_text text, const char *other) {
    return strlen(other) == text.size && memcmp(text.bytes, other, text.size) == 0;
}

// strtod takes blanks, hexadecimal numbers, nan and inf, too.
bool seq_text_number(seq_text text, double *out) {
    char copy[64], *end;
    if (text.size == 0 || text.size >= sizeof copy) return false;
    for (size_t i = 0; i < text.size; i++)
        if (!strchr("0123456789+-.eE", text.bytes[i])) return false;
    memcpy(copy, text.bytes, text.size);
    copy[text.size] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

bool seq_text_is_tag(seq_text text) {
    if (text.size == 1) return *text.bytes == 'O';
    return text.size > 2 && text.bytes[1] == '-' && strchr("BIESLUM", *text.bytes);
}

seq_status seq_answer_refuse(const seq_answer_reader *reader, seq_error *error, const char *format,
                             ...) {
    char why[SEQ_ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return seq_error_set(error, SEQ_BAD_INPUT, "%s line %lld: %s", reader->file->name,
                         (long long)reader->line, why);
}

static seq_status grow_places(seq_answers *answers, size_t places, seq_error *error) {
    seq_status status =
        seq_grow(&answers->ids, &answers->ids_capacity, places, sizeof(int32_t), "labels", error);
    if (!status && answers->kind == SEQ_ANSWERS_RATINGS)
        status = seq_grow(&answers->values, &answers->values_capacity, places, sizeof(double),
                          "ratings", error);
    return status ? status
                  : seq_grow(&answers->lines, &answers->lines_capacity, places, sizeof(int64_t),
                             "labels", error);
}

seq_status seq_answer_place(seq_answer_reader *reader, seq_answers *answers, seq_text answer,
                            seq_error *error) {
    if (!answers) return SEQ_OK;
    bool rating = reader->kind == SEQ_ANSWERS_RATINGS;
    size_t at = answers->places;
    seq_status status = grow_places(answers, at + 1, error);
    if (!status && rating && !seq_text_number(answer, &answers->values[at]))
        status = seq_answer_refuse(reader, error, "expected a finite number, found '%.*s'",
                                   (int)(answer.size < 100 ? answer.size : 100), answer.bytes);
    if (!status && reader->kind == SEQ_ANSWERS_TEXTS)
        status = seq_answer_text(reader, answer, &answers->ids[at], error);
    else if (!status && !rating)
        status = seq_labels_add(&reader->tables->labels, answer.bytes, answer.size,
                                &answers->ids[at], error);
    if (status) return status;
    answers->lines[at] = reader->line;
    answers->places++;
    return SEQ_OK;
}

seq_status seq_answer_word(seq_answer_reader *reader, seq_answers *answers, seq_text word,
                           seq_error *error) {
    if (!answers) return SEQ_OK;
    seq_status status = seq_grow(&answers->words, &answers->words_capacity, answers->word_count + 1,
                                 sizeof(int32_t), "words", error);
    return status ? status
                  : seq_strings_add(&reader->tables->words, word.bytes, word.size,
                                    &answers->words[answers->word_count++], error);
}

seq_status seq_answer_each(seq_answer_reader *reader, seq_answers *answers, seq_text text,
                           seq_answer_take *take, seq_error *error) {
    seq_status status = SEQ_OK;
    while (!status && text.size) {
        size_t size = 0;
        while (size < text.size && !is_blank(text.bytes[size]))
            size++;
        if (size) status = take(reader, answers, (seq_text){text.bytes, size}, error);
        size += size < text.size;
        text.bytes += size;
        text.size -= size;
    }
    return status;
}

seq_status seq_answer_probability(seq_answer_reader *reader, seq_answers *answers, seq_text label,
                                  double value, seq_error *error) {
    if (!answers) return SEQ_OK;
    size_t at = answers->probability_count;
    seq_status status = seq_grow(&answers->probabilities, &answers->probabilities_capacity, at + 1,
                                 sizeof *answers->probabilities, "probabilities", error);
    if (!status)
        status = seq_labels_add(&reader->tables->labels, label.bytes, label.size,
                                &answers->probabilities[at].label, error);
    if (status) return status;
    answers->probabilities[at].value = value;
    answers->probability_count++;
    return SEQ_OK;
}

// Whether items are known by lines of their own, and may differ in length.
static bool has_lengths(seq_answer_kind kind) {
    return kind == SEQ_ANSWERS_TRANSCRIPTS || kind == SEQ_ANSWERS_TEXTS;
}

static seq_status grow_items(seq_answers *answers, size_t items, seq_error *error) {
    seq_status status = seq_grow(&answers->first, &answers->first_capacity, items + 1,
                                 sizeof(size_t), "items", error);
    if (!status && has_lengths(answers->kind))
        status = seq_grow(&answers->item_lines, &answers->item_lines_capacity, items + 1,
                          sizeof(int64_t), "items", error);
    if (!status)
        status = seq_grow(&answers->word_first, &answers->word_first_capacity, items + 1,
                          sizeof(size_t), "items", error);
    return status ? status
                  : seq_grow(&answers->probability_first, &answers->probability_first_capacity,
                             items + 1, sizeof(size_t), "items", error);
}

seq_status seq_answer_item(const seq_answer_reader *reader, seq_answers *answers,
                           seq_error *error) {
    if (!answers) return SEQ_OK;
    size_t at = answers->items + 1;
    seq_status status = grow_items(answers, at, error);
    if (status) return status;
    answers->first[at] = answers->places;
    answers->word_first[at] = answers->word_count;
    answers->probability_first[at] = answers->probability_count;
    if (answers->item_lines) answers->item_lines[answers->items] = reader->line;
    answers->items++;
    return SEQ_OK;
}

seq_status seq_answers_begin(const char *name, seq_answer_kind kind, size_t items,
                             const size_t *first, seq_answers *out, seq_error *error) {
    *out = (seq_answers){.file = name, .kind = kind, .items = items, .places = first[items]};
    seq_status status = grow_places(out, out->places, error);
    if (!status) status = grow_items(out, items, error);
    if (!status) memcpy(out->first, first, (items + 1) * sizeof *first);
    return status;
}

bool seq_answers_is_json(const seq_answer_file *file) {
    seq_answer_reader reader = {.file = file};
    seq_text line;
    while (seq_answer_line(&reader, &line))
        if (!seq_text_is_blank(line)) return line.bytes[strspn(line.bytes, " \t")] == '{';
    return false;
}

bool seq_answers_has_tabs(const seq_answer_file *file) {
    seq_answer_reader reader = {.file = file};
    seq_text line;
    while (seq_answer_line(&reader, &line)) {
        if (memchr(line.bytes, '\t', line.size)) return true;
        if (!seq_text_is_blank(line) && *line.bytes != '#') return false;
    }
    return false;
}

bool seq_answers_passes_over(seq_text line, const seq_text *fields, size_t count, bool tabs) {
    return seq_text_is(fields[0], "-DOCSTART-") || (tabs && count == 1 && *line.bytes == '#');
}

// The column of the answer in a table with a header; else the first.
static int answer_column(seq_text line, bool tabs, const seq_answer_columns *columns) {
    seq_text header[SEQ_ANSWER_FIELDS];
    size_t count = seq_text_split(line, tabs, header);
    int found = seq_answers_find_column(columns->prediction, seq_prediction_names, header, count);
    return found >= 0 ? found
                      : seq_answers_find_column(columns->gold, seq_gold_names, header, count);
}

bool seq_answers_is_conllu(const seq_text *fields, size_t count, bool tabs) {
    return tabs && count == 10 && fields[0].size && fields[6].size &&
           strchr("0123456789", *fields[0].bytes) && strchr("_0123456789", *fields[6].bytes);
}

static unsigned look_at_fields(const seq_text *fields, size_t count, bool tabs, int column) {
    double number;
    bool tag = count >= 2 && seq_text_is_tag(fields[count - 1]);
    unsigned looks = tag || seq_answers_is_conllu(fields, count, tabs) ? SEQ_LOOKS_TAGS : 0;
    if (column < 0 || (size_t)column >= count || !seq_text_number(fields[column], &number))
        return looks;
    return looks | SEQ_LOOKS_NUMBERS | (number != floor(number) ? SEQ_LOOKS_FRACTIONS : 0);
}

static unsigned look_at_lines(const seq_answer_file *file, const seq_answer_columns *columns) {
    seq_answer_reader reader = {.file = file};
    seq_text line, fields[SEQ_ANSWER_FIELDS];
    unsigned all = SEQ_LOOKS_TAGS | SEQ_LOOKS_NUMBERS, any = 0;
    bool tabs = seq_answers_has_tabs(file), begun = false;
    int column = 0;
    while (all && seq_answer_line(&reader, &line)) {
        size_t count = seq_text_split(line, tabs, fields);
        if (seq_text_is_blank(line) || seq_answers_passes_over(line, fields, count, tabs)) continue;
        if (!begun && seq_answers_has_header(line, columns)) {
            column = answer_column(line, tabs, columns);
            all = SEQ_LOOKS_NUMBERS;
        } else {
            unsigned looks =
                count > SEQ_ANSWER_FIELDS ? 0 : look_at_fields(fields, count, tabs, column);
            all &= looks;
            any |= looks;
        }
        begun = true;
    }
    return begun ? all | (any & SEQ_LOOKS_FRACTIONS) : 0;
}

static unsigned look_at_file(const seq_answer_file *file, const seq_answer_columns *columns) {
    seq_answer_reader reader = {.file = file};
    seq_text line = {0};
    if (!seq_answers_is_json(file)) return look_at_lines(file, columns);
    while (seq_answer_line(&reader, &line) && seq_text_is_blank(line))
        ;
    return seq_answers_look_at_json(line, columns);
}

seq_answer_kind seq_answers_find_kind(const seq_answer_file *files, size_t count,
                                      const seq_answer_columns *columns) {
    unsigned all = SEQ_LOOKS_TAGS | SEQ_LOOKS_NUMBERS, any = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned looks = look_at_file(&files[i], columns);
        all &= looks;
        any |= looks;
    }
    if (all & SEQ_LOOKS_TAGS) return SEQ_ANSWERS_TAGS;
    return (all & SEQ_LOOKS_NUMBERS) && (any & SEQ_LOOKS_FRACTIONS) ? SEQ_ANSWERS_RATINGS
                                                                    : SEQ_ANSWERS_CLASSES;
}

static seq_status begin(seq_answer_reader *reader, seq_answers *answers, seq_error *error) {
    if (!answers) return SEQ_OK;
    answers->file = reader->file->name;
    answers->kind = reader->kind;
    seq_status status =
        seq_grow(&answers->first, &answers->first_capacity, 1, sizeof(size_t), "items", error);
    if (!status)
        status = seq_grow(&answers->word_first, &answers->word_first_capacity, 1, sizeof(size_t),
                          "items", error);
    return status ? status
                  : seq_grow(&answers->probability_first, &answers->probability_first_capacity, 1,
                             sizeof(size_t), "items", error);
}

seq_status seq_answers_read(const seq_answer_file *file, seq_answer_kind kind,
                            const seq_answer_columns *columns, bool texts,
                            seq_answer_tables *tables, seq_answers *gold, seq_answers *predicted,
                            seq_error *error) {
    seq_answer_reader reader = {.file = file,
                                .kind = kind,
                                .columns = columns,
                                .texts = texts,
                                .tables = tables,
                                .gold = gold,
                                .predicted = predicted};
    seq_status status = begin(&reader, gold, error);
    if (!status) status = begin(&reader, predicted, error);
    if (status) return status;
    if (kind == SEQ_ANSWERS_TEXTS && !seq_answers_is_object(file))
        return seq_answers_read_texts(&reader, error);
    if (seq_answers_is_json(file)) return seq_answers_read_json(&reader, error);
    if (kind == SEQ_ANSWERS_TRANSCRIPTS) return seq_answers_read_transcripts(&reader, error);
    return kind == SEQ_ANSWERS_TAGS ? seq_answers_read_columns(&reader, error)
                                    : seq_answers_read_lines(&reader, error);
}

static seq_status differ(const seq_answers *gold, int64_t gold_line, const seq_answers *predicted,
                         int64_t line, const char *why, seq_error *error) {
    char here[40] = "its end", there[40] = "its end";
    if (line) snprintf(here, sizeof here, "line %lld", (long long)line);
    if (gold_line) snprintf(there, sizeof there, "line %lld", (long long)gold_line);
    return seq_error_set(error, SEQ_BAD_INPUT, "%.1200s at %s differs from %.1200s at %s: %s",
                         predicted->file, here, gold->file, there, why);
}

// The line of an item, and of a place; 0 behind the last one of the file.
static int64_t line_of_item(const seq_answers *answers, size_t item) {
    if (item >= answers->items) return 0;
    return answers->item_lines ? answers->item_lines[item] : answers->lines[answers->first[item]];
}

static int64_t line_of(const seq_answers *answers, size_t place) {
    return place < answers->places ? answers->lines[place] : 0;
}

static seq_status check_tokens(const seq_answers *gold, const seq_answers *predicted, size_t place,
                               const seq_answer_tables *tables, seq_error *error) {
    if (!gold->word_count || !predicted->word_count ||
        gold->words[place] == predicted->words[place])
        return SEQ_OK;
    char here[80], there[80], why[240];
    size_t size;
    const char *text = seq_strings_text(&tables->words, predicted->words[place], &size);
    seq_escape(text, size, false, here, sizeof here);
    text = seq_strings_text(&tables->words, gold->words[place], &size);
    seq_escape(text, size, false, there, sizeof there);
    snprintf(why, sizeof why, "token '%s', expected '%s'", here, there);
    return differ(gold, line_of(gold, place), predicted, line_of(predicted, place), why, error);
}

static seq_status check_item(const seq_answers *gold, const seq_answers *predicted, size_t item,
                             const seq_answer_tables *tables, seq_error *error) {
    size_t length = gold->first[item + 1] - gold->first[item];
    size_t other = predicted->first[item + 1] - predicted->first[item];
    size_t both = length < other ? length : other;
    for (size_t i = 0; gold->kind == SEQ_ANSWERS_TAGS && i < both; i++) {
        seq_status status = check_tokens(gold, predicted, gold->first[item] + i, tables, error);
        if (status) return status;
    }
    if (length == other || has_lengths(gold->kind)) return SEQ_OK;
    char why[120];
    snprintf(why, sizeof why, "sentence %zu has %zu tokens, expected %zu", item + 1, other, length);
    return differ(gold, line_of(gold, gold->first[item] + both), predicted,
                  line_of(predicted, predicted->first[item] + both), why, error);
}

static seq_status check_scheme(const seq_answers *answers, const seq_labels *labels,
                               seq_error *error) {
    for (size_t i = 0; i < answers->places; i++)
        if (!labels->tags[answers->ids[i]].prefix)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "%s line %lld: the tag '%.100s' is neither O nor PREFIX-TYPE as "
                                 "those of the gold file",
                                 answers->file, (long long)answers->lines[i],
                                 seq_strings_text(&labels->names, answers->ids[i], NULL));
    return SEQ_OK;
}

seq_status seq_answers_check(const seq_answers *gold, const seq_answers *predicted,
                             const seq_answer_tables *tables, seq_error *error) {
    size_t items = gold->items < predicted->items ? gold->items : predicted->items;
    for (size_t i = 0; i < items; i++) {
        seq_status status = check_item(gold, predicted, i, tables, error);
        if (status) return status;
    }
    if (gold->items != predicted->items) {
        char why[120];
        snprintf(why, sizeof why, "%zu items, expected %zu", predicted->items, gold->items);
        return differ(gold, line_of_item(gold, items), predicted, line_of_item(predicted, items),
                      why, error);
    }
    return gold->kind == SEQ_ANSWERS_TAGS && gold->scheme
               ? check_scheme(predicted, &tables->labels, error)
               : SEQ_OK;
}
