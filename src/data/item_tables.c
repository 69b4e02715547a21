// Opens the items of a data set: which vectors its schema makes, what its
// manifest says of each split, and, once a split, where each item's rows begin.
// Invariant: a loaded table was checked: ends rise, vectors end where their axes
// do, and memory is taken for no count that the files cannot hold. Tests:
// tests/unit/data/test_items.c, tests/fuzz/fuzz_items.c.
#include "items_private.h"
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PIECE = 1 << 12, // ends checked at once
    KEY_MOST = 2 * SEQ_FIELD_NAME,
};

static seq_item_vector *add_vector(seq_item_layout *layout, const char *name, const char *ending,
                                   seq_element element, int axis) {
    seq_item_vector *vector = &layout->vectors[layout->count++];
    *vector = (seq_item_vector){.element = element, .axis = axis, .field = -1, .width = 1};
    snprintf(vector->name, sizeof vector->name, "%s%s", name, ending);
    return vector;
}

void seq_item_layout_make(seq_item_layout *out, const seq_schema *schema,
                          const seq_vocabulary *const *vocabularies) {
    *out = (seq_item_layout){.group = -1, .counted = -1, .raw = -1, .raw_ends = -1};
    for (int i = 0; i < schema->field_count; i++) {
        const seq_field *field = &schema->fields[i];
        int size = field->vocabulary < 0 ? 0 : seq_vocabulary_size(vocabularies[field->vocabulary]);
        out->of_field[i] = out->count;
        seq_item_vector *vector = add_vector(
            out, field->name, "", size ? seq_token_element(size + 1) : SEQ_F32, field->axis);
        vector->field = i;
        vector->vocabulary = size;
        vector->width = field->width;
    }
    for (int axis = 1; axis < schema->axis_count; axis++) {
        out->ends[axis] = out->count;
        add_vector(out, schema->axes[axis].name, ".ends", SEQ_U32, axis);
    }
    if (schema->groups) {
        out->group = out->count;
        add_vector(out, "item.group", "", SEQ_I64, 0);
    }
    if (schema->target >= 0) {
        out->counted = out->count;
        add_vector(out, "item.counted", "", SEQ_U32, 0);
    }
    if (schema->raw) {
        out->raw = out->count;
        add_vector(out, "item.raw", "", SEQ_U8, 0);
        out->raw_ends = out->count;
        add_vector(out, "item.raw-ends", "", SEQ_U32, 0);
    }
}

static seq_status read_shards(const seq_record *record, const char *name, seq_item_split *split,
                              seq_error *error) {
    char key[KEY_MOST];
    int *items = NULL, count = 0;
    seq_status status = seq_allocate(&items, SEQ_SHARD_FILES_MOST, sizeof *items, "shards", error);
    snprintf(key, sizeof key, "%s_shards", name);
    if (!status)
        status = seq_record_get_integers(record, key, 1, INT32_MAX, items, SEQ_SHARD_FILES_MOST,
                                         &split->shards, error);
    if (!status)
        status = seq_allocate(&split->first, (size_t)split->shards + 1, sizeof *split->first,
                              "shards", error);
    if (!status)
        status = seq_allocate(&split->partial, (size_t)split->shards + 1, sizeof *split->partial,
                              "shards", error);
    for (int i = 0; !status && i < split->shards; i++)
        split->first[i + 1] = split->first[i] + items[i];
    snprintf(key, sizeof key, "%s_partial", name);
    if (!status && seq_record_text(record, key))
        status = seq_record_get_integers(record, key, 0, 1, split->partial, split->shards, &count,
                                         error);
    if (!status && seq_record_text(record, key) && count != split->shards)
        status = seq_error_set(error, SEQ_BAD_INPUT, "%s does not tell of %d shards", key,
                               split->shards);
    free(items);
    return status;
}

static seq_status read_split(seq_dataset *dataset, seq_split which, seq_error *error) {
    char key[KEY_MOST];
    const char *name = seq_split_name(which);
    const seq_schema *schema = &dataset->schema;
    const seq_record *record = seq_manifest_section_find(&dataset->manifest, "data");
    seq_item_split *split = &dataset->store->splits[which];
    seq_status status = read_shards(record, name, split, error);
    if (status) return status;
    split->table.items = split->table.rows[0] = split->first[split->shards];
    for (int axis = 1; !status && axis < schema->axis_count; axis++) {
        snprintf(key, sizeof key, "%s_rows.%s", name, schema->axes[axis].name);
        status = seq_record_get_integer(record, key, 0, INT64_MAX / SEQ_WIDTH_MOST / 16,
                                        &split->table.rows[axis], error);
        int64_t sequences = split->table.rows[schema->axes[axis].parent];
        if (!status && sequences > UINT32_MAX)
            status = seq_error_set(error, SEQ_BAD_INPUT,
                                   "%s has %lld sequences of the axis %s, at most 2^32 are "
                                   "numbered",
                                   name, (long long)sequences, schema->axes[axis].name);
    }
    snprintf(key, sizeof key, "%s_raw_bytes", name);
    if (!status && schema->raw)
        status = seq_record_get_integer(record, key, 0, INT64_MAX / 16, &split->raw_bytes, error);
    dataset->tokens[which] = split->table.rows[schema->length_axis];
    return status;
}

seq_status seq_item_store_open(seq_dataset *dataset, seq_error *error) {
    seq_status status =
        seq_allocate(&dataset->store, 1, sizeof *dataset->store, "a data set", error);
    if (status) return status;
    int failed = pthread_mutex_init(&dataset->store->lock, NULL);
    if (failed) {
        free(dataset->store);
        dataset->store = NULL;
        return seq_error_set(error, SEQ_NO_MEMORY, "opening a data set: no lock");
    }
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        status = read_split(dataset, (seq_split)split, error);
    return status;
}

seq_status seq_item_store_check(const seq_dataset *dataset, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        for (int axis = 0; !status && axis < dataset->schema.axis_count; axis++)
            status = seq_dataset_check_size(dataset, (seq_split)split,
                                            axis ? dataset->schema.axes[axis].name : "items",
                                            dataset->store->splits[split].table.rows[axis], error);
    return status;
}

void seq_item_store_close(seq_item_store *store) {
    if (!store) return;
    for (int i = 0; i < SEQ_SPLITS; i++) {
        seq_item_split *split = &store->splits[i];
        free(split->first);
        free(split->partial);
        free(split->counted);
        for (int axis = 0; axis < SEQ_AXES; axis++)
            free(split->at[axis]);
    }
    seq_item_chunks_free(store);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

uint64_t seq_dataset_item_bytes(const seq_dataset *dataset) {
    if (!dataset->store) return 0;
    double chunks = seq_item_store_bytes(dataset);
    uint64_t bytes = chunks < SEQ_CHUNK_CACHE ? (uint64_t)chunks : SEQ_CHUNK_CACHE;
    for (int split = 0; split < SEQ_SPLITS; split++)
        bytes += dataset->store->splits[split].table.bytes;
    return bytes;
}

double seq_item_store_bytes(const seq_dataset *dataset) {
    enum { OF_ITEM = 16 }; // group, counted, end of the raw text
    const seq_schema *schema = &dataset->schema;
    double bytes = 0;
    for (int i = 0; i < SEQ_SPLITS; i++) {
        const seq_item_split *split = &dataset->store->splits[i];
        bytes += (double)split->table.items * OF_ITEM + (double)split->raw_bytes;
        for (int axis = 1; axis < schema->axis_count; axis++)
            bytes += 4.0 * (double)split->table.rows[schema->axes[axis].parent];
        for (int f = 0; f < schema->field_count; f++)
            bytes +=
                4.0 * schema->fields[f].width * (double)split->table.rows[schema->fields[f].axis];
    }
    return bytes;
}

// ---- Tables.

seq_status seq_item_damaged(const seq_dataset *dataset, seq_item_place at, const char *vector,
                            const char *why, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "data set %s: shard %d of %s: %s %s: the data set is damaged",
                         dataset->path, at.shard, seq_split_name(at.split), vector, why);
}

// Rows of `axis` that lie before item i of the split, within its shard that begins with `first`.
uint32_t seq_item_rows_before(const seq_item_split *split, int axis, int64_t first, int64_t i) {
    return axis ? split->at[axis][i] - split->at[axis][first] : (uint32_t)(i - first);
}

// Ends of one axis in one shard: rising, and where each item ends. The parent's are there.
static seq_status load_ends(seq_dataset *dataset, seq_item_place at, int axis, uint64_t *out_rows,
                            seq_error *error) {
    seq_item_split *split = &dataset->store->splits[at.split];
    int index = dataset->store->layout.ends[axis], parent = dataset->schema.axes[axis].parent;
    int64_t first = split->first[at.shard], end = split->first[at.shard + 1], item = first;
    uint32_t *rows = split->at[axis], ends[PIECE], last = 0;
    uint32_t sequences = seq_item_rows_before(split, parent, first, end);
    size_t length;
    seq_status status = seq_item_vector_length(dataset, at, index, &length, error);
    if (!status && length != sequences)
        status = seq_item_damaged(dataset, at, dataset->store->layout.vectors[index].name,
                                  "has not one entry for each sequence", error);
    while (!status && item < end && seq_item_rows_before(split, parent, first, item + 1) == 0)
        rows[++item] = rows[first];
    for (uint32_t from = 0; !status && from < sequences; from += PIECE) {
        size_t count = sequences - from < PIECE ? sequences - from : PIECE;
        status = seq_item_elements(dataset, at, index, from, count, ends, error);
        for (size_t i = 0; !status && i < count; i++) {
            if (ends[i] < last || ends[i] > INT32_MAX)
                return seq_item_damaged(dataset, at, dataset->store->layout.vectors[index].name,
                                        "does not rise", error);
            int32_t steps = (int32_t)(ends[i] - last);
            if (steps > split->table.longest[axis]) split->table.longest[axis] = steps;
            last = ends[i];
            while (item < end &&
                   seq_item_rows_before(split, parent, first, item + 1) <= from + i + 1)
                rows[++item] = rows[first] + last;
        }
    }
    *out_rows = last;
    return status;
}

// The vectors of fields and of items end where the axes do.
static seq_status check_lengths(seq_dataset *dataset, seq_item_place at,
                                const uint64_t rows[SEQ_AXES], seq_error *error) {
    const seq_item_layout *layout = &dataset->store->layout;
    const seq_item_split *split = &dataset->store->splits[at.split];
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < layout->count; i++) {
        const seq_item_vector *vector = &layout->vectors[i];
        bool is_raw = i == layout->raw || i == layout->raw_ends;
        bool skipped = i == layout->raw || (is_raw && at.split == SEQ_TRAIN) ||
                       (i == layout->counted && !split->partial[at.shard]) ||
                       (vector->field < 0 && vector->axis > 0);
        size_t length;
        if (skipped) continue;
        status = seq_item_vector_length(dataset, at, i, &length, error);
        if (!status && length != rows[vector->axis] * (uint64_t)vector->width)
            status = seq_item_damaged(dataset, at, vector->name, "does not end where its axis does",
                                      error);
    }
    return status;
}

static seq_status load_counted(seq_dataset *dataset, seq_item_place at, seq_error *error) {
    const seq_item_store *store = dataset->store;
    const seq_item_split *split = &store->splits[at.split];
    int64_t first = split->first[at.shard], end = split->first[at.shard + 1];
    int axis = dataset->schema.fields[dataset->schema.target].axis;
    int32_t *counted = split->counted + first;
    seq_status status = SEQ_OK;
    if (split->partial[at.shard])
        status = seq_item_elements(dataset, at, store->layout.counted, 0, (size_t)(end - first),
                                   counted, error);
    for (int64_t i = first; !status && i < end; i++) {
        uint32_t rows = axis ? split->at[axis][i + 1] - split->at[axis][i] : 1;
        if (!split->partial[at.shard])
            split->counted[i] = (int32_t)rows;
        else if ((uint32_t)split->counted[i] > rows)
            status = seq_item_damaged(dataset, at, "item.counted",
                                      "counts more targets than there are", error);
    }
    return status;
}

static seq_status take_tables(seq_dataset *dataset, seq_item_split *split, seq_error *error) {
    const seq_schema *schema = &dataset->schema;
    size_t items = (size_t)split->table.items;
    bool partial = false;
    seq_status status = SEQ_OK;
    for (int i = 0; i < split->shards; i++)
        partial |= split->partial[i];
    for (int axis = 1; !status && axis < schema->axis_count; axis++) {
        free(split->at[axis]);
        status = seq_allocate(&split->at[axis], items + 1, sizeof(uint32_t), "the lengths of items",
                              error);
        split->table.at[axis] = split->at[axis];
        split->table.bytes += (items + 1) * sizeof(uint32_t);
    }
    if (!status && partial && schema->target >= 0) {
        free(split->counted);
        status = seq_allocate(&split->counted, items + 1, sizeof(int32_t), "the targets of items",
                              error);
        split->table.counted = split->counted;
        split->table.bytes += (items + 1) * sizeof(int32_t);
    }
    return status;
}

seq_status seq_item_table_load(seq_dataset *dataset, seq_split which, seq_error *error) {
    const seq_schema *schema = &dataset->schema;
    seq_item_store *store = dataset->store;
    seq_item_split *split = &store->splits[which];
    int64_t total[SEQ_AXES] = {0};
    if (split->loaded) return SEQ_OK;
    seq_item_layout_make(&store->layout, schema,
                         (const seq_vocabulary *const *)dataset->vocabularies);
    split->table.bytes = 0;
    seq_status status = take_tables(dataset, split, error);
    for (int shard = 0; !status && shard < split->shards; shard++) {
        seq_item_place at = {which, shard};
        uint64_t rows[SEQ_AXES] = {(uint64_t)(split->first[shard + 1] - split->first[shard])};
        for (int axis = 1; !status && axis < schema->axis_count; axis++) {
            status = load_ends(dataset, at, axis, &rows[axis], error);
            total[axis] += (int64_t)rows[axis];
        }
        if (!status) status = check_lengths(dataset, at, rows, error);
        if (!status && split->counted) status = load_counted(dataset, at, error);
    }
    for (int axis = 1; !status && axis < schema->axis_count; axis++)
        if (total[axis] != split->table.rows[axis])
            status = seq_error_set(error, SEQ_BAD_INPUT,
                                   "data set %s: %s has %lld rows of the axis %s, its manifest "
                                   "says %lld",
                                   dataset->path, seq_split_name(which), (long long)total[axis],
                                   schema->axes[axis].name, (long long)split->table.rows[axis]);
    split->loaded = !status;
    return status;
}
