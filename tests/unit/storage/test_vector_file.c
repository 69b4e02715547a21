// Vector files: round trips, equal bytes, and readers that stand up to damaged
// and hostile HDF5. Hostile files are made with HDF5 itself, each with one
// property that our writer never makes. Checks src/storage/vector_*.c,
// layout*.c and chunk_*.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <hdf5.h>
#include <seqtrain/base/random.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include "temporary.h"

enum { COUNT = 5000, CHUNK = 512, ZEROS = 1 << 26 };
static temporary place;

static int begin(void **state) {
    (void)state;
    seq_error error = {0};
    temporary_create(&place);
    return seq_storage_begin(&error);
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static void fill(unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i += 4) {
        uint32_t words[4];
        seq_random_words((seq_random_key){3, SEQ_RANDOM_TEST}, (uint32_t)i, 0, 0, words);
        memcpy(bytes + i, words, size - i < 4 ? size - i : 4);
        bytes[i] &= 15; // compressible
    }
}

static void write_vector(const char *path, seq_element element, const void *values,
                         seq_pipeline pipeline) {
    seq_error error = {0};
    seq_vector_file *file = NULL;
    unlink(path);
    assert_int_equal(seq_vector_file_create(path, &file, &error), SEQ_OK);
    assert_int_equal(seq_vector_begin(file, "values", element, CHUNK, pipeline, &error), SEQ_OK);
    for (size_t at = 0, piece = 1; at < COUNT; at += piece, piece = piece * 3 % 1009) {
        if (piece > COUNT - at) piece = COUNT - at;
        const char *from = (const char *)values + at * seq_element_size(element);
        assert_int_equal(seq_vector_append(file, from, piece, &error), SEQ_OK);
    }
    assert_int_equal(seq_vector_end(file, &error), SEQ_OK);
    assert_int_equal(seq_vector_file_close(file, &error), SEQ_OK);
}

static void round_trips(void **state) {
    (void)state;
    static const seq_pipeline pipelines[] = {{SEQ_COMPRESS_ZSTD, 1},
                                             {SEQ_COMPRESS_ZSTD, 19},
                                             {SEQ_COMPRESS_GZIP, 6},
                                             {SEQ_COMPRESS_NONE, 1}};
    static unsigned char values[COUNT * 8], read[COUNT * 8];
    fill(values, sizeof values);
    for (int element = SEQ_F32; element <= SEQ_I64; element++)
        for (size_t p = 0; p < 4; p++) {
            seq_error error = {0};
            seq_vector_file *file = NULL;
            size_t length, size = seq_element_size((seq_element)element), again_size, first_size;
            const char *path = temporary_path(&place, "vector.h5");
            write_vector(path, (seq_element)element, values, pipelines[p]);
            char *first = read_bytes(path, &first_size);
            write_vector(path, (seq_element)element, values, pipelines[p]);
            char *again = read_bytes(path, &again_size);
            assert_int_equal(first_size, again_size);
            assert_memory_equal(first, again, first_size);
            free(first);
            free(again);
            assert_int_equal(seq_vector_file_open(path, &file, &error), SEQ_OK);
            assert_int_equal(
                seq_vector_length(file, "values", (seq_element)element, &length, &error), SEQ_OK);
            assert_int_equal(length, COUNT);
            for (size_t at = 0, piece = 701; at < COUNT; at += piece) {
                if (piece > COUNT - at) piece = COUNT - at;
                assert_int_equal(seq_vector_read(file, "values", (seq_element)element, at, piece,
                                                 read + at * size, &error),
                                 SEQ_OK);
            }
            assert_memory_equal(values, read, COUNT * size);
            assert_int_equal(
                seq_vector_read(file, "values", (seq_element)element, COUNT - 1, 2, read, &error),
                SEQ_BAD_INPUT);
            error = (seq_error){0};
            assert_int_equal(
                seq_vector_read(file, "values", (seq_element)element, SIZE_MAX, 2, read, &error),
                SEQ_BAD_INPUT);
            error = (seq_error){0};
            assert_int_equal(seq_vector_file_close(file, &error), SEQ_OK);
        }
}

// As many chunks as are allowed: their index has blocks of blocks. An index of 140,000 chunks,
// whose blocks have pages; by hand (SEQ_TEST_PAGES=1), it takes a while.
static void many_chunks(void **state) {
    (void)state;
    bool paged = getenv("SEQ_TEST_PAGES") != NULL;
    size_t count = paged ? (size_t)140000 * 1024 : 4099, chunk = paged ? 1024 : 1;
    uint16_t *values = malloc(2 * count), *read = malloc(2 * count);
    seq_error error = {0};
    seq_vector_file *file = NULL;
    const char *path = temporary_path(&place, "many.h5");
    for (size_t i = 0; i < count; i++)
        values[i] = (uint16_t)(i * 2654435761u >> 13);
    assert_int_equal(seq_vector_file_create(path, &file, &error), SEQ_OK);
    assert_int_equal(seq_vector_write(file, "values", SEQ_U16, values, count, chunk,
                                      (seq_pipeline){SEQ_COMPRESS_NONE, 1}, &error),
                     SEQ_OK);
    assert_int_equal(seq_vector_file_close(file, &error), SEQ_OK);
    assert_int_equal(seq_vector_file_open(path, &file, &error), SEQ_OK);
    assert_int_equal(seq_vector_read(file, "values", SEQ_U16, 0, count, read, &error), SEQ_OK);
    assert_memory_equal(values, read, 2 * count);
    assert_int_equal(seq_vector_read(file, "values", SEQ_U16, count / 3, 9, read, &error), SEQ_OK);
    assert_memory_equal(values + count / 3, read, 18);
    seq_vector_file_close(file, &error);
    unlink(path);
    free(values);
    free(read);
}

static void views_show_whole_tensors(void **state) {
    (void)state;
    // A (7, 9) matrix whose elements lie in two vectors, cut in the middle of a row.
    static float values[63], read[63];
    seq_error error = {0};
    seq_vector_file *file = NULL;
    seq_pipeline pipeline = {SEQ_COMPRESS_ZSTD, 1};
    for (int i = 0; i < 63; i++)
        values[i] = (float)i;
    const char *names[] = {"a.h5", "b.h5"};
    const size_t counts[] = {31, 32};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(seq_vector_file_create(temporary_path(&place, names[i]), &file, &error),
                         SEQ_OK);
        assert_int_equal(seq_vector_write(file, "v", SEQ_F32, values + 31 * i, counts[i], CHUNK,
                                          pipeline, &error),
                         SEQ_OK);
        assert_int_equal(seq_vector_file_close(file, &error), SEQ_OK);
    }
    const seq_view_part parts[] = {{"a.h5", "v", 31, 0, 31}, {"b.h5", "v", 32, 0, 32}};
    assert_int_equal(seq_vector_file_create(temporary_path(&place, "view.h5"), &file, &error),
                     SEQ_OK);
    assert_int_equal(seq_vector_write_view(file, "whole", 2, 7, 9, parts, 2, &error), SEQ_OK);
    assert_int_equal(seq_vector_file_close(file, &error), SEQ_OK);
    for (int missing = 0; missing < 2; missing++) {
        hid_t handle = H5Fopen(temporary_path(&place, "view.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
        hid_t dataset = H5Dopen2(handle, "whole", H5P_DEFAULT);
        assert_true(H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, read) >= 0);
        for (int i = 0; i < 63; i++) {
            if (missing && i >= 31)
                assert_true(read[i] != read[i]); // NaN, not zero
            else
                assert_true(read[i] == values[i]);
        }
        H5Dclose(dataset);
        H5Fclose(handle);
        unlink(temporary_path(&place, "b.h5"));
    }
    assert_int_equal(seq_vector_file_open(temporary_path(&place, "view.h5"), &file, &error),
                     SEQ_OK);
    size_t length;
    assert_int_equal(seq_vector_length(file, "whole", SEQ_F32, &length, &error),
                     SEQ_BAD_INPUT); // our own reader takes vectors only
    seq_vector_file_close(file, &error);
}

// Opens and reads all of "values" as float32: success or a clear failure, never a crash.
static seq_status try_reading(const char *path, float *out, size_t capacity, seq_error *error) {
    seq_vector_file *file = NULL;
    size_t length = 0;
    *error = (seq_error){0};
    seq_status status = seq_vector_file_open(path, &file, error);
    if (!status) status = seq_vector_length(file, "values", SEQ_F32, &length, error);
    if (!status && length > capacity)
        status = seq_error_set(error, SEQ_BAD_INPUT, "longer than the caller expects");
    if (!status) status = seq_vector_read(file, "values", SEQ_F32, 0, length, out, error);
    seq_error ignored = {0};
    seq_vector_file_close(file, &ignored);
    if (!status && length != COUNT) status = SEQ_BAD_INPUT;
    return status;
}

static void damage_is_survived(void **state) {
    (void)state;
    static float values[COUNT], read[COUNT];
    seq_error error;
    size_t size;
    int wrong = 0, refused = 0;
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)(i % 251);
    write_vector(temporary_path(&place, "damaged.h5"), SEQ_F32, values,
                 (seq_pipeline){SEQ_COMPRESS_ZSTD, 1});
    char *bytes = read_bytes(place.path, &size);
    assert_int_equal(try_reading(place.path, read, COUNT, &error), SEQ_OK);
    for (uint32_t i = 0; i < 1500; i++) {
        uint32_t words[4];
        seq_random_words((seq_random_key){5, SEQ_RANDOM_TEST}, i, 0, 0, words);
        size_t bit = words[0] % (8 * size);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        write_bytes(place.path, bytes, size);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        memset(read, 0, sizeof read);
        if (try_reading(place.path, read, COUNT, &error))
            refused++;
        else if (memcmp(read, values, sizeof values) != 0)
            wrong++;
    }
    for (size_t length = 0; length < size; length += 1 + size / 200) {
        write_bytes(place.path, bytes, length);
        assert_int_not_equal(try_reading(place.path, read, COUNT, &error), SEQ_OK);
    }
    free(bytes);
    print_message(
        "1500 flips: %d refused, %d read with other values (the hash of the file finds those)\n",
        refused, wrong);
    assert_true(refused > 700);
}

// Hostile files, each made with plain HDF5.
static hid_t hostile_file(const char *name) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    hid_t file = H5Fcreate(temporary_path(&place, name), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    assert_true(file >= 0);
    return file;
}

static void add_dataset(hid_t file, const char *name, hid_t type, int dimensions,
                        const hsize_t *sizes, hid_t properties) {
    const hsize_t unlimited = H5S_UNLIMITED; // as our writer does
    bool chunked = properties != H5P_DEFAULT && H5Pget_layout(properties) == H5D_CHUNKED;
    hid_t space = H5Screate_simple(dimensions, sizes, chunked ? &unlimited : NULL);
    hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

static void expect_refused(const char *message) {
    static float read[COUNT];
    seq_error error;
    assert_int_equal(try_reading(place.path, read, COUNT, &error), SEQ_BAD_INPUT);
    if (!strstr(error.text, message)) fail_msg("'%s' does not say '%s'", error.text, message);
}

static void hostile_links_and_storage(void **state) {
    (void)state;
    const hsize_t size = COUNT, sizes[2] = {COUNT, 1};
    hid_t file = hostile_file("soft.h5");
    add_dataset(file, "real", H5T_IEEE_F32LE, 1, &size, H5P_DEFAULT);
    H5Lcreate_soft("real", file, "values", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused("not a plain link");
    file = hostile_file("loop.h5");
    H5Lcreate_soft("values", file, "values", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused("not a plain link");
    file = hostile_file("external.h5");
    H5Lcreate_external("soft.h5", "real", file, "values", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused("not a plain link");
    file = hostile_file("storage.h5");
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(properties, "/etc/hostname", 0, COUNT * 4);
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &size, properties);
    H5Pclose(properties);
    H5Fclose(file);
    expect_refused("another file");
    file = hostile_file("matrix.h5");
    add_dataset(file, "values", H5T_IEEE_F32LE, 2, sizes, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused("one dimension");
    file = hostile_file("type.h5");
    add_dataset(file, "values", H5T_STD_U32LE, 1, &size, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused("another type");
    file = hostile_file("group.h5");
    H5Gclose(H5Gcreate2(file, "values", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    expect_refused("values");
    const hsize_t bomb = (hsize_t)1 << 60;
    file = hostile_file("bomb.h5");
    properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = CHUNK, great = 1 << 28;
    H5Pset_chunk(properties, 1, &chunk);
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &bomb, properties);
    H5Fclose(file);
    expect_refused("more chunks than");
    file = hostile_file("chunk.h5");
    H5Pset_chunk(properties, 1, &great);
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &great, properties);
    H5Pclose(properties);
    H5Fclose(file);
    expect_refused("chunks of a size");
    file = hostile_file("filter.h5");
    properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &chunk);
    H5Pset_scaleoffset(properties, H5Z_SO_FLOAT_DSCALE, 2);
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &size, properties);
    H5Pclose(properties);
    H5Fclose(file);
    expect_refused("filter");
}

// A chunk whose bytes are given directly.
static void write_chunk(const char *name, const void *bytes, size_t size, bool deflate) {
    const hsize_t length = COUNT, chunk = COUNT, offset = 0;
    const unsigned level = 1;
    hid_t file = hostile_file(name);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &chunk);
    if (deflate)
        H5Pset_deflate(properties, 1);
    else
        H5Pset_filter(properties, 32015, H5Z_FLAG_MANDATORY, 1, &level);
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &length, properties);
    hid_t dataset = H5Dopen2(file, "values", H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &offset, size, bytes) >= 0);
    H5Dclose(dataset);
    H5Pclose(properties);
    H5Fclose(file);
}

static void hostile_frames(void **state) {
    (void)state;
    static float values[COUNT], read[COUNT];
    static char frame[1 << 16];
    seq_error error;
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t size = ZSTD_compress2(context, frame, sizeof frame, values, sizeof values);
    write_chunk("frame.h5", frame, size, false);
    assert_int_equal(try_reading(place.path, read, COUNT, &error), SEQ_OK);
    write_chunk("trailing.h5", frame, size + 1, false);
    expect_refused("not one whole zstd frame");
    write_chunk("cut.h5", frame, size - 1, false);
    expect_refused("not one whole zstd frame");
    frame[size - 1] ^= 1; // the checksum
    write_chunk("checksum.h5", frame, size, false);
    expect_refused("damaged zstd frame");
    size = ZSTD_compress2(context, frame, sizeof frame, values, 40); // shorter than its chunk
    write_chunk("short.h5", frame, size, false);
    expect_refused("another size");
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    size = ZSTD_compress2(context, frame, sizeof frame, values, sizeof values);
    write_chunk("sizeless.h5", frame, size, false);
    expect_refused("does not say its size");
    char *zeros = calloc(1, ZEROS);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
    size = ZSTD_compress2(context, frame, sizeof frame, zeros, ZEROS);
    write_chunk("huge.h5", frame, size, false);
    expect_refused("another size");
    uLongf deflated = sizeof frame;
    assert_int_equal(compress2((Bytef *)frame, &deflated, (Bytef *)zeros, 1 << 23, 9), Z_OK);
    write_chunk("bomb.h5", frame, deflated, true);
    expect_refused("");
    deflated = sizeof frame;
    compress2((Bytef *)frame, &deflated, (Bytef *)values, sizeof values, 9);
    write_chunk("deflated.h5", frame, deflated, true);
    assert_int_equal(try_reading(place.path, read, COUNT, &error), SEQ_OK);
    write_chunk("deflate-tail.h5", frame, deflated + 1, true);
    expect_refused("does not unpack to the chunk's size");
    free(zeros);
    ZSTD_freeCCtx(context);
    memset(frame, 0x55, sizeof frame);
    write_chunk("noise.h5", frame, 100, false);
    expect_refused("not a zstd frame");
    write_chunk("deflate.h5", frame, 100, true);
    expect_refused("does not unpack");
}

// The checksum of what is stored, wrong; filters twice, in another order; a chunk that was never
// written.
static void hostile_pipelines(void **state) {
    (void)state;
    static unsigned char bytes[COUNT * 4 + 4];
    const hsize_t length = COUNT, offset = 0;
    hid_t file = hostile_file("fletcher.h5"), properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(properties, 1, &length);
    H5Pset_fletcher32(properties);
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &length, properties);
    H5Fclose(file);
    expect_refused("is missing");
    memset(bytes, 7, sizeof bytes);
    file = H5Fopen(place.path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "values", H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &offset, sizeof bytes, bytes) >= 0);
    H5Dclose(dataset);
    H5Fclose(file);
    expect_refused("Fletcher32");
    H5Pset_shuffle(properties); // behind the checksum
    file = hostile_file("order.h5");
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &length, properties);
    H5Fclose(file);
    expect_refused("filters that are not allowed");
    H5Premove_filter(properties, H5Z_FILTER_ALL);
    H5Pset_deflate(properties, 1);
    H5Pset_deflate(properties, 1);
    file = hostile_file("twice.h5");
    add_dataset(file, "values", H5T_IEEE_F32LE, 1, &length, properties);
    H5Fclose(file);
    expect_refused("filters that are not allowed");
    H5Pclose(properties);
}

static void failures_are_told(void **state) {
    (void)state;
    seq_error error = {0};
    seq_vector_file *file = NULL;
    write_bytes(temporary_path(&place, "text.h5"), "no HDF5", 7);
    assert_int_equal(seq_vector_file_open(place.path, &file, &error), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "text.h5"));
    error = (seq_error){0};
    assert_int_equal(seq_vector_file_open(temporary_path(&place, "absent.h5"), &file, &error),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "No such file"));
    error = (seq_error){0};
    assert_int_not_equal(seq_vector_file_create(temporary_path(&place, "text.h5"), &file, &error),
                         SEQ_OK);
    error = (seq_error){0};
    assert_int_not_equal(seq_vector_file_create("/nonexistent/a.h5", &file, &error), SEQ_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(many_chunks),
        cmocka_unit_test(views_show_whole_tensors),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(hostile_links_and_storage),
        cmocka_unit_test(hostile_frames),
        cmocka_unit_test(hostile_pipelines),
        cmocka_unit_test(failures_are_told),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
