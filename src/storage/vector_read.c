// Reading is reading hostile input: every property of a data set is checked before its first
// element is read.
#include "vector_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static seq_status open_file(const char *path, seq_vector_file **out, seq_error *error) {
    seq_vector_file *file = NULL;
    seq_status status = seq_vector_allocate(path, &file, error);
    if (status) return status;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    errno = 0;
    file->file = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file->file >= 0) {
        *out = file;
        return SEQ_OK;
    }
    if (errno == ENOENT || errno == EACCES)
        seq_error_set_errno(error, "opening %s", path);
    else
        seq_error_set(error, SEQ_BAD_INPUT, "opening %s: not a valid HDF5 file", path);
    seq_vector_free(file);
    return error->status;
}

seq_status seq_vector_file_open(const char *path, seq_vector_file **out, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = open_file(path, out, error);
    seq_hdf5_unlock();
    return status;
}

static seq_status refuse(const seq_vector_file *file, const char *name, const char *why,
                         seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT, "reading %s: data set %s %s", file->path, name, why);
}

static bool is_hard_link(const seq_vector_file *file, const char *name) {
    H5L_info_t info;
    return !strchr(name, '/') && H5Lget_info(file->file, name, &info, H5P_DEFAULT) >= 0 &&
           info.type == H5L_TYPE_HARD;
}

static bool is_known_filter(H5Z_filter_t filter) {
    return filter == H5Z_FILTER_SHUFFLE || filter == SEQ_ZSTD_FILTER ||
           filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_FLETCHER32;
}

static bool has_known_filters(hid_t properties) {
    int count = H5Pget_nfilters(properties);
    for (int i = 0; i < count; i++) {
        unsigned flags, config;
        size_t values = 0;
        if (!is_known_filter(
                H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &config)))
            return false;
    }
    return count >= 0;
}

static const char *check_storage(hid_t properties, size_t element_size) {
    hsize_t chunk = 0;
    H5D_layout_t layout = H5Pget_layout(properties);
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        return "is neither contiguous nor chunked";
    if (H5Pget_external_count(properties) != 0) return "keeps its values in another file";
    if (!has_known_filters(properties)) return "needs a filter that is not allowed";
    if (layout == H5D_CHUNKED && (H5Pget_chunk(properties, 1, &chunk) != 1 || chunk == 0 ||
                                  chunk > SEQ_CHUNK_LIMIT / element_size))
        return "has chunks of a size that is not allowed";
    return NULL;
}

static const char *check_dataset(seq_vector_file *file, seq_element element) {
    hsize_t length = 0;
    hid_t space = H5Dget_space(file->dataset), type = H5Dget_type(file->dataset),
          properties = H5Dget_create_plist(file->dataset);
    const char *why = NULL;
    if (H5Sget_simple_extent_ndims(space) != 1 ||
        H5Sget_simple_extent_dims(space, &length, NULL) != 1)
        why = "has not one dimension";
    else if (H5Tequal(type, seq_element_disk_type(element)) <= 0)
        why = "has elements of another type";
    else
        why = check_storage(properties, seq_element_size(element));
    H5Pclose(properties);
    H5Tclose(type);
    H5Sclose(space);
    file->length = length;
    return why;
}

static seq_status open_dataset(seq_vector_file *file, const char *name, seq_element element,
                               seq_error *error) {
    if (file->dataset >= 0 && strcmp(file->name, name) == 0 && file->element == element)
        return SEQ_OK;
    seq_vector_release(file);
    if (!is_hard_link(file, name))
        return refuse(file, name, "is missing, or not a plain link", error);
    file->dataset = H5Dopen2(file->file, name, H5P_DEFAULT);
    if (file->dataset < 0) return refuse(file, name, "cannot be opened", error);
    file->name = strdup(name);
    if (!file->name)
        return seq_error_set(error, SEQ_NO_MEMORY, "reading %s: out of memory", file->path);
    file->element = element;
    const char *why = check_dataset(file, element);
    if (!why) return SEQ_OK;
    refuse(file, name, why, error);
    seq_vector_release(file);
    return error->status;
}

static seq_status find_length(seq_vector_file *file, const char *name, seq_element element,
                              size_t *out_length, seq_error *error) {
    seq_status status = open_dataset(file, name, element, error);
    if (!status) *out_length = file->length;
    return status;
}

seq_status seq_vector_length(seq_vector_file *file, const char *name, seq_element element,
                             size_t *out_length, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = find_length(file, name, element, out_length, error);
    seq_hdf5_unlock();
    return status;
}

static seq_status read_elements(seq_vector_file *file, const char *name, seq_element element,
                                size_t offset, size_t count, void *out, seq_error *error) {
    seq_status status = open_dataset(file, name, element, error);
    if (status || count == 0) return status;
    if (offset > file->length || count > file->length - offset)
        return refuse(file, name, "is too short", error);
    hsize_t start = offset, extent = count;
    hid_t source = H5Dget_space(file->dataset), target = H5Screate_simple(1, &extent, NULL);
    H5Sselect_hyperslab(source, H5S_SELECT_SET, &start, NULL, &extent, NULL);
    herr_t failed =
        H5Dread(file->dataset, seq_element_memory_type(element), target, source, H5P_DEFAULT, out);
    H5Sclose(target);
    H5Sclose(source);
    return failed < 0 ? refuse(file, name, "cannot be decoded: the file is damaged", error)
                      : SEQ_OK;
}

seq_status seq_vector_read(seq_vector_file *file, const char *name, seq_element element,
                           size_t offset, size_t count, void *out, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = read_elements(file, name, element, offset, count, out, error);
    seq_hdf5_unlock();
    return status;
}
