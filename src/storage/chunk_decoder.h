// The pipeline of a chunk (Fletcher32, decompression, unshuffling) without HDF5: its own filters
// trust the sizes that a file claims, these take one chunk's bytes at most, whatever it claims.
#ifndef SEQ_STORAGE_CHUNK_DECODER_H
#define SEQ_STORAGE_CHUNK_DECODER_H

#include <seqtrain/storage/vector_file.h>
#include <stdbool.h>

// Zero-initialise before use.
typedef struct seq_chunk_decoder {
    seq_compression compression;
    bool shuffled, checksum;
    size_t element, elements; // bytes; of a chunk
    unsigned char *encoded;   // capacity bytes: what the file holds
    size_t capacity;
    unsigned char *plain; // the chunk that was decoded last, little-endian
    unsigned char *packed;
    void *zstd; // its context
} seq_chunk_decoder;

// The sizes and the pipeline are set.
seq_status seq_chunk_decoder_begin(seq_chunk_decoder *decoder, seq_error *error);
void seq_chunk_decoder_end(seq_chunk_decoder *decoder);
// encoded[0 .. size) -> plain. NULL, or why not.
const char *seq_chunk_decode(seq_chunk_decoder *decoder, size_t size);

#endif
