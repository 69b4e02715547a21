// A file in memory that is read in pieces of a chosen size: a byte source of seq_reader_open.
#ifndef SEQ_TESTS_BYTE_MEMORY_H
#define SEQ_TESTS_BYTE_MEMORY_H

#include <seqtrain/base/status.h>
#include <string.h>

typedef struct byte_memory {
    const void *bytes;
    size_t size, at, piece;
} byte_memory;

static inline seq_status byte_memory_read(void *context, char *out, size_t capacity,
                                          size_t *out_size, seq_error *error) {
    byte_memory *memory = context;
    size_t left = memory->size - memory->at;
    (void)error;
    *out_size = left < memory->piece ? left : memory->piece;
    if (*out_size > capacity) *out_size = capacity;
    if (*out_size) memcpy(out, (const char *)memory->bytes + memory->at, *out_size);
    memory->at += *out_size;
    return SEQ_OK;
}

#endif
