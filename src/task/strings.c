// A hash table with open addressing and linear probing, at most half full
// (FNV-1a, 64 bits). All texts lie in one pool. Invariant: numbers never change
// once they are given. Test: tests/unit/task/test_spans.c.
#include <seqtrain/task/strings.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

void seq_strings_clear(seq_strings *strings) {
    free(strings->pool);
    free(strings->begins);
    free(strings->slots);
    *strings = (seq_strings){0};
}

const char *seq_strings_text(const seq_strings *strings, int32_t number, size_t *size) {
    if (size) *size = strings->begins[number + 1] - strings->begins[number] - 1;
    return strings->pool + strings->begins[number];
}

static uint64_t hash_text(const char *text, size_t size) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

// The slot of the text, or the free one where it belongs.
static int32_t *find_slot(const seq_strings *strings, const char *text, size_t size) {
    for (size_t at = hash_text(text, size);; at++) {
        int32_t *slot = &strings->slots[at & (strings->slot_count - 1)];
        size_t other;
        if (*slot == 0) return slot;
        const char *there = seq_strings_text(strings, *slot - 1, &other);
        if (other == size && memcmp(there, text, size) == 0) return slot;
    }
}

int32_t seq_strings_find(const seq_strings *strings, const char *text, size_t size) {
    return strings->slot_count ? *find_slot(strings, text, size) - 1 : -1;
}

static seq_status make_room(seq_strings *strings, size_t size, seq_error *error) {
    size_t count = (size_t)strings->count;
    if (count >= INT32_MAX - 1)
        return seq_error_set(error, SEQ_BAD_INPUT, "more than 2^31 distinct texts");
    seq_status status = seq_grow(&strings->pool, &strings->pool_capacity,
                                 strings->pool_used + size + 1, 1, "texts", error);
    if (!status)
        status = seq_grow(&strings->begins, &strings->begins_capacity, count + 2,
                          sizeof *strings->begins, "texts", error);
    if (status || 2 * (count + 1) <= strings->slot_count) return status;
    int32_t *old = strings->slots, *fresh;
    size_t wanted = strings->slot_count ? 2 * strings->slot_count : 64;
    status = seq_allocate(&fresh, wanted, sizeof *fresh, "a table of texts", error);
    if (status) return status;
    strings->slots = fresh;
    strings->slot_count = wanted;
    for (int32_t i = 0; i < strings->count; i++) {
        size_t length;
        const char *text = seq_strings_text(strings, i, &length);
        *find_slot(strings, text, length) = i + 1;
    }
    free(old);
    return SEQ_OK;
}

seq_status seq_strings_add(seq_strings *strings, const char *text, size_t size, int32_t *out,
                           seq_error *error) {
    *out = seq_strings_find(strings, text, size);
    if (*out >= 0) return SEQ_OK;
    seq_status status = make_room(strings, size, error);
    if (status) return status;
    if (size) memcpy(strings->pool + strings->pool_used, text, size);
    strings->pool[strings->pool_used + size] = '\0';
    int32_t *slot = find_slot(strings, text, size);
    strings->begins[strings->count] = strings->pool_used;
    strings->pool_used += size + 1;
    strings->begins[strings->count + 1] = strings->pool_used;
    *out = strings->count++;
    *slot = *out + 1;
    return SEQ_OK;
}
