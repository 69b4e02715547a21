// Items of generate: a text, with labels and numbers or without. The text of a
// tune begins with its header. A field K: M: or L: is removed from it if key,
// metre or length is a label. Tunes are equal when their melodies are, in any key;
// transposed copies of training tunes belong to the tune's group. Invariant:
// header and body are split into units separately, so the header alone gives the
// same units as the beginning of the tune. Tests: tests/cli/generate.sh,
// tests/unit/prep/test_prepare_items.c.
#include "item_store.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/prep/abc_tune.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- Names

static seq_status check_name(const seq_item_context *context, const char *option, const char *name,
                             seq_error *error) {
    static const char *const taken[] = {"text", "bar", SEQ_GIVEN_FIELD, SEQ_GROUP_FIELD, NULL};
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (!size || name[size] || size >= SEQ_FIELD_NAME)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "--%s: '%s': expected names of fields of a-z, 0-9 and -, of 1 to %d "
                             "characters, such as type,key; --columns NAME=COLUMN gives a column "
                             "such a name",
                             option, name, SEQ_FIELD_NAME - 1);
    for (const char *const *other = taken; *other; other++)
        if (strcmp(name, *other) == 0)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: the name %s is taken", option, name);
    if (seq_item_context_has(context, name))
        return seq_error_set(error, SEQ_BAD_USAGE, "--%s: %s is named twice", option, name);
    return SEQ_OK;
}

static seq_status add_names(seq_item_context *context, const char *option, char *list, int most,
                            seq_error *error) {
    while (list) {
        const char *name = strsep(&list, ",");
        if (context->count == most)
            return seq_error_set(error, SEQ_BAD_USAGE, "--%s: more than %d fields", option, most);
        if (check_name(context, option, name, error)) return error->status;
        context->names[context->count++] = name;
    }
    return SEQ_OK;
}

seq_status seq_item_context_begin(seq_item_context *context, const seq_prepare_items *prepare,
                                  seq_error *error) {
    size_t labels = prepare->labels ? strlen(prepare->labels) + 1 : 0,
           numbers = prepare->numbers ? strlen(prepare->numbers) + 1 : 0;
    seq_status status =
        seq_allocate(&context->text, labels + numbers + 1, 1, "names of fields", error);
    if (status) return status;
    if (labels) memcpy(context->text, prepare->labels, labels);
    if (numbers) memcpy(context->text + labels, prepare->numbers, numbers);
    if (labels) status = add_names(context, "labels", context->text, SEQ_CONTEXT_LABELS, error);
    context->labels = context->count;
    if (!status && numbers)
        status = add_names(context, "numbers", context->text + labels, SEQ_CONTEXT_FIELDS, error);
    return status;
}

void seq_item_context_end(seq_item_context *context) {
    for (int i = 0; i < SEQ_CONTEXT_LABELS; i++)
        seq_string_table_clear(&context->tables[i]);
    free(context->text);
    free(context->buffer);
    *context = (seq_item_context){0};
}

bool seq_item_context_has(const seq_item_context *context, const char *name) {
    for (int i = 0; i < context->count; i++)
        if (strcmp(context->names[i], name) == 0) return true;
    return false;
}

size_t seq_item_context_size(const seq_item_context *context) {
    return (size_t)context->count + 1;
}

// ---- An item

static seq_status take_number(const seq_item *item, const char *name, const seq_value *value,
                              uint32_t *out, seq_error *error) {
    char *end, shown[80];
    float number = (float)strtod(value->bytes, &end);
    memcpy(out, &number, sizeof number);
    if (value->size && end == value->bytes + value->size && isfinite(number)) return SEQ_OK;
    seq_escape(value->bytes, value->size, false, shown, sizeof shown);
    return seq_item_refuse(item->file, value->line, value->column, error,
                           "--numbers %s: '%s' is no number (to 3.4e38)", name, shown);
}

static seq_status take_label(seq_item_context *context, int i, const char *bytes, size_t size,
                             seq_error *error) {
    size_t number;
    seq_status status = seq_string_table_add(&context->tables[i], bytes, size, &number, error);
    context->values[i] = (uint32_t)number;
    return status;
}

static seq_status take_values(seq_item_context *context, const seq_item *item, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < context->count; i++) {
        const char *option = i < context->labels ? "labels" : "numbers", *name = context->names[i];
        const seq_item_field *field = seq_item_find(item, name);
        if (!field || field->list || !field->count)
            return seq_item_refuse(item->file, item->line, 0, error,
                                   "--%s: the item has no field '%s' of one value", option, name);
        const seq_value *value = field->values;
        if (!value->size)
            return seq_item_refuse(item->file, value->line, value->column, error,
                                   "--%s: the field '%s' is empty", option, name);
        status = i < context->labels ? take_label(context, i, value->bytes, value->size, error)
                                     : take_number(item, name, value, &context->values[i], error);
    }
    return status;
}

static seq_status cut(seq_item_store *store, const seq_item *item, const char *bytes, size_t size,
                      const seq_value *place, seq_error *error) {
    const seq_value value = {
        .bytes = bytes, .size = size, .line = place->line, .column = place->column};
    const seq_item_field field = {.name = "text", .values = &value, .count = 1};
    return size ? seq_item_cut(store->cutter, item->file, &field, error) : SEQ_OK;
}

// Whether a line of the head is said by a label.
static bool is_label(const seq_item_context *context, const char *line) {
    return (line[0] == 'K' && seq_item_context_has(context, "key")) ||
           (line[0] == 'M' && seq_item_context_has(context, "metre")) ||
           (line[0] == 'L' && seq_item_context_has(context, "length"));
}

// The head without fields that are labels, as units; the rest behind it.
static seq_status cut_text(seq_item_store *store, const seq_item *item, const char *text,
                           size_t size, size_t head, const seq_value *place, seq_error *error) {
    seq_item_context *context = &store->context;
    size_t used = 0;
    seq_status status =
        seq_grow(&context->buffer, &context->capacity, head + 1, 1, "the head of a tune", error);
    for (size_t at = 0; !status && at < head;) {
        const char *feed = memchr(text + at, '\n', head - at);
        size_t line = feed ? (size_t)(feed - text) + 1 - at : head - at;
        if (!is_label(context, text + at)) {
            memcpy(context->buffer + used, text + at, line);
            used += line;
        }
        at += line;
    }
    store->id_count = 0;
    if (!status) status = cut(store, item, context->buffer, used, place, error);
    context->values[context->count] = (uint32_t)store->id_count;
    return status ? status : cut(store, item, text + head, size - head, place, error);
}

// ---- Copies in other keys

// The interval up or down, whichever is smaller and keeps the range; 0: none does.
static int choose_shift(const seq_prepare_items *prepare, const seq_abc_survey *survey, int up) {
    const int choices[] = {up <= 6 ? up : up - 12, up <= 6 ? up - 12 : up};
    for (int i = 0; i < 2; i++)
        if (survey->lowest + choices[i] >= prepare->lowest &&
            survey->highest + choices[i] <= prepare->highest)
            return choices[i];
    return 0;
}

// The head of the copy: as many lines as in the tune.
static size_t head_of(const char *copy, const char *text, size_t head) {
    const char *at = copy;
    for (size_t i = 0; i < head; i++)
        if (text[i] == '\n') at = strchr(at, '\n') + 1;
    return (size_t)(at - copy);
}

static seq_status add_copy(seq_item_store *store, const seq_item *item, const char *copy,
                           size_t size, size_t head, seq_stored_item more,
                           const seq_partition_key keys[3], seq_error *error) {
    seq_item_context *context = &store->context;
    const seq_value place = {.bytes = "", .line = item->line};
    seq_status status = cut_text(store, item, copy, size, head, &place, error);
    for (int i = 0; !status && i < context->labels; i++) {
        char key[SEQ_ABC_KEY];
        if (strcmp(context->names[i], "key") != 0) continue;
        seq_abc_head_key(copy, head, key);
        status = take_label(context, i, key, strlen(key), error);
    }
    more.twin = true;
    store->twins++;
    return status ? status : seq_item_store_add(store, NULL, more, keys, error);
}

static seq_status add_copies(seq_item_store *store, const seq_item *item, const seq_value *text,
                             size_t head, const seq_abc_survey *survey, seq_stored_item more,
                             const seq_partition_key keys[3], seq_error *error) {
    seq_status status = SEQ_OK;
    store->context.unkeyed += !survey->keyed;
    for (int up = 1; !status && survey->keyed && up < 12; up++) {
        int semitones = choose_shift(store->prepare, survey, up), fifths = 7 * up % 12;
        char *copy = NULL;
        size_t size;
        if (!semitones) continue;
        if (survey->sharps + fifths > 6) fifths -= 12;
        status = seq_abc_transpose(text->bytes, text->size, semitones, fifths, &copy, &size, error);
        if (!status && copy)
            status = add_copy(store, item, copy, size, head_of(copy, text->bytes, head), more, keys,
                              error);
        free(copy);
    }
    return status;
}

seq_status seq_item_take_text(seq_item_store *store, const seq_item *item, seq_split split,
                              seq_error *error) {
    const seq_item_field *text = seq_item_find(item, "text"), *head = seq_item_find(item, "head");
    seq_stored_item more = {.label = -1, .split = (unsigned char)split};
    seq_partition_key keys[3];
    seq_abc_survey survey;
    if (!text || text->list)
        return seq_item_refuse(item->file, item->line, 0, error, "the item has no field 'text'%s",
                               text ? " that is no list" : "");
    const seq_value *value = text->values;
    size_t given = head ? head->values->size : 0;
    store->context.heads |= head != NULL;
    seq_status status = take_values(&store->context, item, error);
    if (!status) status = cut_text(store, item, value->bytes, value->size, given, value, error);
    if (!status && head) status = seq_abc_survey_tune(value->bytes, value->size, &survey, error);
    if (status) return status;
    bool melody = head && survey.lowest <= survey.highest;
    keys[0] = melody ? seq_item_digest(survey.melody, sizeof survey.melody)
                     : seq_item_digest(store->ids, store->id_count * sizeof *store->ids);
    keys[1] = seq_item_digest(&store->count, sizeof store->count);
    keys[2] = seq_item_group_key(store, item);
    store->read[split]++;
    seq_value body = *value; // what is behind the head
    body.bytes += given;
    body.size -= given;
    const seq_item_field raw = {.values = &body, .count = 1};
    status = seq_item_store_add(store, &raw, more, keys, error);
    bool copies = store->prepare->transposes && split == SEQ_TRAIN && melody;
    return status || !copies ? status
                             : add_copies(store, item, value, given, &survey, more, keys, error);
}
