// What a data set's object header says: space, type, layout, filters, and
// attributes, after the HDF5 File Format Specification 3.0. Versions of messages
// are told from their first byte. Invariant: nothing is taken that lies behind
// the end of its message. Tests: tests/unit/prep/test_reader_hdf5.c,
// tests/fuzz/fuzz_arrays.c.
#include "array_private.h"
#include "dense_messages.h"
#include "layout_private.h"
#include <stdlib.h>
#include <string.h>

static const char damaged[] = "has a damaged object header";

uint64_t seq_array_elements(int axes, const uint64_t *sizes) {
    uint64_t count = 1;
    for (int i = 0; i < axes; i++)
        if (__builtin_mul_overflow(count, sizes[i], &count)) return UINT64_MAX;
    return count;
}

// Dimensions of a dataspace message; `most` may be NULL.
static const char *take_space(const unsigned char *bytes, size_t size, int *out_axes,
                              uint64_t *sizes, uint64_t *most) {
    if (size < 4 || bytes[0] < 1 || bytes[0] > 2) return damaged;
    size_t head = bytes[0] == 1 ? 8 : 4, axes = bytes[1];
    bool limited = bytes[2] & 1;
    *out_axes = bytes[0] == 2 && bytes[3] == 2 ? -1 : (int)axes;
    if (axes > SEQ_ARRAY_AXES) return "has more than 8 axes";
    if (size < head + 8 * axes * (limited ? 2 : 1)) return damaged;
    for (size_t i = 0; i < axes; i++) {
        sizes[i] = seq_layout_number(bytes + head + 8 * i, 8);
        if (most)
            most[i] = limited ? seq_layout_number(bytes + head + 8 * (axes + i), 8) : sizes[i];
    }
    return NULL;
}

// Sign, exponent and fraction where IEEE 754 has them.
static bool is_ieee(const unsigned char *bytes, int size) {
    static const struct {
        int size;
        unsigned char sign, rest[12];
    } forms[] = {{2, 15, {0, 0, 16, 0, 10, 5, 0, 10, 15}},
                 {4, 31, {0, 0, 32, 0, 23, 8, 0, 23, 127}},
                 {8, 63, {0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3}}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].size == size)
            return (bytes[1] & 0xf0) == 0x20 && !(bytes[1] & 0x40) && bytes[2] == forms[i].sign &&
                   memcmp(bytes + 8, forms[i].rest, sizeof forms[i].rest) == 0;
    return false;
}

// A type that is not understood is SEQ_ARRAY_OTHER, no failure.
static const char *take_type(const unsigned char *bytes, size_t size, seq_array_type *out) {
    enum { INTEGER, REAL, TEXT = 3, ENUMERATION = 8, FAR = 9 };
    if (size < 8) return damaged;
    uint64_t width = seq_layout_number(bytes + 4, 4);
    int class = bytes[0] & 15;
    *out = (seq_array_type){SEQ_ARRAY_OTHER, width > INT32_MAX ? 0 : (int)width, bytes[1] & 1};
    if (class == ENUMERATION && size >= 16 && (bytes[8] & 15) == INTEGER) // numpy's truth values
        return take_type(bytes + 8, size - 8, out);
    bool usual = width == 1 || width == 2 || width == 4 || width == 8;
    if (class == INTEGER && size >= 12 && usual &&
        seq_layout_number(bytes + 8, 4) == width << 19) // offset 0, all bits
        out->class = bytes[1] & 8 ? SEQ_ARRAY_SIGNED : SEQ_ARRAY_UNSIGNED;
    if (class == REAL && size >= 20 && is_ieee(bytes, out->size)) out->class = SEQ_ARRAY_REAL;
    if (class == TEXT && width >= 1 && width < SEQ_ARRAY_TEXT_MOST) out->class = SEQ_ARRAY_TEXT;
    if (class == FAR && (bytes[1] & 15) == 1 && width == 16) out->class = SEQ_ARRAY_FAR_TEXT;
    return NULL;
}

// ---- Layout.

// Sizes of a chunk, each of `width` bytes; the last is that of an element.
static const char *take_chunk(seq_array_layout *out, const unsigned char *bytes, int count,
                              size_t width, int *out_axes) {
    *out_axes = count - 1;
    if (count < 2 || count > SEQ_ARRAY_AXES + 1) return damaged;
    for (int i = 0; i < count - 1; i++) {
        out->chunk[i] = seq_layout_number(bytes + (size_t)i * width, width);
        if (!out->chunk[i]) return damaged;
    }
    return NULL;
}

static const char *take_third_chunked(seq_array_layout *out, const unsigned char *bytes,
                                      size_t size) {
    int axes;
    size_t count = size > 2 ? bytes[2] : 0;
    if (size < 11 + 4 * count) return damaged;
    out->index = SEQ_INDEX_TREE;
    out->address = seq_layout_number(bytes + 3, 8);
    return take_chunk(out, bytes + 11, (int)count, 4, &axes);
}

static const char *take_fourth_chunked(seq_array_layout *out, const unsigned char *bytes,
                                       size_t size) {
    enum { SINGLE = 1, IMPLICIT, FIXED, EXTENSIBLE };
    static const unsigned char usual[] = {SEQ_LAYOUT_ARRAY_BITS, 4, 4, 16, 10};
    int axes;
    size_t count = size > 4 ? bytes[3] : 0, width = size > 4 ? bytes[4] : 0;
    if (width < 1 || width > 8 || size < 6 + count * width) return damaged;
    const char *why = take_chunk(out, bytes + 5, (int)count, width, &axes);
    size_t at = 5 + count * width + 1, left = size - at;
    int kind = bytes[at - 1];
    if (why) return why;
    if (kind == SINGLE && bytes[2] & 2) {
        if (left < 20) return damaged;
        out->bytes = seq_layout_number(bytes + at, 8);
        out->only_mask = seq_layout_number(bytes + at + 8, 4);
        at += 12;
        left -= 12;
    }
    if (kind == FIXED) {
        out->page_bits = left ? bytes[at] : 0;
        if (out->page_bits > 30) return damaged;
        at++;
    } else if (kind == EXTENSIBLE) {
        if (left < sizeof usual) return damaged;
        if (memcmp(bytes + at, usual, sizeof usual) != 0)
            return "lists its chunks in a way that is not read (unusual sizes)";
        at += sizeof usual;
    } else if (kind != SINGLE && kind != IMPLICIT)
        return "lists its chunks in a B-tree of version 2, as libver='latest' does for data sets "
               "that grow along several axes: write the file without libver, or h5repack it";
    if (at > size || size - at < 8) return damaged;
    out->index = SEQ_INDEX_SINGLE + (kind - SINGLE);
    out->address = seq_layout_number(bytes + at, 8);
    return NULL;
}

static const char *take_layout(seq_array_layout *out, const unsigned char *bytes, size_t size) {
    enum { COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL };
    if (size < 4) return damaged;
    int version = bytes[0], class = bytes[1];
    out->has_layout = true;
    if (version < 3 || version > 5) // 5, of HDF5 2.0, is 4 with larger entries of an index
        return "has a layout of a version that is not read (3 to 5 are)";
    if (class == VIRTUAL) return "is virtual: its values are in other files";
    if (class == CHUNKED)
        return version == 3 ? take_third_chunked(out, bytes, size)
                            : take_fourth_chunked(out, bytes, size);
    if (class == CONTIGUOUS) {
        if (size < 18) return damaged;
        out->address = seq_layout_number(bytes + 2, 8);
        out->bytes = seq_layout_number(bytes + 10, 8);
        return NULL;
    }
    out->bytes = seq_layout_number(bytes + 2, 2);
    if (class != COMPACT || out->bytes > size - 4 || out->compact) return damaged;
    out->compact = malloc((size_t)out->bytes + 1);
    if (!out->compact) return seq_layout_no_memory;
    memcpy(out->compact, bytes + 4, (size_t)out->bytes);
    return NULL;
}

static const char *visit_data(void *context, const seq_layout_file *file,
                              const seq_message *message) {
    seq_array_layout *out = context;
    (void)file;
    switch (message->type) {
    case SEQ_MESSAGE_DATASPACE:
        out->has_space = true;
        return take_space(message->bytes, message->size, &out->axes, out->sizes, out->most);
    case SEQ_MESSAGE_DATATYPE:
        out->has_type = true;
        return take_type(message->bytes, message->size, &out->type);
    case SEQ_MESSAGE_LAYOUT:
        return take_layout(out, message->bytes, message->size);
    case SEQ_MESSAGE_FILTERS:
        return seq_object_filters_take(message, &out->filters);
    case SEQ_MESSAGE_EXTERNAL:
        return "keeps its values in another file";
    default:
        return NULL;
    }
}

// More bytes than a file of this size can hold: deflate makes 1032 of one.
static bool claims_too_much(const seq_layout_file *file, const seq_array_layout *layout) {
    uint64_t elements = seq_array_elements(layout->axes, layout->sizes), bytes, most;
    if (__builtin_mul_overflow(elements, (uint64_t)layout->type.size, &bytes)) return true;
    bool packed = layout->filters.compression != SEQ_COMPRESS_NONE;
    most = layout->compact ? layout->bytes : file->size;
    return bytes / (packed ? 1100 : 1) > most;
}

const char *seq_array_layout_read(const seq_layout_file *file, uint64_t address,
                                  seq_array_layout *out) {
    *out = (seq_array_layout){.address = UINT64_MAX, .filters.compression = SEQ_COMPRESS_NONE};
    const char *why = seq_object_visit(file, address, visit_data, out, NULL);
    if (!why && !(out->has_space && out->has_type && out->has_layout)) why = damaged;
    if (!why && out->axes > 0 && out->type.size && claims_too_much(file, out))
        why = "claims more values than the file can hold, or was never written";
    if (!why) return NULL;
    free(out->compact);
    out->compact = NULL;
    return why;
}

// ---- Attributes.

typedef struct search {
    const char *name;
    seq_array_type *type;
    unsigned char *out;
    size_t capacity;
    bool found;
    uint64_t heap, tree; // of attributes that the header has no room for
} search;

// Parts follow one another: name, type, space, value; in version 1 each but the last is padded.
static const char *visit_attribute(void *context, const seq_layout_file *file,
                                   const seq_message *message) {
    search *search = context;
    const unsigned char *bytes = message->bytes;
    size_t size = message->size, part[3], at;
    (void)file;
    if (message->type == SEQ_MESSAGE_ATTRIBUTE_INFO) {
        at = 2 + (size > 1 && bytes[1] & 1 ? 2 : 0);
        if (size < at + 16) return damaged;
        search->heap = seq_layout_number(bytes + at, 8);
        search->tree = seq_layout_number(bytes + at + 8, 8);
        return NULL;
    }
    if (message->type != SEQ_MESSAGE_ATTRIBUTE) return NULL;
    if (size < 9 || bytes[0] < 1 || bytes[0] > 3) return damaged;
    for (int i = 0; i < 3; i++) {
        part[i] = bytes[2 + 2 * i] | (size_t)bytes[3 + 2 * i] << 8;
        if (bytes[0] == 1) part[i] = (part[i] + 7) / 8 * 8;
    }
    at = bytes[0] == 3 ? 9 : 8;
    if (size - at < part[0] + part[1] + part[2]) return damaged;
    size_t length = strlen(search->name);
    if (part[0] <= length || memcmp(bytes + at, search->name, length + 1) != 0) return NULL;
    if (bytes[0] > 1 && bytes[1] & 1) return "has an attribute whose type lies elsewhere";
    int axes;
    uint64_t sizes[SEQ_ARRAY_AXES];
    const char *why = take_type(bytes + at + part[0], part[1], search->type);
    if (!why) why = take_space(bytes + at + part[0] + part[1], part[2], &axes, sizes, NULL);
    if (why) return why;
    at += part[0] + part[1] + part[2];
    size_t value = (size_t)search->type->size;
    if (axes < 0 || seq_array_elements(axes, sizes) != 1 ||
        search->type->class == SEQ_ARRAY_OTHER || value > search->capacity)
        return "has an attribute of that name that is neither one number nor one text";
    if (size - at < value) return damaged;
    memcpy(search->out, bytes + at, value);
    search->found = true;
    return NULL;
}

const char *seq_array_attribute_read(const seq_layout_file *file, uint64_t address,
                                     const char *name, seq_array_type *out_type, unsigned char *out,
                                     size_t capacity, bool *out_found) {
    search search = {name, out_type, out, capacity, false, UINT64_MAX, UINT64_MAX};
    uint64_t bytes = 0;
    const char *why = seq_object_visit(file, address, visit_attribute, &search, &bytes);
    if (!why && search.heap != UINT64_MAX)
        why = seq_dense_visit(file, SEQ_MESSAGE_ATTRIBUTE, search.heap, search.tree,
                              visit_attribute, &search, &bytes);
    *out_found = search.found;
    return why;
}
