// HDF5 files of one-dimensional vectors, compressed chunk by chunk; the only door to <hdf5.h>.
// Written with libver bounds V110 and without time stamps: the same content gives the same bytes.
// Reading treats the file as hostile and takes only what this writer makes (HDF5 itself is not
// called): one dimension, hard links, chunks of at most 4 MiB, filters shuffle, zstd 32015 or
// deflate, Fletcher32 in this order; memory is three chunks. Hash the file before opening it.
#ifndef SEQTRAIN_STORAGE_VECTOR_FILE_H
#define SEQTRAIN_STORAGE_VECTOR_FILE_H

#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_element {
    SEQ_F32,
    SEQ_F64,
    SEQ_U8,
    SEQ_U16,
    SEQ_U32,
    SEQ_I64
} seq_element; // little-endian on disk
size_t seq_element_size(seq_element element);

typedef enum seq_compression {
    SEQ_COMPRESS_ZSTD,
    SEQ_COMPRESS_GZIP,
    SEQ_COMPRESS_NONE
} seq_compression;
typedef struct seq_pipeline { // shuffle -> compression -> Fletcher32
    seq_compression compression;
    int level; // 1 .. 19 for zstd, 1 .. 9 for gzip
} seq_pipeline;

// zstd is HDF5's registered filter 32015 with cd_values = {level}, one frame a chunk with content
// size and checksum. Initialises HDF5, registers the filter, silences its error printing, turns
// plug-in loading off. Call once before the first file is written; reading does not need it.
seq_status seq_storage_begin(seq_error *error);
// "HDF5 1.10.8, zstd 1.5.4, XXH3"; static.
const char *seq_storage_library(void);

typedef struct seq_vector_file seq_vector_file;

// Writing. The file is created under its final name and must not exist; close syncs it to disk.
seq_status seq_vector_file_create(const char *path, seq_vector_file **out, seq_error *error);
// The same for a file of up to `vectors` data sets, 64 at most (the other holds 8: HDF5 lists more
// than that in a form which is not read here).
seq_status seq_vector_file_create_wide(const char *path, int vectors, seq_vector_file **out,
                                       seq_error *error);
// Starts a data set that grows; chunk in elements. One data set is open for appending at a time.
seq_status seq_vector_begin(seq_vector_file *file, const char *name, seq_element element,
                            size_t chunk, seq_pipeline pipeline, seq_error *error);
seq_status seq_vector_append(seq_vector_file *file, const void *values, size_t count,
                             seq_error *error);
seq_status seq_vector_end(seq_vector_file *file, seq_error *error);
// begin, append, end.
seq_status seq_vector_write(seq_vector_file *file, const char *name, seq_element element,
                            const void *values, size_t count, size_t chunk, seq_pipeline pipeline,
                            seq_error *error);

// A named view for people and h5py: a virtual data set of float32 with `dimensions` (1 or 2) axes
// whose row-major elements are consecutive ranges of vectors in other files of the same directory.
// Fill value NaN (a missing shard shows).
typedef struct seq_view_part {
    const char *file;     // relative name, e.g. "shard-0000.h5"
    const char *dataset;  // "parameters"
    size_t source_length; // elements of that data set
    size_t offset, count; // range in the source, in elements
} seq_view_part;
seq_status seq_vector_write_view(seq_vector_file *file, const char *name, int dimensions,
                                 size_t rows, size_t columns, const seq_view_part *parts,
                                 size_t part_count, seq_error *error);

// Reading.
seq_status seq_vector_file_open(const char *path, seq_vector_file **out, seq_error *error);
seq_status seq_vector_length(seq_vector_file *file, const char *name, seq_element element,
                             size_t *out_length, seq_error *error);
// Reads [offset, offset + count) of a data set whose type is `element`; the data set stays open for
// the next call.
seq_status seq_vector_read(seq_vector_file *file, const char *name, seq_element element,
                           size_t offset, size_t count, void *out, seq_error *error);

// Either kind; on a written file it flushes and syncs and reports failures. NULL is fine.
seq_status seq_vector_file_close(seq_vector_file *file, seq_error *error);

#endif
