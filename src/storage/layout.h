// The structures of a vector file as our writer makes them (HDF5's file format, libver V110), read
// without HDF5: the library crashes on structures that an attacker made, with checksums that fit.
// Nothing else is understood: superblock 2 or 3 without user block, links and messages in object
// headers, vectors in chunks behind an extensible array. Functions give NULL, or why not. All of
// them read little and take no memory.
#ifndef SEQ_STORAGE_LAYOUT_H
#define SEQ_STORAGE_LAYOUT_H

#include <seqtrain/storage/vector_file.h>
#include <stdbool.h>

typedef struct seq_layout_file {
    int descriptor;
    uint64_t size; // bytes of the file
    uint64_t root; // address of the root group's object header
} seq_layout_file;

typedef struct seq_layout {
    uint64_t length, chunk; // elements
    seq_compression compression;
    bool shuffled, checksum;
    uint64_t
        index;  // address of the extensible array's index block; all bits set: no chunk was written
    bool sized; // an entry of the array has the size of the chunk, in so many bytes
    size_t size_bytes; // (0: not sized)
} seq_layout;

// Functions give a reason, or NULL. This one, told by its address, is a lack of memory.
extern const char seq_layout_no_memory[];
const char *seq_layout_open(int descriptor, uint64_t size, seq_layout_file *out);
const char *seq_layout_find(const seq_layout_file *file, const char *name, seq_element element,
                            seq_layout *out);
// Where the chunk of this number lies, and its encoded size; inside of the file.
const char *seq_layout_chunk(const seq_layout_file *file, const seq_layout *layout,
                             size_t element_size, uint64_t number, uint64_t *out_address,
                             uint64_t *out_size);
// False when the file ends before `count` bytes, or cannot be read.
bool seq_layout_fetch(const seq_layout_file *file, uint64_t address, void *out, size_t count);

#endif
