// HDF5 files of others: structures, chunks, attributes and texts. Every data set
// is described, its first rows are read, and so are a label and its first value.
// Checks src/storage/array_*.c and object_header.c; run by tests/fault/fuzz.sh
// and tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <fcntl.h>
#include <seqtrain/storage/array_file.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A refusal of one data set says nothing of the next.
static void check(seq_status status, seq_error *error) {
    fuzz_check(status, error);
    *error = (seq_error){0};
}

static void read_rows(seq_array_file *file, size_t set, const seq_array *array) {
    enum { MOST = 1 << 16 };
    static unsigned char values[MOST];
    seq_error error = {0};
    uint64_t row = (uint64_t)array->type.size;
    for (int i = 1; i < array->axes; i++)
        if (__builtin_mul_overflow(row, array->sizes[i], &row)) return;
    uint64_t fits = row ? MOST / row : 4, rows = array->sizes[0] < fits ? array->sizes[0] : fits;
    check(seq_array_file_read(file, set, array->sizes[0] - rows, rows, values, &error), &error);
    check(seq_array_file_read(file, set, 0, rows, values, &error), &error);
}

static void read_set(seq_array_file *file, size_t set) {
    char text[SEQ_ARRAY_TEXT_MOST];
    seq_array array;
    seq_error error = {0};
    bool found;
    assert(seq_array_file_path(file, set)[0] == '/');
    seq_status status = seq_array_file_describe(file, set, &array, &error);
    check(status, &error);
    if (!status) {
        assert(array.axes >= -1 && array.axes <= SEQ_ARRAY_AXES && array.type.size >= 0);
        if (array.axes > 0 && array.type.size) read_rows(file, set, &array);
        check(seq_array_file_text(file, set, 0, text, &error), &error);
    }
    status = seq_array_file_attribute(file, set, "label", text, &found, &error);
    if (!status && found) assert(strlen(text) < sizeof text);
    check(status, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    seq_array_file *file = NULL;
    seq_error error = {0};
    fuzz_file place;
    fuzz_file_create(&place, data, size);
    int descriptor = open(place.path, O_RDONLY | O_CLOEXEC);
    assert(descriptor >= 0);
    seq_status status = seq_array_file_open(descriptor, "file", &file, &error);
    fuzz_check(status, &error);
    for (size_t i = 0; !status && i < seq_array_file_count(file) && i < 100; i++)
        read_set(file, i);
    seq_array_file_close(file);
    close(descriptor);
    fuzz_file_destroy(&place);
    return 0;
}
