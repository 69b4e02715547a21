#include "fuzz.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_file_create(fuzz_file *out, const void *bytes, size_t size) {
    out->descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    assert(out->descriptor >= 0);
    snprintf(out->name, sizeof out->name, "%d", out->descriptor);
    snprintf(out->path, sizeof out->path, "%s/%s", FUZZ_DIRECTORY, out->name);
    for (size_t at = 0; at < size;) {
        ssize_t written = write(out->descriptor, (const char *)bytes + at, size - at);
        assert(written > 0);
        at += (size_t)written;
    }
}

void fuzz_file_destroy(fuzz_file *file) {
    close(file->descriptor);
}

void fuzz_check(seq_status status, const seq_error *error) {
    assert(status == error->status);
    assert((status == SEQ_OK) == (*error->text == '\0'));
}
