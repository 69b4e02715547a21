// A directory of a test's own, and small files in it.
#ifndef SEQ_TESTS_TEMPORARY_H
#define SEQ_TESTS_TEMPORARY_H

#include <stddef.h>

typedef struct temporary {
    char directory[64], path[160];
} temporary;

void temporary_create(temporary *out);
void temporary_destroy(temporary *temporary);
// DIRECTORY/NAME, in a buffer that the next call overwrites.
const char *temporary_path(temporary *temporary, const char *name);
void write_bytes(const char *path, const void *bytes, size_t size);
// From malloc, NUL-terminated behind `size` bytes.
char *read_bytes(const char *path, size_t *out_size);

#endif
