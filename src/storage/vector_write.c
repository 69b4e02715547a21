// Writes vectors through HDF5, in chunks behind an extensible array, and views
// as virtual data sets. A whole vector goes in as chunks that were encoded here
// (H5Dwrite_chunk). A flat range of a matrix becomes three boxes at most.
// Invariant: files hold no time stamps, so equal values are equal files; a file
// is synced after it was closed. Tests: tests/unit/storage/test_vector_file.c,
// tests/fault/h5tools.sh.
#include "chunk_encoder.h"
#include "vector_private.h"
#include <errno.h>
#include <math.h>
#include <seqtrain/base/file.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Closes the file and frees it, whatever fails.
static seq_status finish(seq_vector_file *file, seq_error *error) {
    seq_status status = SEQ_OK;
    seq_hdf5_lock();
    if (file->dataset >= 0) H5Dclose(file->dataset);
    errno = 0;
    if (H5Fclose(file->file) < 0) status = seq_hdf5_failed(file, "closing", error);
    seq_hdf5_unlock();
    if (!status) status = seq_file_sync(file->path, error);
    seq_vector_free(file);
    return status;
}

enum { LINKS_USUAL = 8, NAME_USUAL = 32 }; // HDF5's own limit of links in an object header; bytes

static seq_status create_file(const char *path, int vectors, seq_vector_file **out,
                              seq_error *error) {
    seq_vector_file *file = NULL;
    if (seq_hdf5_reserve("creating a vector file", error)) return error->status;
    seq_status status = seq_vector_allocate(path, &file, error);
    if (status) return status;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, 0); // of the root group
    if (vectors > LINKS_USUAL) {
        H5Pset_link_phase_change(creation, (unsigned)vectors, 0);
        H5Pset_est_link_info(creation, (unsigned)vectors, NAME_USUAL);
    }
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    errno = 0;
    file->file = H5Fcreate(path, H5F_ACC_EXCL, creation, access);
    if (file->file < 0)
        status = errno ? seq_error_set_errno(error, "creating %s", path)
                       : seq_hdf5_failed(file, "creating", error);
    H5Pclose(creation);
    H5Pclose(access);
    file->finish = finish;
    if (status)
        seq_vector_free(file);
    else
        *out = file;
    return status;
}

seq_status seq_vector_file_create_wide(const char *path, int vectors, seq_vector_file **out,
                                       seq_error *error) {
    seq_hdf5_lock();
    seq_status status = create_file(path, vectors, out, error);
    seq_hdf5_unlock();
    return status;
}

seq_status seq_vector_file_create(const char *path, seq_vector_file **out, seq_error *error) {
    return seq_vector_file_create_wide(path, LINKS_USUAL, out, error);
}

static void add_filters(hid_t properties, seq_pipeline pipeline) {
    unsigned level = (unsigned)pipeline.level;
    if (pipeline.compression != SEQ_COMPRESS_NONE) H5Pset_shuffle(properties);
    if (pipeline.compression == SEQ_COMPRESS_ZSTD)
        H5Pset_filter(properties, SEQ_ZSTD_FILTER, H5Z_FLAG_MANDATORY, 1, &level);
    else if (pipeline.compression == SEQ_COMPRESS_GZIP)
        H5Pset_deflate(properties, level);
    H5Pset_fletcher32(properties);
}

static size_t chunk_elements(size_t wanted, seq_element element) {
    size_t most = SEQ_CHUNK_LIMIT / seq_element_size(element);
    return wanted < 1 ? 1 : wanted > most ? most : wanted;
}

static seq_status begin_dataset(seq_vector_file *file, const char *name, seq_element element,
                                size_t chunk, seq_pipeline pipeline, seq_error *error) {
    hsize_t none = 0, unlimited = H5S_UNLIMITED;
    hsize_t chunk_size = chunk_elements(chunk, element);
    hid_t space = H5Screate_simple(1, &none, &unlimited),
          properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &chunk_size);
    H5Pset_obj_track_times(properties, 0);
    add_filters(properties, pipeline);
    errno = 0;
    file->dataset = H5Dcreate2(file->file, name, seq_element_disk_type(element), space, H5P_DEFAULT,
                               properties, H5P_DEFAULT);
    file->element = element;
    file->length = 0;
    H5Pclose(properties);
    H5Sclose(space);
    return file->dataset < 0 ? seq_hdf5_failed(file, "writing", error) : SEQ_OK;
}

seq_status seq_vector_begin(seq_vector_file *file, const char *name, seq_element element,
                            size_t chunk, seq_pipeline pipeline, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = begin_dataset(file, name, element, chunk, pipeline, error);
    seq_hdf5_unlock();
    return status;
}

static seq_status append_elements(seq_vector_file *file, const void *values, size_t count,
                                  seq_error *error) {
    hsize_t start = file->length, added = count, total = file->length + count;
    if (count == 0) return SEQ_OK;
    errno = 0;
    if (H5Dset_extent(file->dataset, &total) < 0) return seq_hdf5_failed(file, "writing", error);
    hid_t target = H5Dget_space(file->dataset), source = H5Screate_simple(1, &added, NULL);
    H5Sselect_hyperslab(target, H5S_SELECT_SET, &start, NULL, &added, NULL);
    herr_t failed = H5Dwrite(file->dataset, seq_element_memory_type(file->element), source, target,
                             H5P_DEFAULT, values);
    seq_status status = failed < 0 ? seq_hdf5_failed(file, "writing", error) : SEQ_OK;
    H5Sclose(source);
    H5Sclose(target);
    file->length += count;
    return status;
}

seq_status seq_vector_append(seq_vector_file *file, const void *values, size_t count,
                             seq_error *error) {
    seq_hdf5_lock();
    seq_status status = append_elements(file, values, count, error);
    seq_hdf5_unlock();
    return status;
}

static seq_status end_dataset(seq_vector_file *file, seq_error *error) {
    errno = 0;
    herr_t failed = H5Dclose(file->dataset);
    file->dataset = -1;
    return failed < 0 ? seq_hdf5_failed(file, "writing", error) : SEQ_OK;
}

seq_status seq_vector_end(seq_vector_file *file, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = end_dataset(file, error);
    seq_hdf5_unlock();
    return status;
}

static seq_status set_length(seq_vector_file *file, size_t count, seq_error *error) {
    hsize_t total = count;
    seq_hdf5_lock();
    errno = 0;
    seq_status status =
        H5Dset_extent(file->dataset, &total) < 0 ? seq_hdf5_failed(file, "writing", error) : SEQ_OK;
    seq_hdf5_unlock();
    return status;
}

static seq_status write_encoded(seq_vector_file *file, size_t start, const seq_chunk_encoder *chunk,
                                seq_error *error) {
    hsize_t offset = start;
    seq_hdf5_lock();
    errno = 0;
    herr_t failed =
        H5Dwrite_chunk(file->dataset, H5P_DEFAULT, 0, &offset, chunk->size, chunk->bytes);
    seq_status status = failed < 0 ? seq_hdf5_failed(file, "writing", error) : SEQ_OK;
    seq_hdf5_unlock();
    return status;
}

// Chunk by chunk, encoded here and handed to HDF5 ready for the disk: a thread that reads meanwhile
// waits for a copy to the system at most, never for a compression.
static seq_status write_chunks(seq_vector_file *file, const char *values, size_t count,
                               size_t chunk, seq_pipeline pipeline, seq_error *error) {
    size_t element = seq_element_size(file->element);
    seq_chunk_encoder encoder = {.pipeline = pipeline, .element = element, .elements = chunk};
    seq_status status = seq_chunk_encoder_begin(&encoder, error);
    if (!status) status = set_length(file, count, error);
    for (size_t start = 0; !status && start < count; start += chunk) {
        size_t some = count - start < chunk ? count - start : chunk;
        status = seq_chunk_encode(&encoder, values + start * element, some, error);
        if (!status) status = write_encoded(file, start, &encoder, error);
    }
    seq_chunk_encoder_end(&encoder);
    return status;
}

static bool has_disk_order(seq_element element) {
    seq_hdf5_lock();
    bool same = H5Tequal(seq_element_disk_type(element), seq_element_memory_type(element)) > 0;
    seq_hdf5_unlock();
    return same;
}

seq_status seq_vector_write(seq_vector_file *file, const char *name, seq_element element,
                            const void *values, size_t count, size_t chunk, seq_pipeline pipeline,
                            seq_error *error) {
    seq_status status = seq_vector_begin(file, name, element, chunk, pipeline, error);
    if (!status && count && has_disk_order(element))
        status = write_chunks(file, values, count, chunk_elements(chunk, element), pipeline, error);
    else if (!status)
        status = seq_vector_append(file, values, count, error);
    return status ? status : seq_vector_end(file, error);
}

typedef struct view {
    int dimensions;
    hsize_t sizes[2]; // rows, columns
    hid_t space, properties;
} view;

// Elements [at, at + count) of the view, a whole box of it, come from the source.
static bool map_box(const view *view, const seq_view_part *part, hsize_t source_offset, hsize_t at,
                    hsize_t count) {
    hsize_t length = part->source_length, columns = view->dimensions == 2 ? view->sizes[1] : 1;
    hsize_t start[2] = {at / columns, at % columns};
    hsize_t extent[2] = {count < columns ? 1 : count / columns, count < columns ? count : columns};
    if (view->dimensions == 1) extent[0] = count;
    hid_t source = H5Screate_simple(1, &length, NULL);
    H5Sselect_hyperslab(source, H5S_SELECT_SET, &source_offset, NULL, &count, NULL);
    H5Sselect_hyperslab(view->space, H5S_SELECT_SET, start, NULL, extent, NULL);
    herr_t failed =
        H5Pset_virtual(view->properties, view->space, part->file, part->dataset, source);
    H5Sclose(source);
    return failed >= 0;
}

// A flat range of a matrix is at most three boxes: the end of a row, whole rows, the beginning of a
// row.
static bool map_part(const view *view, const seq_view_part *part, hsize_t at) {
    hsize_t columns = view->dimensions == 2 ? view->sizes[1] : 1, left = part->count,
            source = part->offset;
    while (left) {
        hsize_t to_row_end = columns - at % columns;
        hsize_t count = at % columns || left < columns ? (left < to_row_end ? left : to_row_end)
                                                       : left / columns * columns;
        if (!map_box(view, part, source, at, count)) return false;
        at += count;
        source += count;
        left -= count;
    }
    return true;
}

static seq_status write_view(seq_vector_file *file, const char *name, int dimensions, size_t rows,
                             size_t columns, const seq_view_part *parts, size_t part_count,
                             seq_error *error) {
    float missing = NAN;
    view view = {.dimensions = dimensions, .sizes = {rows, columns}};
    view.space = H5Screate_simple(dimensions, view.sizes, NULL);
    view.properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_fill_value(view.properties, H5T_NATIVE_FLOAT, &missing);
    H5Pset_obj_track_times(view.properties, 0);
    hsize_t at = 0;
    bool mapped = true;
    for (size_t i = 0; i < part_count && mapped; at += parts[i++].count)
        mapped = map_part(&view, &parts[i], at);
    errno = 0;
    hid_t dataset = mapped ? H5Dcreate2(file->file, name, H5T_IEEE_F32LE, view.space, H5P_DEFAULT,
                                        view.properties, H5P_DEFAULT)
                           : -1;
    herr_t failed = dataset < 0 ? -1 : H5Dclose(dataset);
    H5Pclose(view.properties);
    H5Sclose(view.space);
    return failed < 0 ? seq_hdf5_failed(file, "writing a view to", error) : SEQ_OK;
}

seq_status seq_vector_write_view(seq_vector_file *file, const char *name, int dimensions,
                                 size_t rows, size_t columns, const seq_view_part *parts,
                                 size_t part_count, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = write_view(file, name, dimensions, rows, columns, parts, part_count, error);
    seq_hdf5_unlock();
    return status;
}
