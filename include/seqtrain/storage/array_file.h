// HDF5 files of others, as h5py and other programs write them, read without HDF5. Groups of both
// forms, data sets that are compact, contiguous or in chunks, with the filters shuffle, deflate (or
// zstd 32015) and Fletcher32. Refused by name: other filters, user blocks, values in other files,
// chunks in a B-tree of version 2 (libver='latest' and several axes that grow). Soft and external
// links are passed over. The file is taken for hostile: addresses, sizes and counts are compared
// with its size, loops end, and a data set that claims more values than its file can hold is
// refused. SEQ_BAD_INPUT says what.
#ifndef SEQTRAIN_STORAGE_ARRAY_FILE_H
#define SEQTRAIN_STORAGE_ARRAY_FILE_H

#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum seq_array_class {
    SEQ_ARRAY_REAL, // IEEE 754
    SEQ_ARRAY_SIGNED,
    SEQ_ARRAY_UNSIGNED,
    SEQ_ARRAY_TEXT,     // of `size` bytes each
    SEQ_ARRAY_FAR_TEXT, // of any length, in the file's heaps
    SEQ_ARRAY_OTHER
} seq_array_class;

typedef struct seq_array_type {
    seq_array_class class;
    int size; // bytes
    bool big; // the first byte is the highest
} seq_array_type;

enum { SEQ_ARRAY_AXES = 8, SEQ_ARRAY_TEXT_MOST = 1 << 12 };

typedef struct seq_array {
    seq_array_type type;
    int axes; // 0: one value; -1: no data (a null space)
    uint64_t sizes[SEQ_ARRAY_AXES];
    uint64_t together; // of axis 0: so many lie in one chunk; 1 where there are none
} seq_array;

typedef struct seq_array_file seq_array_file;
// The descriptor of a whole file stays the caller's, as does the name, for messages.
seq_status seq_array_file_open(int descriptor, const char *name, seq_array_file **out,
                               seq_error *error);
void seq_array_file_close(seq_array_file *file); // NULL is fine

// Data sets in the order of their paths, group by group: names by their bytes.
size_t seq_array_file_count(const seq_array_file *file);
const char *seq_array_file_path(const seq_array_file *file, size_t index); // "/walk/one"
seq_status seq_array_file_describe(seq_array_file *file, size_t index, seq_array *out,
                                   seq_error *error);
// Rows [first, first + count) along axis 0 (of 1 to SEQ_ARRAY_AXES axes) as they lie in the file:
// row-major, the bytes of an element in its own order. `out` has room for them.
seq_status seq_array_file_read(seq_array_file *file, size_t index, uint64_t first, uint64_t count,
                               void *out, seq_error *error);
// Value `element` of a data set of one axis, or of none, as text: a whole number, a real in %.9g,
// or a text, up to its first NUL. SEQ_BAD_INPUT: another type, or more bytes than `out` has room
// for.
seq_status seq_array_file_text(seq_array_file *file, size_t index, uint64_t element,
                               char out[static SEQ_ARRAY_TEXT_MOST], seq_error *error);
// An attribute of one value, likewise; *out_found false: the data set has none of that name.
seq_status seq_array_file_attribute(seq_array_file *file, size_t index, const char *name,
                                    char out[static SEQ_ARRAY_TEXT_MOST], bool *out_found,
                                    seq_error *error);

#endif
