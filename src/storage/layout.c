// Superblock and index of chunks, after the HDF5 File Format Specification 3.0.
// Addresses and lengths have eight bytes. The place of a chunk in the
// extensible array is computed from its number; at most three reads find it.
// Invariant: every address is compared with the size of the file before it is
// used. Tests: tests/unit/storage/test_vector_file.c, tests/fuzz/fuzz_shard.c.
#include "layout.h"
#include "layout_private.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

const char seq_layout_no_memory[] = "cannot be read: out of memory";

bool seq_layout_fetch(const seq_layout_file *file, uint64_t address, void *out, size_t count) {
    char *at = out;
    if (address > file->size || count > file->size - address) return false;
    while (count) {
        ssize_t got = pread(file->descriptor, at, count, (off_t)address);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        address += (uint64_t)got;
        count -= (size_t)got;
    }
    return true;
}

uint64_t seq_layout_number(const unsigned char *bytes, size_t count) {
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

const char *seq_layout_open(int descriptor, uint64_t size, seq_layout_file *out) {
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char block[SEQ_LAYOUT_SUPERBLOCK];
    *out = (seq_layout_file){.descriptor = descriptor, .size = size};
    if (!seq_layout_fetch(out, 0, block, sizeof block) ||
        memcmp(block, signature, sizeof signature) != 0)
        return "not an HDF5 file";
    if ((block[8] != 2 && block[8] != 3) || block[9] != 8 || block[10] != 8 ||
        seq_layout_number(block + 12, 8) != 0)
        return "an HDF5 file, but not one of seqtrain";
    if (seq_layout_number(block + 28, 8) > size) return "an HDF5 file that is cut off";
    out->root = seq_layout_number(block + 36, 8);
    return NULL;
}

// The extensible array as HDF5 lays it out: 4 entries in the index block, then data blocks whose
// number and size double in turn from super block to super block. Those of the first 4 super blocks
// are listed in the index block, those of the others in blocks of their own.
enum {
    INDEX_ENTRIES = 4,
    LEAST_ENTRIES = 16, // of a data block
    DIRECT_SUPER_BLOCKS = 4,
    DIRECT_DATA_BLOCKS = 6,
    INDIRECT_SUPER_BLOCKS = 25,
    PAGE_ENTRIES = 1024, // larger data blocks are divided
    INDEX_PREFIX = 14,   // signature, version, client, address of the header
    BLOCK_PREFIX = 18,   // the same and a number of four bytes
    CHECKSUM = 4,
    ENTRY_MOST = 20, // bytes
};

static size_t entry_bytes(const seq_layout *layout) {
    return 8 + (layout->size_bytes ? layout->size_bytes + 4 : 0);
}

static bool fetch_address(const seq_layout_file *file, uint64_t at, uint64_t *out) {
    unsigned char bytes[8];
    if (!seq_layout_fetch(file, at, bytes, sizeof bytes)) return false;
    *out = seq_layout_number(bytes, sizeof bytes);
    return *out <= file->size;
}

static uint64_t entry_in_block(uint64_t block, uint64_t entry, uint64_t entries, size_t bytes) {
    if (entries <= PAGE_ENTRIES) return block + BLOCK_PREFIX + entry * bytes;
    uint64_t page = entry / PAGE_ENTRIES;
    return block + BLOCK_PREFIX + CHECKSUM + page * (PAGE_ENTRIES * bytes + CHECKSUM) +
           entry % PAGE_ENTRIES * bytes;
}

// Where the address of data block `block` of a super block of its own stands.
static bool find_indirect(const seq_layout_file *file, uint64_t table, unsigned super,
                          uint64_t block, uint64_t blocks, uint64_t entries, uint64_t *out) {
    uint64_t address, pages = entries > PAGE_ENTRIES ? entries / PAGE_ENTRIES : 0;
    if (super - DIRECT_SUPER_BLOCKS >= INDIRECT_SUPER_BLOCKS ||
        !fetch_address(file, table + 8 * (DIRECT_DATA_BLOCKS + super - DIRECT_SUPER_BLOCKS),
                       &address))
        return false;
    *out = address + BLOCK_PREFIX + blocks * ((pages + 7) / 8) + 8 * block;
    return true;
}

static bool find_entry(const seq_layout_file *file, const seq_layout *layout, uint64_t number,
                       uint64_t *out) {
    size_t bytes = entry_bytes(layout);
    uint64_t entries_at = layout->index + INDEX_PREFIX, block_address, address_at;
    if (number < INDEX_ENTRIES) {
        *out = entries_at + number * bytes;
        return true;
    }
    number -= INDEX_ENTRIES;
    unsigned super = 63 - (unsigned)__builtin_clzll(number / LEAST_ENTRIES + 1);
    uint64_t first = LEAST_ENTRIES * (((uint64_t)1 << super) - 1),
             blocks = (uint64_t)1 << super / 2,
             entries = ((uint64_t)1 << (super + 1) / 2) * LEAST_ENTRIES;
    uint64_t block = (number - first) / entries, table = entries_at + INDEX_ENTRIES * bytes;
    if (super < DIRECT_SUPER_BLOCKS) // those before it: 0, 1, 2, 4
        address_at = table + 8 * ((super < 2 ? super : 2 * (super - 1)) + block);
    else if (!find_indirect(file, table, super, block, blocks, entries, &address_at))
        return false;
    if (!fetch_address(file, address_at, &block_address)) return false;
    *out = entry_in_block(block_address, (number - first) % entries, entries, bytes);
    return true;
}

const char *seq_layout_chunk(const seq_layout_file *file, const seq_layout *layout,
                             size_t element_size, uint64_t number, uint64_t *out_address,
                             uint64_t *out_size) {
    unsigned char entry[ENTRY_MOST];
    size_t bytes = entry_bytes(layout), width = layout->size_bytes;
    uint64_t at;
    if (layout->index > file->size || !find_entry(file, layout, number, &at) ||
        !seq_layout_fetch(file, at, entry, bytes))
        return "is missing";
    *out_address = seq_layout_number(entry, 8);
    *out_size = width ? seq_layout_number(entry + 8, width) : layout->chunk * element_size;
    if (*out_address == UINT64_MAX || *out_size == 0) return "is missing";
    if (width && seq_layout_number(entry + 8 + width, 4) != 0)
        return "was stored without one of its filters";
    if (*out_address > file->size || *out_size > file->size - *out_address)
        return "lies beyond the end of the file";
    return NULL;
}
