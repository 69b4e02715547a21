// Reader `jsonl`: a JSON object a line. Fields are keys: text and label, or as
// --columns says. A string, number or truth value is one value, as JSON writes
// it; an array of them is a list (tokens and tags). Blank lines are skipped and
// counted. jansson parses; a key that stands twice is refused. Tests:
// tests/unit/prep/test_readers.c.
#include "reader_private.h"
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

static seq_status build_scalar(seq_reader *reader, const char *key, const json_t *value,
                               seq_error *error) {
    char text[64];
    int64_t line = reader->lines.number;
    if (json_is_string(value))
        return seq_build_value(reader, json_string_value(value), json_string_length(value), line, 0,
                               error);
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value)) {
        snprintf(text, sizeof text, "%.15g", json_real_value(value));
        if (json_real_value(value) != strtod(text, NULL))
            snprintf(text, sizeof text, "%.17g", json_real_value(value));
    } else if (json_is_boolean(value))
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
    else
        return seq_item_refuse(reader->name, line, 0, error,
                               "key '%s': expected a string, a number, or an array of them", key);
    return seq_build_value(reader, text, strlen(text), line, 0, error);
}

static seq_status build_key(seq_reader *reader, const char *field, const char *key,
                            const json_t *object, bool optional, seq_error *error) {
    const json_t *value = json_object_get(object, key);
    if (optional && (!value || json_is_null(value))) return SEQ_OK;
    if (!value)
        return seq_item_refuse(reader->name, reader->lines.number, 0, error,
                               "the object has no key '%s' (--columns %s=KEY names another)", key,
                               field);
    seq_status status = seq_build_field(reader, field, json_is_array(value), error);
    if (status || !json_is_array(value))
        return status ? status : build_scalar(reader, key, value, error);
    for (size_t i = 0; !status && i < json_array_size(value); i++)
        status = build_scalar(reader, key, json_array_get(value, i), error);
    return status;
}

// Fields of --columns, then those that it does not name.
static seq_status build(seq_reader *reader, const json_t *object, seq_error *error) {
    const char *const standard[] = {seq_reader_target(reader), seq_reader_input(reader),
                                    reader->settings->group};
    const char *target = seq_reader_target(reader);
    bool unlabelled = reader->settings->unlabelled;
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < reader->choice_count; i++) {
        const seq_column_choice *choice = &reader->choices[i];
        bool is_target = strcmp(choice->field, target) == 0 || strcmp(choice->field, "tag") == 0;
        status =
            build_key(reader, choice->field, choice->name, object, unlabelled && is_target, error);
    }
    // A list of tokens and a list of tags take the place of text and label.
    bool lists = seq_reader_choice(reader, "token") != NULL;
    for (int i = lists ? 2 : 0; !status && i < 3; i++)
        if (standard[i] && !seq_reader_choice(reader, standard[i]) &&
            strcmp(standard[i], "file") != 0)
            status = build_key(reader, standard[i], standard[i], object,
                               unlabelled && standard[i] == target, error);
    return status;
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    seq_line_reader *lines = &reader->lines;
    json_error_t failure;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error) || !*out_more) return error->status;
        if (lines->line[strspn(lines->line, " \t")]) break;
        reader->skipped[SEQ_SKIP_BLANK]++;
    }
    seq_build_item(reader, lines->number);
    json_t *object = json_loadb(lines->line, lines->size, JSON_REJECT_DUPLICATES, &failure);
    if (!object)
        return seq_item_refuse(reader->name, lines->number, failure.column, error, "JSON: %s",
                               failure.text);
    seq_status status = json_is_object(object)
                            ? build(reader, object, error)
                            : seq_item_refuse(reader->name, lines->number, 1, error,
                                              "expected a JSON object, {\"text\": ...}");
    json_decref(object);
    return status;
}

static seq_status open_jsonl(seq_reader *reader, seq_error *error) {
    for (int i = 0; i < reader->choice_count; i++)
        if (!reader->choices[i].name)
            return seq_error_set(error, SEQ_BAD_USAGE,
                                 "--columns %s=%d: JSON lines have keys, not numbered columns",
                                 reader->choices[i].field, reader->choices[i].from);
    return SEQ_OK;
}

const seq_reader_kind seq_reader_jsonl = {
    .name = "jsonl",
    .summary = "a JSON object a line; --columns text=KEY,label=KEY",
    .input = "text",
    .target = "label",
    .suffixes = ".jsonl .ndjson ",
    .uses = SEQ_USES_COLUMNS,
    .open = open_jsonl,
    .next = next,
};
