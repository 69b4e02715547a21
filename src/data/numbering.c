#include "numbering.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>

seq_status seq_numbering_begin(seq_numbering *numbering, seq_unit unit, seq_types *types,
                               seq_error *error) {
    *numbering = (seq_numbering){.types = types, .unit = unit};
    if (unit == SEQ_UNIT_WORD) return SEQ_OK;
    return seq_allocate(&numbering->direct, SEQ_DIRECT, sizeof *numbering->direct,
                        "the table of characters", error);
}

void seq_numbering_end(seq_numbering *numbering) {
    free(numbering->direct);
    free(numbering->units);
    *numbering = (seq_numbering){0};
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
    if (!status && numbering->direct && size == 1)
        return take_bytes(numbering, text, count, error);
    for (size_t i = 0; !status && i < count; i++, text += size)
        status = take_one(numbering, direct_entry(numbering, text, size), text, size, error);
    return status;
}

void seq_numbering_count(seq_numbering *numbering) {
    seq_type *items = numbering->types->items;
    for (size_t i = 0; i < numbering->count; i++)
        items[numbering->units[i]].count++;
}
