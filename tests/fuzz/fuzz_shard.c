// Vector files: HDF5's structures, filters and chunks. Checksums of the structures are made right,
// so that what they guard is read; bytes that do not begin with HDF5's signature get it and keep
// their checksums.
#include "fuzz.h"
#include <assert.h>
#include <hdf5.h>
#include <seqtrain/base/file.h>
#include <seqtrain/storage/vector_file.h>
#include <stdlib.h>
#include <string.h>

uint32_t H5_checksum_metadata(const void *data, size_t length, uint32_t initial); // HDF5's own

static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

static void put_checksum(uint8_t *from, size_t length) {
    uint32_t checksum = H5_checksum_metadata(from, length, 0);
    for (int i = 0; i < 4; i++)
        from[length + (size_t)i] = (uint8_t)(checksum >> 8 * i);
}

// Length of the structure that begins here, without its checksum; 0: none whose length is known.
static size_t structure_length(const uint8_t *at, size_t left) {
    if (left >= 48 && memcmp(at, signature, 8) == 0 && (at[8] == 2 || at[8] == 3)) return 44;
    if (left >= 16 && memcmp(at, "OHDR", 4) == 0) {
        size_t width = (size_t)1 << (at[5] & 3), size = 0,
               head = 6 + (at[5] & 0x20 ? 16 : 0) + (at[5] & 0x10 ? 4 : 0);
        if (head + width > left) return 0;
        for (size_t i = 0; i < width; i++)
            size |= (size_t)at[head + i] << 8 * i;
        return size < left ? head + width + size : 0;
    }
    if (left >= 72 && memcmp(at, "EAHD", 4) == 0)
        return 68; // extensible array: header, 8-byte sizes
    return 0;
}

static void repair(uint8_t *bytes, size_t size) {
    for (size_t at = 0; at + 16 <= size; at++) {
        size_t length = structure_length(bytes + at, size - at);
        if (length && length + 4 <= size - at) put_checksum(bytes + at, length);
    }
}

#ifdef SEQ_FUZZ
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity); // libFuzzer's
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);

// HDF5 itself is not instrumented and files are full of addresses: most changes leave everything in
// its place.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed) {
    static const uint8_t borders[] = {0, 1, 2, 7, 8, 0x7f, 0x80, 0xfe, 0xff};
    if (size == 0 || seed % 8 == 0) return LLVMFuzzerMutate(data, size, capacity);
    for (unsigned changes = 1 + seed / 8 % 4; changes; changes--) {
        seed = seed * 1664525 + 1013904223;
        uint8_t *byte = data + (seed >> 8) % size;
        seed = seed * 1664525 + 1013904223;
        *byte = seed >> 31 ? borders[(seed >> 8) % sizeof borders]
                           : (uint8_t)(*byte ^ 1u << (seed >> 8) % 8);
    }
    return size;
}
#endif

static void read_vector(seq_vector_file *file, const char *name, seq_element element) {
    enum { MOST = 1 << 14 };
    static double values[MOST];
    size_t length = 0;
    seq_error error = {0};
    seq_status status = seq_vector_length(file, name, element, &length, &error);
    if (!status)
        status =
            seq_vector_read(file, name, element, 0, length < MOST ? length : MOST, values, &error);
    fuzz_check(status, &error);
}

static void read_file(const char *path) {
    seq_vector_file *file = NULL;
    seq_error error = {0};
    fuzz_check(seq_vector_file_open(path, &file, &error), &error);
    if (error.status) return;
    read_vector(file, "parameters", SEQ_F32);
    read_vector(file, "tokens", SEQ_U8);
    seq_vector_file_close(file, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool begun;
    seq_error error = {0};
    fuzz_file file;
    if (!begun) assert(seq_storage_begin(&error) == SEQ_OK);
    begun = true;
    uint8_t *bytes = malloc(size + sizeof signature);
    assert(bytes);
    if (size) memcpy(bytes, data, size);
    bool whole = size >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
    if (whole)
        repair(bytes, size);
    else
        memcpy(bytes, signature, sizeof signature);
    fuzz_file_create(&file, bytes, size);
    free(bytes);
    read_file(file.path);
    fuzz_file_destroy(&file);
    return 0;
}
