// Packs items into a batch. Sequences of each axis are sorted by a counting sort,
// longest first, ties by the parent's row, so a batch of one item is a part of
// any batch. Coverage digests what lies in the columns, before inputs are changed
// (item_augment.c) and given targets are hidden. Test: tests/unit/data/test_sampler.c.
#include <seqtrain/data/item_batch.h>
#include "item_values.h"
#include <string.h>

int seq_schema_before_column(const seq_schema *schema) {
    bool text = schema->target >= 0 && schema->fields[schema->target].kind == SEQ_FIELD_IDS;
    return text ? schema->field_count : -1;
}

int seq_schema_columns(const seq_schema *schema) {
    return schema->field_count + (seq_schema_before_column(schema) >= 0);
}

// The field that a column comes from.
static const seq_field *field_of(const seq_schema *schema, int column) {
    return &schema->fields[column < schema->field_count ? column : schema->target];
}

void seq_batch_room_take(seq_batch_room *out, const seq_schema *schema, const seq_limits *limits,
                         seq_arena *arena) {
    for (int axis = 0; axis < schema->axis_count; axis++)
        seq_axis_take(&out->axes[axis], &limits->axes[axis],
                      axis ? limits->axes[schema->axes[axis].parent].rows : 0, arena);
    for (int column = 0; column < seq_schema_columns(schema); column++) {
        const seq_field *field = field_of(schema, column);
        size_t rows = limits->axes[field->axis].rows, width = (size_t)field->width;
        if (field->vocabulary >= 0)
            out->ids[column] = seq_arena_take(arena, rows, sizeof(int32_t));
        else
            out->values[column] = SEQ_ARENA_FLOATS(arena, rows * width);
    }
}

void seq_batch_set_columns(const seq_schema *schema, const seq_batch_room *room, seq_batch *out) {
    out->axis_count = schema->axis_count;
    out->column_count = seq_schema_columns(schema);
    for (int column = 0; column < out->column_count; column++)
        out->columns[column] = (seq_column){.axis = field_of(schema, column)->axis,
                                            .ids = room->ids[column],
                                            .values = room->values[column]};
}

void seq_item_packer_take(seq_item_packer *packer, int64_t most, const seq_limits *limits,
                          seq_arena *arena) {
    size_t items = (size_t)most, rows = items;
    int longest = 1, widest = 1;
    for (int axis = 0; axis < packer->schema->axis_count; axis++) {
        size_t own = limits->axes[axis].rows > items ? limits->axes[axis].rows : items;
        rows = own > rows ? own : rows;
        if (limits->axes[axis].steps > longest) longest = limits->axes[axis].steps;
        packer->packed[axis] = seq_arena_take(arena, own, sizeof *packer->packed[axis]);
    }
    packer->sequence = seq_arena_take(arena, rows, sizeof *packer->sequence);
    packer->sorted = seq_arena_take(arena, rows, sizeof *packer->sorted);
    packer->starts = seq_arena_take(arena, (size_t)longest + 2, sizeof *packer->starts);
    packer->digests = seq_arena_take(arena, items, sizeof *packer->digests);
    for (int f = 0; f < packer->schema->field_count; f++)
        if (packer->schema->fields[f].width > widest) widest = packer->schema->fields[f].width;
    packer->moments =
        seq_arena_take(arena, SEQ_VALUE_MOMENTS * (size_t)widest, sizeof *packer->moments);
}

// Sorts the sequences of an axis, longest first, ties by the parent's row, and shapes the axis.
static void pack_axis(const seq_item_packer *packer, int axis, const seq_items *items,
                      const int64_t *numbers, seq_batch_room *room, seq_batch *out) {
    int parent = packer->schema->axes[axis].parent;
    const int32_t *lengths = items->lengths[axis];
    seq_axis_room *space = &room->axes[axis];
    size_t sequences = items->rows[parent];
    uint32_t *starts = packer->starts;
    int32_t longest = 0;
    for (size_t j = 0; j < sequences; j++)
        if (lengths[j] > longest) longest = lengths[j];
    memset(starts, 0, ((size_t)longest + 2) * sizeof *starts);
    for (size_t j = 0; j < sequences; j++) {
        packer->sequence[packer->packed[parent][j]] = (int32_t)j;
        starts[longest - lengths[j] + 1]++;
    }
    for (int32_t i = 0; i < longest; i++)
        starts[i + 1] += starts[i];
    for (size_t row = 0; row < sequences; row++) {
        int32_t j = packer->sequence[row];
        uint32_t s = starts[longest - lengths[j]]++;
        space->of[s] = (int32_t)row;
        space->at[row] = (int32_t)s;
        packer->sorted[s] = lengths[j];
    }
    seq_axis_shape(&out->axes[axis], space, (int)sequences, packer->sorted);
    out->axes[axis].parent = parent;
    // Numbers: rows of the parent in the split, item after item.
    size_t j = 0, row = 0;
    for (int64_t i = 0; i < items->count; i++) {
        int64_t first = parent ? packer->table->at[parent][numbers[i]] : numbers[i];
        uint32_t count = seq_item_rows(packer->table, parent, numbers[i]);
        for (uint32_t k = 0; k < count; k++, j++) {
            int32_t s = space->at[packer->packed[parent][j]];
            space->number[s] = first + k;
            for (int32_t t = 0; t < lengths[j]; t++)
                packer->packed[axis][row++] = (uint32_t)(space->first_row[t] + (size_t)s);
        }
    }
}

static void pack_examples(const seq_item_packer *packer, const seq_items *items,
                          const int64_t *numbers, seq_batch_room *room, seq_batch *out) {
    for (int64_t i = 0; i < items->count; i++) {
        packer->sorted[i] = 1;
        packer->packed[0][i] = (uint32_t)i;
        room->axes[0].number[i] = numbers[i];
    }
    seq_axis_shape(&out->axes[0], &room->axes[0], (int)items->count, packer->sorted);
    out->axes[0].parent = -1;
    out->axes[0].of = out->axes[0].at = NULL;
}

static void pack_columns(const seq_packed_items *all) {
    const seq_item_packer *packer = all->packer;
    const seq_items *items = all->items;
    seq_batch_room *room = all->room;
    const seq_schema *schema = packer->schema;
    for (int f = 0; f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        const uint32_t *packed = packer->packed[field->axis];
        size_t rows = items->rows[field->axis];
        seq_item_values at = {0};
        while (field->vocabulary < 0 && seq_item_next_values(all, f, &at))
            seq_item_values_put(&at, NULL);
        for (size_t row = 0; field->vocabulary >= 0 && row < rows; row++)
            room->ids[f][packed[row]] = items->ids[f][row];
    }
}

// The target's ids one place later.
static void fill_before(const seq_item_packer *packer, const seq_batch *batch,
                        seq_batch_room *room) {
    int column = seq_schema_before_column(packer->schema), target = packer->schema->target;
    if (column < 0) return;
    const seq_axis *axis = &batch->axes[packer->schema->fields[target].axis];
    for (int t = 0; t < axis->steps; t++)
        for (int b = 0; b < axis->rows_at[t]; b++)
            room->ids[column][axis->first_row[t] + (size_t)b] =
                t ? room->ids[target][axis->first_row[t - 1] + (size_t)b] : SEQ_NO_ID;
}

// What is given is read, and no target.
static void hide_given(const seq_item_packer *packer, const seq_items *items,
                       const seq_batch *batch, seq_batch_room *room) {
    int given = seq_schema_find_given(packer->schema), target = packer->schema->target;
    if (given < 0) return;
    const seq_axis *axis = &batch->axes[packer->schema->fields[target].axis];
    for (int64_t i = 0; i < items->count; i++)
        for (int t = 0; t < axis->steps && (float)t < items->values[given][i]; t++)
            if (axis->at[i] < axis->rows_at[t])
                room->ids[target][axis->first_row[t] + (size_t)axis->at[i]] = SEQ_NO_ID;
}

static uint64_t mix(uint64_t digest, uint32_t value) {
    digest = (digest ^ value) * 0x9E3779B97F4A7C15u;
    return digest ^ digest >> 29;
}

seq_coverage seq_items_cover(const seq_schema *schema, const seq_items *items,
                             const int64_t *numbers) {
    size_t at[SEQ_AXES] = {0};
    seq_coverage sum = {0};
    for (int64_t i = 0; i < items->count; i++) {
        uint64_t digest = 0;
        size_t end[SEQ_AXES];
        for (int axis = 0; axis < schema->axis_count; axis++)
            end[axis] = at[axis] + (axis ? (size_t)items->lengths[axis][i] : 1);
        for (int f = 0; f < schema->field_count; f++) {
            const seq_field *field = &schema->fields[f];
            size_t width = (size_t)field->width, from = at[field->axis] * width;
            digest = mix(digest, (uint32_t)(end[field->axis] - at[field->axis]));
            for (size_t k = from; k < end[field->axis] * width; k++) {
                uint32_t bits;
                memcpy(&bits,
                       field->vocabulary >= 0 ? (const void *)&items->ids[f][k]
                                              : &items->values[f][k],
                       sizeof bits);
                digest = mix(digest, bits);
            }
        }
        memcpy(at, end, sizeof at);
        seq_coverage_add_range(&sum, numbers[i], numbers[i] + 1);
        seq_coverage_add_token(&sum, numbers[i], (int32_t)(uint32_t)(digest >> 32));
    }
    return sum;
}

// What lies in the columns now, item by item.
static seq_coverage cover(const seq_item_packer *packer, const seq_items *items,
                          const int64_t *numbers, const seq_batch_room *room) {
    const seq_schema *schema = packer->schema;
    uint64_t *digests = packer->digests;
    seq_coverage sum = {0};
    memset(digests, 0, (size_t)items->count * sizeof *digests);
    for (int f = 0; f < schema->field_count; f++) {
        const seq_field *field = &schema->fields[f];
        const uint32_t *packed = packer->packed[field->axis];
        size_t row = 0, width = (size_t)field->width;
        for (int64_t i = 0; i < items->count; i++) {
            size_t end = row + seq_item_rows(packer->table, field->axis, numbers[i]);
            digests[i] = mix(digests[i], (uint32_t)(end - row));
            for (; row < end; row++)
                for (size_t k = 0; k < width; k++) {
                    uint32_t bits;
                    const void *from = field->vocabulary >= 0
                                           ? (const void *)&room->ids[f][packed[row]]
                                           : &room->values[f][packed[row] * width + k];
                    memcpy(&bits, from, sizeof bits);
                    digests[i] = mix(digests[i], bits);
                }
        }
    }
    for (int64_t i = 0; i < items->count; i++) {
        seq_coverage_add_range(&sum, numbers[i], numbers[i] + 1);
        seq_coverage_add_token(&sum, numbers[i], (int32_t)(uint32_t)(digests[i] >> 32));
    }
    return sum;
}

void seq_item_pack(const seq_item_packer *packer, const seq_items *items, const int64_t *numbers,
                   seq_batch_room *room, seq_batch *out) {
    pack_examples(packer, items, numbers, room, out);
    for (int axis = 1; axis < packer->schema->axis_count; axis++)
        pack_axis(packer, axis, items, numbers, room, out);
    pack_columns(
        &(seq_packed_items){.packer = packer, .items = items, .numbers = numbers, .room = room});
    fill_before(packer, out, room);
    seq_batch_set_columns(packer->schema, room, out);
    out->read = cover(packer, items, numbers, room);
    hide_given(packer, items, out, room);
}
