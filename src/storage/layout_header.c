// Object headers (version 2) and their messages, after the HDF5 File Format
// Specification 3.0. A visitor looks at each message: links to find a name,
// then space, type, layout and filters of the vector. Invariant: at most 9
// pieces of 16 KB are read, so no chain of continuations is endless. Tests:
// tests/unit/storage/test_vector_file.c, tests/fuzz/fuzz_shard.c,
// tests/fault/hostile.sh.
#include "layout.h"
#include "layout_private.h"
#include "zstd_filter.h"
#include <string.h>

enum {
    DATASPACE = 0x01,
    DATATYPE = 0x03,
    LINK = 0x06,
    EXTERNAL = 0x07,
    LAYOUT = 0x08,
    FILTERS = 0x0b,
    CONTINUATION = 0x10,
    MESSAGES_MOST = 1 << 14, // bytes of an object header's piece
    PIECES_MOST = 8,
    SHARED = 2, // flag of a message
};

typedef struct message {
    unsigned type;
    const unsigned char *bytes;
    size_t size;
} message;

// Looks at a message; NULL, or why not.
typedef const char *(*visit)(void *context, const seq_layout_file *file, const message *message);

typedef struct header {
    const seq_layout_file *file;
    visit visit;
    void *context;
    bool numbered;    // messages have a creation order
    int pieces, seen; // that go on, behind the first one; seen so far
    struct {
        uint64_t address, size;
    } next[PIECES_MOST];
} header;

static const char damaged[] = "has a damaged object header";

static const char *visit_messages(header *header, const unsigned char *bytes, size_t size) {
    size_t head = header->numbered ? 6 : 4;
    while (size >= head) {
        message message = {bytes[0], bytes + head, bytes[1] | (size_t)bytes[2] << 8};
        if (message.size > size - head) return damaged;
        if (bytes[3] & SHARED) return "has messages that lie elsewhere";
        if (message.type == CONTINUATION) {
            if (message.size < 16 || header->pieces == PIECES_MOST) return damaged;
            header->next[header->pieces].address = seq_layout_number(message.bytes, 8);
            header->next[header->pieces++].size = seq_layout_number(message.bytes + 8, 8);
        } else {
            const char *why = header->visit(header->context, header->file, &message);
            if (why) return why;
        }
        bytes += head + message.size;
        size -= head + message.size;
    }
    return NULL;
}

static const char *visit_continuations(header *header) {
    unsigned char piece[MESSAGES_MOST];
    const char *why = NULL;
    for (; !why && header->seen < header->pieces; header->seen++) {
        uint64_t size = header->next[header->seen].size;
        if (size < 8 || size > sizeof piece ||
            !seq_layout_fetch(header->file, header->next[header->seen].address, piece, size) ||
            memcmp(piece, "OCHK", 4) != 0)
            return damaged;
        why = visit_messages(header, piece + 4, size - 8);
    }
    return why;
}

static const char *visit_header(const seq_layout_file *file, uint64_t address, visit visit,
                                void *context) {
    unsigned char start[34], piece[MESSAGES_MOST];
    header header = {.file = file, .visit = visit, .context = context};
    if (!seq_layout_fetch(file, address, start, sizeof start) || memcmp(start, "OHDR", 4) != 0 ||
        start[4] != 2)
        return damaged;
    unsigned flags = start[5], width = 1u << (flags & 3);
    size_t at = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
    uint64_t size = seq_layout_number(start + at, width);
    header.numbered = flags & 4;
    if (size > sizeof piece || !seq_layout_fetch(file, address + at + width, piece, size))
        return damaged;
    const char *why = visit_messages(&header, piece, size);
    return why ? why : visit_continuations(&header);
}

// The hard link of a name.
typedef struct search {
    const char *name;
    int found; // links of that name
    bool hard;
    uint64_t address;
} search;

static const char *visit_link(void *context, const seq_layout_file *file, const message *message) {
    search *search = context;
    (void)file;
    if (message->type != LINK) return NULL;
    if (message->size < 3 || message->bytes[0] != 1) return damaged;
    unsigned flags = message->bytes[1], width = 1u << (flags & 3);
    bool hard = !(flags & 8) || message->bytes[2] == 0;
    size_t at = 2 + (flags & 8 ? 1 : 0) + (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
    if (at + width > message->size) return damaged;
    uint64_t length = seq_layout_number(message->bytes + at, width);
    at += width;
    if (length > message->size - at) return damaged;
    if (length != strlen(search->name) || memcmp(message->bytes + at, search->name, length) != 0)
        return NULL;
    search->found++;
    search->hard = hard;
    if (!hard) return NULL;
    if (message->size - at - length < 8) return damaged;
    search->address = seq_layout_number(message->bytes + at + length, 8);
    return NULL;
}

// A vector's header while it is looked at.
typedef struct vector {
    seq_element element;
    seq_layout layout;
    bool has_space, has_type, has_layout;
} vector;

static const char *take_space(vector *vector, const message *message) {
    const unsigned char *bytes = message->bytes;
    if (message->size < 12 || bytes[0] != 2 || bytes[1] != 1 || bytes[3] != 1)
        return "has not one dimension";
    vector->layout.length = seq_layout_number(bytes + 4, 8);
    vector->has_space = true;
    return NULL;
}

// Class, byte order, sign, size and what bits mean: the datatype message from its second byte.
static const char *take_type(vector *vector, const message *message) {
    static const unsigned char floats[2][19] = {
        {0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127},
        {0x20, 0x3f, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3}};
    unsigned char integer[11] = {0};
    bool real = vector->element == SEQ_F32 || vector->element == SEQ_F64;
    const unsigned char *expected = real ? floats[vector->element == SEQ_F64] : integer;
    size_t count = real ? sizeof floats[0] : sizeof integer;
    integer[0] = vector->element == SEQ_I64 ? 8 : 0;
    integer[3] = (unsigned char)seq_element_size(vector->element);
    integer[9] = (unsigned char)(8 * integer[3]);
    if (message->size < 1 + count || (message->bytes[0] & 15) != (real ? 1 : 0) ||
        memcmp(message->bytes + 1, expected, count) != 0)
        return "has elements of another type";
    vector->has_type = true;
    return NULL;
}

// Version 4, class chunked, one dimension and that of an element's bytes, extensible array with
// HDF5's own parameters.
static const char *take_layout(vector *vector, const seq_layout_file *file,
                               const message *message) {
    static const unsigned char parameters[] = {4, 32, 4, 4, 16, 10};
    const unsigned char *bytes = message->bytes;
    if (message->size < 5 || bytes[0] < 3 || bytes[0] > 4) return damaged;
    if (bytes[1] != 2)
        return bytes[1] == 3 ? "is virtual: its values are in other files" : "is not in chunks";
    size_t width = bytes[4];
    if (bytes[0] != 4 || bytes[3] != 2 || width < 1 || width > 8 ||
        message->size < 5 + 2 * width + sizeof parameters + 8)
        return "is in chunks that seqtrain does not make";
    vector->layout.chunk = seq_layout_number(bytes + 5, width);
    if (seq_layout_number(bytes + 5 + width, width) != seq_element_size(vector->element) ||
        memcmp(bytes + 5 + 2 * width, parameters, sizeof parameters) != 0)
        return "is in chunks that seqtrain does not make";
    uint64_t array = seq_layout_number(bytes + 5 + 2 * width + sizeof parameters, 8);
    unsigned char head[72];
    vector->has_layout = true;
    vector->layout.index = UINT64_MAX;
    if (array == UINT64_MAX) return NULL; // nothing was written
    if (!seq_layout_fetch(file, array, head, sizeof head) || memcmp(head, "EAHD", 4) != 0 ||
        head[4] != 0 || head[5] > 1 || head[6] < 8 || head[6] > 20 ||
        memcmp(head + 7, parameters + 1, 1) != 0)
        return "has a damaged index of its chunks";
    vector->layout.sized = head[5] == 1;
    vector->layout.size_bytes = vector->layout.sized ? head[6] - 12u : 0;
    if (vector->layout.sized ? head[6] < 13 : head[6] != 8)
        return "has a damaged index of its chunks";
    vector->layout.index = seq_layout_number(head + 60, 8);
    return NULL;
}

// In the order of our writer, each at most once: shuffle, zstd or deflate, Fletcher32.
static const char *take_filter(seq_layout *layout, unsigned filter, int *last) {
    static const char why[] = "has filters that are not allowed: others than shuffle, then zstd or "
                              "deflate, then Fletcher32";
    int place = filter == H5Z_FILTER_SHUFFLE                                ? 1
                : filter == SEQ_ZSTD_FILTER || filter == H5Z_FILTER_DEFLATE ? 2
                : filter == H5Z_FILTER_FLETCHER32                           ? 3
                                                                            : 0;
    if (place <= *last) return why;
    *last = place;
    if (place == 1) layout->shuffled = true;
    if (place == 2)
        layout->compression = filter == SEQ_ZSTD_FILTER ? SEQ_COMPRESS_ZSTD : SEQ_COMPRESS_GZIP;
    if (place == 3) layout->checksum = true;
    return NULL;
}

static const char *take_filters(vector *vector, const message *message) {
    const unsigned char *bytes = message->bytes;
    size_t at = 2, size = message->size;
    int last = 0;
    if (size < 2 || bytes[0] != 2) return damaged;
    for (int i = 0; i < bytes[1]; i++) {
        if (size - at < 6) return damaged;
        unsigned filter = bytes[at] | (unsigned)bytes[at + 1] << 8;
        bool named = filter >= 256;
        if (named && size - at < 8) return damaged;
        size_t name = named ? bytes[at + 2] | (size_t)bytes[at + 3] << 8 : 0;
        at += named ? 6 : 4; // id, length of the name, flags
        size_t values = bytes[at] | (size_t)bytes[at + 1] << 8;
        at += 2;
        if (name + 4 * values > size - at) return damaged;
        at += name + 4 * values;
        const char *why = take_filter(&vector->layout, filter, &last);
        if (why) return why;
    }
    return NULL;
}

static const char *visit_vector(void *context, const seq_layout_file *file,
                                const message *message) {
    vector *vector = context;
    switch (message->type) {
    case DATASPACE:
        return take_space(vector, message);
    case DATATYPE:
        return take_type(vector, message);
    case LAYOUT:
        return take_layout(vector, file, message);
    case FILTERS:
        return take_filters(vector, message);
    case EXTERNAL:
        return "keeps its values in another file";
    default:
        return NULL;
    }
}

const char *seq_layout_find(const seq_layout_file *file, const char *name, seq_element element,
                            seq_layout *out) {
    search search = {.name = name};
    vector vector = {.element = element, .layout.compression = SEQ_COMPRESS_NONE};
    const char *why = visit_header(file, file->root, visit_link, &search);
    if (!why && search.found != 1) why = search.found ? "stands there twice" : "is missing";
    if (!why && !search.hard) why = "is missing, or not a plain link";
    if (!why) why = visit_header(file, search.address, visit_vector, &vector);
    if (!why && !(vector.has_space && vector.has_type && vector.has_layout))
        why = "is not a vector";
    *out = vector.layout;
    return why;
}
