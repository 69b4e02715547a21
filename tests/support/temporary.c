// A directory of the test's own, and files in it. It lies in /tmp, and the end
// of the test removes it with all that is in it. temporary_path() keeps the
// last path in the structure itself, so a path is good until the next call.
#include "temporary.h"
#include <assert.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>

void temporary_create(temporary *out) {
    snprintf(out->directory, sizeof out->directory, "/tmp/seqtrain-test-XXXXXX");
    char *made = mkdtemp(out->directory);
    assert(made);
    (void)made;
}

void temporary_destroy(temporary *temporary) {
    seq_error ignored = {0};
    seq_directory_remove(temporary->directory, &ignored);
}

const char *temporary_path(temporary *temporary, const char *name) {
    snprintf(temporary->path, sizeof temporary->path, "%s/%s", temporary->directory, name);
    return temporary->path;
}

void write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *stream = fopen(path, "wb");
    assert(stream);
    size_t written = fwrite(bytes, 1, size, stream);
    assert(written == size);
    (void)written;
    fclose(stream);
}

char *read_bytes(const char *path, size_t *out_size) {
    seq_error error = {0};
    char *bytes = NULL;
    seq_status status = seq_file_read(path, (size_t)1 << 30, &bytes, out_size, &error);
    assert(!status);
    (void)status;
    return bytes;
}
