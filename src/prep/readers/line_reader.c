// Cuts a byte stream into lines. A buffer of fixed size is searched for line
// ends; pieces are added to the current line until one is found. The LF of a
// CRLF is passed over when the next line begins, so a pair may be split between
// two reads. Invariant: `line` holds one line, and memory is the longest line's.
// Tests: tests/unit/prep/test_readers.c, tests/fuzz/fuzz_reader.c.
#include "line_reader.h"
#include <seqtrain/base/escape.h>
#include <seqtrain/base/memory.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 16 };

seq_status seq_line_reader_begin(seq_line_reader *lines, const seq_byte_stream *stream,
                                 const char *name, bool any_bytes, seq_error *error) {
    *lines = (seq_line_reader){.stream = stream, .name = name, .any_bytes = any_bytes};
    seq_status status = seq_allocate(&lines->buffer, BUFFER, 1, "an input", error);
    return status ? status : seq_grow(&lines->line, &lines->capacity, 256, 1, "a line", error);
}

void seq_line_reader_end(seq_line_reader *lines) {
    free(lines->buffer);
    free(lines->line);
    *lines = (seq_line_reader){0};
}

void seq_line_reader_keep(seq_line_reader *lines) {
    lines->kept = true;
}

static seq_status fill(seq_line_reader *lines, seq_error *error) {
    if (lines->used < lines->filled || lines->at_end) return SEQ_OK;
    lines->used = lines->filled = 0;
    seq_status status =
        lines->stream->read(lines->stream->context, lines->buffer, BUFFER, &lines->filled, error);
    lines->at_end = !status && lines->filled == 0;
    return status;
}

static const char *find_end(const char *from, size_t size) {
    const char *feed = memchr(from, '\n', size);
    const char *carriage = memchr(from, '\r', feed ? (size_t)(feed - from) : size);
    return carriage ? carriage : feed;
}

static seq_status append(seq_line_reader *lines, const char *bytes, size_t size, seq_error *error) {
    if (lines->size + size > SEQ_ITEM_BYTES)
        return seq_item_refuse(lines->name, lines->number, 0, error,
                               "the line is longer than %d bytes", SEQ_ITEM_BYTES);
    seq_status status =
        seq_grow(&lines->line, &lines->capacity, lines->size + size + 1, 1, "a line", error);
    if (status) return status;
    memcpy(lines->line + lines->size, bytes, size);
    lines->size += size;
    return SEQ_OK;
}

seq_status seq_check_text(const char *name, int64_t line, const char *bytes, size_t size,
                          seq_error *error) {
    size_t bad = seq_utf8_invalid(bytes, size);
    const char *nul = memchr(bytes, 0, bad);
    if (nul) return seq_item_refuse(name, line, nul - bytes + 1, error, "a NUL byte is not text");
    if (bad == size) return SEQ_OK;
    return seq_item_refuse(name, line, (int64_t)bad + 1, error, "byte 0x%02x is not UTF-8",
                           (unsigned char)bytes[bad]);
}

static void drop_mark(seq_line_reader *lines) {
    if (lines->number != 1 || lines->size < 3 || memcmp(lines->line, "\xEF\xBB\xBF", 3) != 0)
        return;
    lines->size -= 3;
    memmove(lines->line, lines->line + 3, lines->size);
}

// Bytes up to the next line end or the end of the buffer; *out_done at a line end.
static seq_status take_piece(seq_line_reader *lines, bool *out_done, seq_error *error) {
    const char *from = lines->buffer + lines->used,
               *end = find_end(from, lines->filled - lines->used);
    size_t size = end ? (size_t)(end - from) : lines->filled - lines->used;
    *out_done = end != NULL;
    lines->after_carriage = end && *end == '\r';
    lines->used += size + (end ? 1 : 0);
    return append(lines, from, size, error);
}

seq_status seq_line_reader_next(seq_line_reader *lines, bool *out_more, seq_error *error) {
    bool done = false, any = false;
    *out_more = true;
    if (lines->kept) {
        lines->kept = false;
        return SEQ_OK;
    }
    lines->size = 0;
    lines->number++;
    while (!done && !fill(lines, error) && !lines->at_end) {
        bool feed = lines->after_carriage && lines->buffer[lines->used] == '\n';
        lines->after_carriage = false;
        lines->used += feed;
        if (feed && lines->used == lines->filled) continue;
        any = true;
        if (take_piece(lines, &done, error)) break;
    }
    if (error->status) return error->status;
    drop_mark(lines);
    lines->line[lines->size] = '\0';
    *out_more = any;
    return any && !lines->any_bytes
               ? seq_check_text(lines->name, lines->number, lines->line, lines->size, error)
               : SEQ_OK;
}
