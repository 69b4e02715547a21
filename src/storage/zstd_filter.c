// One frame a chunk, with content size and checksum. Invariant: a decoded
// buffer has room for the largest chunk that a reader accepts. So a frame that
// is shorter than its chunk cannot make HDF5 read beyond it. Tests:
// tests/unit/storage/test_vector_file.c, tests/unit/storage/test_plugin.c.
#include "zstd_filter.h"
#include <stdlib.h>
#include <zstd.h>

enum { STANDARD_LEVEL = 1 };

// Takes over: frees the old buffer, hands out the new one.
static size_t replace(void **buffer, size_t *capacity, void *fresh, size_t fresh_capacity,
                      size_t used) {
    free(*buffer);
    *buffer = fresh;
    *capacity = fresh_capacity;
    return used;
}

static size_t decode(size_t size, size_t *capacity, void **buffer) {
    unsigned long long content = ZSTD_getFrameContentSize(*buffer, size);
    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN ||
        content > SEQ_CHUNK_LIMIT)
        return 0;
    void *fresh = malloc(SEQ_CHUNK_LIMIT);
    if (!fresh) return 0;
    size_t got = ZSTD_decompress(fresh, SEQ_CHUNK_LIMIT, *buffer, size);
    if (ZSTD_isError(got) || got != content) {
        free(fresh);
        return 0;
    }
    return replace(buffer, capacity, fresh, SEQ_CHUNK_LIMIT, got);
}

size_t seq_zstd_compress(int level, const void *bytes, size_t size, void *out, size_t capacity) {
    size_t got = 0;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
        ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
        got = ZSTD_compress2(context, out, capacity, bytes, size);
    }
    ZSTD_freeCCtx(context);
    return ZSTD_isError(got) ? 0 : got;
}

static size_t encode(int level, size_t size, size_t *capacity, void **buffer) {
    size_t bound = ZSTD_compressBound(size);
    void *fresh = malloc(bound);
    size_t got = fresh ? seq_zstd_compress(level, *buffer, size, fresh, bound) : 0;
    if (!got) {
        free(fresh);
        return 0;
    }
    return replace(buffer, capacity, fresh, bound, got);
}

static size_t filter(unsigned flags, size_t value_count, const unsigned values[], size_t size,
                     size_t *capacity, void **buffer) {
    if (flags & H5Z_FLAG_REVERSE) return decode(size, capacity, buffer);
    return encode(value_count > 0 ? (int)values[0] : STANDARD_LEVEL, size, capacity, buffer);
}

const H5Z_class2_t seq_zstd_filter = {
    .version = H5Z_CLASS_T_VERS,
    .id = SEQ_ZSTD_FILTER,
    .encoder_present = 1,
    .decoder_present = 1,
    .name = "zstd (seqtrain)",
    .filter = filter,
};
