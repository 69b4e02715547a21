// Bytes of an input, unpacked as it is read. Its first bytes decide: gzip, zstd, xz and bzip2 are
// unpacked, frame after frame; every other form that has a name is refused by it, inside of packed
// data, too.
#ifndef SEQ_PREP_BYTE_READER_H
#define SEQ_PREP_BYTE_READER_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct seq_byte_reader_rules {
    bool (*stopped)(void); // true: a wait for bytes ends, and reading fails; NULL: never
    bool as_is;            // nothing is unpacked or refused
    bool any_form;         // packed data are unpacked, and no form that lies in them is refused
    bool text;             // UTF-16 and UTF-32 are refused; otherwise a warning tells of them
    uint64_t memory;       // bytes that unpacking may take
    // NULL, or called before a wait for bytes; an error of it ends the reading. Then a pipe is
    // taken as it comes: its form is told from its first lines, however few they are.
    seq_status (*idle)(void *context, seq_error *error);
    void *idle_context;
} seq_byte_reader_rules;

typedef struct seq_byte_reader seq_byte_reader;
// `path` "-" is standard input.
seq_status seq_byte_reader_open(const char *path, const seq_byte_reader_rules *rules,
                                seq_byte_reader **out, seq_error *error);
// Up to `capacity` bytes; 0 at the end.
seq_status seq_byte_reader_read(seq_byte_reader *source, char *out, size_t capacity,
                                size_t *out_size, seq_error *error);
// The descriptor, where the bytes are those of a file from its start; 0: of a pipe, or packed.
int seq_byte_reader_file(const seq_byte_reader *source);
void seq_byte_reader_close(seq_byte_reader *source);

#endif
