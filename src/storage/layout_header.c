// A vector by its name: a visitor looks at the messages of the root group for
// the link, another one at the vector's for space, type, layout and filters.
// Invariant: what our writer does not make is refused. Tests:
// tests/unit/storage/test_vector_file.c, tests/fuzz/fuzz_shard.c,
// tests/fault/hostile.sh.
#include "layout.h"
#include "layout_private.h"
#include "object_header.h"
#include <string.h>

// The hard link of a name.
typedef struct search {
    const char *name;
    int found; // links of that name
    bool hard;
    uint64_t address;
} search;

static const char *visit_link(void *context, const seq_layout_file *file,
                              const seq_message *message) {
    search *search = context;
    seq_object_link link;
    (void)file;
    if (message->type != SEQ_MESSAGE_LINK) return NULL;
    const char *why = seq_object_link_take(message, &link);
    if (why) return why;
    if (link.length != strlen(search->name) || memcmp(link.name, search->name, link.length) != 0)
        return NULL;
    search->found++;
    search->hard = link.hard;
    search->address = link.address;
    return NULL;
}

// A vector's header while it is looked at.
typedef struct vector {
    seq_element element;
    seq_layout layout;
    bool has_space, has_type, has_layout;
} vector;

static const char *take_space(vector *vector, const seq_message *message) {
    const unsigned char *bytes = message->bytes;
    if (message->size < 12 || bytes[0] != 2 || bytes[1] != 1 || bytes[3] != 1)
        return "has not one dimension";
    vector->layout.length = seq_layout_number(bytes + 4, 8);
    vector->has_space = true;
    return NULL;
}

// Class, byte order, sign, size and what bits mean: the datatype message from its second byte.
static const char *take_type(vector *vector, const seq_message *message) {
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

const char *seq_layout_take_array(const seq_layout_file *file, uint64_t address, seq_layout *out) {
    unsigned char head[72];
    out->index = UINT64_MAX;
    if (address == UINT64_MAX) return NULL; // nothing was written
    if (!seq_layout_fetch(file, address, head, sizeof head) || memcmp(head, "EAHD", 4) != 0 ||
        head[4] != 0 || head[5] > 1 || head[6] < 8 || head[6] > 20 ||
        head[7] != SEQ_LAYOUT_ARRAY_BITS)
        return "has a damaged index of its chunks";
    out->sized = head[5] == 1;
    out->size_bytes = out->sized ? head[6] - 12u : 0;
    if (out->sized ? head[6] < 13 : head[6] != 8) return "has a damaged index of its chunks";
    out->index = seq_layout_number(head + 60, 8);
    return NULL;
}

// Version 4, class chunked, one dimension and that of an element's bytes, extensible array with
// HDF5's own parameters.
static const char *take_layout(vector *vector, const seq_layout_file *file,
                               const seq_message *message) {
    static const unsigned char parameters[] = {4, SEQ_LAYOUT_ARRAY_BITS, 4, 4, 16, 10};
    const unsigned char *bytes = message->bytes;
    if (message->size < 5 || bytes[0] < 3 || bytes[0] > 4) return seq_object_damaged;
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
    vector->has_layout = true;
    return seq_layout_take_array(
        file, seq_layout_number(bytes + 5 + 2 * width + sizeof parameters, 8), &vector->layout);
}

static const char *take_filters(vector *vector, const seq_message *message) {
    seq_object_filters filters;
    const char *why = seq_object_filters_take(message, &filters);
    vector->layout.compression = filters.compression;
    vector->layout.shuffled = filters.shuffled;
    vector->layout.checksum = filters.checksum;
    return why;
}

static const char *visit_vector(void *context, const seq_layout_file *file,
                                const seq_message *message) {
    vector *vector = context;
    switch (message->type) {
    case SEQ_MESSAGE_DATASPACE:
        return take_space(vector, message);
    case SEQ_MESSAGE_DATATYPE:
        return take_type(vector, message);
    case SEQ_MESSAGE_LAYOUT:
        return take_layout(vector, file, message);
    case SEQ_MESSAGE_FILTERS:
        return take_filters(vector, message);
    case SEQ_MESSAGE_EXTERNAL:
        return "keeps its values in another file";
    default:
        return NULL;
    }
}

const char *seq_layout_find(const seq_layout_file *file, const char *name, seq_element element,
                            seq_layout *out) {
    search search = {.name = name};
    vector vector = {.element = element, .layout.compression = SEQ_COMPRESS_NONE};
    const char *why = seq_object_visit(file, file->root, visit_link, &search, NULL);
    if (!why && search.found != 1) why = search.found ? "stands there twice" : "is missing";
    if (!why && !search.hard) why = "is missing, or not a plain link";
    if (!why) why = seq_object_visit(file, search.address, visit_vector, &vector, NULL);
    if (!why && !(vector.has_space && vector.has_type && vector.has_layout))
        why = "is not a vector";
    *out = vector.layout;
    return why;
}
