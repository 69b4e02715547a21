// Reading is reading hostile input: every property of a data set is checked before its first
// element is read.
#include "vector_private.h"
#include <errno.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static seq_status open_file(const char *path, seq_vector_file **out, seq_error *error) {
    seq_vector_file *file = NULL;
    uint64_t size;
    seq_status status = seq_file_size(path, &size, error);
    if (!status) status = seq_vector_allocate(path, &file, error);
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

// The pipeline of the writer, parts of which may be left out: shuffle, zstd or deflate, Fletcher32.
static bool take_filters(hid_t properties, seq_chunk_decoder *decoder) {
    int count = H5Pget_nfilters(properties), at = 0, last = 0;
    decoder->compression = SEQ_COMPRESS_NONE;
    for (; at < count; at++) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t filter =
            H5Pget_filter2(properties, (unsigned)at, &flags, &values, NULL, 0, NULL, &config);
        int place = filter == H5Z_FILTER_SHUFFLE                                ? 1
                    : filter == SEQ_ZSTD_FILTER || filter == H5Z_FILTER_DEFLATE ? 2
                    : filter == H5Z_FILTER_FLETCHER32                           ? 3
                                                                                : 0;
        if (place <= last) return false;
        last = place;
        if (place == 1) decoder->shuffled = true;
        if (place == 2)
            decoder->compression =
                filter == SEQ_ZSTD_FILTER ? SEQ_COMPRESS_ZSTD : SEQ_COMPRESS_GZIP;
        if (place == 3) decoder->checksum = true;
    }
    return count >= 0;
}

// Each chunk costs a search and some memory of HDF5: there are never more than these.
static bool are_too_many(size_t length, size_t chunk) {
    enum { SOME = 4096, USUAL = 1024 };
    return length / chunk > SOME + length / USUAL;
}

static const char *check_storage(seq_vector_file *file, hid_t properties, size_t element_size) {
    hsize_t chunk = 0;
    H5D_layout_t layout = H5Pget_layout(properties);
    file->chunked = layout == H5D_CHUNKED;
    if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        return "is neither contiguous nor chunked";
    if (H5Pget_external_count(properties) != 0) return "keeps its values in another file";
    if (!take_filters(properties, &file->decoder))
        return "has filters that are not allowed: others than shuffle, then zstd or deflate, then "
               "Fletcher32";
    if (file->chunked && (H5Pget_chunk(properties, 1, &chunk) != 1 || chunk == 0 ||
                          chunk > SEQ_CHUNK_LIMIT / element_size))
        return "has chunks of a size that is not allowed";
    if (file->chunked && are_too_many(file->length, chunk))
        return "has more chunks than its length asks for";
    file->decoder.element = element_size;
    file->decoder.elements = chunk;
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
    file->length = length;
    if (!why) why = check_storage(file, properties, seq_element_size(element));
    H5Pclose(properties);
    H5Tclose(type);
    H5Sclose(space);
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
    file->decoded = SIZE_MAX;
    const char *why = check_dataset(file, element);
    seq_status status = why             ? refuse(file, name, why, error)
                        : file->chunked ? seq_chunk_decoder_begin(&file->decoder, error)
                                        : SEQ_OK;
    if (status) seq_vector_release(file);
    return status;
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

static seq_status open_range(seq_vector_file *file, const char *name, seq_element element,
                             size_t offset, size_t count, seq_error *error) {
    seq_status status = open_dataset(file, name, element, error);
    if (!status && (offset > file->length || count > file->length - offset))
        status = refuse(file, name, "is too short", error);
    return status;
}

// What is not in chunks, or in another order of bytes than the machine's, is HDF5's to convert.
static seq_status read_plainly(seq_vector_file *file, size_t offset, size_t count, void *out,
                               seq_error *error) {
    hsize_t start = offset, extent = count;
    seq_hdf5_lock();
    hid_t source = H5Dget_space(file->dataset), target = H5Screate_simple(1, &extent, NULL);
    H5Sselect_hyperslab(source, H5S_SELECT_SET, &start, NULL, &extent, NULL);
    herr_t failed = H5Dread(file->dataset, seq_element_memory_type(file->element), target, source,
                            H5P_DEFAULT, out);
    H5Sclose(target);
    H5Sclose(source);
    seq_hdf5_unlock();
    return failed < 0 ? refuse(file, file->name, "cannot be decoded: the file is damaged", error)
                      : SEQ_OK;
}

// The bytes of the chunk that begins at element `start` as they are in the file; NULL, or why not.
static const char *fetch_encoded(seq_vector_file *file, hsize_t start, size_t *out_size) {
    hsize_t size = 0;
    uint32_t left_out = 0;
    if (H5Dget_chunk_storage_size(file->dataset, &start, &size) < 0 || size == 0)
        return "is missing";
    if (size > file->decoder.capacity) return "is larger than any chunk can be";
    if (H5Dread_chunk(file->dataset, H5P_DEFAULT, &start, &left_out, file->decoder.encoded) < 0)
        return "cannot be read";
    *out_size = size;
    return left_out ? "was stored without one of its filters" : NULL;
}

static seq_status fetch_chunk(seq_vector_file *file, size_t start, seq_error *error) {
    char text[160];
    size_t size = 0;
    if (file->decoded == start) return SEQ_OK;
    file->decoded = SIZE_MAX;
    seq_hdf5_lock();
    const char *why = fetch_encoded(file, start, &size);
    seq_hdf5_unlock();
    if (!why) why = seq_chunk_decode(&file->decoder, size);
    if (!why) {
        file->decoded = start;
        return SEQ_OK;
    }
    snprintf(text, sizeof text, "is damaged: the chunk of value %zu %s", start, why);
    return refuse(file, file->name, text, error);
}

static seq_status read_chunks(seq_vector_file *file, size_t offset, size_t count,
                              unsigned char *out, seq_error *error) {
    const seq_chunk_decoder *decoder = &file->decoder;
    while (count) {
        size_t within = offset % decoder->elements, left = decoder->elements - within,
               some = count < left ? count : left;
        seq_status status = fetch_chunk(file, offset - within, error);
        if (status) return status;
        memcpy(out, decoder->plain + within * decoder->element, some * decoder->element);
        out += some * decoder->element;
        offset += some;
        count -= some;
    }
    return SEQ_OK;
}

seq_status seq_vector_read(seq_vector_file *file, const char *name, seq_element element,
                           size_t offset, size_t count, void *out, seq_error *error) {
    seq_hdf5_lock();
    seq_status status = open_range(file, name, element, offset, count, error);
    bool same_order =
        H5Tequal(seq_element_disk_type(element), seq_element_memory_type(element)) > 0;
    seq_hdf5_unlock();
    if (status || count == 0) return status;
    return file->chunked && same_order ? read_chunks(file, offset, count, out, error)
                                       : read_plainly(file, offset, count, out, error);
}
