// Object headers and the messages that groups and data sets share, after the
// HDF5 File Format Specification 3.0. A header goes on in other pieces, which
// are taken in the order of their messages. Invariant: at most 9 pieces of at
// most 256 KB are read, so no chain of continuations is endless. Tests:
// tests/unit/storage/test_vector_file.c, tests/unit/prep/test_reader_hdf5.c,
// tests/fuzz/fuzz_shard.c, tests/fuzz/fuzz_arrays.c, tests/fault/hostile.sh.
#include "object_header.h"
#include "layout_private.h"
#include "zstd_filter.h"
#include <stdlib.h>
#include <string.h>

enum {
    CONTINUATION = 0x10,
    PIECE_MOST = 1 << 18, // bytes
    PIECES_MOST = 8,      // behind the first
    SHARED = 2,           // flag of a message
};

const char seq_object_damaged[] = "has a damaged object header";

typedef struct header {
    const seq_layout_file *file;
    seq_message_visit visit;
    void *context;
    bool first_version, numbered; // messages have a creation order
    int pieces;
    uint64_t bytes; // read so far
    struct {
        uint64_t address, size;
    } next[PIECES_MOST];
} header;

static const char *take_message(header *header, const seq_message *message, unsigned flags) {
    if (flags & SHARED) return "has messages that lie elsewhere";
    if (message->type != CONTINUATION) return header->visit(header->context, header->file, message);
    if (message->size < 16 || header->pieces == PIECES_MOST) return seq_object_damaged;
    header->next[header->pieces].address = seq_layout_number(message->bytes, 8);
    header->next[header->pieces++].size = seq_layout_number(message->bytes + 8, 8);
    return NULL;
}

static const char *visit_messages(header *header, const unsigned char *bytes, size_t size) {
    bool old = header->first_version;
    size_t head = old ? 8 : header->numbered ? 6 : 4, type = old ? 2 : 1;
    while (size >= head) {
        seq_message message = {(unsigned)seq_layout_number(bytes, type), bytes + head,
                               (size_t)seq_layout_number(bytes + type, 2)};
        if (message.size > size - head) return seq_object_damaged;
        const char *why = take_message(header, &message, bytes[type + 2]);
        if (why) return why;
        bytes += head + message.size;
        size -= head + message.size;
    }
    return NULL;
}

// Bytes [address, address + size), of which the first `before` and the last `behind` are none of
// messages.
static const char *visit_piece(header *header, uint64_t address, uint64_t size, size_t before,
                               size_t behind) {
    if (size < before + behind || size > PIECE_MOST || size > header->file->size)
        return seq_object_damaged;
    header->bytes += size;
    unsigned char *piece = malloc((size_t)size + 1);
    if (!piece) return seq_layout_no_memory;
    const char *why = NULL;
    if (!seq_layout_fetch(header->file, address, piece, (size_t)size) ||
        (before && memcmp(piece, "OCHK", 4) != 0))
        why = seq_object_damaged;
    if (!why) why = visit_messages(header, piece + before, (size_t)size - before - behind);
    free(piece);
    return why;
}

static const char *visit_first(header *header, uint64_t address) {
    unsigned char start[34];
    size_t have = sizeof start;
    while (have > 16 && !seq_layout_fetch(header->file, address, start, have))
        have--; // a header at the end of the file
    if (!seq_layout_fetch(header->file, address, start, have)) return seq_object_damaged;
    if (start[0] == 1) {
        header->first_version = true;
        return visit_piece(header, address + 16, seq_layout_number(start + 8, 4), 0, 0);
    }
    if (have < sizeof start || memcmp(start, "OHDR", 4) != 0 || start[4] != 2)
        return seq_object_damaged;
    unsigned flags = start[5], width = 1u << (flags & 3);
    size_t at = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    header->numbered = flags & 4;
    return visit_piece(header, address + at + width, seq_layout_number(start + at, width), 0, 0);
}

const char *seq_object_visit(const seq_layout_file *file, uint64_t address, seq_message_visit visit,
                             void *context, uint64_t *bytes) {
    header header = {.file = file, .visit = visit, .context = context};
    const char *why = visit_first(&header, address);
    bool old = header.first_version;
    for (int i = 0; !why && i < header.pieces; i++)
        why = visit_piece(&header, header.next[i].address, header.next[i].size, old ? 0 : 4,
                          old ? 0 : 4);
    if (bytes) *bytes += header.bytes;
    return why;
}

const char *seq_object_link_take(const seq_message *message, seq_object_link *out) {
    const unsigned char *bytes = message->bytes;
    if (message->size < 3 || bytes[0] != 1) return seq_object_damaged;
    unsigned flags = bytes[1], width = 1u << (flags & 3);
    size_t at = 2 + (flags & 8 ? 1 : 0) + (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
    *out = (seq_object_link){.hard = !(flags & 8) || bytes[2] == 0};
    if (at + width > message->size) return seq_object_damaged;
    uint64_t length = seq_layout_number(bytes + at, width);
    at += width;
    if (length > message->size - at) return seq_object_damaged;
    out->name = (const char *)bytes + at;
    out->length = (size_t)length;
    if (!out->hard) return NULL;
    if (message->size - at - length < 8) return seq_object_damaged;
    out->address = seq_layout_number(bytes + at + length, 8);
    return NULL;
}

static const char *take_filter(seq_object_filters *out, unsigned filter, int place, int *last) {
    static const char why[] = "has filters that are not allowed: others than shuffle, then zstd or "
                              "deflate, then Fletcher32";
    int rank = filter == H5Z_FILTER_SHUFFLE                                ? 1
               : filter == SEQ_ZSTD_FILTER || filter == H5Z_FILTER_DEFLATE ? 2
               : filter == H5Z_FILTER_FLETCHER32                           ? 3
                                                                           : 0;
    if (rank <= *last) return why;
    *last = rank;
    out->places[rank - 1] = place;
    if (rank == 1) out->shuffled = true;
    if (rank == 2)
        out->compression = filter == SEQ_ZSTD_FILTER ? SEQ_COMPRESS_ZSTD : SEQ_COMPRESS_GZIP;
    if (rank == 3) out->checksum = true;
    return NULL;
}

// Version 1 has a name for every filter, padded to 8 bytes, and pads an odd number of values.
const char *seq_object_filters_take(const seq_message *message, seq_object_filters *out) {
    const unsigned char *bytes = message->bytes;
    bool old = message->size > 0 && bytes[0] == 1;
    size_t at = old ? 8 : 2, size = message->size;
    int last = 0;
    *out = (seq_object_filters){.compression = SEQ_COMPRESS_NONE};
    if (size < at || (!old && bytes[0] != 2)) return seq_object_damaged;
    for (int i = 0; i < bytes[1]; i++) {
        if (size - at < 6) return seq_object_damaged;
        unsigned filter = bytes[at] | (unsigned)bytes[at + 1] << 8;
        bool named = old || filter >= 256;
        if (named && size - at < 8) return seq_object_damaged;
        size_t name = named ? bytes[at + 2] | (size_t)bytes[at + 3] << 8 : 0;
        at += named ? 6 : 4; // id, length of the name, flags
        size_t values = bytes[at] | (size_t)bytes[at + 1] << 8;
        at += 2;
        if (old) name = (name + 7) / 8 * 8;
        size_t rest = name + 4 * (values + (old && values % 2));
        if (rest > size - at) return seq_object_damaged;
        at += rest;
        const char *why = take_filter(out, filter, i, &last);
        if (why) return why;
    }
    return NULL;
}
