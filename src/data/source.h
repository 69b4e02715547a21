// Bytes of an input, unpacked as it is read. Its first bytes decide: gzip, zstd, xz and bzip2 are
// unpacked, frame after frame; every other form that has a name is refused by it, inside of packed
// data, too.
#ifndef SEQ_DATA_SOURCE_H
#define SEQ_DATA_SOURCE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_source_rules {
    bool (*stopped)(void); // true: a wait for bytes ends, and reading fails; NULL: never
    bool as_is;            // nothing is unpacked or refused
    bool text;             // UTF-16 and UTF-32 are refused; otherwise a warning tells of them
    uint64_t memory;       // bytes that unpacking may take
} seq_source_rules;

typedef struct seq_source seq_source;
// `path` "-" is standard input.
seq_status seq_source_open(const char *path, const seq_source_rules *rules, seq_source **out,
                           seq_error *error);
// Up to `capacity` bytes; 0 at the end.
seq_status seq_source_read(seq_source *source, char *out, size_t capacity, size_t *out_size,
                           seq_error *error);
void seq_source_close(seq_source *source);

#endif
