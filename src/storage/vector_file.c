// What reading and writing have in common. No function of HDF5 is called here:
// a file that is written brings the function that closes it. Invariant: closing
// frees the memory and the descriptor even where it fails. Tests:
// tests/unit/storage/test_vector_file.c, tests/layering/programs.sh.
#include "vector_private.h"
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

static const size_t element_sizes[] = {
    [SEQ_F32] = 4, [SEQ_F64] = 8, [SEQ_U8] = 1, [SEQ_U16] = 2, [SEQ_U32] = 4, [SEQ_I64] = 8};

size_t seq_element_size(seq_element element) {
    return element_sizes[element];
}

const char *seq_storage_library(void) {
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
    return "HDF5 " TEXT(H5_VERS_MAJOR) "." TEXT(H5_VERS_MINOR) "." TEXT(
        H5_VERS_RELEASE) ", zstd " ZSTD_VERSION_STRING ", XXH3-128";
}

void seq_vector_release(seq_vector_file *file) {
    seq_chunk_decoder_end(&file->decoder);
    free(file->name);
    file->name = NULL;
}

seq_status seq_vector_allocate(const char *path, seq_vector_file **out, seq_error *error) {
    seq_vector_file *file = NULL;
    seq_status status = seq_allocate(&file, 1, sizeof *file, "a vector file", error);
    if (status) return status;
    file->file = file->dataset = -1;
    file->path = strdup(path);
    if (!file->path) {
        free(file);
        return seq_error_set(error, SEQ_NO_MEMORY, "opening %s: out of memory", path);
    }
    *out = file;
    return SEQ_OK;
}

void seq_vector_free(seq_vector_file *file) {
    free(file->name);
    free(file->path);
    free(file);
}

seq_status seq_vector_file_close(seq_vector_file *file, seq_error *error) {
    if (!file) return SEQ_OK;
    if (file->finish) return file->finish(file, error);
    seq_vector_release(file);
    close(file->place.descriptor);
    seq_vector_free(file);
    return SEQ_OK;
}
