// The pipeline of a chunk (shuffle, compression, Fletcher32) without HDF5: the bytes that its own
// filters would produce, made without holding its lock.
#ifndef SEQ_STORAGE_CHUNK_ENCODER_H
#define SEQ_STORAGE_CHUNK_ENCODER_H

#include <seqtrain/storage/vector_file.h>

typedef struct seq_chunk_encoder {
    seq_pipeline pipeline; // the caller's, as are the next two
    size_t element;        // bytes
    size_t elements;       // of a whole chunk
    unsigned char *bytes;  // of the chunk that was encoded last
    size_t size;           // of them
    unsigned char *plain, *shuffled;
    size_t capacity;
} seq_chunk_encoder;

enum { SEQ_CHUNK_CHECKSUM = 4 }; // bytes
// Bytes of an encoded chunk of `size` bytes at most.
size_t seq_chunk_bound(seq_compression compression, size_t size);
// Over at most 2^21 words.
uint32_t seq_fletcher32(const unsigned char *bytes, size_t size);

seq_status seq_chunk_encoder_begin(seq_chunk_encoder *encoder, seq_error *error);
void seq_chunk_encoder_end(seq_chunk_encoder *encoder);

// The first `count` elements of a chunk, little-endian; the rest of it is zero.
seq_status seq_chunk_encode(seq_chunk_encoder *encoder, const void *values, size_t count,
                            seq_error *error);

#endif
