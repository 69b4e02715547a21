// Bytes of an input: a plain, gzip or zstd file (told by its first bytes), decompressed as it is
// read.
#ifndef SEQ_DATA_SOURCE_H
#define SEQ_DATA_SOURCE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct seq_source seq_source;
// `path` "-" is standard input. A wait for bytes ends, and reading fails, when `stopped` (may be
// NULL) says true.
seq_status seq_source_open(const char *path, bool (*stopped)(void), seq_source **out,
                           seq_error *error);
// Up to `capacity` bytes; 0 at the end.
seq_status seq_source_read(seq_source *source, char *out, size_t capacity, size_t *out_size,
                           seq_error *error);
void seq_source_close(seq_source *source);

#endif
