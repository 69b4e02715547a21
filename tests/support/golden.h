// Golden files: "name count" lines, each followed by a line of numbers.
#ifndef SEQ_TESTS_GOLDEN_H
#define SEQ_TESTS_GOLDEN_H

#include <stddef.h>

typedef struct golden golden;
// Stops the test program when the file cannot be read.
golden *golden_open(const char *path);
void golden_close(golden *file);
// The numbers of an entry, owned by the file; stops the program when it is absent or has another
// count.
const double *golden_get(const golden *file, const char *name, size_t count);

#endif
