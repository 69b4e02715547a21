// Reading is reading hostile input: every property of a data set is checked
// before its first element is read, by code of our own (layout.h), and HDF5 is
// not called. One decoded chunk is kept, so reading in small pieces decodes
// each chunk once. Invariant: work and memory grow with the length that was
// asked for, not with what the file claims. Tests:
// tests/unit/storage/test_vector_file.c, tests/fuzz/fuzz_shard.c.
#include "vector_private.h"
#include <fcntl.h>
#include <seqtrain/base/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

seq_status seq_vector_file_open(const char *path, seq_vector_file **out, seq_error *error) {
    seq_vector_file *file = NULL;
    uint64_t size;
    seq_status status = seq_file_size(path, &size, error);
    if (!status) status = seq_vector_allocate(path, &file, error);
    if (status) return status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    const char *why = descriptor < 0 ? NULL : seq_layout_open(descriptor, size, &file->place);
    if (descriptor < 0)
        status = seq_error_set_errno(error, "opening %s", path);
    else if (why)
        status = seq_error_set(error, SEQ_BAD_INPUT, "opening %s: %s", path, why);
    if (!status) {
        *out = file;
        return SEQ_OK;
    }
    if (descriptor >= 0) close(descriptor);
    seq_vector_free(file);
    return status;
}

static seq_status refuse(const seq_vector_file *file, const char *name, const char *why,
                         seq_error *error) {
    seq_status status = why == seq_layout_no_memory ? SEQ_NO_MEMORY : SEQ_BAD_INPUT;
    return seq_error_set(error, status, "reading %s: data set %s %s", file->path, name, why);
}

// Each chunk costs a search and a call of the system: there are never more than these.
static bool are_too_many(uint64_t length, uint64_t chunk) {
    enum { SOME = 4096, USUAL = 1024 };
    return length / chunk > SOME + length / USUAL;
}

static const char *check_layout(const seq_layout *layout, size_t element_size) {
    if (layout->chunk == 0 || layout->chunk > SEQ_CHUNK_LIMIT / element_size)
        return "has chunks of a size that is not allowed";
    if (are_too_many(layout->length, layout->chunk))
        return "has more chunks than its length asks for";
    return NULL;
}

static seq_status open_dataset(seq_vector_file *file, const char *name, seq_element element,
                               seq_error *error) {
    if (file->name && strcmp(file->name, name) == 0 && file->element == element) return SEQ_OK;
    seq_vector_release(file);
    size_t size = seq_element_size(element);
    const seq_layout *layout = &file->layout;
    const char *why = seq_layout_find(&file->place, name, element, &file->layout);
    if (!why) why = check_layout(layout, size);
    if (why) return refuse(file, name, why, error);
    file->decoder = (seq_chunk_decoder){.compression = layout->compression,
                                        .shuffled = layout->shuffled,
                                        .checksum = layout->checksum,
                                        .element = size,
                                        .elements = (size_t)layout->chunk};
    file->decoded = SIZE_MAX;
    file->element = element;
    seq_status status = seq_chunk_decoder_begin(&file->decoder, error);
    if (!status && !(file->name = strdup(name)))
        status = seq_error_set(error, SEQ_NO_MEMORY, "reading %s: out of memory", file->path);
    if (status) seq_vector_release(file);
    return status;
}

seq_status seq_vector_length(seq_vector_file *file, const char *name, seq_element element,
                             size_t *out_length, seq_error *error) {
    seq_status status = open_dataset(file, name, element, error);
    if (!status) *out_length = (size_t)file->layout.length;
    return status;
}

// NULL, or why not.
static const char *decode_chunk(seq_vector_file *file, size_t number) {
    uint64_t address, size;
    seq_chunk_decoder *decoder = &file->decoder;
    const char *why =
        seq_layout_chunk(&file->place, &file->layout, decoder->element, number, &address, &size);
    if (why) return why;
    if (size > decoder->capacity) return "is larger than any chunk can be";
    if (!seq_layout_fetch(&file->place, address, decoder->encoded, (size_t)size))
        return "cannot be read";
    return seq_chunk_decode(decoder, (size_t)size);
}

static seq_status fetch_chunk(seq_vector_file *file, size_t number, seq_error *error) {
    char text[160];
    if (file->decoded == number) return SEQ_OK;
    file->decoded = SIZE_MAX;
    const char *why = decode_chunk(file, number);
    if (!why) {
        file->decoded = number;
        return SEQ_OK;
    }
    snprintf(text, sizeof text, "is damaged: chunk %zu %s", number, why);
    return refuse(file, file->name, text, error);
}

// Little-endian in the file.
static void copy_elements(const unsigned char *from, unsigned char *to, size_t size, size_t count) {
    const uint16_t one = 1;
    unsigned char least;
    memcpy(&least, &one, 1);
    memcpy(to, from, size * count);
    for (size_t i = 0; !least && i < count; i++)
        for (size_t byte = 0; byte < size; byte++)
            to[i * size + byte] = from[i * size + size - 1 - byte];
}

seq_status seq_vector_read(seq_vector_file *file, const char *name, seq_element element,
                           size_t offset, size_t count, void *out, seq_error *error) {
    unsigned char *to = out;
    const seq_chunk_decoder *decoder = &file->decoder;
    seq_status status = open_dataset(file, name, element, error);
    if (!status && (offset > file->layout.length || count > file->layout.length - offset))
        status = refuse(file, name, "is too short", error);
    while (!status && count) {
        size_t within = offset % decoder->elements, left = decoder->elements - within,
               some = count < left ? count : left;
        status = fetch_chunk(file, offset / decoder->elements, error);
        if (status) break;
        copy_elements(decoder->plain + within * decoder->element, to, decoder->element, some);
        to += some * decoder->element;
        offset += some;
        count -= some;
    }
    return status;
}
