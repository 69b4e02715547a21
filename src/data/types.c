#include "types.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

void seq_types_clear(seq_types *types) {
    free(types->items);
    free(types->pool);
    free(types->slots);
    *types = (seq_types){0};
}

// FNV-1a with a final mix: short strings, tables of a few million.
static uint64_t hash(const char *text, size_t size) {
    uint64_t value = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)text[i]) * 1099511628211u;
    return value ^ value >> 29;
}

const char *seq_types_text(const seq_types *types, size_t number) {
    return types->pool + types->items[number].offset;
}

// The slot of the text, or the free one where it belongs.
static size_t find_slot(const seq_types *types, const char *text, size_t size) {
    size_t slot = hash(text, size) & (types->slot_count - 1);
    for (; types->slots[slot]; slot = (slot + 1) & (types->slot_count - 1)) {
        const seq_type *type = &types->items[types->slots[slot] - 1];
        if (type->size == size && memcmp(types->pool + type->offset, text, size) == 0) break;
    }
    return slot;
}

size_t seq_types_find(const seq_types *types, const char *text, size_t size) {
    if (types->slot_count == 0) return SIZE_MAX;
    uint32_t found = types->slots[find_slot(types, text, size)];
    return found ? found - 1 : SIZE_MAX;
}

static seq_status make_room(seq_types *types, seq_error *error) {
    if (2 * (types->count + 1) <= types->slot_count) return SEQ_OK;
    uint32_t *fresh = NULL, *old = types->slots;
    size_t wanted = types->slot_count ? 2 * types->slot_count : 1024;
    seq_status status = seq_allocate(&fresh, wanted, sizeof *fresh, "the table of types", error);
    if (status) return status;
    types->slots = fresh;
    types->slot_count = wanted;
    for (size_t number = 0; number < types->count; number++)
        fresh[find_slot(types, seq_types_text(types, number), types->items[number].size)] =
            (uint32_t)number + 1;
    free(old);
    return SEQ_OK;
}

static seq_status append(seq_types *types, const char *text, size_t size, seq_error *error) {
    seq_status status = seq_grow(&types->items, &types->capacity, types->count + 1,
                                 sizeof *types->items, "the table of types", error);
    if (!status)
        status = seq_grow(&types->pool, &types->pool_capacity, types->pool_used + size + 1, 1,
                          "the texts of types", error);
    if (status) return status;
    memcpy(types->pool + types->pool_used, text, size);
    types->pool[types->pool_used + size] = '\0';
    types->items[types->count++] = (seq_type){types->pool_used, size, 0};
    types->pool_used += size + 1;
    return SEQ_OK;
}

seq_status seq_types_add(seq_types *types, const char *text, size_t size, size_t *out_number,
                         seq_error *error) {
    seq_status status = make_room(types, error);
    if (status) return status;
    size_t slot = find_slot(types, text, size);
    if (!types->slots[slot]) {
        if (types->count >= UINT32_MAX - 1)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "more than 2^32 distinct units: is this text?");
        status = append(types, text, size, error);
        if (status) return status;
        types->slots[slot] = (uint32_t)types->count;
    }
    *out_number = types->slots[slot] - 1;
    return SEQ_OK;
}
