// A fuzz target is a file fuzz_NAME.c: LLVMFuzzerTestOneInput hands bytes to one reader, which may
// accept or refuse them and must do nothing else. Linked with libFuzzer (SEQ_FUZZ=ON, run.sh) or
// with driver.c (an ordinary test).
#ifndef SEQ_TESTS_FUZZ_H
#define SEQ_TESTS_FUZZ_H

#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A file of its own with these bytes: DIRECTORY/NAME, in memory where the system has such a
// directory. HDF5 wants a path.
typedef struct fuzz_file {
    const char *directory;
    char path[64];
    const char *name; // in the path
} fuzz_file;
void fuzz_file_create(fuzz_file *out, const void *bytes, size_t size);
void fuzz_file_destroy(fuzz_file *file);

// A refusal has a status and a message, an acceptance neither: anything else ends the process.
void fuzz_check(seq_status status, const seq_error *error);

#endif
