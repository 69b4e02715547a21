// A hash table with open addressing and linear probing, at most half full;
// texts lie in one pool. The hash is multiplicative (Knuth, TAOCP 3, 6.4),
// eight bytes at a time. Several look-ups at once prefetch slot, item and text
// in turn. Invariant: numbers count up in the order of first appearance, and
// growing keeps them. Tests: tests/unit/prep/test_text_blocks.c,
// tests/unit/data/test_vocabulary.c, tests/unit/task/test_spans.c.
#include <seqtrain/data/string_table.h>
#include <seqtrain/base/memory.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void seq_string_table_clear(seq_string_table *types) {
    free(types->items);
    free(types->pool);
    free(types->slots);
    *types = (seq_string_table){0};
}

static uint64_t load_8(const char *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t load_4(const char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

// Up to 8 bytes as one number; texts of one size have the same number only if they are equal.
static uint64_t load_short(const char *text, size_t size) {
    if (size == 8) return load_8(text);
    if (size >= 4) return load_4(text) | load_4(text + size - 4) << 32;
    if (size == 0) return 0;
    return (uint64_t)(unsigned char)text[0] | (uint64_t)(unsigned char)text[size / 2] << 8 |
           (uint64_t)(unsigned char)text[size - 1] << 16;
}

static uint64_t mix(uint64_t value) {
    value *= 0x9E3779B97F4A7C15u; // 2^64 over the golden ratio
    return value ^ value >> 32;
}

// Eight bytes at a time, the last eight overlapping. Both halves of the result are used.
uint64_t seq_string_table_hash(const char *text, size_t size) {
    uint64_t value = size;
    if (size <= 8) return mix(mix(value ^ load_short(text, size)) + size);
    for (size_t at = 0; at + 8 < size; at += 8)
        value = mix(value ^ load_8(text + at)) + at;
    return mix(mix(value ^ load_8(text + size - 8)));
}

static bool equal(const char *a, const char *b, size_t size) {
    if (size > 16) return memcmp(a, b, size) == 0;
    if (size <= 8) return load_short(a, size) == load_short(b, size);
    return load_8(a) == load_8(b) && load_8(a + size - 8) == load_8(b + size - 8);
}

const char *seq_string_table_text(const seq_string_table *types, size_t number) {
    return types->pool + types->items[number].offset;
}

// The slot of the text, or the free one where it belongs.
static seq_string_slot *find_slot(const seq_string_table *types, uint64_t hash, const char *text,
                                  size_t size) {
    size_t mask = types->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        seq_string_slot *slot = &types->slots[at];
        if (slot->number == 0) return slot;
        if (slot->hash != (uint32_t)(hash >> 32)) continue;
        const seq_string *type = &types->items[slot->number - 1];
        if (type->size == size && equal(types->pool + type->offset, text, size)) return slot;
    }
}

size_t seq_string_table_find(const seq_string_table *types, const char *text, size_t size) {
    if (types->slot_count == 0) return SIZE_MAX;
    uint32_t found = find_slot(types, seq_string_table_hash(text, size), text, size)->number;
    return found ? found - 1 : SIZE_MAX;
}

static seq_status make_room(seq_string_table *types, size_t more, seq_error *error) {
    seq_string_slot *fresh = NULL;
    if (2 * (types->count + more) <= types->slot_count) return SEQ_OK;
    size_t wanted = types->slot_count ? 2 * types->slot_count : 1024;
    seq_status status = seq_allocate(&fresh, wanted, sizeof *fresh, "the table of types", error);
    if (status) return status;
    for (size_t number = 0; number < types->count; number++) {
        const seq_string *type = &types->items[number];
        uint64_t hash = seq_string_table_hash(types->pool + type->offset, type->size);
        size_t at = hash & (wanted - 1);
        while (fresh[at].number)
            at = (at + 1) & (wanted - 1);
        fresh[at] = (seq_string_slot){(uint32_t)(hash >> 32), (uint32_t)number + 1};
    }
    free(types->slots);
    types->slots = fresh;
    types->slot_count = wanted;
    return SEQ_OK;
}

static seq_status append(seq_string_table *types, const char *text, size_t size, seq_error *error) {
    if (types->count >= UINT32_MAX - 1)
        return seq_error_set(error, SEQ_BAD_INPUT, "more than 2^32 distinct units: is this text?");
    seq_status status = seq_grow(&types->items, &types->capacity, types->count + 1,
                                 sizeof *types->items, "the table of types", error);
    if (!status)
        status = seq_grow(&types->pool, &types->pool_capacity, types->pool_used + size + 1, 1,
                          "the texts of types", error);
    if (status) return status;
    if (size) memcpy(types->pool + types->pool_used, text, size); // NULL is no text
    types->pool[types->pool_used + size] = '\0';
    types->items[types->count++] = (seq_string){types->pool_used, size, 0};
    types->pool_used += size + 1;
    return SEQ_OK;
}

// Where there is room in the table.
static seq_status add(seq_string_table *types, seq_string_key text, size_t *out_number,
                      seq_error *error) {
    seq_string_slot *slot = find_slot(types, text.hash, text.text, text.size);
    if (!slot->number) {
        seq_status status = append(types, text.text, text.size, error);
        if (status) return status;
        *slot = (seq_string_slot){(uint32_t)(text.hash >> 32), (uint32_t)types->count};
    }
    *out_number = slot->number - 1;
    return SEQ_OK;
}

seq_status seq_string_table_add(seq_string_table *types, const char *text, size_t size,
                                size_t *out_number, seq_error *error) {
    seq_status status = make_room(types, 1, error);
    return status ? status
                  : add(types, (seq_string_key){text, size, seq_string_table_hash(text, size)},
                        out_number, error);
}

// The type in the first slot of a hash, if it seems to be the right one; else any.
static const seq_string *likely_type(const seq_string_table *types, uint64_t hash) {
    const seq_string_slot *slot = &types->slots[hash & (types->slot_count - 1)];
    bool likely = slot->number && slot->hash == (uint32_t)(hash >> 32);
    return &types->items[likely ? slot->number - 1 : 0];
}

seq_status seq_string_table_add_many(seq_string_table *types, const seq_string_key *texts,
                                     size_t count, uint32_t *out_numbers, seq_error *error) {
    seq_status status = make_room(types, count, error);
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&types->slots[texts[i].hash & (types->slot_count - 1)]);
    for (size_t i = 0; types->count && i < count; i++)
        __builtin_prefetch(likely_type(types, texts[i].hash));
    for (size_t i = 0; types->count && i < count; i++)
        __builtin_prefetch(types->pool + likely_type(types, texts[i].hash)->offset);
    for (size_t i = 0; !status && i < count; i++) {
        size_t number = 0;
        status = add(types, texts[i], &number, error);
        out_numbers[i] = (uint32_t)number;
    }
    return status;
}
