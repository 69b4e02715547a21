// What the two halves of layout.h share.
#ifndef SEQ_STORAGE_LAYOUT_PRIVATE_H
#define SEQ_STORAGE_LAYOUT_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

enum { SEQ_LAYOUT_SUPERBLOCK = 48 }; // bytes

// Little-endian, at most eight bytes.
uint64_t seq_layout_number(const unsigned char *bytes, size_t count);

#endif
