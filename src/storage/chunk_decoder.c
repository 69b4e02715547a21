// Undoes a chunk's filters in the reverse order of writing: Fletcher32, zstd or
// deflate, unshuffle. A zstd frame must name its size before it is unpacked.
// Invariant: output is bounded by the chunk's own size, whatever the bytes
// claim. Tests: tests/unit/storage/test_vector_file.c, tests/fuzz/fuzz_shard.c,
// tests/fault/hostile.sh.
#include "chunk_decoder.h"
#include "chunk_encoder.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static size_t chunk_bytes(const seq_chunk_decoder *decoder) {
    return decoder->element * decoder->elements;
}

seq_status seq_chunk_decoder_begin(seq_chunk_decoder *decoder, seq_error *error) {
    size_t size = chunk_bytes(decoder);
    decoder->capacity = seq_chunk_bound(decoder->compression, size);
    seq_status status =
        seq_allocate(&decoder->encoded, decoder->capacity, 1, "an encoded chunk", error);
    if (!status) status = seq_allocate(&decoder->plain, size, 1, "a chunk", error);
    if (!status) status = seq_allocate(&decoder->packed, size, 1, "a shuffled chunk", error);
    if (!status && decoder->compression == SEQ_COMPRESS_ZSTD &&
        !(decoder->zstd = ZSTD_createDCtx()))
        status = seq_error_set(error, SEQ_NO_MEMORY, "decompressing a chunk: out of memory");
    return status;
}

void seq_chunk_decoder_end(seq_chunk_decoder *decoder) {
    free(decoder->encoded);
    free(decoder->plain);
    free(decoder->packed);
    ZSTD_freeDCtx(decoder->zstd);
    *decoder = (seq_chunk_decoder){0};
}

static bool checksum_fits(const unsigned char *bytes, size_t size) {
    uint32_t stored = 0;
    for (int byte = 0; byte < SEQ_CHUNK_CHECKSUM; byte++)
        stored |= (uint32_t)bytes[size + (size_t)byte] << 8 * byte;
    return stored == seq_fletcher32(bytes, size);
}

// One frame that says its size, and nothing behind it.
static const char *unpack_zstd(seq_chunk_decoder *decoder, size_t size, unsigned char *out) {
    size_t wanted = chunk_bytes(decoder);
    unsigned long long content = ZSTD_getFrameContentSize(decoder->encoded, size);
    if (content == ZSTD_CONTENTSIZE_ERROR) return "is not a zstd frame";
    if (content == ZSTD_CONTENTSIZE_UNKNOWN) return "is a zstd frame that does not say its size";
    if (content != wanted) return "is a zstd frame of another size than the chunk's";
    if (ZSTD_findFrameCompressedSize(decoder->encoded, size) != size)
        return "is not one whole zstd frame";
    if (ZSTD_decompressDCtx(decoder->zstd, out, wanted, decoder->encoded, size) != wanted)
        return "is a damaged zstd frame";
    return NULL;
}

static const char *unpack_gzip(seq_chunk_decoder *decoder, size_t size, unsigned char *out) {
    uLongf got = chunk_bytes(decoder);
    uLong used = size;
    int code = uncompress2(out, &got, decoder->encoded, &used);
    return code == Z_OK && got == chunk_bytes(decoder) && used == size
               ? NULL
               : "does not unpack to the chunk's size";
}

static const char *unpack(seq_chunk_decoder *decoder, size_t size, unsigned char *out) {
    if (decoder->compression == SEQ_COMPRESS_ZSTD) return unpack_zstd(decoder, size, out);
    if (decoder->compression == SEQ_COMPRESS_GZIP) return unpack_gzip(decoder, size, out);
    if (size != chunk_bytes(decoder)) return "has not the chunk's size";
    memcpy(out, decoder->encoded, size);
    return NULL;
}

static void unshuffle(const unsigned char *from, unsigned char *to, size_t element, size_t count) {
    for (size_t byte = 0; byte < element; byte++, from += count)
        for (size_t i = 0; i < count; i++)
            to[i * element + byte] = from[i];
}

const char *seq_chunk_decode(seq_chunk_decoder *decoder, size_t size) {
    if (decoder->checksum) {
        if (size <= SEQ_CHUNK_CHECKSUM) return "is too short for its checksum";
        size -= SEQ_CHUNK_CHECKSUM;
        if (!checksum_fits(decoder->encoded, size))
            return "does not fit to its Fletcher32 checksum";
    }
    const char *why = unpack(decoder, size, decoder->shuffled ? decoder->packed : decoder->plain);
    if (!why && decoder->shuffled)
        unshuffle(decoder->packed, decoder->plain, decoder->element, decoder->elements);
    return why;
}
