// Where chunks lie: a B-tree of version 1, one chunk alone, chunks one behind
// another, a fixed array, an extensible array (layout.c), after the HDF5 File
// Format Specification 3.0. Indexes other than the tree number the chunks row by
// row, by the sizes that the data set may grow to. Invariant: a tree's level
// falls by one from node to node, and entries cost from a budget that the size
// of the file gives, so no tree is endless. Tests:
// tests/unit/prep/test_reader_hdf5.c, tests/fuzz/fuzz_arrays.c.
#include "array_private.h"
#include "layout_private.h"
#include <string.h>

static const char damaged[] = "has a damaged index of its chunks";

typedef struct walk {
    const seq_layout_file *file;
    const seq_array_layout *layout;
    uint64_t first, end; // rows of axis 0
    seq_array_take_chunk take;
    void *context;
    uint64_t budget; // entries that may still be read
} walk;

// ---- A tree. A key is the chunk's size, mask, and offsets with one for the element's bytes.

enum { TREE_HEAD = 24, KEY_MOST = 8 + 8 * (SEQ_ARRAY_AXES + 1), LEVELS = 16 };

static const char *take_leaf(const walk *walk, const unsigned char *key, uint64_t address) {
    const seq_array_layout *layout = walk->layout;
    seq_array_chunk chunk = {.address = address,
                             .size = seq_layout_number(key, 4),
                             .mask = seq_layout_number(key + 4, 4)};
    for (int i = 0; i < layout->axes; i++) {
        chunk.at[i] = seq_layout_number(key + 8 + 8 * i, 8);
        if (chunk.at[i] % layout->chunk[i] || chunk.at[i] >= layout->sizes[i]) return damaged;
    }
    return walk->take(walk->context, &chunk);
}

static const char *walk_tree(walk *walk, uint64_t address, int level) {
    unsigned char head[TREE_HEAD], entry[2 * KEY_MOST + 8];
    int axes = walk->layout->axes;
    size_t key = 8 + 8 * ((size_t)axes + 1), whole = key + 8 + key;
    if (!seq_layout_fetch(walk->file, address, head, sizeof head) || memcmp(head, "TREE", 4) != 0 ||
        head[4] != 1 || (level >= 0 && head[5] != level) || head[5] > LEVELS)
        return damaged;
    const char *why = NULL;
    int count = head[6] | head[7] << 8;
    for (int i = 0; !why && i < count; i++) {
        if (!walk->budget--) return damaged;
        if (!seq_layout_fetch(walk->file, address + TREE_HEAD + (uint64_t)i * (key + 8), entry,
                              whole))
            return damaged;
        uint64_t from = seq_layout_number(entry + 8, 8),
                 to = seq_layout_number(entry + key + 8 + 8, 8), // of the next key
            child = seq_layout_number(entry + key, 8), size = walk->layout->chunk[0];
        // Chunks of this child begin between the two keys.
        if (from >= walk->end) continue;
        if (head[5] ? to < walk->first && walk->first - to >= size
                    : from < walk->first && walk->first - from >= size)
            continue;
        why = head[5] ? walk_tree(walk, child, head[5] - 1) : take_leaf(walk, entry, child);
    }
    return why;
}

// ---- Numbered chunks.

// Entry `number` of a fixed array: an address, and with filters a size and a mask.
static const char *find_fixed(const walk *walk, uint64_t number, seq_array_chunk *out) {
    const seq_array_layout *layout = walk->layout;
    enum { PREFIX = 14, CHECKSUM = 4 };
    unsigned char head[28], entry[20];
    if (!seq_layout_fetch(walk->file, layout->address, head, sizeof head) ||
        memcmp(head, "FAHD", 4) != 0 || head[5] > 1 || head[6] < 8 || head[6] > 20 ||
        (head[5] ? head[6] < 13 : head[6] != 8))
        return damaged;
    size_t bytes = head[6];
    uint64_t entries = seq_layout_number(head + 8, 8), block = seq_layout_number(head + 16, 8),
             page = (uint64_t)1 << layout->page_bits, at;
    if (block == UINT64_MAX) return "is missing";
    if (number >= entries || block > walk->file->size || entries > walk->file->size) return damaged;
    if (entries <= page)
        at = block + PREFIX + number * bytes;
    else
        at = block + PREFIX + ((entries + page - 1) / page + 7) / 8 + CHECKSUM +
             number / page * (page * bytes + CHECKSUM) + number % page * bytes;
    if (!seq_layout_fetch(walk->file, at, entry, bytes)) return damaged;
    out->address = seq_layout_number(entry, 8);
    if (!head[5]) return NULL;
    out->size = seq_layout_number(entry + 8, bytes - 12);
    out->mask = seq_layout_number(entry + bytes - 4, 4);
    return NULL;
}

static const char *find_numbered(const walk *walk, uint64_t number, uint64_t plain,
                                 seq_array_chunk *out) {
    const seq_array_layout *layout = walk->layout;
    out->size = plain;
    out->address = layout->address;
    seq_layout array = {.chunk = plain};
    const char *why;
    switch (layout->index) {
    case SEQ_INDEX_SINGLE:
        if (layout->bytes) out->size = layout->bytes;
        out->mask = layout->only_mask;
        return number ? damaged : NULL;
    case SEQ_INDEX_IMPLICIT:
        out->address += number * plain;
        return number > walk->file->size / plain ? damaged : NULL;
    case SEQ_INDEX_FIXED:
        return find_fixed(walk, number, out);
    default:
        why = seq_layout_take_array(walk->file, layout->address, &array);
        return why ? why
                   : seq_layout_chunk(walk->file, &array, 1, number, &out->address, &out->size);
    }
}

static const char *walk_numbers(walk *walk) {
    const seq_array_layout *layout = walk->layout;
    int axes = layout->axes;
    uint64_t plain = seq_array_elements(axes, layout->chunk) * (uint64_t)layout->type.size;
    uint64_t place[SEQ_ARRAY_AXES] = {walk->first / layout->chunk[0]};
    for (int i = layout->index == SEQ_INDEX_EXTENSIBLE; i < axes; i++)
        if (layout->most[i] == UINT64_MAX)
            return "grows along an axis other than the first one, and its chunks are listed in a "
                   "way that is not read: write the file without libver='latest'";
    for (;;) {
        seq_array_chunk chunk = {0};
        uint64_t number = 0;
        for (int i = 0; i < axes; i++) {
            uint64_t across = i ? (layout->most[i] - 1) / layout->chunk[i] + 1 : 1;
            if (__builtin_mul_overflow(number, across, &number) ||
                __builtin_add_overflow(number, place[i], &number))
                return damaged;
            chunk.at[i] = place[i] * layout->chunk[i];
        }
        const char *why = walk->budget-- ? find_numbered(walk, number, plain, &chunk) : damaged;
        if (!why) why = walk->take(walk->context, &chunk);
        if (why) return why;
        int axis = axes - 1;
        for (; axis >= 0; place[axis--] = 0) {
            uint64_t end = axis ? layout->sizes[axis] : walk->end;
            if (++place[axis] * layout->chunk[axis] < end) break;
        }
        if (axis < 0) return NULL;
    }
}

const char *seq_array_chunks(const seq_layout_file *file, const seq_array_layout *layout,
                             uint64_t first, uint64_t end, seq_array_take_chunk take,
                             void *context) {
    walk walk = {file, layout, first, end, take, context, file->size};
    if (layout->address == UINT64_MAX) return "was never written";
    return layout->index == SEQ_INDEX_TREE ? walk_tree(&walk, layout->address, -1)
                                           : walk_numbers(&walk);
}
