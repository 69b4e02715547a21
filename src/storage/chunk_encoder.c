// Applies a chunk's filters: shuffle (first bytes of all elements, then second
// ones ...), zstd or deflate, Fletcher's checksum (IEEE Trans. Comm. 30, 1982)
// in HDF5's form. Invariant: the bytes are those of HDF5's own filters, so
// other programs read them, and equal values give equal files. Tests:
// tests/unit/storage/test_vector_file.c, tests/fault/h5py.sh.
#include "chunk_encoder.h"
#include "zstd_filter.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static size_t compressed_bound(seq_compression compression, size_t size) {
    return compression == SEQ_COMPRESS_ZSTD   ? ZSTD_compressBound(size)
           : compression == SEQ_COMPRESS_GZIP ? compressBound(size)
                                              : size;
}

size_t seq_chunk_bound(seq_compression compression, size_t size) {
    return compressed_bound(compression, size) + SEQ_CHUNK_CHECKSUM;
}

seq_status seq_chunk_encoder_begin(seq_chunk_encoder *encoder, seq_error *error) {
    size_t size = encoder->element * encoder->elements;
    encoder->capacity = compressed_bound(encoder->pipeline.compression, size);
    seq_status status = seq_allocate(&encoder->plain, size, 1, "a chunk", error);
    if (!status) status = seq_allocate(&encoder->shuffled, size, 1, "a shuffled chunk", error);
    if (!status)
        status = seq_allocate(&encoder->bytes, encoder->capacity + SEQ_CHUNK_CHECKSUM, 1,
                              "an encoded chunk", error);
    return status;
}

void seq_chunk_encoder_end(seq_chunk_encoder *encoder) {
    free(encoder->plain);
    free(encoder->shuffled);
    free(encoder->bytes);
}

// First all first bytes of the elements, then all second ones ...
static void shuffle(const unsigned char *from, unsigned char *to, size_t element, size_t count) {
    for (size_t byte = 0; byte < element; byte++, to += count)
        for (size_t i = 0; i < count; i++)
            to[i] = from[i * element + byte];
}

// A sum in ones' complement of 16 bits: zero only when all its terms are.
static uint32_t fold(uint64_t sum) {
    return sum ? (uint32_t)((sum - 1) % 0xffff + 1) : 0;
}

// Fletcher's checksum over big-endian words of 16 bits, as HDF5 defines it. The sums of a chunk's
// 2^21 words at most fit 64 bits without a reduction between.
uint32_t seq_fletcher32(const unsigned char *bytes, size_t size) {
    uint64_t sum = 0, sum_of_sums = 0;
    for (size_t i = 0; i < size; i += 2) {
        sum += (uint64_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
        sum_of_sums += sum;
    }
    return fold(sum_of_sums) << 16 | fold(sum);
}

static void append_checksum(seq_chunk_encoder *encoder) {
    uint32_t checksum = seq_fletcher32(encoder->bytes, encoder->size);
    for (int byte = 0; byte < SEQ_CHUNK_CHECKSUM; byte++)
        encoder->bytes[encoder->size++] = (unsigned char)(checksum >> 8 * byte);
}

static size_t compress_chunk(seq_chunk_encoder *encoder, const void *bytes, size_t size) {
    uLongf used = encoder->capacity;
    int level = encoder->pipeline.level;
    if (encoder->pipeline.compression == SEQ_COMPRESS_ZSTD)
        return seq_zstd_compress(level, bytes, size, encoder->bytes, encoder->capacity);
    if (encoder->pipeline.compression == SEQ_COMPRESS_GZIP)
        return compress2(encoder->bytes, &used, bytes, size, level) == Z_OK ? used : 0;
    memcpy(encoder->bytes, bytes, size);
    return size;
}

seq_status seq_chunk_encode(seq_chunk_encoder *encoder, const void *values, size_t count,
                            seq_error *error) {
    size_t size = encoder->element * encoder->elements, used = encoder->element * count;
    const void *bytes = values;
    if (used < size) {
        memcpy(encoder->plain, values, used);
        memset(encoder->plain + used, 0, size - used);
        bytes = encoder->plain;
    }
    if (encoder->pipeline.compression != SEQ_COMPRESS_NONE) {
        shuffle(bytes, encoder->shuffled, encoder->element, encoder->elements);
        bytes = encoder->shuffled;
    }
    encoder->size = compress_chunk(encoder, bytes, size);
    if (!encoder->size)
        return seq_error_set(error, SEQ_NO_MEMORY, "compressing a chunk: out of memory");
    append_checksum(encoder);
    return SEQ_OK;
}
