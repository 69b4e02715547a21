// HDF5's registered filter 32015 (zstd), cd_values = {level}.
#ifndef SEQ_STORAGE_ZSTD_FILTER_H
#define SEQ_STORAGE_ZSTD_FILTER_H

#include <hdf5.h>

enum {
    SEQ_ZSTD_FILTER = 32015,
    SEQ_CHUNK_LIMIT = 1 << 22, // bytes: chunks are written and read up to this size
};

// One frame with content size and checksum; 0 when it fails. `capacity` of
// ZSTD_compressBound(size).
size_t seq_zstd_compress(int level, const void *bytes, size_t size, void *out, size_t capacity);

extern const H5Z_class2_t seq_zstd_filter;

#endif
