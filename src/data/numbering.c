// Three ways to a type's number: a table by code point below 65536, a small
// direct-mapped table of recent words, and the large hash table. Words that
// miss wait in groups of 32, so that their cache misses overlap. Invariant:
// numbers stand in the order of the text, whichever way they were found. Tests:
// tests/unit/data/test_blocks.c, tests/unit/data/test_readable.c.
#include "numbering.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 1 << 12 }; // bytes of words that wait

seq_status seq_numbering_begin(seq_numbering *numbering, seq_unit unit, seq_types *types,
                               seq_error *error) {
    *numbering = (seq_numbering){.types = types, .unit = unit};
    if (unit != SEQ_UNIT_WORD)
        return seq_allocate(&numbering->direct, SEQ_DIRECT, sizeof *numbering->direct,
                            "the table of characters", error);
    seq_status status = seq_allocate(&numbering->recent, SEQ_RECENT, sizeof *numbering->recent,
                                     "the table of words", error);
    return status ? status
                  : seq_grow(&numbering->texts, &numbering->texts_capacity, TEXTS, 1,
                             "the texts of words", error);
}

void seq_numbering_end(seq_numbering *numbering) {
    free(numbering->direct);
    free(numbering->recent);
    free(numbering->units);
    free(numbering->texts);
    *numbering = (seq_numbering){0};
}

void seq_numbering_restart(seq_numbering *numbering) {
    numbering->count = numbering->waiting_count = numbering->texts_used = 0;
}

static void remember(seq_numbering *numbering, const seq_type_text *text, uint32_t number) {
    if (text->size > SEQ_RECENT_SIZE) return;
    seq_recent_word *recent = &numbering->recent[text->hash % SEQ_RECENT];
    *recent = (seq_recent_word){.size = (uint32_t)text->size, .number = number};
    memcpy(recent->text, text->text, text->size);
}

static seq_status look_up_waiting(seq_numbering *numbering, seq_error *error) {
    uint32_t numbers[SEQ_WAITING];
    size_t count = numbering->waiting_count;
    seq_status status =
        seq_types_add_many(numbering->types, numbering->waiting, count, numbers, error);
    for (size_t i = 0; !status && i < count; i++) {
        numbering->units[numbering->positions[i]] = numbers[i];
        remember(numbering, &numbering->waiting[i], numbers[i]);
    }
    numbering->waiting_count = numbering->texts_used = 0;
    return status;
}

static seq_status wait_for(seq_numbering *numbering, seq_type_text text, seq_error *error) {
    bool full = numbering->texts_used + text.size > numbering->texts_capacity;
    if ((full || numbering->waiting_count == SEQ_WAITING) && look_up_waiting(numbering, error))
        return error->status;
    if (seq_grow(&numbering->texts, &numbering->texts_capacity, text.size, 1, "the texts of words",
                 error))
        return error->status;
    char *copy = numbering->texts + numbering->texts_used;
    memcpy(copy, text.text, text.size);
    text.text = copy;
    numbering->texts_used += text.size;
    numbering->positions[numbering->waiting_count] = numbering->count++;
    numbering->waiting[numbering->waiting_count++] = text;
    return SEQ_OK;
}

static seq_status take_word(seq_numbering *numbering, const char *text, size_t size,
                            seq_error *error) {
    uint64_t hash = seq_types_hash(text, size);
    const seq_recent_word *recent = &numbering->recent[hash % SEQ_RECENT];
    if (recent->size != size || memcmp(recent->text, text, size) != 0)
        return wait_for(numbering, (seq_type_text){text, size, hash}, error);
    numbering->units[numbering->count++] = recent->number;
    return SEQ_OK;
}

static seq_status take_one(seq_numbering *numbering, uint32_t *direct, const char *text,
                           size_t size, seq_error *error) {
    size_t number = direct ? *direct : 0;
    if (number) {
        number--;
    } else {
        if (seq_types_add(numbering->types, text, size, &number, error)) return error->status;
        if (direct) *direct = (uint32_t)number + 1;
    }
    numbering->units[numbering->count++] = (uint32_t)number;
    return SEQ_OK;
}

static seq_status take_bytes(seq_numbering *numbering, const char *text, size_t count,
                             seq_error *error) {
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < count; i++)
        if (take_one(numbering, &numbering->direct[bytes[i]], text + i, 1, error))
            return error->status;
    return SEQ_OK;
}

// Of a character of 2 or 3 bytes; NULL for others.
static uint32_t *direct_entry(const seq_numbering *numbering, const char *text, size_t size) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (numbering->unit != SEQ_UNIT_CHAR || size > 3) return NULL;
    size_t point = size == 2 ? (size_t)(bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F)
                             : (size_t)(bytes[0] & 0x0F) << 12 | (size_t)(bytes[1] & 0x3F) << 6 |
                                   (bytes[2] & 0x3F);
    return &numbering->direct[point];
}

seq_status seq_numbering_take(void *context, const char *text, size_t size, size_t count,
                              seq_error *error) {
    seq_numbering *numbering = context;
    seq_status status = SEQ_OK;
    if (numbering->count + count > numbering->capacity)
        status = seq_grow(&numbering->units, &numbering->capacity, numbering->count + count,
                          sizeof *numbering->units, "the units of a block", error);
    if (!status && numbering->direct && size == 1) return take_bytes(numbering, text, count, error);
    for (size_t i = 0; !status && i < count; i++, text += size)
        status = numbering->recent
                     ? take_word(numbering, text, size, error)
                     : take_one(numbering, direct_entry(numbering, text, size), text, size, error);
    return status;
}

seq_status seq_numbering_finish(seq_numbering *numbering, seq_error *error) {
    seq_status status = numbering->recent ? look_up_waiting(numbering, error) : SEQ_OK;
    seq_type *items = numbering->types->items;
    for (size_t i = 0; !status && i < numbering->count; i++)
        items[numbering->units[i]].count++;
    return status;
}
