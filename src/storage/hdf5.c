// HDF5 itself: its start, its lock, its types and its failures. Nothing that
// reads calls it, so programs that only read do not link it
// (tests/layering/programs.sh). Memory is tried before each opening, because
// HDF5 1.10 crashes without. Tests: tests/fault/memory.sh,
// tests/fault/full_disk.sh.
#include "vector_private.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// HDF5's own state is the process's, and the serial library guards none of it: so is its lock.
static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;

void seq_hdf5_lock(void) {
    pthread_mutex_lock(&hdf5_lock);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // a thread-safe HDF5 has this setting once a thread
}

void seq_hdf5_unlock(void) {
    pthread_mutex_unlock(&hdf5_lock);
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

// HDF5 1.10 crashes where it finds no memory (H5AC_create uses what malloc has not given).
seq_status seq_hdf5_reserve(const char *doing, seq_error *error) {
    enum { ENOUGH = 8 << 20 }; // bytes for a file and its metadata cache
    void *memory = malloc(ENOUGH);
    if (!memory)
        return seq_error_set(error, SEQ_NO_MEMORY,
                             "%s: HDF5 may need %d MB of memory: Cannot allocate memory", doing,
                             ENOUGH >> 20);
    free(memory);
    return SEQ_OK;
}

// Without HDF5's own exit handler: after a full disk it would try again and again to flush what
// cannot be flushed. Without its locks on files: ours are written once, and where a file system has
// no locks it would open none.
seq_status seq_storage_begin(seq_error *error) {
    if (seq_hdf5_reserve("starting HDF5", error)) return error->status;
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
    if (H5dont_atexit() < 0 || H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 ||
        H5Zregister(&seq_zstd_filter) < 0 || H5PLset_loading_state(0) < 0)
        return seq_error_set(error, SEQ_IO, "starting HDF5: the library refused");
    return SEQ_OK;
}

seq_status seq_hdf5_failed(const seq_vector_file *file, const char *doing, seq_error *error) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == ENOMEM)
        return seq_error_set_errno(error, "%s %s", doing, file->path);
    return seq_error_set(error, SEQ_IO, "%s %s: HDF5 failed%s%s", doing, file->path,
                         errno ? ": " : "", errno ? strerror(errno) : "");
}
