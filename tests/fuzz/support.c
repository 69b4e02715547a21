// What the fuzz targets share: the input as a file, in memory where /dev/shm
// can be written to, and a check of every outcome. Invariant: a status other
// than SEQ_OK has a message, and SEQ_OK has none.
#include "fuzz.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fuzz_file_create(fuzz_file *out, const void *bytes, size_t size) {
    out->directory = access("/dev/shm", W_OK) ? P_tmpdir : "/dev/shm";
    snprintf(out->path, sizeof out->path, "%s/seqtrain-fuzz-XXXXXX", out->directory);
    out->name = out->path + strlen(out->directory) + 1;
    int descriptor = mkstemp(out->path);
    assert(descriptor >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t written = write(descriptor, (const char *)bytes + at, size - at);
        assert(written > 0);
        at += (size_t)written;
    }
    close(descriptor);
}

void fuzz_file_destroy(fuzz_file *file) {
    unlink(file->path);
}

void fuzz_check(seq_status status, const seq_error *error) {
    assert(status == error->status);
    assert((status == SEQ_OK) == (*error->text == '\0'));
}
