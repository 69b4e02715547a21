// Reads items: columns of a range of examples, or of chosen ones, from shards of
// any size. Consecutive items of one shard are read at once. Invariant: whatever
// is read was held to the manifest's hash. Tests: tests/unit/data/test_items.c,
// tests/fuzz/fuzz_items.c.
#include "items_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

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
    status = seq_item_table_load(dataset, split, error);
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
    const seq_item_split *split;
    seq_split which;
    const int64_t *numbers; // (count) of the items; NULL: a range that begins with `first`
    int64_t first, count;
    seq_items_room *room;
    seq_items *out;
} reading;

// Consecutive items of one shard.
typedef struct stretch {
    seq_item_place at;
    int64_t first;         // item of the shard
    int64_t begin, end;    // items of the split
    int64_t done;          // items of the reading before it
    size_t rows[SEQ_AXES]; // rows of the reading before it
} stretch;

static int find_shard(const seq_item_split *split, int64_t item) {
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
    const seq_item_split *split = reading->split;
    int64_t done = at->done + at->end - at->begin;
    if (done >= reading->count) return false;
    at->rows[0] = (size_t)done;
    for (int axis = 1; axis < reading->dataset->schema.axis_count; axis++)
        at->rows[axis] += split->at[axis][at->end] - split->at[axis][at->begin];
    int64_t most = reading->numbers ? 1 : reading->count - done;
    at->done = done;
    at->begin = reading->numbers ? reading->numbers[done] : reading->first + done;
    at->at = (seq_item_place){reading->which, find_shard(split, at->begin)};
    at->first = split->first[at->at.shard];
    at->end = split->first[at->at.shard + 1];
    if (at->end - at->begin > most) at->end = at->begin + most;
    return true;
}

// Ends [begin, end) of a vector, as lengths.
static seq_status read_lengths(seq_dataset *dataset, seq_item_place at, int index, uint32_t begin,
                               uint32_t end, uint32_t *ends, int32_t *out, seq_error *error) {
    uint32_t before = 0;
    seq_status status =
        begin ? seq_item_elements(dataset, at, index, begin - 1, 1, &before, error) : SEQ_OK;
    if (!status) status = seq_item_elements(dataset, at, index, begin, end - begin, ends, error);
    for (uint32_t i = 0; !status && i < end - begin; i++) {
        if (ends[i] < before || ends[i] - before > INT32_MAX)
            return seq_item_damaged(dataset, at, dataset->store->layout.vectors[index].name,
                                    "does not rise", error);
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
                              seq_item_rows_before(reading->split, parent, part.first, part.begin),
                              seq_item_rows_before(reading->split, parent, part.first, part.end),
                              ends, lengths + part.rows[parent], error);
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
        uint64_t from = seq_item_rows_before(reading->split, about->axis, part.first, part.begin),
                 to = seq_item_rows_before(reading->split, about->axis, part.first, part.end);
        status = seq_item_elements(reading->dataset, part.at, layout->of_field[field], from * width,
                                   (size_t)(to - from) * width,
                                   column + part.rows[about->axis] * width, error);
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
        return seq_item_damaged(reading->dataset, part.at, "item.raw-ends",
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
            status = seq_item_elements(reading->dataset, part.at, layout->raw_ends,
                                       (uint64_t)(part.begin - part.first - 1), 1, &from, error);
        if (!status)
            status = seq_item_elements(reading->dataset, part.at, layout->raw, from, bytes,
                                       text + done, error);
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
        status = seq_item_elements(reading->dataset, part.at, reading->dataset->store->layout.group,
                                   (uint64_t)(part.begin - part.first),
                                   (size_t)(part.end - part.begin), groups + part.done, error);
    reading->out->groups = groups;
    return status;
}

static seq_status read_range(reading *reading, seq_error *error) {
    const seq_schema *schema = &reading->dataset->schema;
    seq_items *out = reading->out;
    seq_status status = seq_item_table_load(reading->dataset, reading->which, error);
    if (status) return status;
    *out = (seq_items){.count = reading->count};
    stretch part = {0};
    while (next_stretch(reading, &part))
        for (int axis = 0; axis < schema->axis_count; axis++)
            out->rows[axis] += seq_item_rows_before(reading->split, axis, part.begin, part.end);
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

seq_status seq_dataset_read_labels(seq_dataset *dataset, seq_split split, int field, int32_t *out,
                                   seq_error *error) {
    seq_status status = check_items(dataset, error);
    if (status) return status;
    pthread_mutex_lock(&dataset->store->lock);
    const seq_item_split *part = &dataset->store->splits[split];
    status = seq_item_table_load(dataset, split, error);
    for (int shard = 0; !status && shard < part->shards; shard++)
        status = seq_item_elements(
            dataset, (seq_item_place){split, shard}, dataset->store->layout.of_field[field], 0,
            (size_t)(part->first[shard + 1] - part->first[shard]), out + part->first[shard], error);
    pthread_mutex_unlock(&dataset->store->lock);
    return status;
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
