// Reads items: columns of a range of examples from shards of any size. Two
// tables do the work: where each item's rows begin (loaded and checked once a
// split), and decoded chunks, 8 ways a set, the one used longest ago goes.
// Invariant: no id reaches a caller that its vocabulary does not have, and no
// value that is not finite; whatever is read was held to the manifest's hash.
// Tests: tests/unit/data/test_items.c, tests/fuzz/fuzz_items.c.
#include <seqtrain/data/items.h>
#include "dataset_private.h"
#include <math.h>
#include <pthread.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 8,
    SETS = SEQ_CHUNK_CACHE / SEQ_ITEM_CHUNK / WAYS,
    PIECE = 1 << 12, // ends checked at once
    KEY_MOST = 2 * SEQ_FIELD_NAME,
};

typedef struct chunk {
    uint64_t key, used; // 0: empty
    size_t count;       // elements
    void *bytes;        // SEQ_ITEM_CHUNK
} chunk;

typedef struct split_store {
    seq_item_table table; // loaded: where `loaded` says so
    bool loaded;
    int shards;
    int64_t *first; // (shards + 1): the first item of each
    int *partial;   // (shards): 1: the shard holds item.counted
    uint32_t *at[SEQ_AXES];
    int32_t *counted;
    int64_t raw_bytes;
} split_store;

struct seq_item_store {
    seq_item_layout layout;
    split_store splits[SEQ_SPLITS];
    chunk cache[SETS][WAYS];
    uint64_t clock;
    pthread_mutex_t lock; // of everything that is read after opening
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

// ---- Opening.

static seq_status read_shards(const seq_record *record, const char *name, split_store *split,
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
    split_store *split = &dataset->store->splits[which];
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
        split_store *split = &store->splits[i];
        free(split->first);
        free(split->partial);
        free(split->counted);
        for (int axis = 0; axis < SEQ_AXES; axis++)
            free(split->at[axis]);
    }
    for (int set = 0; set < SETS; set++)
        for (int way = 0; way < WAYS; way++)
            free(store->cache[set][way].bytes);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

double seq_item_store_bytes(const seq_dataset *dataset) {
    enum { OF_ITEM = 16 }; // group, counted, end of the raw text
    const seq_schema *schema = &dataset->schema;
    double bytes = 0;
    for (int i = 0; i < SEQ_SPLITS; i++) {
        const split_store *split = &dataset->store->splits[i];
        bytes += (double)split->table.items * OF_ITEM + (double)split->raw_bytes;
        for (int axis = 1; axis < schema->axis_count; axis++)
            bytes += 4.0 * (double)split->table.rows[schema->axes[axis].parent];
        for (int f = 0; f < schema->field_count; f++)
            bytes +=
                4.0 * schema->fields[f].width * (double)split->table.rows[schema->fields[f].axis];
    }
    return bytes;
}

// ---- Chunks.

typedef struct place {
    seq_split split;
    int shard;
} place;

static seq_status vector_length(seq_dataset *dataset, place at, int index, size_t *out,
                                seq_error *error) {
    const seq_item_vector *vector = &dataset->store->layout.vectors[index];
    seq_vector_file *file;
    seq_status status = seq_shard_files_open(&dataset->files, at.split, at.shard, &file, error);
    return status ? status : seq_vector_length(file, vector->name, vector->element, out, error);
}

static seq_status load_chunk(seq_dataset *dataset, place at, int index, uint64_t number,
                             chunk *chunk, seq_error *error) {
    const seq_item_vector *vector = &dataset->store->layout.vectors[index];
    size_t per = SEQ_ITEM_CHUNK / seq_element_size(vector->element), length = 0;
    seq_vector_file *file;
    chunk->key = 0;
    if (!chunk->bytes && seq_allocate(&chunk->bytes, SEQ_ITEM_CHUNK, 1, "a chunk of items", error))
        return error->status;
    seq_status status = seq_shard_files_open(&dataset->files, at.split, at.shard, &file, error);
    if (!status) status = seq_vector_length(file, vector->name, vector->element, &length, error);
    if (status) return status;
    size_t from = (size_t)number * per;
    chunk->count = from >= length ? 0 : length - from < per ? length - from : per;
    return seq_vector_read(file, vector->name, vector->element, from, chunk->count, chunk->bytes,
                           error);
}

static seq_status fetch_chunk(seq_dataset *dataset, place at, int index, uint64_t number,
                              const chunk **out, seq_error *error) {
    seq_item_store *store = dataset->store;
    uint64_t key = 1 + (uint64_t)at.split +
                   SEQ_SPLITS * ((uint64_t)at.shard +
                                 SEQ_SHARD_FILES_MOST * ((uint64_t)index + SEQ_VECTORS * number));
    chunk *set = store->cache[(key * 0x9E3779B97F4A7C15u >> 32) % SETS], *oldest = set;
    seq_status status = SEQ_OK;
    for (int way = 0; way < WAYS && oldest->key != key; way++)
        if (set[way].key == key || set[way].used < oldest->used) oldest = &set[way];
    oldest->used = ++store->clock;
    if (oldest->key != key) status = load_chunk(dataset, at, index, number, oldest, error);
    if (!status) oldest->key = key;
    *out = oldest;
    return status;
}

static uint32_t unsigned_at(const void *bytes, seq_element element, size_t i) {
    return element == SEQ_U8    ? ((const uint8_t *)bytes)[i]
           : element == SEQ_U16 ? ((const uint16_t *)bytes)[i]
                                : ((const uint32_t *)bytes)[i];
}

// Elements of a chunk as callers get them: ids as int32, all others as they are.
static const char *convert(const seq_item_vector *vector, const void *bytes, size_t from,
                           size_t count, void *out) {
    size_t size = seq_element_size(vector->element);
    if (!vector->vocabulary) {
        memcpy(out, (const char *)bytes + from * size, count * size);
        const float *values = out;
        for (size_t i = 0; vector->element == SEQ_F32 && i < count; i++)
            if (!isfinite(values[i])) return "a value that is not finite";
        return NULL;
    }
    int32_t *ids = out;
    uint32_t none = (uint32_t)vector->vocabulary;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = unsigned_at(bytes, vector->element, from + i);
        if (id > none) return "an id that its vocabulary does not have";
        ids[i] = id == none ? SEQ_NO_ID : (int32_t)id;
    }
    return NULL;
}

// Elements [from, from + count) of a vector of a shard.
static seq_status read_elements(seq_dataset *dataset, place at, int index, uint64_t from,
                                size_t count, void *out, seq_error *error) {
    const seq_item_vector *vector = &dataset->store->layout.vectors[index];
    size_t size = seq_element_size(vector->element), per = SEQ_ITEM_CHUNK / size;
    char *to = out;
    while (count) {
        const chunk *chunk;
        size_t within = from % per, some = count < per - within ? count : per - within;
        seq_status status = fetch_chunk(dataset, at, index, from / per, &chunk, error);
        if (status) return status;
        const char *why = within + some > chunk->count
                              ? "fewer elements than its items have"
                              : convert(vector, chunk->bytes, within, some, to);
        if (why)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "data set %s: shard %d of %s: %s holds %s: the data set is "
                                 "damaged",
                                 dataset->path, at.shard, seq_split_name(at.split), vector->name,
                                 why);
        to += some * (vector->vocabulary ? sizeof(int32_t) : size);
        from += some;
        count -= some;
    }
    return SEQ_OK;
}

// ---- Tables.

static seq_status refuse(const seq_dataset *dataset, place at, const char *vector, const char *why,
                         seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "data set %s: shard %d of %s: %s %s: the data set is damaged",
                         dataset->path, at.shard, seq_split_name(at.split), vector, why);
}

// Rows of `axis` that lie before item i of the split, within its shard that begins with `first`.
static uint32_t rows_before(const split_store *split, int axis, int64_t first, int64_t i) {
    return axis ? split->at[axis][i] - split->at[axis][first] : (uint32_t)(i - first);
}

// Ends of one axis in one shard: rising, and where each item ends. The parent's are there.
static seq_status load_ends(seq_dataset *dataset, place at, int axis, uint64_t *out_rows,
                            seq_error *error) {
    split_store *split = &dataset->store->splits[at.split];
    int index = dataset->store->layout.ends[axis], parent = dataset->schema.axes[axis].parent;
    int64_t first = split->first[at.shard], end = split->first[at.shard + 1], item = first;
    uint32_t *rows = split->at[axis], ends[PIECE], last = 0;
    uint32_t sequences = rows_before(split, parent, first, end);
    size_t length;
    seq_status status = vector_length(dataset, at, index, &length, error);
    if (!status && length != sequences)
        status = refuse(dataset, at, dataset->store->layout.vectors[index].name,
                        "has not one entry for each sequence", error);
    while (!status && item < end && rows_before(split, parent, first, item + 1) == 0)
        rows[++item] = rows[first];
    for (uint32_t from = 0; !status && from < sequences; from += PIECE) {
        size_t count = sequences - from < PIECE ? sequences - from : PIECE;
        status = read_elements(dataset, at, index, from, count, ends, error);
        for (size_t i = 0; !status && i < count; i++) {
            if (ends[i] < last || ends[i] > INT32_MAX)
                return refuse(dataset, at, dataset->store->layout.vectors[index].name,
                              "does not rise", error);
            int32_t steps = (int32_t)(ends[i] - last);
            if (steps > split->table.longest[axis]) split->table.longest[axis] = steps;
            last = ends[i];
            while (item < end && rows_before(split, parent, first, item + 1) <= from + i + 1)
                rows[++item] = rows[first] + last;
        }
    }
    *out_rows = last;
    return status;
}

// The vectors of fields and of items end where the axes do.
static seq_status check_lengths(seq_dataset *dataset, place at, const uint64_t rows[SEQ_AXES],
                                seq_error *error) {
    const seq_item_layout *layout = &dataset->store->layout;
    const split_store *split = &dataset->store->splits[at.split];
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < layout->count; i++) {
        const seq_item_vector *vector = &layout->vectors[i];
        bool is_raw = i == layout->raw || i == layout->raw_ends;
        bool skipped = i == layout->raw || (is_raw && at.split == SEQ_TRAIN) ||
                       (i == layout->counted && !split->partial[at.shard]) ||
                       (vector->field < 0 && vector->axis > 0);
        size_t length;
        if (skipped) continue;
        status = vector_length(dataset, at, i, &length, error);
        if (!status && length != rows[vector->axis] * (uint64_t)vector->width)
            status = refuse(dataset, at, vector->name, "does not end where its axis does", error);
    }
    return status;
}

static seq_status load_counted(seq_dataset *dataset, place at, seq_error *error) {
    const seq_item_store *store = dataset->store;
    const split_store *split = &store->splits[at.split];
    int64_t first = split->first[at.shard], end = split->first[at.shard + 1];
    int axis = dataset->schema.fields[dataset->schema.target].axis;
    int32_t *counted = split->counted + first;
    seq_status status = SEQ_OK;
    if (split->partial[at.shard])
        status = read_elements(dataset, at, store->layout.counted, 0, (size_t)(end - first),
                               counted, error);
    for (int64_t i = first; !status && i < end; i++) {
        uint32_t rows = axis ? split->at[axis][i + 1] - split->at[axis][i] : 1;
        if (!split->partial[at.shard])
            split->counted[i] = (int32_t)rows;
        else if ((uint32_t)split->counted[i] > rows)
            status =
                refuse(dataset, at, "item.counted", "counts more targets than there are", error);
    }
    return status;
}

static seq_status take_tables(seq_dataset *dataset, split_store *split, seq_error *error) {
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

static seq_status load_table(seq_dataset *dataset, seq_split which, seq_error *error) {
    const seq_schema *schema = &dataset->schema;
    seq_item_store *store = dataset->store;
    split_store *split = &store->splits[which];
    int64_t total[SEQ_AXES] = {0};
    if (split->loaded) return SEQ_OK;
    seq_item_layout_make(&store->layout, schema,
                         (const seq_vocabulary *const *)dataset->vocabularies);
    split->table.bytes = 0;
    seq_status status = take_tables(dataset, split, error);
    for (int shard = 0; !status && shard < split->shards; shard++) {
        place at = {which, shard};
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

static seq_status check_items(const seq_dataset *dataset, seq_error *error) {
    return dataset->store
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT,
                               "data set %s: it was prepared for a language model and holds a "
                               "stream of tokens, not items: make another with seqprep --task",
                               dataset->path);
}

int64_t seq_dataset_items(const seq_dataset *dataset, seq_split split) {
    return dataset->store ? dataset->store->splits[split].table.items : 0;
}

seq_status seq_dataset_table(seq_dataset *dataset, seq_split split, const seq_item_table **out,
                             seq_error *error) {
    seq_status status = check_items(dataset, error);
    if (status) return status;
    pthread_mutex_lock(&dataset->store->lock);
    status = load_table(dataset, split, error);
    pthread_mutex_unlock(&dataset->store->lock);
    *out = &dataset->store->splits[split].table;
    return status;
}

// ---- Ranges of items.

// Blocks of a room: lengths by axis, columns by field, and these.
enum {
    BLOCK_COLUMNS = SEQ_AXES,
    BLOCK_GROUPS = SEQ_AXES + SEQ_COLUMNS,
    BLOCK_COUNTED,
    BLOCK_RAW,
    BLOCK_RAW_SIZES,
    BLOCK_ENDS
};

void seq_items_room_clear(seq_items_room *room) {
    for (size_t i = 0; i < sizeof room->blocks / sizeof *room->blocks; i++)
        free(room->blocks[i]);
    *room = (seq_items_room){0};
}

static seq_status take(seq_items_room *room, int block, size_t count, size_t size, void *out,
                       seq_error *error) {
    size_t most = SIZE_MAX / size;
    if (count >= most) return seq_error_set(error, SEQ_NO_MEMORY, "reading items: out of memory");
    seq_status status =
        seq_grow(&room->blocks[block], &room->capacity[block], count * size + 1, 1, "items", error);
    memcpy(out, &room->blocks[block], sizeof(void *));
    return status;
}

typedef struct reading {
    seq_dataset *dataset;
    const split_store *split;
    seq_split which;
    const int64_t *numbers; // (count) of the items; NULL: a range that begins with `first`
    int64_t first, count;
    seq_items_room *room;
    seq_items *out;
} reading;

// Consecutive items of one shard.
typedef struct stretch {
    place at;
    int64_t first;         // item of the shard
    int64_t begin, end;    // items of the split
    int64_t done;          // items of the reading before it
    size_t rows[SEQ_AXES]; // rows of the reading before it
} stretch;

static int find_shard(const split_store *split, int64_t item) {
    int low = 0, high = split->shards;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (split->first[middle] <= item)
            low = middle;
        else
            high = middle;
    }
    return low;
}

// The stretch after `at`, which is zero before the first one. False at the end of the reading.
static bool next_stretch(const reading *reading, stretch *at) {
    const split_store *split = reading->split;
    int64_t done = at->done + at->end - at->begin;
    if (done >= reading->count) return false;
    at->rows[0] = (size_t)done;
    for (int axis = 1; axis < reading->dataset->schema.axis_count; axis++)
        at->rows[axis] += split->at[axis][at->end] - split->at[axis][at->begin];
    int64_t most = reading->numbers ? 1 : reading->count - done;
    at->done = done;
    at->begin = reading->numbers ? reading->numbers[done] : reading->first + done;
    at->at = (place){reading->which, find_shard(split, at->begin)};
    at->first = split->first[at->at.shard];
    at->end = split->first[at->at.shard + 1];
    if (at->end - at->begin > most) at->end = at->begin + most;
    return true;
}

// Ends [begin, end) of a vector, as lengths.
static seq_status read_lengths(seq_dataset *dataset, place at, int index, uint32_t begin,
                               uint32_t end, uint32_t *ends, int32_t *out, seq_error *error) {
    uint32_t before = 0;
    seq_status status =
        begin ? read_elements(dataset, at, index, begin - 1, 1, &before, error) : SEQ_OK;
    if (!status) status = read_elements(dataset, at, index, begin, end - begin, ends, error);
    for (uint32_t i = 0; !status && i < end - begin; i++) {
        if (ends[i] < before || ends[i] - before > INT32_MAX)
            return refuse(dataset, at, dataset->store->layout.vectors[index].name, "does not rise",
                          error);
        out[i] = (int32_t)(ends[i] - before);
        before = ends[i];
    }
    return status;
}

static seq_status read_axis(const reading *reading, int axis, seq_error *error) {
    const seq_dataset *dataset = reading->dataset;
    int parent = dataset->schema.axes[axis].parent;
    size_t sequences = reading->out->rows[parent];
    int32_t *lengths = NULL;
    uint32_t *ends = NULL;
    seq_status status = take(reading->room, axis, sequences, sizeof *lengths, &lengths, error);
    if (!status) status = take(reading->room, BLOCK_ENDS, sequences, sizeof *ends, &ends, error);
    stretch part = {0};
    while (!status && next_stretch(reading, &part))
        status = read_lengths(reading->dataset, part.at, dataset->store->layout.ends[axis],
                              rows_before(reading->split, parent, part.first, part.begin),
                              rows_before(reading->split, parent, part.first, part.end), ends,
                              lengths + part.rows[parent], error);
    reading->out->lengths[axis] = lengths;
    return status;
}

static seq_status read_field(const reading *reading, int field, seq_error *error) {
    const seq_field *about = &reading->dataset->schema.fields[field];
    const seq_item_layout *layout = &reading->dataset->store->layout;
    size_t width = (size_t)about->width, rows = reading->out->rows[about->axis];
    float *column = NULL; // or ids: as large
    seq_status status =
        take(reading->room, BLOCK_COLUMNS + field, rows, width * sizeof *column, &column, error);
    stretch part = {0};
    while (!status && next_stretch(reading, &part)) {
        uint64_t from = rows_before(reading->split, about->axis, part.first, part.begin),
                 to = rows_before(reading->split, about->axis, part.first, part.end);
        status = read_elements(reading->dataset, part.at, layout->of_field[field], from * width,
                               (size_t)(to - from) * width, column + part.rows[about->axis] * width,
                               error);
    }
    if (about->vocabulary >= 0)
        reading->out->ids[field] = (const int32_t *)(const void *)column;
    else
        reading->out->values[field] = column;
    return status;
}

static seq_status read_raw(const reading *reading, seq_error *error) {
    const seq_item_layout *layout = &reading->dataset->store->layout;
    size_t count = (size_t)reading->count, total = 0;
    int32_t *sizes = NULL;
    uint32_t *ends = NULL;
    char *text = NULL;
    seq_status status = take(reading->room, BLOCK_RAW_SIZES, count, sizeof *sizes, &sizes, error);
    if (!status) status = take(reading->room, BLOCK_ENDS, count, sizeof *ends, &ends, error);
    stretch part = {0};
    while (!status && next_stretch(reading, &part))
        status = read_lengths(reading->dataset, part.at, layout->raw_ends,
                              (uint32_t)(part.begin - part.first),
                              (uint32_t)(part.end - part.first), ends, sizes + part.done, error);
    for (size_t i = 0; !status && i < count; i++)
        total += (size_t)sizes[i];
    if (!status && total > (size_t)reading->split->raw_bytes)
        return refuse(reading->dataset, part.at, "item.raw-ends",
                      "ends behind the bytes that the manifest tells", error);
    if (!status) status = take(reading->room, BLOCK_RAW, total, 1, &text, error);
    part = (stretch){0};
    size_t done = 0;
    while (!status && next_stretch(reading, &part)) {
        uint32_t from = 0;
        size_t bytes = 0;
        for (int64_t i = part.done; i < part.done + part.end - part.begin; i++)
            bytes += (size_t)sizes[i];
        if (part.begin > part.first)
            status = read_elements(reading->dataset, part.at, layout->raw_ends,
                                   (uint64_t)(part.begin - part.first - 1), 1, &from, error);
        if (!status)
            status = read_elements(reading->dataset, part.at, layout->raw, from, bytes, text + done,
                                   error);
        done += bytes;
    }
    reading->out->raw = text;
    reading->out->raw_sizes = sizes;
    return status;
}

static seq_status read_counted(const reading *reading, seq_error *error) {
    const seq_schema *schema = &reading->dataset->schema;
    int axis = schema->fields[schema->target].axis;
    int32_t *counted = NULL;
    seq_status status = take(reading->room, BLOCK_COUNTED, (size_t)reading->count, sizeof *counted,
                             &counted, error);
    for (int64_t i = 0; !status && i < reading->count; i++) {
        int64_t item = reading->numbers ? reading->numbers[i] : reading->first + i;
        counted[i] =
            reading->split->counted ? reading->split->counted[item]
            : axis ? (int32_t)(reading->split->at[axis][item + 1] - reading->split->at[axis][item])
                   : 1;
    }
    reading->out->counted = counted;
    return status;
}

static seq_status read_groups(const reading *reading, seq_error *error) {
    int64_t *groups = NULL;
    seq_status status =
        take(reading->room, BLOCK_GROUPS, (size_t)reading->count, sizeof *groups, &groups, error);
    stretch part = {0};
    while (!status && next_stretch(reading, &part))
        status = read_elements(reading->dataset, part.at, reading->dataset->store->layout.group,
                               (uint64_t)(part.begin - part.first), (size_t)(part.end - part.begin),
                               groups + part.done, error);
    reading->out->groups = groups;
    return status;
}

static seq_status read_range(reading *reading, seq_error *error) {
    const seq_schema *schema = &reading->dataset->schema;
    seq_items *out = reading->out;
    seq_status status = load_table(reading->dataset, reading->which, error);
    if (status) return status;
    *out = (seq_items){.count = reading->count};
    stretch part = {0};
    while (next_stretch(reading, &part))
        for (int axis = 0; axis < schema->axis_count; axis++)
            out->rows[axis] += rows_before(reading->split, axis, part.begin, part.end);
    for (int axis = 1; !status && axis < schema->axis_count; axis++)
        status = read_axis(reading, axis, error);
    for (int field = 0; !status && field < schema->field_count; field++)
        status = read_field(reading, field, error);
    if (!status && schema->target >= 0) status = read_counted(reading, error);
    if (!status && schema->groups) status = read_groups(reading, error);
    if (!status && schema->raw && reading->which != SEQ_TRAIN) status = read_raw(reading, error);
    return status;
}

static seq_status read_locked(reading *reading, seq_error *error) {
    pthread_mutex_lock(&reading->dataset->store->lock);
    seq_status status = read_range(reading, error);
    pthread_mutex_unlock(&reading->dataset->store->lock);
    return status;
}

static seq_status check_range(const seq_dataset *dataset, seq_split split, int64_t first,
                              int64_t count, seq_error *error) {
    int64_t items = seq_dataset_items(dataset, split);
    return first >= 0 && count >= 0 && first <= items && count <= items - first
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT,
                               "data set %s: %lld items of %s asked for, from %lld on, it has %lld",
                               dataset->path, (long long)count, seq_split_name(split),
                               (long long)first, (long long)items);
}

seq_status seq_dataset_read_items(seq_dataset *dataset, seq_split split, int64_t first,
                                  int64_t count, seq_items_room *room, seq_items *out,
                                  seq_error *error) {
    if (check_items(dataset, error) || check_range(dataset, split, first, count, error))
        return error->status;
    reading reading = {.dataset = dataset,
                       .split = &dataset->store->splits[split],
                       .which = split,
                       .first = first,
                       .count = count,
                       .room = room,
                       .out = out};
    return read_locked(&reading, error);
}

seq_status seq_dataset_read_chosen(seq_dataset *dataset, seq_split split, const int64_t *numbers,
                                   int64_t count, seq_items_room *room, seq_items *out,
                                   seq_error *error) {
    seq_status status = check_items(dataset, error);
    for (int64_t i = 0; !status && i < count; i++)
        status = check_range(dataset, split, numbers[i], 1, error);
    if (status) return status;
    reading reading = {.dataset = dataset,
                       .split = &dataset->store->splits[split],
                       .which = split,
                       .numbers = numbers,
                       .count = count,
                       .room = room,
                       .out = out};
    return read_locked(&reading, error);
}
