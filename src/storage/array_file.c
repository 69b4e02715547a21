// HDF5 files of others: superblock, groups, values. Groups are walked depth
// first; members come in the order of their names. A chunk is decoded into a
// buffer, and its part of the wanted rows is copied out run by run. Invariant: a
// walk ends, because a group is never entered inside of itself and entries cost
// from a budget that the size of the file gives. Tests:
// tests/unit/prep/test_reader_hdf5.c, tests/fuzz/fuzz_arrays.c.
#include <seqtrain/storage/array_file.h>
#include "array_private.h"
#include "chunk_encoder.h"
#include "dense_messages.h"
#include "layout_private.h"
#include "zstd_filter.h"
#include <inttypes.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH = 64, PATH_MOST = 4096 };

typedef struct member {
    char *path; // of the whole
    uint64_t address;
} member;

typedef struct members {
    member *items;
    size_t count, capacity;
} members;

struct seq_array_file {
    seq_layout_file place;
    const char *name;
    members sets;
    uint64_t budget;        // links that may still be met
    uint64_t headers;       // bytes of object headers that were read
    uint64_t inside[DEPTH]; // addresses of the groups that are being walked
    size_t open;            // data set whose layout is here, or SIZE_MAX
    seq_array_layout layout;
    seq_chunk_decoder decoder; // its buffers are there once a chunk was read
};

static seq_status refuse(const seq_array_file *file, const char *path, const char *why,
                         seq_error *error) {
    seq_status status = why == seq_layout_no_memory ? SEQ_NO_MEMORY : SEQ_BAD_INPUT;
    return seq_error_set(error, status, "%s: %s%s%s", file->name, path, *path ? " " : "", why);
}

// ---- Groups.

static void clear_members(members *members) {
    for (size_t i = 0; i < members->count; i++)
        free(members->items[i].path);
    free(members->items);
    *members = (struct members){0};
}

static seq_status add_member(seq_array_file *file, members *members, const char *parent,
                             const char *name, size_t length, uint64_t address, seq_error *error) {
    size_t before = strlen(parent);
    if (!file->budget--) return refuse(file, parent, "has more members than the file holds", error);
    if (before + length + 2 > PATH_MOST || !length || memchr(name, 0, length))
        return refuse(file, *parent ? parent : "/", "has a member whose name cannot be read",
                      error);
    seq_status status = seq_grow(&members->items, &members->capacity, members->count + 1,
                                 sizeof *members->items, "the members of a group", error);
    char *path = NULL;
    if (!status)
        status = seq_allocate(&path, before + length + 2, 1, "the name of an array", error);
    if (status) return status;
    memcpy(path, parent, before);
    path[before] = '/';
    memcpy(path + before + 1, name, length);
    members->items[members->count++] = (member){path, address};
    return SEQ_OK;
}

// What an object's header makes it, and the members that it lists itself.
typedef struct object {
    seq_array_file *file;
    const char *path;
    members *members;
    bool group, data;
    uint64_t tree, heap;             // of a symbol table, or 0
    uint64_t dense_tree, dense_heap; // of links that its header has no room for, or 0
    seq_error *error;
} object;

static const char *visit_object(void *context, const seq_layout_file *file,
                                const seq_message *message) {
    object *object = context;
    const unsigned char *bytes = message->bytes;
    seq_object_link link;
    const char *why = NULL;
    (void)file;
    switch (message->type) {
    case SEQ_MESSAGE_LAYOUT:
        object->data = true;
        return NULL;
    case SEQ_MESSAGE_SYMBOLS:
        if (message->size < 16) return seq_object_damaged;
        object->group = true;
        object->tree = seq_layout_number(bytes, 8);
        object->heap = seq_layout_number(bytes + 8, 8);
        return NULL;
    case SEQ_MESSAGE_LINK_INFO:
        object->group = true;
        if (message->size < 10) return seq_object_damaged;
        size_t at = 2 + (bytes[1] & 1 ? 8 : 0);
        if (message->size < at + 16) return seq_object_damaged;
        if (seq_layout_number(bytes + at, 8) == UINT64_MAX) return NULL;
        object->dense_heap = seq_layout_number(bytes + at, 8);
        object->dense_tree = seq_layout_number(bytes + at + 8, 8);
        return NULL;
    case SEQ_MESSAGE_LINK:
        why = seq_object_link_take(message, &link);
        if (why || !link.hard) return why;
        return add_member(object->file, object->members, object->path, link.name, link.length,
                          link.address, object->error)
                   ? "cannot be listed"
                   : NULL;
    default:
        return NULL;
    }
}

// The local heap that holds the names of a symbol table.
typedef struct heap {
    uint64_t address, size;
} heap;

static const char *open_heap(const seq_layout_file *file, uint64_t address, heap *out) {
    unsigned char head[32];
    if (!seq_layout_fetch(file, address, head, sizeof head) || memcmp(head, "HEAP", 4) != 0)
        return "has a damaged list of names";
    out->size = seq_layout_number(head + 8, 8);
    out->address = seq_layout_number(head + 24, 8);
    if (out->address > file->size || out->size > file->size - out->address)
        return "has a damaged list of names";
    return NULL;
}

// Symbols of a table's node. A soft link has no object.
static const char *take_symbols(object *object, const heap *heap, uint64_t address) {
    const seq_layout_file *file = &object->file->place;
    enum { HEAD = 8, ENTRY = 40, SOFT = 2 };
    unsigned char head[HEAD], entry[ENTRY];
    char name[PATH_MOST];
    if (!seq_layout_fetch(file, address, head, HEAD) || memcmp(head, "SNOD", 4) != 0)
        return "has a damaged symbol table";
    int count = head[6] | head[7] << 8;
    for (int i = 0; i < count; i++) {
        if (!seq_layout_fetch(file, address + HEAD + (uint64_t)i * ENTRY, entry, ENTRY))
            return "has a damaged symbol table";
        uint64_t at = seq_layout_number(entry, 8);
        if (seq_layout_number(entry + 16, 4) == SOFT) continue;
        if (at >= heap->size) return "has a damaged symbol table";
        size_t some = heap->size - at < sizeof name ? (size_t)(heap->size - at) : sizeof name;
        if (!seq_layout_fetch(file, heap->address + at, name, some) || !memchr(name, 0, some))
            return "has a damaged list of names";
        if (add_member(object->file, object->members, object->path, name, strlen(name),
                       seq_layout_number(entry + 8, 8), object->error))
            return "cannot be listed";
    }
    return NULL;
}

static const char *take_tree(object *object, const heap *heap, uint64_t address, int level) {
    enum { HEAD = 24, ENTRY = 16, LEVELS = 16 }; // a key and a child
    const seq_layout_file *file = &object->file->place;
    unsigned char head[HEAD], entry[ENTRY];
    if (!seq_layout_fetch(file, address, head, HEAD) || memcmp(head, "TREE", 4) != 0 ||
        head[4] != 0 || (level >= 0 && head[5] != level) || head[5] > LEVELS)
        return "has a damaged tree of names";
    int count = head[6] | head[7] << 8;
    const char *why = NULL;
    for (int i = 0; !why && i < count; i++) {
        if (!object->file->budget-- ||
            !seq_layout_fetch(file, address + HEAD + (uint64_t)i * ENTRY, entry, ENTRY))
            return "has a damaged tree of names";
        uint64_t child = seq_layout_number(entry + 8, 8);
        why = head[5] ? take_tree(object, heap, child, head[5] - 1)
                      : take_symbols(object, heap, child);
    }
    return why;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const member *)a)->path, ((const member *)b)->path);
}

static seq_status list_group(seq_array_file *file, const char *path, uint64_t address,
                             members *members, bool *out_group, bool *out_data, seq_error *error) {
    object object = {.file = file, .path = path, .members = members, .error = error};
    heap heap;
    const char *why =
        seq_object_visit(&file->place, address, visit_object, &object, &file->headers);
    if (!why && file->headers > 4 * file->place.size + 65536)
        why = "has more members than the file holds";
    if (!why && object.dense_heap)
        why = seq_dense_visit(&file->place, SEQ_MESSAGE_LINK, object.dense_heap, object.dense_tree,
                              visit_object, &object, &file->headers);
    if (!why && object.tree) {
        why = open_heap(&file->place, object.heap, &heap);
        if (!why) why = take_tree(&object, &heap, object.tree, -1);
    }
    *out_group = object.group;
    *out_data = object.data;
    if (why) return error->status ? error->status : refuse(file, *path ? path : "/", why, error);
    if (members->count) qsort(members->items, members->count, sizeof *members->items, by_path);
    return SEQ_OK;
}

// The object of this path, and what is below it. A data set goes to the list.
static seq_status walk(seq_array_file *file, const char *path, uint64_t address, int depth,
                       seq_error *error) {
    members members = {0};
    bool group = false, data = false;
    if (depth == DEPTH) return refuse(file, path, "lies too deep", error);
    for (int i = 0; i < depth; i++)
        if (file->inside[i] == address) return SEQ_OK; // a link back to a group around it
    file->inside[depth] = address;
    seq_status status = list_group(file, path, address, &members, &group, &data, error);
    if (!status && data && *path)
        status = add_member(file, &file->sets, "", path + 1, strlen(path + 1), address, error);
    for (size_t i = 0; !status && group && i < members.count; i++)
        status = walk(file, members.items[i].path, members.items[i].address, depth + 1, error);
    clear_members(&members);
    return status;
}

// ---- The file.

// The address of the root group's object header.
static const char *find_root(seq_layout_file *file) {
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char block[80];
    if (!seq_layout_fetch(file, 0, block, sizeof block) ||
        memcmp(block, signature, sizeof signature) != 0)
        return "it is no HDF5 file (or one with a user block, which is not read)";
    unsigned version = block[8];
    if (version > 3) return "it is an HDF5 file of a version that is not read";
    bool old = version < 2;
    size_t shift = version == 1 ? 4 : 0, base = old ? 24 + shift : 12, end = base + 16;
    if (block[old ? 13 : 9] != 8 || block[old ? 14 : 10] != 8)
        return "it is an HDF5 file whose addresses have not 8 bytes";
    if (seq_layout_number(block + base, 8) != 0)
        return "it is an HDF5 file with a user block, which is not read";
    if (seq_layout_number(block + end, 8) > file->size) return "it is an HDF5 file that is cut off";
    file->root = seq_layout_number(block + (old ? 64 + shift : 36), 8);
    return NULL;
}

seq_status seq_array_file_open(int descriptor, const char *name, seq_array_file **out,
                               seq_error *error) {
    seq_array_file *file = NULL;
    struct stat found;
    if (fstat(descriptor, &found) != 0) return seq_error_set_errno(error, "reading %s", name);
    seq_status status = seq_allocate(&file, 1, sizeof *file, "an HDF5 file", error);
    if (status) return status;
    file->place = (seq_layout_file){.descriptor = descriptor, .size = (uint64_t)found.st_size};
    file->name = name;
    file->open = SIZE_MAX;
    file->budget = file->place.size / 4 + 64; // an entry takes 8 bytes and more; two lists
    const char *why = find_root(&file->place);
    status = why ? refuse(file, "", why, error) : walk(file, "", file->place.root, 0, error);
    if (status)
        seq_array_file_close(file);
    else
        *out = file;
    return status;
}

static void release(seq_array_file *file) {
    seq_chunk_decoder_end(&file->decoder);
    free(file->layout.compact);
    file->layout.compact = NULL;
    file->open = SIZE_MAX;
}

void seq_array_file_close(seq_array_file *file) {
    if (!file) return;
    release(file);
    clear_members(&file->sets);
    free(file);
}

size_t seq_array_file_count(const seq_array_file *file) {
    return file->sets.count;
}

const char *seq_array_file_path(const seq_array_file *file, size_t index) {
    return file->sets.items[index].path;
}

static seq_status open_set(seq_array_file *file, size_t index, seq_error *error) {
    if (file->open == index) return SEQ_OK;
    release(file);
    const member *member = &file->sets.items[index];
    const char *why = seq_array_layout_read(&file->place, member->address, &file->layout);
    if (why) return refuse(file, member->path, why, error);
    file->open = index;
    return SEQ_OK;
}

seq_status seq_array_file_describe(seq_array_file *file, size_t index, seq_array *out,
                                   seq_error *error) {
    const seq_array_layout *layout = &file->layout;
    seq_status status = open_set(file, index, error);
    if (status) return status;
    *out = (seq_array){layout->type, layout->axes, {0}, 1};
    for (int i = 0; i < layout->axes; i++)
        out->sizes[i] = layout->sizes[i];
    if (layout->index && layout->axes > 0) out->together = layout->chunk[0];
    return SEQ_OK;
}

// ---- Values.

typedef struct reading {
    seq_array_file *file;
    uint64_t first, count; // rows of axis 0
    unsigned char *out;
    uint64_t left; // elements that are still to come
    seq_error *error;
} reading;

static const char *begin_decoder(seq_array_file *file, seq_error *error) {
    const seq_array_layout *layout = &file->layout;
    uint64_t elements = seq_array_elements(layout->axes, layout->chunk), bytes;
    bool packed = layout->filters.compression != SEQ_COMPRESS_NONE;
    if (__builtin_mul_overflow(elements, (uint64_t)layout->type.size, &bytes) ||
        bytes / (packed ? 1100 : 1) > file->place.size)
        return "has chunks that are larger than the file can hold";
    if (layout->filters.checksum && bytes > SEQ_CHUNK_LIMIT)
        return "has checksums over chunks of more than 4194304 bytes, which are not read";
    file->decoder = (seq_chunk_decoder){.element = (size_t)layout->type.size,
                                        .elements = (size_t)elements,
                                        .compression = layout->filters.compression};
    return seq_chunk_decoder_begin(&file->decoder, error) ? seq_layout_no_memory : NULL;
}

// Filters that a chunk was stored without are left out.
static const char *decode(seq_array_file *file, const seq_array_chunk *chunk) {
    const seq_object_filters *filters = &file->layout.filters;
    seq_chunk_decoder *decoder = &file->decoder;
    bool has[3];
    for (int i = 0; i < 3; i++)
        has[i] = !(chunk->mask >> filters->places[i] & 1);
    decoder->shuffled = filters->shuffled && has[0];
    decoder->compression = has[1] ? filters->compression : SEQ_COMPRESS_NONE;
    decoder->checksum = filters->checksum && has[2];
    if (chunk->size > decoder->capacity) return "has a chunk that is larger than any can be";
    if (!seq_layout_fetch(&file->place, chunk->address, decoder->encoded, (size_t)chunk->size))
        return "has a chunk that lies beyond the end of the file, or was never written";
    return seq_chunk_decode(decoder, (size_t)chunk->size) ? "has a chunk that is damaged" : NULL;
}

// Runs along the last axis, from the chunk to the rows that are wanted.
static const char *copy_chunk(void *context, const seq_array_chunk *chunk) {
    reading *reading = context;
    seq_array_file *file = reading->file;
    const seq_array_layout *layout = &file->layout;
    int axes = layout->axes, last = axes - 1;
    size_t element = (size_t)layout->type.size;
    uint64_t from[SEQ_ARRAY_AXES], to[SEQ_ARRAY_AXES], place[SEQ_ARRAY_AXES];
    for (int i = 0; i < axes; i++) {
        uint64_t least = i ? 0 : reading->first,
                 most = i ? layout->sizes[i] : reading->first + reading->count;
        from[i] = place[i] = chunk->at[i] > least ? chunk->at[i] : least;
        to[i] = most - chunk->at[i] < layout->chunk[i] ? most : chunk->at[i] + layout->chunk[i];
        if (chunk->at[i] >= most || from[i] >= to[i]) return NULL;
    }
    if (!file->decoder.plain) {
        const char *why = begin_decoder(file, reading->error);
        if (why) return why;
    }
    const char *why = decode(file, chunk);
    uint64_t run = to[last] - from[last];
    while (!why) {
        uint64_t in = 0, out = 0;
        for (int i = 0; i < axes; i++) {
            in = in * layout->chunk[i] + (place[i] - chunk->at[i]);
            out = out * (i ? layout->sizes[i] : reading->count) +
                  (i ? place[i] : place[i] - reading->first);
        }
        if (run > reading->left) return "has chunks that lie on one another";
        reading->left -= run;
        memcpy(reading->out + out * element, file->decoder.plain + in * element,
               (size_t)run * element);
        int axis = last - 1;
        for (; axis >= 0 && ++place[axis] == to[axis]; axis--)
            place[axis] = from[axis];
        if (axis < 0) break;
    }
    return why;
}

static const char *read_piece(const seq_array_file *file, uint64_t at, uint64_t bytes, void *out) {
    const seq_array_layout *layout = &file->layout;
    if (layout->bytes < at || layout->bytes - at < bytes) return "has fewer values than it says";
    if (layout->compact) {
        memcpy(out, layout->compact + at, (size_t)bytes);
        return NULL;
    }
    uint64_t address = layout->address;
    if (address > file->place.size || at > file->place.size - address ||
        !seq_layout_fetch(&file->place, address + at, out, (size_t)bytes))
        return "lies beyond the end of the file, or was never written";
    return NULL;
}

seq_status seq_array_file_read(seq_array_file *file, size_t index, uint64_t first, uint64_t count,
                               void *out, seq_error *error) {
    const seq_array_layout *layout = &file->layout;
    seq_status status = open_set(file, index, error);
    if (status) return status;
    const char *path = file->sets.items[index].path, *why = NULL;
    if (layout->axes < 1 || first > layout->sizes[0] || count > layout->sizes[0] - first)
        return refuse(file, path, "has fewer rows", error);
    uint64_t row = seq_array_elements(layout->axes - 1, layout->sizes + 1),
             size = row * (uint64_t)layout->type.size;
    if (!row || !count) return SEQ_OK;
    if (!layout->index) {
        why = read_piece(file, first * size, count * size, out);
    } else {
        reading reading = {file, first, count, out, count * row, error};
        memset(out, 0, (size_t)(count * size));
        why = seq_array_chunks(&file->place, layout, first, first + count, copy_chunk, &reading);
        if (!why && reading.left) why = "has a chunk that was never written";
    }
    if (why && error->status) return error->status;
    return why ? refuse(file, path, why, error) : SEQ_OK;
}

// ---- Values as text.

static const char not_text[] = "has a value that is neither a number nor a text of moderate length";

static uint64_t word_of(seq_array_type type, const unsigned char *bytes) {
    uint64_t word = 0;
    for (int b = 0; b < type.size; b++)
        word |= (uint64_t)bytes[type.big ? type.size - 1 - b : b] << 8 * b;
    return word;
}

static const char *print_number(seq_array_type type, const unsigned char *bytes, char *out) {
    uint64_t word = word_of(type, bytes);
    uint32_t half = (uint32_t)word;
    float single;
    double real;
    memcpy(&single, &half, sizeof single);
    memcpy(&real, &word, sizeof real);
    if (type.class == SEQ_ARRAY_REAL) {
        if (type.size == 2) return "has a label that is a number of 2 bytes, which is not read";
        snprintf(out, SEQ_ARRAY_TEXT_MOST, "%.9g", type.size == 4 ? (double)single : real);
        return NULL;
    }
    uint64_t sign = (uint64_t)1 << (8 * type.size - 1);
    bool negative = type.class == SEQ_ARRAY_SIGNED && word & sign;
    if (negative) word = (~word & (sign - 1)) + 1;
    snprintf(out, SEQ_ARRAY_TEXT_MOST, "%s%" PRIu64, negative ? "-" : "", word);
    return NULL;
}

// Length, collection, number of the object in it.
static const char *print_far(const seq_layout_file *file, const unsigned char *bytes, char *out) {
    enum { HEAD = 16 };
    unsigned char head[HEAD];
    uint64_t length = seq_layout_number(bytes, 4), at = seq_layout_number(bytes + 4, 8),
             wanted = seq_layout_number(bytes + 12, 4);
    *out = '\0';
    if (!length) return NULL;
    if (length >= SEQ_ARRAY_TEXT_MOST) return not_text;
    if (!seq_layout_fetch(file, at, head, HEAD) || memcmp(head, "GCOL", 4) != 0)
        return "has a text that cannot be found";
    uint64_t size = seq_layout_number(head + 8, 8), place = HEAD;
    if (size > file->size - at) return "has a text that cannot be found";
    while (size - place >= HEAD && seq_layout_fetch(file, at + place, head, HEAD)) {
        uint64_t number = seq_layout_number(head, 2), bytes_of_it = seq_layout_number(head + 8, 8);
        place += HEAD;
        if (!number || bytes_of_it > size - place) break;
        if (number == wanted) {
            if (length > bytes_of_it || !seq_layout_fetch(file, at + place, out, (size_t)length))
                break;
            out[length] = '\0';
            return NULL;
        }
        place += bytes_of_it;
        place = (place + 7) / 8 * 8;
        if (place > size) break;
    }
    return "has a text that cannot be found";
}

static const char *print_value(const seq_layout_file *file, seq_array_type type,
                               const unsigned char *bytes, char *out) {
    switch (type.class) {
    case SEQ_ARRAY_REAL:
    case SEQ_ARRAY_SIGNED:
    case SEQ_ARRAY_UNSIGNED:
        return print_number(type, bytes, out);
    case SEQ_ARRAY_TEXT:
        memcpy(out, bytes, (size_t)type.size);
        out[type.size] = '\0';
        return NULL;
    case SEQ_ARRAY_FAR_TEXT:
        return print_far(file, bytes, out);
    default:
        return not_text;
    }
}

seq_status seq_array_file_text(seq_array_file *file, size_t index, uint64_t element,
                               char out[static SEQ_ARRAY_TEXT_MOST], seq_error *error) {
    unsigned char bytes[SEQ_ARRAY_TEXT_MOST];
    const seq_array_layout *layout = &file->layout;
    seq_status status = open_set(file, index, error);
    if (status) return status;
    const char *path = file->sets.items[index].path, *why = NULL;
    if (layout->axes < 0 || layout->axes > 1 || layout->type.class == SEQ_ARRAY_OTHER ||
        layout->type.size > SEQ_ARRAY_TEXT_MOST)
        return refuse(file, path, not_text, error);
    if (layout->axes)
        status = seq_array_file_read(file, index, element, 1, bytes, error);
    else
        why = read_piece(file, 0, (uint64_t)layout->type.size, bytes);
    if (!status && !why) why = print_value(&file->place, layout->type, bytes, out);
    return status || !why ? status : refuse(file, path, why, error);
}

seq_status seq_array_file_attribute(seq_array_file *file, size_t index, const char *name,
                                    char out[static SEQ_ARRAY_TEXT_MOST], bool *out_found,
                                    seq_error *error) {
    unsigned char bytes[SEQ_ARRAY_TEXT_MOST];
    seq_array_type type;
    const member *member = &file->sets.items[index];
    const char *why = seq_array_attribute_read(&file->place, member->address, name, &type, bytes,
                                               sizeof bytes, out_found);
    if (!why && *out_found) why = print_value(&file->place, type, bytes, out);
    return why ? refuse(file, member->path, why, error) : SEQ_OK;
}
