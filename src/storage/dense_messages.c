// A tree's records name objects of a heap by their offset in it. The heap is a
// table of blocks: rows of `width` blocks, whose size doubles from the second row
// on; beyond the largest direct block an entry is a table of its own. After the
// HDF5 File Format Specification 3.0, III.A.2 and III.G. Invariant: levels fall,
// and the bytes that are read are bounded by four times the file, so no tree is
// endless. Tests: tests/unit/prep/test_reader_hdf5.c, tests/fuzz/fuzz_arrays.c.
#include "dense_messages.h"
#include "layout_private.h"
#include <stdlib.h>
#include <string.h>

static const char damaged[] = "has a damaged list of links or attributes";

enum { NODE_MOST = 1 << 16, MESSAGE_MOST = 1 << 16, DEPTH = 8, NODE_HEAD = 6, CHECKSUM = 4 };

typedef struct heap {
    unsigned offset_bytes, length_bytes; // of an object's name
    unsigned width, rows;                // rows 0: the root is a direct block
    unsigned direct_rows, bits;          // of the heap's offsets
    uint64_t start, root;
} heap;

typedef struct dense {
    const seq_layout_file *file;
    unsigned type;
    seq_message_visit visit;
    void *context;
    uint64_t *bytes;
    heap heap;
    size_t node, record;       // bytes of a node, of a record
    size_t count_bytes;        // of a child's number of records
    size_t total_bytes[DEPTH]; // and of all below it, by the child's level
} dense;

static unsigned log2_of(uint64_t number) {
    return number ? 63 - (unsigned)__builtin_clzll(number) : 0;
}

static bool spend(dense *dense, uint64_t bytes) {
    *dense->bytes += bytes;
    return *dense->bytes <= 4 * dense->file->size + 65536;
}

// ---- The heap.

static const char *open_heap(dense *dense, uint64_t address) {
    heap *heap = &dense->heap;
    unsigned char head[146];
    if (!seq_layout_fetch(dense->file, address, head, sizeof head) ||
        memcmp(head, "FRHP", 4) != 0 || head[4] != 0)
        return damaged;
    if (seq_layout_number(head + 7, 2)) return "has links or attributes in a heap with filters";
    uint64_t object = seq_layout_number(head + 10, 4), largest = seq_layout_number(head + 120, 8);
    unsigned of_block = (log2_of(largest) + 7) / 8, of_object = log2_of(object) / 8 + 1;
    heap->bits = head[128] | (unsigned)head[129] << 8;
    heap->width = head[110] | (unsigned)head[111] << 8;
    heap->start = seq_layout_number(head + 112, 8);
    heap->root = seq_layout_number(head + 132, 8);
    heap->rows = head[140] | (unsigned)head[141] << 8;
    heap->offset_bytes = (heap->bits + 7) / 8;
    heap->length_bytes = of_block < of_object ? of_block : of_object;
    bool powers = heap->start && !(heap->start & (heap->start - 1)) && heap->width &&
                  !(heap->width & (heap->width - 1)) && !(largest & (largest - 1));
    if (!powers || largest < heap->start || largest > 1 << 30 || heap->bits > 64 ||
        heap->rows + log2_of(heap->start) + log2_of(heap->width) > 62)
        return damaged;
    heap->direct_rows = log2_of(largest) - log2_of(heap->start) + 2;
    return NULL;
}

// Where byte `offset` of the heap lies in the file, below an indirect block of `rows` rows.
static const char *find_object(const dense *dense, uint64_t block, unsigned rows, uint64_t offset,
                               uint64_t *out) {
    const heap *heap = &dense->heap;
    for (int level = 0; level < DEPTH; level++) {
        unsigned char head[4], entry[8];
        uint64_t row_bytes = heap->start * heap->width, row = 0, size = heap->start, begin = 0;
        if (offset >= row_bytes) {
            row = log2_of(offset / row_bytes) + 1;
            if (row >= rows) return damaged;
            size = heap->start << (row - 1);
            begin = row_bytes << (row - 1);
        }
        uint64_t column = (offset - begin) / size, at = row * heap->width + column;
        if (!seq_layout_fetch(dense->file, block, head, 4) || memcmp(head, "FHIB", 4) != 0 ||
            !seq_layout_fetch(dense->file, block + 13 + heap->offset_bytes + 8 * at, entry, 8))
            return damaged;
        block = seq_layout_number(entry, 8);
        offset -= begin + column * size;
        *out = block + offset;
        if (block > dense->file->size) return damaged;
        if (row < heap->direct_rows) return NULL;
        if (size < row_bytes) return damaged;
        rows = log2_of(size) - log2_of(row_bytes) + 1;
    }
    return damaged;
}

// `name` is a record's, of an object that the heap manages.
static const char *take_object(dense *dense, const unsigned char *name, size_t left) {
    const heap *heap = &dense->heap;
    if (left < 1 + (size_t)heap->offset_bytes + heap->length_bytes || name[0] & 0xc0)
        return damaged;
    if (name[0] & 0x30) return "has a link or attribute that is huge or tiny, which is not read";
    uint64_t offset = seq_layout_number(name + 1, heap->offset_bytes),
             size = seq_layout_number(name + 1 + heap->offset_bytes, heap->length_bytes), at = 0;
    const char *why = NULL;
    if (heap->rows)
        why = find_object(dense, heap->root, heap->rows, offset, &at);
    else if (__builtin_add_overflow(heap->root, offset, &at))
        why = damaged;
    if (why) return why;
    if (size > MESSAGE_MOST || !spend(dense, size)) return damaged;
    unsigned char *bytes = malloc((size_t)size + 1);
    if (!bytes) return seq_layout_no_memory;
    const seq_message message = {dense->type, bytes, (size_t)size};
    why = seq_layout_fetch(dense->file, at, bytes, (size_t)size)
              ? dense->visit(dense->context, dense->file, &message)
              : damaged;
    free(bytes);
    return why;
}

// ---- The tree.

static const char *walk_node(dense *dense, uint64_t address, uint64_t records, unsigned level);

// Children of an inner node, which stand behind its records.
static const char *walk_children(dense *dense, const unsigned char *node, uint64_t records,
                                 unsigned level) {
    size_t bytes = 8 + dense->count_bytes + (level > 1 ? dense->total_bytes[level - 1] : 0),
           at = NODE_HEAD + (size_t)records * dense->record;
    const char *why = NULL;
    if (at + ((size_t)records + 1) * bytes + CHECKSUM > dense->node) return damaged;
    for (uint64_t i = 0; !why && i <= records; i++, at += bytes)
        why = walk_node(dense, seq_layout_number(node + at, 8),
                        seq_layout_number(node + at + 8, dense->count_bytes), level - 1);
    return why;
}

static const char *walk_node(dense *dense, uint64_t address, uint64_t records, unsigned level) {
    const size_t name = dense->type == SEQ_MESSAGE_LINK ? 4 : 0; // behind the hash
    if (records > dense->node / dense->record || !spend(dense, dense->node)) return damaged;
    if (NODE_HEAD + (size_t)records * dense->record + CHECKSUM > dense->node) return damaged;
    unsigned char *node = malloc(dense->node);
    if (!node) return seq_layout_no_memory;
    const char *why = NULL;
    if (!seq_layout_fetch(dense->file, address, node, dense->node) ||
        memcmp(node, level ? "BTIN" : "BTLF", 4) != 0)
        why = damaged;
    for (uint64_t i = 0; !why && i < records; i++)
        why = take_object(dense, node + NODE_HEAD + (size_t)i * dense->record + name,
                          dense->record - name);
    if (!why && level) why = walk_children(dense, node, records, level);
    free(node);
    return why;
}

// Bytes of a number to `most`.
static size_t number_bytes(uint64_t most) {
    return log2_of(most) / 8 + 1;
}

static const char *walk_tree(dense *dense, uint64_t address) {
    unsigned char head[38];
    if (!seq_layout_fetch(dense->file, address, head, sizeof head) ||
        memcmp(head, "BTHD", 4) != 0 || head[5] != (dense->type == SEQ_MESSAGE_LINK ? 5 : 8))
        return damaged;
    uint64_t node = seq_layout_number(head + 6, 4);
    unsigned depth = head[12] | (unsigned)head[13] << 8;
    dense->record = head[10] | (size_t)head[11] << 8;
    dense->node = (size_t)node;
    if (node > NODE_MOST || dense->record < 8 || node < 64 + dense->record || depth >= DEPTH)
        return damaged;
    uint64_t most = (node - NODE_HEAD - CHECKSUM) / dense->record, total = most;
    dense->count_bytes = number_bytes(most);
    for (unsigned level = 1; level < depth; level++) {
        uint64_t child = 8 + dense->count_bytes + (level > 1 ? dense->total_bytes[level - 1] : 0),
                 here = (node - NODE_HEAD - CHECKSUM - child) / (dense->record + child);
        if (__builtin_mul_overflow(here + 1, total, &total) ||
            __builtin_add_overflow(total, here, &total))
            return damaged;
        dense->total_bytes[level] = number_bytes(total);
    }
    uint64_t root = seq_layout_number(head + 16, 8), records = seq_layout_number(head + 24, 2);
    return root == UINT64_MAX ? NULL : walk_node(dense, root, records, depth);
}

const char *seq_dense_visit(const seq_layout_file *file, unsigned type, uint64_t heap,
                            uint64_t tree, seq_message_visit visit, void *context,
                            uint64_t *bytes) {
    dense dense = {.file = file, .type = type, .visit = visit, .context = context, .bytes = bytes};
    const char *why = open_heap(&dense, heap);
    return why ? why : walk_tree(&dense, tree);
}
