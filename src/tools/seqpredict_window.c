// Items that wait for their answers, copied out of the reader: ids or values as columns for the
// model, and of the input what will be printed. Memory grows to the largest window and stays. Test:
// tests/cli/seqpredict.sh.
#include "seqpredict_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 1 << 18, MOST_BYTES = 1 << 24, MOST_VALUES = 1 << 22 };

bool seqpredict_window_full(const seqpredict_window *window) {
    return window->items >= window->most_items || window->rows >= MOST_ROWS ||
           window->size >= MOST_BYTES || window->rows * window->width >= MOST_VALUES;
}

void seqpredict_window_empty(seqpredict_window *window) {
    window->count = window->items = window->rows = window->size = 0;
    window->text_count = window->line_count = window->letter_count = window->label_count = 0;
}

void seqpredict_window_clear(seqpredict_window *window) {
    void *const blocks[] = {window->entries,      window->bytes,   window->texts,
                            window->lines,        window->line_at, window->lengths,
                            window->ids,          window->letters, window->letter_lengths,
                            window->casings,      window->values,  window->labels,
                            window->label_counts, window->begins,  window->groups};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

// Copies bytes with a NUL behind them.
static seq_status keep(seqpredict_window *window, const char *bytes, size_t size, size_t *out_at,
                       seq_error *error) {
    seq_status status = seq_grow(&window->bytes, &window->capacity[1], window->size + size + 1, 1,
                                 "the inputs", error);
    if (status) return status;
    *out_at = window->size;
    if (size) memcpy(window->bytes + window->size, bytes, size);
    window->bytes[window->size + size] = '\0';
    window->size += size + 1;
    return SEQ_OK;
}

static seq_status keep_text(seqpredict_window *window, const char *bytes, size_t size,
                            seq_error *error) {
    size_t at;
    seq_status status = seq_grow(&window->texts, &window->capacity[2], window->text_count + 1,
                                 sizeof *window->texts, "the inputs", error);
    if (!status) status = keep(window, bytes, size, &at, error);
    if (!status) window->texts[window->text_count++] = (seqpredict_text){at, size};
    return status;
}

// The values as they came. Of a text that gets tags: its units.
static seq_status keep_texts(seqpredict_window *window, const seq_raw_item *raw,
                             seqpredict_entry *entry, seq_error *error) {
    const seq_item_field *input = raw->input;
    seq_status status = SEQ_OK;
    entry->first_text = window->text_count;
    entry->list = input->list || raw->units;
    if (!input->list && raw->units)
        for (size_t i = 0, from = 0; !status && i < raw->length; from = raw->unit_ends[i++])
            status = keep_text(window, raw->units + from, raw->unit_ends[i] - from, error);
    else
        for (size_t i = 0; !status && i < input->count; i++)
            status = keep_text(window, input->values[i].bytes, input->values[i].size, error);
    entry->text_count = window->text_count - entry->first_text;
    return status;
}

static seq_status keep_lines(seqpredict_window *window, const seq_item *item,
                             seqpredict_entry *entry, seq_error *error) {
    size_t needed = window->line_count + item->line_count;
    entry->first_line = window->line_count;
    entry->line_count = item->line_count;
    seq_status status = seq_grow(&window->lines, &window->capacity[3], needed,
                                 sizeof *window->lines, "the inputs", error);
    if (!status)
        status = seq_grow(&window->line_at, &window->capacity[4], needed, sizeof *window->line_at,
                          "the inputs", error);
    for (size_t i = 0; !status && i < item->line_count; i++) {
        window->lines[window->line_count] = item->lines[i];
        status = keep(window, item->lines[i].bytes, item->lines[i].size,
                      &window->line_at[window->line_count++], error);
    }
    return status;
}

static seq_status append(int32_t **array, size_t *capacity, size_t used, const int32_t *from,
                         size_t count, seq_error *error) {
    seq_status status =
        seq_grow(array, capacity, used + count + 1, sizeof **array, "the inputs", error);
    if (!status && count) memcpy(*array + used, from, count * sizeof *from);
    return status;
}

static seq_status append_values(seqpredict_window *window, const seq_raw_item *raw,
                                seq_error *error) {
    size_t at = window->rows * window->width, count = raw->length * window->width;
    seq_status status = seq_grow(&window->values, &window->capacity[10], at + count,
                                 sizeof *window->values, "the inputs", error);
    if (!status) memcpy(window->values + at, raw->values, count * sizeof *window->values);
    return status;
}

static seq_status keep_begin(seqpredict_window *window, const seq_raw_item *raw, seq_error *error) {
    const int32_t none = 0;
    seq_status status =
        append(&window->label_counts, &window->capacity[12], window->items, &none, 1, error);
    if (!status)
        status = seq_grow(&window->begins, &window->capacity[13], window->items + 1,
                          sizeof *window->begins, "the inputs", error);
    if (!status) window->begins[window->items] = raw->item->frames->first;
    return status;
}

seq_status seqpredict_window_give(seqpredict_window *window, const int32_t *labels, size_t count,
                                  seq_error *error) {
    seq_status status =
        append(&window->labels, &window->capacity[14], window->label_count, labels, count, error);
    if (status) return status;
    window->label_counts[window->items - 1] = (int32_t)count;
    window->label_count += count;
    return SEQ_OK;
}

static seq_status keep_ids(seqpredict_window *window, const seq_raw_item *raw, seq_error *error) {
    const int32_t length = (int32_t)raw->length;
    size_t *capacity = window->capacity;
    seq_status status = append(&window->lengths, &capacity[5], window->items, &length, 1, error);
    if (!status)
        status = append(&window->groups, &capacity[11], window->items, &raw->group, 1, error);
    if (!status)
        status = raw->values ? append_values(window, raw, error)
                             : append(&window->ids, &capacity[6], window->rows, raw->ids,
                                      raw->length, error);
    if (!status && raw->letter_lengths)
        status = append(&window->letter_lengths, &capacity[7], window->rows, raw->letter_lengths,
                        raw->length, error);
    if (!status && raw->letter_lengths)
        status = append(&window->letters, &capacity[8], window->letter_count, raw->letters,
                        raw->letter_count, error);
    if (!status && raw->casings)
        status =
            append(&window->casings, &capacity[9], window->rows, raw->casings, raw->length, error);
    if (!status && window->transcribes) status = keep_begin(window, raw, error);
    if (status) return status;
    window->items++;
    window->rows += raw->length;
    window->letter_count += raw->letter_count;
    return SEQ_OK;
}

// The name of the entry before serves again where it is the same.
static seq_status keep_file(seqpredict_window *window, const char *name, seqpredict_entry *entry,
                            seq_error *error) {
    if (window->count) {
        entry->file = window->entries[window->count - 1].file;
        if (strcmp(window->bytes + entry->file, name) == 0) return SEQ_OK;
    }
    return keep(window, name, strlen(name), &entry->file, error);
}

seq_status seqpredict_window_add(seqpredict_window *window, const seq_raw_item *raw, int64_t index,
                                 seq_error *error) {
    seqpredict_entry entry = {.is_item = raw->is_item,
                              .index = index,
                              .line = raw->item->line,
                              .length = raw->length,
                              .unknown = raw->unknown,
                              .cut = raw->cut,
                              .layout = raw->layout};
    seq_status status = seq_grow(&window->entries, &window->capacity[0], window->count + 1,
                                 sizeof *window->entries, "the inputs", error);
    if (!status) status = keep_file(window, raw->item->file, &entry, error);
    if (!status && raw->is_item) status = keep_ids(window, raw, error);
    if (!status && raw->is_item && window->keeps_texts)
        status = keep_texts(window, raw, &entry, error);
    if (!status && window->keeps_lines) status = keep_lines(window, raw->item, &entry, error);
    if (!status) window->entries[window->count++] = entry;
    return status;
}

seq_items seqpredict_window_items(seqpredict_window *window) {
    const seq_schema *schema = window->schema;
    int text = seq_schema_find_input(schema), letter = seq_schema_find_field(schema, "letter"),
        casing = seq_schema_find_field(schema, "casing"),
        group = seq_schema_find_field(schema, SEQ_GROUP_FIELD);
    seq_items items = {.count = (int64_t)window->items};
    items.ids[text] = window->ids;
    items.values[text] = window->values;
    items.lengths[schema->fields[text].axis] = window->lengths;
    if (window->transcribes) {
        items.ids[schema->target] = window->labels;
        items.lengths[schema->fields[schema->target].axis] = window->label_counts;
    }
    if (casing >= 0) items.ids[casing] = window->casings;
    if (group >= 0) items.ids[group] = window->groups;
    if (letter >= 0) {
        items.ids[letter] = window->letters;
        items.lengths[schema->fields[letter].axis] = window->letter_lengths;
    }
    for (size_t i = 0; i < window->line_count; i++)
        window->lines[i].bytes = window->bytes + window->line_at[i];
    return items;
}
