// What a file is, by its first bytes: packed data that seqprep unpacks, another form with a name
// (archives, images, ...), text in UTF-16 or UTF-32, or none of these. The longest sign is that of
// a tar archive; a text in UTF-16 is told by how its first SEQ_FORM_BYTES read.
#ifndef SEQTRAIN_DATA_FORMS_H
#define SEQTRAIN_DATA_FORMS_H

#include <stddef.h>

enum { SEQ_FORM_BYTES = 4096 };
typedef enum seq_packing { SEQ_PLAIN, SEQ_GZIP, SEQ_ZSTD, SEQ_XZ, SEQ_BZIP2 } seq_packing;

typedef struct seq_form {
    const char *name, *advice; // "a zip archive", "unpack it with unzip ..." or NULL
    seq_packing packing;       // SEQ_PLAIN: not one of those that are unpacked
} seq_form;

// NULL: no form that has a name, text perhaps.
const seq_form *seq_form_find(const char *bytes, size_t size);
// Also by the end of the file's name, where the bytes are no text: brotli has no sign.
const seq_form *seq_form_find_named(const char *name, const char *bytes, size_t size);
// The name that iconv has for it, such as "UTF-16LE"; NULL: neither UTF-16 nor UTF-32.
const char *seq_form_wide_encoding(const char *bytes, size_t size);

#endif
