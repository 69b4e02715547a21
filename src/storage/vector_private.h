// What the reading and the writing half of vector files share.
#ifndef SEQ_STORAGE_VECTOR_PRIVATE_H
#define SEQ_STORAGE_VECTOR_PRIVATE_H

#include "chunk_decoder.h"
#include "layout.h"
#include "zstd_filter.h"
#include <seqtrain/storage/vector_file.h>
#include <stdbool.h>

struct seq_vector_file {
    char *path;
    hid_t file;
    seq_status (*finish)(seq_vector_file *file, seq_error *error); // of a file that is written
    hid_t dataset;                                                 // open for appending, or -1
    char *name; // of the data set that is open for reading
    seq_element element;
    size_t length; // elements written
    // Reading, without HDF5.
    seq_layout_file place;
    seq_layout layout; // of the data set, as is the decoder
    seq_chunk_decoder decoder;
    size_t decoded; // number of the chunk in its hands, SIZE_MAX: none
};

// Every public function of this layer that calls HDF5 holds this lock meanwhile and no longer: two
// threads may use different files. What takes time (compression, syncing, hashing) happens outside.
void seq_hdf5_lock(void);
void seq_hdf5_unlock(void);

// SEQ_NO_MEMORY when there is less than HDF5 needs to open a file.
seq_status seq_hdf5_reserve(const char *doing, seq_error *error);

hid_t seq_element_disk_type(seq_element element);
hid_t seq_element_memory_type(seq_element element);

// Records a failed HDF5 call: the status comes from errno when the system said why. Set errno to 0
// before the call.
seq_status seq_hdf5_failed(const seq_vector_file *file, const char *doing, seq_error *error);
void seq_vector_release(seq_vector_file *file); // the data set that is open for reading
seq_status seq_vector_allocate(const char *path, seq_vector_file **out, seq_error *error);
void seq_vector_free(seq_vector_file *file);

#endif
