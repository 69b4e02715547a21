#include "vector_private.h"
#include <errno.h>
#include <pthread.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

// HDF5's own state is the process's, and the serial library guards none of it: so is its lock.
static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;

void seq_hdf5_lock(void) {
    pthread_mutex_lock(&hdf5_lock);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // a thread-safe HDF5 has this setting once a thread
}

void seq_hdf5_unlock(void) {
    pthread_mutex_unlock(&hdf5_lock);
}

static const size_t element_sizes[] = {
    [SEQ_F32] = 4, [SEQ_F64] = 8, [SEQ_U8] = 1, [SEQ_U16] = 2, [SEQ_U32] = 4, [SEQ_I64] = 8};

size_t seq_element_size(seq_element element) {
    return element_sizes[element];
}

hid_t seq_element_disk_type(seq_element element) {
    const hid_t types[] = {
        [SEQ_F32] = H5T_IEEE_F32LE, [SEQ_F64] = H5T_IEEE_F64LE, [SEQ_U8] = H5T_STD_U8LE,
        [SEQ_U16] = H5T_STD_U16LE,  [SEQ_U32] = H5T_STD_U32LE,  [SEQ_I64] = H5T_STD_I64LE};
    return types[element];
}

hid_t seq_element_memory_type(seq_element element) {
    const hid_t types[] = {
        [SEQ_F32] = H5T_NATIVE_FLOAT,  [SEQ_F64] = H5T_NATIVE_DOUBLE, [SEQ_U8] = H5T_NATIVE_UINT8,
        [SEQ_U16] = H5T_NATIVE_UINT16, [SEQ_U32] = H5T_NATIVE_UINT32, [SEQ_I64] = H5T_NATIVE_INT64};
    return types[element];
}

// Without HDF5's own exit handler: after a full disk it would try again and again to flush what
// cannot be flushed. Without its locks on files: ours are written once, and where a file system has
// no locks it would open none.
seq_status seq_storage_begin(seq_error *error) {
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (H5dont_atexit() < 0 || H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 ||
        H5Zregister(&seq_zstd_filter) < 0 || H5PLset_loading_state(0) < 0)
        return seq_error_set(error, SEQ_IO, "starting HDF5: the library refused");
    return SEQ_OK;
}

const char *seq_storage_library(void) {
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)
    return "HDF5 " TEXT(H5_VERS_MAJOR) "." TEXT(H5_VERS_MINOR) "." TEXT(
        H5_VERS_RELEASE) ", zstd " ZSTD_VERSION_STRING ", XXH3-128";
}

seq_status seq_hdf5_failed(const seq_vector_file *file, const char *doing, seq_error *error) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == ENOMEM)
        return seq_error_set_errno(error, "%s %s", doing, file->path);
    return seq_error_set(error, SEQ_IO, "%s %s: HDF5 failed%s%s", doing, file->path,
                         errno ? ": " : "", errno ? strerror(errno) : "");
}

void seq_vector_release(seq_vector_file *file) {
    if (file->dataset >= 0) H5Dclose(file->dataset);
    file->dataset = -1;
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
    if (!file->writing) {
        seq_vector_release(file);
        close(file->place.descriptor);
        seq_vector_free(file);
        return SEQ_OK;
    }
    seq_status status = SEQ_OK;
    seq_hdf5_lock();
    seq_vector_release(file);
    errno = 0;
    if (H5Fclose(file->file) < 0) status = seq_hdf5_failed(file, "closing", error);
    seq_hdf5_unlock();
    if (!status) status = seq_file_sync(file->path, error);
    seq_vector_free(file);
    return status;
}
