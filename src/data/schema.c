// A schema as key = text pairs of a manifest: lists of names, then a group of
// keys for each axis and field. What is read passes the same check as what is
// written. Invariant: a schema that was read has names in range, parents before
// children and indices inside their lists, so code behind it looks nothing up
// twice. Tests: tests/unit/data/test_schema.c, tests/fuzz/fuzz_schema.c.
#include <seqtrain/data/schema.h>
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const seq_normalise_names[] = {"none", "global", "item", "group", NULL};
static const char *const kinds[SEQ_FIELD_KINDS] = {"ids", "values", "label", "number"};

static void set_name(char out[SEQ_FIELD_NAME], const char *name) {
    snprintf(out, SEQ_FIELD_NAME, "%s", name);
}

void seq_schema_begin(seq_schema *schema, const char *task) {
    *schema = (seq_schema){.axis_count = 1, .target = -1};
    set_name(schema->task, task);
    schema->axes[0] = (seq_schema_axis){"example", -1};
}

void seq_schema_clear(seq_schema *schema) {
    for (int i = 0; i < schema->field_count; i++) {
        free(schema->fields[i].mean);
        free(schema->fields[i].deviation);
    }
    seq_record_clear(&schema->reader);
    *schema = (seq_schema){.target = -1};
}

int seq_schema_add_axis(seq_schema *schema, const char *name, int parent) {
    if (schema->axis_count == SEQ_AXES) return -1;
    seq_schema_axis *axis = &schema->axes[schema->axis_count];
    set_name(axis->name, name);
    axis->parent = parent;
    if (!schema->length_axis) schema->length_axis = schema->axis_count;
    return schema->axis_count++;
}

int seq_schema_add_vocabulary(seq_schema *schema, const char *name) {
    if (schema->vocabulary_count == SEQ_VOCABULARIES) return -1;
    set_name(schema->vocabularies[schema->vocabulary_count], name);
    return schema->vocabulary_count++;
}

int seq_schema_add_field(seq_schema *schema, const char *name, seq_field_kind kind, int axis,
                         int vocabulary, int width) {
    if (schema->field_count == SEQ_COLUMNS) return -1;
    seq_field *field = &schema->fields[schema->field_count];
    *field = (seq_field){.kind = kind, .axis = axis, .vocabulary = vocabulary, .width = width};
    set_name(field->name, name);
    return schema->field_count++;
}

int seq_schema_find_field(const seq_schema *schema, const char *name) {
    for (int i = 0; i < schema->field_count; i++)
        if (strcmp(schema->fields[i].name, name) == 0) return i;
    return -1;
}

int seq_schema_find_given(const seq_schema *schema) {
    int given = seq_schema_find_field(schema, SEQ_GIVEN_FIELD);
    const seq_field *target = &schema->fields[schema->target < 0 ? 0 : schema->target];
    bool fits = given >= 0 && schema->fields[given].kind == SEQ_FIELD_NUMBER &&
                !schema->fields[given].axis && target->kind == SEQ_FIELD_IDS && target->axis &&
                schema->axes[target->axis].parent == 0;
    return fits && schema->target >= 0 ? given : -1;
}

int seq_schema_find_input(const seq_schema *schema) {
    static const char *const names[] = {"frames", "source", "text"};
    int field = -1;
    for (size_t i = 0; field < 0 && i < sizeof names / sizeof *names; i++)
        field = seq_schema_find_field(schema, names[i]);
    return field;
}

void seq_schema_set_tokens(seq_schema *schema) {
    seq_schema_begin(schema, "lm");
    int text = seq_schema_add_axis(schema, "text", 0);
    int words = seq_schema_add_vocabulary(schema, "tokens");
    schema->target = seq_schema_add_field(schema, "tokens", SEQ_FIELD_IDS, text, words, 1);
    schema->streams = true;
}

void seq_schema_vocabulary_file(const seq_schema *schema, int index,
                                char out[SEQ_VOCABULARY_FILE]) {
    if (index == 0)
        snprintf(out, SEQ_VOCABULARY_FILE, "vocabulary.tsv");
    else
        snprintf(out, SEQ_VOCABULARY_FILE, "vocabulary-%s.tsv", schema->vocabularies[index]);
}

void seq_schema_merges_file(const seq_schema *schema, int index, char out[SEQ_VOCABULARY_FILE]) {
    if (index == 0)
        snprintf(out, SEQ_VOCABULARY_FILE, "merges.txt");
    else
        snprintf(out, SEQ_VOCABULARY_FILE, "merges-%s.txt", schema->vocabularies[index]);
}

static bool is_name(const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length < SEQ_FIELD_NAME && name[length] == '\0';
}

static bool is_within(int value, int minimum, int count) {
    return value >= minimum && value < count;
}

// `at`: name i of a list whose elements are `stride` bytes apart.
static seq_status check_names(const char *what, const char *at, size_t stride, int count,
                              seq_error *error) {
    for (int i = 0; i < count; i++) {
        const char *name = at + (size_t)i * stride;
        if (!is_name(name))
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "schema: %s %d is called \"%.40s\", expected 1 to %d characters "
                                 "of a-z, 0-9 and -",
                                 what, i, name, SEQ_FIELD_NAME - 1);
        for (int j = 0; j < i; j++)
            if (strcmp(at + (size_t)j * stride, name) == 0)
                return seq_error_set(error, SEQ_BAD_INPUT, "schema: two of its %s are called %s",
                                     what, name);
    }
    return SEQ_OK;
}

size_t seq_field_statistics(const seq_field *field) {
    return (size_t)(1 + field->groups) * (size_t)field->width;
}

seq_status seq_field_normalise_as(seq_field *field, const seq_field *from, seq_error *error) {
    size_t count = seq_field_statistics(from);
    free(field->mean);
    free(field->deviation);
    field->mean = field->deviation = NULL;
    field->normalise = from->normalise;
    field->unseen = from->unseen;
    field->groups = from->groups;
    if (!from->mean) return SEQ_OK;
    seq_status status =
        seq_allocate(&field->mean, count, sizeof *field->mean, "a normalisation", error);
    if (!status)
        status = seq_allocate(&field->deviation, count, sizeof *field->deviation, "a normalisation",
                              error);
    if (status) return status;
    memcpy(field->mean, from->mean, count * sizeof *field->mean);
    memcpy(field->deviation, from->deviation, count * sizeof *field->deviation);
    return SEQ_OK;
}

static bool is_group_label(const seq_schema *schema) {
    int group = seq_schema_find_field(schema, SEQ_GROUP_FIELD);
    return group >= 0 && schema->fields[group].kind == SEQ_FIELD_LABEL &&
           !schema->fields[group].axis;
}

// The first deviation is above 0; groups without rows have 0.
static const char *find_fault_of_normalisation(const seq_schema *schema, const seq_field *field) {
    bool ids = field->vocabulary >= 0, group = field->normalise == SEQ_NORMALISE_GROUP;
    if (!field->mean != !field->deviation || (ids && (field->mean || field->normalise)))
        return "its normalisation is not whole, or is one of ids";
    if (!is_within((int)field->normalise, 0, SEQ_NORMALISATIONS) ||
        (field->kind == SEQ_FIELD_NUMBER && field->normalise > SEQ_NORMALISE_GLOBAL))
        return "its normalisation is unknown, or is none of a number";
    if (group && !is_group_label(schema))
        return "it is normalised by group, and the examples have no label " SEQ_GROUP_FIELD;
    if (group && field->unseen != SEQ_NORMALISE_GLOBAL && field->unseen != SEQ_NORMALISE_ITEM)
        return "what becomes of items of other groups is neither item nor global";
    if (field->groups < 0 || (field->groups && !group) ||
        1 + field->groups > SEQ_STATISTICS_MOST / field->width)
        return "its normalisation has too many groups";
    for (size_t i = 0; field->mean && i < seq_field_statistics(field); i++)
        if (!isfinite(field->mean[i]) || !isfinite(field->deviation[i]) ||
            field->deviation[i] < 0 || (!field->deviation[i] && i < (size_t)field->width))
            return "its normalisation has a mean that is not finite, or a deviation that is not "
                   "above 0";
    return NULL;
}

static const char *find_fault(const seq_schema *schema, const seq_field *field) {
    bool ids = field->kind == SEQ_FIELD_IDS || field->kind == SEQ_FIELD_LABEL;
    if (!is_within((int)field->kind, 0, SEQ_FIELD_KINDS)) return "its kind is unknown";
    if (!is_within(field->axis, 0, schema->axis_count)) return "it has no axis of the schema";
    if (ids ? !is_within(field->vocabulary, 0, schema->vocabulary_count) : field->vocabulary != -1)
        return ids ? "it has no vocabulary of the schema" : "its values have a vocabulary";
    if (!is_within(field->width, 1, field->kind == SEQ_FIELD_VALUES ? SEQ_WIDTH_MOST + 1 : 2))
        return field->kind == SEQ_FIELD_VALUES ? "its width is not within 1 to 65536"
                                               : "its width is not 1";
    return find_fault_of_normalisation(schema, field);
}

seq_status seq_schema_check(const seq_schema *schema, seq_error *error) {
    seq_status status = check_names("task", schema->task, SEQ_FIELD_NAME, 1, error);
    if (!status)
        status = check_names("axes", schema->axes[0].name, sizeof schema->axes[0],
                             schema->axis_count, error);
    if (!status)
        status = check_names("vocabularies", schema->vocabularies[0], SEQ_FIELD_NAME,
                             schema->vocabulary_count, error);
    if (!status)
        status = check_names("fields", schema->fields[0].name, sizeof schema->fields[0],
                             schema->field_count, error);
    if (status) return status;
    for (int i = 0; i < schema->axis_count; i++)
        if (!is_within(schema->axes[i].parent, i ? 0 : -1, i))
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "schema: axis %s: its parent is %d, expected an axis before it",
                                 schema->axes[i].name, schema->axes[i].parent);
    for (int i = 0; i < schema->field_count; i++) {
        const char *why = find_fault(schema, &schema->fields[i]);
        if (why)
            return seq_error_set(error, SEQ_BAD_INPUT, "schema: field %s: %s",
                                 schema->fields[i].name, why);
    }
    if (!is_within(schema->axis_count, 1, SEQ_AXES + 1) ||
        strcmp(schema->axes[0].name, "example") != 0)
        return seq_error_set(error, SEQ_BAD_INPUT, "schema: the first axis is not example");
    if (!is_within(schema->field_count, 1, SEQ_COLUMNS + 1))
        return seq_error_set(error, SEQ_BAD_INPUT, "schema: it has no fields");
    for (int i = 0; i < schema->vocabulary_count; i++) {
        bool used = false;
        for (int k = 0; k < schema->field_count; k++)
            used |= schema->fields[k].vocabulary == i;
        if (!used)
            return seq_error_set(error, SEQ_BAD_INPUT, "schema: vocabulary %s: no field has it",
                                 schema->vocabularies[i]);
    }
    if (!is_within(schema->target, -1, schema->field_count) ||
        !is_within(schema->length_axis, 0, schema->axis_count))
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "schema: its target or its axis of lengths is none of its own");
    return SEQ_OK;
}

// "field.NAME.KEY" and the like.
enum { KEY = 2 * SEQ_FIELD_NAME };
static const char *key_of(char out[KEY], const char *group, const char *name, const char *key) {
    snprintf(out, KEY, "%s.%s.%s", group, name, key);
    return out;
}

static seq_status write_names(seq_record *record, const char *key, const char *at, size_t stride,
                              int count, seq_error *error) {
    char list[SEQ_COLUMNS * SEQ_FIELD_NAME] = "";
    size_t used = 0;
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? "," : "",
                                 at + (size_t)i * stride);
    return seq_record_set_text(record, key, list, error);
}

static seq_status write_field(const seq_schema *schema, const seq_field *field, seq_record *record,
                              bool whole, seq_error *error) {
    char key[KEY];
    seq_status status = seq_record_set_text(record, key_of(key, "field", field->name, "kind"),
                                            kinds[field->kind], error);
    if (!status)
        status = seq_record_set_text(record, key_of(key, "field", field->name, "axis"),
                                     schema->axes[field->axis].name, error);
    if (!status && field->vocabulary >= 0)
        status = seq_record_set_text(record, key_of(key, "field", field->name, "vocabulary"),
                                     schema->vocabularies[field->vocabulary], error);
    if (!status && field->kind == SEQ_FIELD_VALUES)
        status = seq_record_set_integer(record, key_of(key, "field", field->name, "width"),
                                        field->width, error);
    // Added later: files of fields that are normalised as ever keep their bytes.
    if (!status && field->normalise > SEQ_NORMALISE_GLOBAL)
        status = seq_record_set_text(record, key_of(key, "field", field->name, "normalise"),
                                     seq_normalise_names[field->normalise], error);
    if (!status && field->normalise == SEQ_NORMALISE_GROUP)
        status = seq_record_set_text(record, key_of(key, "field", field->name, "unseen"),
                                     seq_normalise_names[field->unseen], error);
    if (!status && whole && field->groups)
        status = seq_record_set_integer(record, key_of(key, "field", field->name, "groups"),
                                        field->groups, error);
    if (!status && whole && field->mean)
        status = seq_record_set_reals(record, key_of(key, "field", field->name, "mean"),
                                      field->mean, (int)seq_field_statistics(field), error);
    if (!status && whole && field->mean)
        status = seq_record_set_reals(record, key_of(key, "field", field->name, "deviation"),
                                      field->deviation, (int)seq_field_statistics(field), error);
    return status;
}

// `whole`: with the normalisations.
static seq_status write_record(const seq_schema *schema, seq_record *record, bool whole,
                               seq_error *error) {
    char key[KEY];
    seq_status status = seq_record_set_text(record, "task", schema->task, error);
    if (!status)
        status = write_names(record, "axes", schema->axes[0].name, sizeof schema->axes[0],
                             schema->axis_count, error);
    for (int i = 1; !status && i < schema->axis_count; i++)
        status = seq_record_set_text(record, key_of(key, "axis", schema->axes[i].name, "parent"),
                                     schema->axes[schema->axes[i].parent].name, error);
    if (!status)
        status = write_names(record, "vocabularies", schema->vocabularies[0], SEQ_FIELD_NAME,
                             schema->vocabulary_count, error);
    if (!status)
        status = write_names(record, "fields", schema->fields[0].name, sizeof schema->fields[0],
                             schema->field_count, error);
    for (int i = 0; !status && i < schema->field_count; i++)
        status = write_field(schema, &schema->fields[i], record, whole, error);
    if (!status && schema->target >= 0)
        status = seq_record_set_text(record, "target", schema->fields[schema->target].name, error);
    if (!status)
        status =
            seq_record_set_text(record, "length", schema->axes[schema->length_axis].name, error);
    if (!status) status = seq_record_set_integer(record, "groups", schema->groups, error);
    return status ? status : seq_record_set_integer(record, "raw", schema->raw, error);
}

seq_status seq_schema_write(const seq_schema *schema, seq_manifest *manifest, seq_error *error) {
    seq_status status = seq_schema_check(schema, error);
    if (status) return status;
    seq_record *record = seq_manifest_section_get(manifest, "schema"), *reader = NULL;
    if (record) status = write_record(schema, record, true, error);
    if (record && !status) reader = seq_manifest_section_get(manifest, "reader");
    if (!status && !reader)
        return seq_error_set(error, SEQ_NO_MEMORY, "describing the schema: out of memory");
    for (size_t i = 0; !status && i < schema->reader.count; i++)
        status = seq_record_set_text(reader, schema->reader.entries[i].key,
                                     schema->reader.entries[i].text, error);
    return status;
}

// What has to be equal where a model meets other data: without the normalisations.
static seq_status write_identity(const seq_schema *schema, seq_record *record, seq_error *error) {
    seq_status status = write_record(schema, record, false, error);
    for (size_t i = 0; !status && i < schema->reader.count; i++) {
        char key[128];
        snprintf(key, sizeof key, "reader.%s", schema->reader.entries[i].key);
        status = seq_record_set_text(record, key, schema->reader.entries[i].text, error);
    }
    return status;
}

seq_status seq_schema_hash(const seq_schema *schema, char out[33], seq_error *error) {
    seq_record record = {0};
    seq_digest digest;
    char *text = NULL;
    size_t size = 0;
    *out = '\0';
    if (schema->streams) return SEQ_OK;
    seq_status status = write_identity(schema, &record, error);
    FILE *stream = status ? NULL : open_memstream(&text, &size);
    for (size_t i = 0; stream && i < record.count; i++)
        fprintf(stream, "%s=%s\n", record.entries[i].key, record.entries[i].text);
    if (!status) status = seq_memory_stream_close(stream, &text, error, "hashing the schema");
    if (!status) seq_digest_bytes(text, size, &digest);
    if (!status) seq_digest_text(&digest, out);
    free(text);
    seq_record_clear(&record);
    return status;
}

// Appends the keys of `here` that `there` has otherwise; `absent`: those that it has not.
static size_t list_differences(const seq_record *here, const seq_record *there, bool absent,
                               char *out, size_t used, size_t size) {
    for (size_t i = 0; i < here->count && used < size; i++) {
        const char *key = here->entries[i].key, *text = here->entries[i].text,
                   *other = seq_record_text(there, key);
        if (absent ? other != NULL : other && strcmp(text, other) == 0) continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s %.60s, not %.60s", used ? "; " : "",
                                 key, absent ? "none" : text,
                                 absent  ? text
                                 : other ? other
                                         : "none");
    }
    return used;
}

seq_status seq_schema_compare(const seq_schema *here, const seq_schema *there, char *out,
                              size_t size, seq_error *error) {
    seq_record a = {0}, b = {0};
    *out = '\0';
    seq_status status = write_identity(here, &a, error);
    if (!status) status = write_identity(there, &b, error);
    if (!status)
        list_differences(&b, &a, true, out, list_differences(&a, &b, false, out, 0, size), size);
    seq_record_clear(&a);
    seq_record_clear(&b);
    return status;
}

static seq_status require(const seq_record *record, const char *key, const char **out,
                          seq_error *error) {
    *out = seq_record_text(record, key);
    return *out ? SEQ_OK
                : seq_error_set(error, SEQ_BAD_INPUT, "schema: its key %s is missing", key);
}

// Comma-separated names into a list whose elements are `stride` bytes apart. They are checked
// later.
static seq_status read_names(const seq_record *record, const char *key, char *at, size_t stride,
                             int capacity, int *out_count, seq_error *error) {
    const char *text;
    int count = 0;
    if (require(record, key, &text, error)) return error->status;
    for (const char *name = text; *name; count++) {
        size_t length = strcspn(name, ",");
        if (count == capacity || length >= SEQ_FIELD_NAME)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "schema: %s is %.60s, expected at most %d names", key, text,
                                 capacity);
        memcpy(at + (size_t)count * stride, name, length);
        name += length + (name[length] == ',');
    }
    *out_count = count;
    return SEQ_OK;
}

// The index of the name that `key` has in a list; -1 when the key is absent.
static seq_status read_index(const seq_record *record, const char *key, const char *at,
                             size_t stride, int count, int *out, seq_error *error) {
    const char *name = seq_record_text(record, key);
    *out = -1;
    for (int i = 0; name && i < count && *out < 0; i++)
        if (strcmp(at + (size_t)i * stride, name) == 0) *out = i;
    return !name || *out >= 0
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT, "schema: %s is %.60s, which it does not have",
                               key, name);
}

static seq_status read_flag(const seq_record *record, const char *key, bool *out,
                            seq_error *error) {
    const char *text;
    if (require(record, key, &text, error)) return error->status;
    *out = strcmp(text, "1") == 0;
    return *out || strcmp(text, "0") == 0
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT, "schema: %s is %.60s, expected 0 or 1", key,
                               text);
}

// The normalisation that `key` names; `otherwise` when the key is absent.
static seq_status read_normalise(const seq_record *record, const char *key, seq_normalise otherwise,
                                 seq_normalise *out, seq_error *error) {
    const char *name = seq_record_text(record, key);
    *out = otherwise;
    for (int i = SEQ_NORMALISE_GLOBAL; name && i < SEQ_NORMALISATIONS; i++)
        if (strcmp(seq_normalise_names[i], name) == 0) {
            *out = (seq_normalise)i;
            return SEQ_OK;
        }
    return name ? seq_error_set(error, SEQ_BAD_INPUT,
                                "schema: %s is %.60s, expected global, item or group", key, name)
                : SEQ_OK;
}

static seq_status read_reals(const seq_record *record, const char *key, int width, double **out,
                             seq_error *error) {
    seq_error reason = {0};
    int count = 0;
    if (!seq_record_text(record, key)) return SEQ_OK;
    seq_status status = seq_allocate(out, (size_t)width, sizeof **out, "a normalisation", error);
    if (status) return status;
    if (!seq_record_get_reals(record, key, *out, width, &count, &reason) && count == width)
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT, "schema: %s has not %d numbers", key, width);
}

static seq_status read_normalisation(const seq_record *record, seq_field *field, seq_error *error) {
    char key[KEY];
    int64_t groups = 0;
    seq_error reason = {0};
    key_of(key, "field", field->name, "mean");
    seq_normalise plain = seq_record_text(record, key) ? SEQ_NORMALISE_GLOBAL : SEQ_NORMALISE_NONE;
    key_of(key, "field", field->name, "normalise");
    seq_status status = read_normalise(record, key, plain, &field->normalise, error);
    key_of(key, "field", field->name, "unseen");
    if (!status) status = read_normalise(record, key, SEQ_NORMALISE_NONE, &field->unseen, error);
    key_of(key, "field", field->name, "groups");
    if (!status && seq_record_text(record, key) &&
        seq_record_get_integer(record, key, 0, SEQ_STATISTICS_MOST / field->width - 1, &groups,
                               &reason))
        status = seq_error_set(error, SEQ_BAD_INPUT, "schema: %s", reason.text);
    field->groups = (int)groups;
    int count = (int)seq_field_statistics(field);
    key_of(key, "field", field->name, "mean");
    if (!status) status = read_reals(record, key, count, &field->mean, error);
    key_of(key, "field", field->name, "deviation");
    return status ? status : read_reals(record, key, count, &field->deviation, error);
}

static seq_status read_field(const seq_schema *schema, const seq_record *record, seq_field *field,
                             seq_error *error) {
    char key[KEY];
    const char *text;
    int64_t width = 1;
    seq_error reason = {0};
    if (require(record, key_of(key, "field", field->name, "kind"), &text, error))
        return error->status;
    field->kind = SEQ_FIELD_KINDS; // which the check refuses
    for (int i = 0; i < SEQ_FIELD_KINDS; i++)
        if (strcmp(text, kinds[i]) == 0) field->kind = (seq_field_kind)i;
    key_of(key, "field", field->name, "axis");
    seq_status status = read_index(record, key, schema->axes[0].name, sizeof schema->axes[0],
                                   schema->axis_count, &field->axis, error);
    key_of(key, "field", field->name, "vocabulary");
    if (!status)
        status = read_index(record, key, schema->vocabularies[0], SEQ_FIELD_NAME,
                            schema->vocabulary_count, &field->vocabulary, error);
    key_of(key, "field", field->name, "width");
    if (!status && seq_record_text(record, key) &&
        seq_record_get_integer(record, key, 1, SEQ_WIDTH_MOST, &width, &reason))
        status = seq_error_set(error, SEQ_BAD_INPUT, "schema: %s", reason.text);
    field->width = (int)width;
    return status ? status : read_normalisation(record, field, error);
}

static seq_status read_record(seq_schema *out, const seq_record *record, seq_error *error) {
    char key[KEY];
    const char *task;
    seq_status status = require(record, "task", &task, error);
    if (!status) {
        snprintf(out->task, sizeof out->task, "%s", strlen(task) < SEQ_FIELD_NAME ? task : "");
        status = read_names(record, "axes", out->axes[0].name, sizeof out->axes[0], SEQ_AXES,
                            &out->axis_count, error);
    }
    if (!status)
        status = read_names(record, "vocabularies", out->vocabularies[0], SEQ_FIELD_NAME,
                            SEQ_VOCABULARIES, &out->vocabulary_count, error);
    if (!status)
        status = read_names(record, "fields", out->fields[0].name, sizeof out->fields[0],
                            SEQ_COLUMNS, &out->field_count, error);
    for (int i = 0; !status && i < out->axis_count; i++) {
        key_of(key, "axis", out->axes[i].name, "parent");
        status = read_index(record, key, out->axes[0].name, sizeof out->axes[0], out->axis_count,
                            &out->axes[i].parent, error);
    }
    for (int i = 0; !status && i < out->field_count; i++)
        status = read_field(out, record, &out->fields[i], error);
    if (!status)
        status = read_index(record, "target", out->fields[0].name, sizeof out->fields[0],
                            out->field_count, &out->target, error);
    if (!status)
        status = read_index(record, "length", out->axes[0].name, sizeof out->axes[0],
                            out->axis_count, &out->length_axis, error);
    if (!status) status = read_flag(record, "groups", &out->groups, error);
    return status ? status : read_flag(record, "raw", &out->raw, error);
}

seq_status seq_schema_read(seq_schema *out, const seq_manifest *manifest, seq_error *error) {
    const seq_record *record = seq_manifest_section_find(manifest, "schema"),
                     *reader = seq_manifest_section_find(manifest, "reader");
    seq_status status = SEQ_OK;
    *out = (seq_schema){.target = -1};
    if (record->count == 0) {
        seq_schema_set_tokens(out);
        return SEQ_OK;
    }
    status = read_record(out, record, error);
    for (size_t i = 0; !status && i < reader->count; i++)
        status = seq_record_set_text(&out->reader, reader->entries[i].key, reader->entries[i].text,
                                     error);
    if (!status) status = seq_schema_check(out, error);
    if (status) seq_schema_clear(out);
    return status;
}
