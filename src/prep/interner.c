// Three ways to a type's number: a table by code point below 65536, a small
// direct-mapped table of recent words, and the large hash table. Words that
// miss wait in groups of 32, so that their cache misses overlap. Invariant:
// numbers stand in the order of the text, whichever way they were found. Tests:
// tests/unit/prep/test_text_blocks.c, tests/unit/data/test_readable.c.
#include "interner.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 1 << 12 }; // bytes of words that wait

seq_status seq_interner_begin(seq_interner *interner, seq_unit unit, seq_string_table *types,
                              seq_error *error) {
    *interner = (seq_interner){.types = types, .unit = unit};
    if (unit == SEQ_UNIT_BYTE || unit == SEQ_UNIT_CHAR)
        return seq_allocate(&interner->direct, SEQ_DIRECT, sizeof *interner->direct,
                            "the table of characters", error);
    seq_status status = seq_allocate(&interner->recent, SEQ_RECENT, sizeof *interner->recent,
                                     "the table of words", error);
    return status ? status
                  : seq_grow(&interner->texts, &interner->texts_capacity, TEXTS, 1,
                             "the texts of words", error);
}

void seq_interner_end(seq_interner *interner) {
    free(interner->direct);
    free(interner->recent);
    free(interner->units);
    free(interner->texts);
    *interner = (seq_interner){0};
}

void seq_interner_restart(seq_interner *interner) {
    interner->count = interner->waiting_count = interner->texts_used = 0;
}

static void remember(seq_interner *interner, const seq_string_key *text, uint32_t number) {
    if (text->size > SEQ_RECENT_SIZE) return;
    seq_recent_word *recent = &interner->recent[text->hash % SEQ_RECENT];
    *recent = (seq_recent_word){.size = (uint32_t)text->size, .number = number};
    memcpy(recent->text, text->text, text->size);
}

static seq_status look_up_waiting(seq_interner *interner, seq_error *error) {
    uint32_t numbers[SEQ_WAITING];
    size_t count = interner->waiting_count;
    seq_status status =
        seq_string_table_add_many(interner->types, interner->waiting, count, numbers, error);
    for (size_t i = 0; !status && i < count; i++) {
        interner->units[interner->positions[i]] = numbers[i];
        remember(interner, &interner->waiting[i], numbers[i]);
    }
    interner->waiting_count = interner->texts_used = 0;
    return status;
}

static seq_status wait_for(seq_interner *interner, seq_string_key text, seq_error *error) {
    bool full = interner->texts_used + text.size > interner->texts_capacity;
    if ((full || interner->waiting_count == SEQ_WAITING) && look_up_waiting(interner, error))
        return error->status;
    if (seq_grow(&interner->texts, &interner->texts_capacity, text.size, 1, "the texts of words",
                 error))
        return error->status;
    char *copy = interner->texts + interner->texts_used;
    memcpy(copy, text.text, text.size);
    text.text = copy;
    interner->texts_used += text.size;
    interner->positions[interner->waiting_count] = interner->count++;
    interner->waiting[interner->waiting_count++] = text;
    return SEQ_OK;
}

static seq_status take_word(seq_interner *interner, const char *text, size_t size,
                            seq_error *error) {
    uint64_t hash = seq_string_table_hash(text, size);
    const seq_recent_word *recent = &interner->recent[hash % SEQ_RECENT];
    if (recent->size != size || memcmp(recent->text, text, size) != 0)
        return wait_for(interner, (seq_string_key){text, size, hash}, error);
    interner->units[interner->count++] = recent->number;
    return SEQ_OK;
}

static seq_status take_one(seq_interner *interner, uint32_t *direct, const char *text, size_t size,
                           seq_error *error) {
    size_t number = direct ? *direct : 0;
    if (number) {
        number--;
    } else {
        if (seq_string_table_add(interner->types, text, size, &number, error)) return error->status;
        if (direct) *direct = (uint32_t)number + 1;
    }
    interner->units[interner->count++] = (uint32_t)number;
    return SEQ_OK;
}

static seq_status take_bytes(seq_interner *interner, const char *text, size_t count,
                             seq_error *error) {
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < count; i++)
        if (take_one(interner, &interner->direct[bytes[i]], text + i, 1, error))
            return error->status;
    return SEQ_OK;
}

// Of a character of 2 or 3 bytes; NULL for others.
static uint32_t *direct_entry(const seq_interner *interner, const char *text, size_t size) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (interner->unit != SEQ_UNIT_CHAR || size > 3) return NULL;
    size_t point = size == 2 ? (size_t)(bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F)
                             : (size_t)(bytes[0] & 0x0F) << 12 | (size_t)(bytes[1] & 0x3F) << 6 |
                                   (bytes[2] & 0x3F);
    return &interner->direct[point];
}

seq_status seq_interner_take(void *context, const char *text, size_t size, size_t count,
                             seq_error *error) {
    seq_interner *interner = context;
    seq_status status = SEQ_OK;
    if (interner->count + count > interner->capacity)
        status = seq_grow(&interner->units, &interner->capacity, interner->count + count,
                          sizeof *interner->units, "the units of a block", error);
    if (!status && interner->direct && size == 1) return take_bytes(interner, text, count, error);
    for (size_t i = 0; !status && i < count; i++, text += size)
        status = interner->recent
                     ? take_word(interner, text, size, error)
                     : take_one(interner, direct_entry(interner, text, size), text, size, error);
    return status;
}

seq_status seq_interner_finish(seq_interner *interner, seq_error *error) {
    seq_status status = interner->recent ? look_up_waiting(interner, error) : SEQ_OK;
    seq_string *items = interner->types->items;
    for (size_t i = 0; !status && i < interner->count; i++)
        items[interner->units[i]].count++;
    return status;
}
