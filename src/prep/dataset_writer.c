// Items -> shards, vocabularies, summary, manifest. Each split gathers columns
// of one shard in memory, in the form of the file, and writes them when they
// reach the size of a shard. Mean and deviation of a field are gathered row by
// row (Welford 1962). Invariant: a shard holds whole items and is hashed after it was
// closed; the manifest is written last, the place is taken after it. Tests:
// tests/unit/data/test_items.c.
#include <seqtrain/prep/dataset_writer.h>
#include <seqtrain/data/dataset_format.h>
#include "place.h"
#include <math.h>
#include <seqtrain/base/memory.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The shard that a split gathers, and what it has written.
typedef struct split_writer {
    char *bytes[SEQ_VECTORS];
    size_t used[SEQ_VECTORS], capacity[SEQ_VECTORS]; // bytes
    uint32_t rows[SEQ_AXES];                         // of the shard; rows[0]: its items
    uint32_t raw;                                    // bytes of the shard
    bool partial;                                    // targets are missing in the shard
    int64_t total_items, total_rows[SEQ_AXES], total_counted, total_raw;
    int *items, *partials; // of the shards
    size_t shards, items_capacity, partials_capacity;
} split_writer;

struct seq_dataset_writer {
    seq_place place;
    seq_schema schema;
    const seq_vocabulary *vocabularies[SEQ_VOCABULARIES];
    size_t shard_bytes;
    seq_pipeline pipeline;
    seq_item_layout layout;
    split_writer splits[SEQ_SPLITS];
    int64_t *counts[SEQ_COLUMNS]; // (1 + groups): rows in mean and squares; NULL: not gathered
    double *squares[SEQ_COLUMNS]; // sums of squared distances from the mean
    seq_manifest manifest;
};

seq_status seq_dataset_writer_create(const seq_dataset_target *target, seq_dataset_writer **out,
                                     seq_error *error) {
    seq_dataset_writer *writer = NULL;
    seq_status status = seq_allocate(&writer, 1, sizeof *writer, "the writer of a data set", error);
    if (status) return status;
    seq_schema_begin(&writer->schema, "");
    status = seq_place_find(&writer->place, target->output, target->force, error);
    for (size_t i = 0; !status && i < target->input_count; i++)
        status = seq_place_check_outside(&writer->place, target->inputs[i], error);
    if (!status) status = seq_place_take(&writer->place, error);
    if (status)
        seq_dataset_writer_destroy(writer);
    else
        *out = writer;
    return status;
}

void seq_dataset_writer_destroy(seq_dataset_writer *writer) {
    if (!writer) return;
    for (int i = 0; i < SEQ_SPLITS; i++) {
        for (int j = 0; j < SEQ_VECTORS; j++)
            free(writer->splits[i].bytes[j]);
        free(writer->splits[i].items);
        free(writer->splits[i].partials);
    }
    for (int i = 0; i < SEQ_COLUMNS; i++) {
        free(writer->squares[i]);
        free(writer->counts[i]);
    }
    seq_schema_clear(&writer->schema);
    seq_manifest_clear(&writer->manifest);
    seq_place_release(&writer->place);
    free(writer);
}

const char *seq_dataset_writer_folder(const seq_dataset_writer *writer) {
    return writer->place.work;
}

// Room for what is gathered: of all rows, and of each group's.
static seq_status begin_normalisation(seq_dataset_writer *writer, int field, seq_error *error) {
    seq_field *about = &writer->schema.fields[field];
    int group = seq_schema_find_field(&writer->schema, SEQ_GROUP_FIELD);
    if (about->normalise == SEQ_NORMALISE_GROUP)
        about->groups =
            seq_vocabulary_size(writer->vocabularies[writer->schema.fields[group].vocabulary]);
    size_t count = seq_field_statistics(about);
    if (count > SEQ_STATISTICS_MOST)
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "normalising %s by group: %d groups of %d values are too many, at "
                             "most %d numbers are kept",
                             about->name, about->groups, about->width, SEQ_STATISTICS_MOST);
    seq_status status = seq_allocate(&about->mean, count, sizeof(double), "a normalisation", error);
    if (!status)
        status = seq_allocate(&about->deviation, count, sizeof(double), "a normalisation", error);
    if (!status)
        status =
            seq_allocate(&writer->squares[field], count, sizeof(double), "a normalisation", error);
    return status ? status
                  : seq_allocate(&writer->counts[field], (size_t)(1 + about->groups),
                                 sizeof(int64_t), "a normalisation", error);
}

static seq_status copy_schema(seq_dataset_writer *writer, const seq_schema *schema,
                              seq_error *error) {
    seq_schema *copy = &writer->schema;
    seq_status status = SEQ_OK;
    *copy = *schema;
    copy->reader = (seq_record){0};
    for (int i = 0; i < copy->field_count; i++)
        copy->fields[i].mean = copy->fields[i].deviation = NULL;
    for (int i = 0; !status && i < copy->field_count; i++) {
        const seq_field *from = &schema->fields[i];
        bool group = from->normalise == SEQ_NORMALISE_GROUP;
        if (from->mean)
            status = seq_field_normalise_as(&copy->fields[i], from, error);
        else if (group || from->normalise == SEQ_NORMALISE_GLOBAL)
            status = begin_normalisation(writer, i, error);
    }
    for (size_t i = 0; !status && i < schema->reader.count; i++)
        status = seq_record_set_text(&copy->reader, schema->reader.entries[i].key,
                                     schema->reader.entries[i].text, error);
    return status;
}

seq_status seq_dataset_writer_begin(seq_dataset_writer *writer, const seq_schema *schema,
                                    const seq_vocabulary *const *vocabularies, size_t shard_bytes,
                                    seq_pipeline pipeline, seq_error *error) {
    seq_status status = seq_schema_check(schema, error);
    for (int i = 0; !status && i < schema->vocabulary_count; i++)
        writer->vocabularies[i] = vocabularies[i];
    if (!status) status = copy_schema(writer, schema, error);
    if (status) return status;
    writer->shard_bytes = shard_bytes ? shard_bytes : SEQ_SHARD_BYTES;
    writer->pipeline = pipeline;
    snprintf(writer->manifest.kind, sizeof writer->manifest.kind, "%s", SEQ_DATASET_KIND);
    writer->manifest.version = SEQ_ITEMS_VERSION;
    seq_item_layout_make(&writer->layout, &writer->schema, writer->vocabularies);
    return SEQ_OK;
}

// ---- A shard.

static seq_status write_vectors(const seq_dataset_writer *writer, const split_writer *split,
                                bool train, seq_vector_file *file, seq_error *error) {
    const seq_item_layout *layout = &writer->layout;
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < layout->count; i++) {
        const seq_item_vector *vector = &layout->vectors[i];
        size_t size = seq_element_size(vector->element);
        if ((i == layout->counted && !split->partial) ||
            (train && (i == layout->raw || i == layout->raw_ends)))
            continue;
        status =
            seq_vector_write(file, vector->name, vector->element, split->bytes[i],
                             split->used[i] / size, SEQ_ITEM_CHUNK / size, writer->pipeline, error);
    }
    return status;
}

static seq_status note_shard(seq_dataset_writer *writer, split_writer *split, const char *name,
                             const char *path, seq_error *error) {
    seq_digest digest;
    seq_status status = seq_digest_file(path, &digest, error);
    if (!status) status = seq_manifest_add_file(&writer->manifest, name, &digest, error);
    if (!status)
        status = seq_grow(&split->items, &split->items_capacity, split->shards + 1,
                          sizeof *split->items, "the list of shards", error);
    if (!status)
        status = seq_grow(&split->partials, &split->partials_capacity, split->shards + 1,
                          sizeof *split->partials, "the list of shards", error);
    if (status) return status;
    split->items[split->shards] = (int)split->rows[0];
    split->partials[split->shards++] = split->partial;
    return SEQ_OK;
}

static seq_status end_shard(seq_dataset_writer *writer, seq_split which, seq_error *error) {
    split_writer *split = &writer->splits[which];
    char name[32], path[SEQ_PATH];
    seq_vector_file *file = NULL;
    if (!split->rows[0]) return SEQ_OK;
    if (writer->manifest.file_count >= SEQ_SHARD_FILES_MOST)
        return seq_error_set(error, SEQ_BAD_USAGE,
                             "writing %s: it has more than %d shards of %zu bytes: larger shards "
                             "are needed",
                             writer->place.given, SEQ_SHARD_FILES_MOST, writer->shard_bytes);
    seq_shard_file_name(which, (int64_t)split->shards, name);
    seq_status status = seq_path_join(path, writer->place.work, name, error);
    if (!status) status = seq_vector_file_create_wide(path, writer->layout.count, &file, error);
    if (!status) status = write_vectors(writer, split, which == SEQ_TRAIN, file, error);
    seq_error closing = {0};
    if (seq_vector_file_close(file, &closing) && !status)
        status = seq_error_set(error, closing.status, "%s", closing.text);
    if (!status) status = note_shard(writer, split, name, path, error);
    memset(split->used, 0, sizeof split->used);
    memset(split->rows, 0, sizeof split->rows);
    split->raw = 0;
    split->partial = false;
    return status;
}

// ---- An item.

// Where the columns of an item lie in those that the caller gave.
typedef struct item {
    const seq_items *items;
    int64_t number; // among them
    size_t begin[SEQ_AXES], rows[SEQ_AXES];
} item;

static seq_status blame(const seq_dataset_writer *writer, seq_split split, seq_error *error,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

static seq_status blame(const seq_dataset_writer *writer, seq_split split, seq_error *error,
                        const char *format, ...) {
    char why[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return seq_error_set(error, SEQ_BAD_INPUT, "item %lld of %s: %s",
                         (long long)writer->splits[split].total_items, seq_split_name(split), why);
}

static seq_status append(split_writer *split, int index, const void *bytes, size_t size,
                         seq_error *error) {
    seq_status status = seq_grow(&split->bytes[index], &split->capacity[index],
                                 split->used[index] + size + 1, 1, "a shard", error);
    if (!status && size) memcpy(split->bytes[index] + split->used[index], bytes, size);
    if (!status) split->used[index] += size;
    return status;
}

static seq_status append_u32(split_writer *split, int index, uint32_t value, seq_error *error) {
    return append(split, index, &value, sizeof value, error);
}

static seq_status add_ids(seq_dataset_writer *writer, seq_split which, const item *item, int field,
                          int64_t *counted, seq_error *error) {
    const seq_field *about = &writer->schema.fields[field];
    const seq_item_vector *vector = &writer->layout.vectors[writer->layout.of_field[field]];
    const int32_t *ids = item->items->ids[field] + item->begin[about->axis];
    seq_status status = SEQ_OK;
    *counted = 0;
    for (size_t i = 0; !status && i < item->rows[about->axis]; i++) {
        if (ids[i] < SEQ_NO_ID || ids[i] >= vector->vocabulary)
            return blame(writer, which, error, "field %s row %zu: id %d, its vocabulary has %d",
                         about->name, i, (int)ids[i], vector->vocabulary);
        uint32_t wide = ids[i] == SEQ_NO_ID ? (uint32_t)vector->vocabulary : (uint32_t)ids[i];
        uint16_t medium = (uint16_t)wide;
        uint8_t narrow = (uint8_t)wide;
        const void *stored = vector->element == SEQ_U8    ? (const void *)&narrow
                             : vector->element == SEQ_U16 ? (const void *)&medium
                                                          : &wide;
        *counted += ids[i] != SEQ_NO_ID;
        status = append(&writer->splits[which], writer->layout.of_field[field], stored,
                        seq_element_size(vector->element), error);
    }
    return status;
}

// `which`: of all rows, or 1 + a group.
static void gather(seq_dataset_writer *writer, int field, int32_t which, const float *row) {
    const seq_field *about = &writer->schema.fields[field];
    size_t width = (size_t)about->width;
    double count = (double)++writer->counts[field][which];
    double *mean = about->mean + (size_t)which * width,
           *squares = writer->squares[field] + (size_t)which * width;
    for (size_t i = 0; i < width; i++) {
        double from_mean = (double)row[i] - mean[i];
        mean[i] += from_mean / count;
        squares[i] += from_mean * ((double)row[i] - mean[i]);
    }
}

// 1 + the item's group; 0: none.
static int32_t group_of(const seq_dataset_writer *writer, const item *item) {
    int field = seq_schema_find_field(&writer->schema, SEQ_GROUP_FIELD);
    return field < 0 ? 0 : 1 + item->items->ids[field][item->number];
}

static seq_status add_values(seq_dataset_writer *writer, seq_split which, const item *item,
                             int field, seq_error *error) {
    const seq_field *about = &writer->schema.fields[field];
    size_t width = (size_t)about->width, rows = item->rows[about->axis];
    const float *values = item->items->values[field] + item->begin[about->axis] * width;
    for (size_t i = 0; i < rows * width; i++)
        if (!isfinite(values[i]))
            return blame(writer, which, error, "field %s row %zu: a value that is not finite",
                         about->name, i / width);
    int32_t group = about->groups ? group_of(writer, item) : 0;
    for (size_t row = 0; writer->counts[field] && which == SEQ_TRAIN && row < rows; row++) {
        gather(writer, field, 0, values + row * width);
        if (group > 0 && group <= about->groups) gather(writer, field, group, values + row * width);
    }
    return append(&writer->splits[which], writer->layout.of_field[field], values,
                  rows * width * sizeof *values, error);
}

// Targets at the begin of an item that are read and not predicted.
static int64_t given_of(const seq_dataset_writer *writer, const item *item, size_t rows) {
    int field = seq_schema_find_given(&writer->schema);
    float given = field < 0 ? 0 : item->items->values[field][item->number];
    return given < 0 ? 0 : given < (float)rows ? (int64_t)given : (int64_t)rows;
}

static seq_status add_fields(seq_dataset_writer *writer, seq_split which, const item *item,
                             seq_error *error) {
    const seq_schema *schema = &writer->schema;
    split_writer *split = &writer->splits[which];
    seq_status status = SEQ_OK;
    for (int field = 0; !status && field < schema->field_count; field++) {
        size_t rows = item->rows[schema->fields[field].axis];
        int64_t counted = (int64_t)rows;
        status = schema->fields[field].vocabulary >= 0
                     ? add_ids(writer, which, item, field, &counted, error)
                     : add_values(writer, which, item, field, error);
        if (status || field != schema->target) continue;
        counted -= given_of(writer, item, rows);
        split->partial |= (size_t)counted != rows;
        split->total_counted += counted;
        status = append_u32(split, writer->layout.counted, (uint32_t)counted, error);
    }
    return status;
}

static seq_status add_axes(seq_dataset_writer *writer, seq_split which, const item *item,
                           seq_error *error) {
    split_writer *split = &writer->splits[which];
    seq_status status = SEQ_OK;
    for (int axis = 1; !status && axis < writer->schema.axis_count; axis++) {
        int parent = writer->schema.axes[axis].parent;
        const int32_t *lengths = item->items->lengths[axis] + item->begin[parent];
        for (size_t i = 0; !status && i < item->rows[parent]; i++) {
            split->rows[axis] += (uint32_t)lengths[i];
            status = append_u32(split, writer->layout.ends[axis], split->rows[axis], error);
        }
        split->total_rows[axis] += (int64_t)item->rows[axis];
    }
    return status;
}

static seq_status add_raw(seq_dataset_writer *writer, seq_split which, const item *item,
                          const char *raw, seq_error *error) {
    split_writer *split = &writer->splits[which];
    uint32_t size = (uint32_t)item->items->raw_sizes[item->number];
    if (size > INT32_MAX) return blame(writer, which, error, "its text has too many bytes");
    split->raw += size;
    split->total_raw += size;
    seq_status status = append(split, writer->layout.raw, raw, size, error);
    return status ? status : append_u32(split, writer->layout.raw_ends, split->raw, error);
}

static bool is_full(const seq_dataset_writer *writer, const split_writer *split) {
    size_t bytes = 0;
    for (int i = 0; i < writer->layout.count; i++)
        bytes += split->used[i];
    return bytes >= writer->shard_bytes;
}

// Rows of an item on each axis; a shard has fewer than 2^31 of them.
static seq_status measure(const seq_dataset_writer *writer, seq_split which, item *item,
                          seq_error *error) {
    const seq_schema *schema = &writer->schema;
    item->rows[0] = 1;
    for (int axis = 1; axis < schema->axis_count; axis++) {
        int parent = schema->axes[axis].parent;
        const int32_t *lengths = item->items->lengths[axis] + item->begin[parent];
        item->rows[axis] = 0;
        for (size_t i = 0; i < item->rows[parent]; i++) {
            if (lengths[i] < 0)
                return blame(writer, which, error, "a sequence of axis %s has length %d",
                             schema->axes[axis].name, (int)lengths[i]);
            item->rows[axis] += (size_t)lengths[i];
        }
        if (item->rows[axis] > INT32_MAX / 2)
            return blame(writer, which, error, "it has %zu rows on the axis %s, at most 2^30",
                         item->rows[axis], schema->axes[axis].name);
    }
    return SEQ_OK;
}

static bool fits(const seq_dataset_writer *writer, const split_writer *split, const item *item) {
    for (int axis = 0; axis < writer->schema.axis_count; axis++)
        if (split->rows[axis] + (uint64_t)item->rows[axis] > INT32_MAX) return false;
    return split->raw <= INT32_MAX;
}

static seq_status add_item(seq_dataset_writer *writer, seq_split which, item *item, const char *raw,
                           seq_error *error) {
    split_writer *split = &writer->splits[which];
    seq_status status = measure(writer, which, item, error);
    if (!status && !fits(writer, split, item)) status = end_shard(writer, which, error);
    if (!status) status = add_axes(writer, which, item, error);
    if (!status) status = add_fields(writer, which, item, error);
    if (!status && writer->schema.groups)
        status = append(split, writer->layout.group, &item->items->groups[item->number],
                        sizeof *item->items->groups, error);
    if (!status && raw) status = add_raw(writer, which, item, raw, error);
    split->rows[0]++;
    if (!status) split->total_items++;
    return !status && is_full(writer, split) ? end_shard(writer, which, error) : status;
}

static const char *find_missing(const seq_schema *schema, const seq_items *items, bool raw) {
    for (int i = 0; i < schema->field_count; i++)
        if (schema->fields[i].vocabulary >= 0 ? !items->ids[i] : !items->values[i])
            return schema->fields[i].name;
    for (int axis = 1; axis < schema->axis_count; axis++)
        if (!items->lengths[axis]) return schema->axes[axis].name;
    if (schema->groups && !items->groups) return "group";
    return raw && (!items->raw || !items->raw_sizes) ? "raw" : NULL;
}

seq_status seq_dataset_writer_add(seq_dataset_writer *writer, seq_split split,
                                  const seq_items *items, seq_error *error) {
    bool raw = writer->schema.raw && split != SEQ_TRAIN;
    const char *missing = find_missing(&writer->schema, items, raw),
               *text = raw ? items->raw : NULL;
    seq_status status =
        missing ? blame(writer, split, error, "its column %s is missing", missing) : SEQ_OK;
    item item = {.items = items};
    for (; !status && item.number < items->count; item.number++) {
        status = add_item(writer, split, &item, text, error);
        for (int axis = 0; axis < writer->schema.axis_count; axis++)
            item.begin[axis] += item.rows[axis];
        if (raw) text += items->raw_sizes[item.number];
    }
    return status;
}

// ---- The end.

static seq_status describe_split(const seq_dataset_writer *writer, seq_split which,
                                 seq_record *record, seq_error *error) {
    const split_writer *split = &writer->splits[which];
    const char *name = seq_split_name(which);
    char key[2 * SEQ_FIELD_NAME];
    snprintf(key, sizeof key, "%s_items", name);
    seq_status status = seq_record_set_integer(record, key, split->total_items, error);
    for (int axis = 1; !status && axis < writer->schema.axis_count; axis++) {
        snprintf(key, sizeof key, "%s_rows.%s", name, writer->schema.axes[axis].name);
        status = seq_record_set_integer(record, key, split->total_rows[axis], error);
    }
    snprintf(key, sizeof key, "%s_targets", name);
    if (!status && writer->schema.target >= 0)
        status = seq_record_set_integer(record, key, split->total_counted, error);
    snprintf(key, sizeof key, "%s_raw_bytes", name);
    if (!status && writer->schema.raw)
        status = seq_record_set_integer(record, key, split->total_raw, error);
    snprintf(key, sizeof key, "%s_shards", name);
    if (!status)
        status = seq_record_set_integers(record, key, split->items, (int)split->shards, error);
    snprintf(key, sizeof key, "%s_partial", name);
    if (!status && writer->schema.target >= 0)
        status = seq_record_set_integers(record, key, split->partials, (int)split->shards, error);
    return status;
}

static void finish_normalisation(seq_dataset_writer *writer) {
    for (int field = 0; field < writer->schema.field_count; field++) {
        const seq_field *about = &writer->schema.fields[field];
        size_t width = (size_t)about->width;
        if (!writer->counts[field]) continue;
        for (size_t i = 0; i < seq_field_statistics(about); i++) {
            double count = (double)writer->counts[field][i / width];
            double deviation = count > 0 ? sqrt(writer->squares[field][i] / count) : 0;
            about->deviation[i] = deviation > 0 ? deviation : count > 0 || i < width;
        }
    }
}

static void print_fields(const seq_dataset_writer *writer, FILE *stream) {
    static const char *const kinds[] = {"ids", "values", "label", "number"};
    const seq_schema *schema = &writer->schema;
    fprintf(stream, "task       %s\n", schema->task);
    for (int i = 0; i < schema->field_count; i++) {
        const seq_field *field = &schema->fields[i];
        fprintf(stream, "field      %s: %s a row of %s", field->name, kinds[field->kind],
                schema->axes[field->axis].name);
        if (field->vocabulary >= 0)
            fprintf(stream, ", %d in the vocabulary %s",
                    seq_vocabulary_size(writer->vocabularies[field->vocabulary]),
                    schema->vocabularies[field->vocabulary]);
        if (field->kind == SEQ_FIELD_VALUES) fprintf(stream, ", width %d", field->width);
        if (field->mean && field->width == 1)
            fprintf(stream, ", mean %g, deviation %g", field->mean[0], field->deviation[0]);
        fputs(i == schema->target ? ", the target\n" : "\n", stream);
    }
}

static void print_summary(const seq_dataset_writer *writer, const char *notes, FILE *stream) {
    const seq_schema *schema = &writer->schema;
    print_fields(writer, stream);
    fprintf(stream, "%-10s %14s", "split", "items");
    for (int axis = 1; axis < schema->axis_count; axis++)
        fprintf(stream, " %14s", schema->axes[axis].name);
    fprintf(stream, "%s\n", schema->target < 0 ? "" : "        targets");
    for (int i = 0; i < SEQ_SPLITS; i++) {
        const split_writer *split = &writer->splits[i];
        if (!split->total_items) continue;
        fprintf(stream, "%-10s %14lld", seq_split_name((seq_split)i),
                (long long)split->total_items);
        for (int axis = 1; axis < schema->axis_count; axis++)
            fprintf(stream, " %14lld", (long long)split->total_rows[axis]);
        if (schema->target >= 0) fprintf(stream, " %14lld", (long long)split->total_counted);
        fputc('\n', stream);
    }
    if (notes) fputs(notes, stream);
}

static seq_status add_file(seq_dataset_writer *writer, const char *name, const char *path,
                           seq_error *error) {
    seq_digest digest;
    seq_status status = seq_digest_file(path, &digest, error);
    return status ? status : seq_manifest_add_file(&writer->manifest, name, &digest, error);
}

static seq_status write_summary(seq_dataset_writer *writer, const char *notes, seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size = 0;
    seq_status status = seq_path_join(path, writer->place.work, "summary.txt", error);
    if (status) return status;
    FILE *stream = open_memstream(&text, &size);
    if (stream) print_summary(writer, notes, stream);
    status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status ? status : add_file(writer, "summary.txt", path, error);
}

static seq_status write_vocabularies(seq_dataset_writer *writer, seq_error *error) {
    char name[SEQ_VOCABULARY_FILE], path[SEQ_PATH];
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < writer->schema.vocabulary_count; i++) {
        seq_schema_vocabulary_file(&writer->schema, i, name);
        status = seq_path_join(path, writer->place.work, name, error);
        if (!status) status = seq_vocabulary_write(writer->vocabularies[i], path, error);
        if (!status) status = add_file(writer, name, path, error);
        if (status || !seq_vocabulary_subword(writer->vocabularies[i])) continue;
        seq_schema_merges_file(&writer->schema, i, name);
        status = seq_path_join(path, writer->place.work, name, error);
        if (!status) status = add_file(writer, name, path, error);
    }
    return status;
}

static seq_status describe(seq_dataset_writer *writer, seq_error *error) {
    seq_status status = seq_schema_write(&writer->schema, &writer->manifest, error);
    seq_record *data = status ? NULL : seq_manifest_section_get(&writer->manifest, "data");
    if (!status && !data)
        return seq_error_set(error, SEQ_NO_MEMORY, "describing the data set: out of memory");
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        status = describe_split(writer, (seq_split)split, data, error);
    return status;
}

seq_status seq_dataset_writer_finish(seq_dataset_writer *writer, const char *notes,
                                     seq_error *error) {
    seq_status status = SEQ_OK;
    finish_normalisation(writer);
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        status = end_shard(writer, (seq_split)split, error);
    if (!status) status = describe(writer, error);
    if (!status) status = write_vocabularies(writer, error);
    if (!status) status = write_summary(writer, notes, error);
    if (!status) status = seq_directory_sync(writer->place.work, error);
    if (!status)
        status = seq_manifest_write(&writer->manifest, writer->place.work, "dataset.json", error);
    return status ? status : seq_place_commit(&writer->place, error);
}
