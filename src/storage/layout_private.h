// What the parts of layout.h and array_file.h share.
#ifndef SEQ_STORAGE_LAYOUT_PRIVATE_H
#define SEQ_STORAGE_LAYOUT_PRIVATE_H

#include "layout.h"
#include <stddef.h>
#include <stdint.h>

enum {
    SEQ_LAYOUT_SUPERBLOCK = 48, // bytes
    SEQ_LAYOUT_ARRAY_BITS = 32, // of an extensible array's numbers, as HDF5 makes them
};

// Little-endian, at most eight bytes.
uint64_t seq_layout_number(const unsigned char *bytes, size_t count);
// Reads the header of an extensible array into `index`, `sized` and `size_bytes`.
const char *seq_layout_take_array(const seq_layout_file *file, uint64_t address, seq_layout *out);

#endif
