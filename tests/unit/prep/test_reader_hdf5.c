// The reader of HDF5 over files of h5py (tests/golden/generate_arrays.py made
// them): values of every type and layout, labels from every place, refusals, and
// files that were changed by hand. Each file is read by its descriptor, and as a
// stream that is copied.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <byte_memory.h>
#include <fcntl.h>
#include <seqtrain/base/file.h>
#include <seqtrain/prep/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct content {
    char *bytes;
    size_t size;
} content;

static content load(const char *name) {
    char path[1024];
    content out = {0};
    seq_error error = {0};
    snprintf(path, sizeof path, "%s/%s", ARRAYS_DIRECTORY, name);
    if (seq_file_read(path, 1 << 20, &out.bytes, &out.size, &error)) fail_msg("%s", error.text);
    return out;
}

static void show(FILE *out, const seq_item *item) {
    const seq_frames *frames = item->frames;
    size_t count = frames->rows * (size_t)frames->width;
    fprintf(out, "%zux%d", frames->rows, frames->width);
    for (int i = 0; i < item->field_count; i++)
        fprintf(out, " %s", item->fields[i].values->bytes);
    for (size_t i = 0; i < count; i++) { // all values count on
        if (i == 0 || i + 1 == count) fprintf(out, " %g", (double)frames->values[i]);
        if (i && frames->values[i] != frames->values[0] + (float)(i % 256))
            fprintf(out, " [%zu]=%g", i, (double)frames->values[i]);
    }
    putc('\n', out);
}

static char *read_all(const seq_reader_settings *settings, content content) {
    char *text = NULL;
    size_t text_size;
    byte_memory memory = {content.bytes, content.size, 0, 999};
    seq_byte_stream stream = {byte_memory_read, &memory};
    seq_reader *reader = NULL;
    seq_error error = {0};
    seq_item item;
    bool more = true;
    FILE *out = open_memstream(&text, &text_size);
    seq_status status = seq_reader_open(settings, &stream, "top/k/f", &reader, &error);
    while (!status && more) {
        status = seq_reader_next(reader, &item, &more, &error);
        if (!status && more) show(out, &item);
    }
    for (int i = 0; !status && i < SEQ_SKIPS; i++)
        if (seq_reader_skipped(reader)[i])
            fprintf(out, "%d %s\n", (int)seq_reader_skipped(reader)[i], seq_skip_names[i]);
    if (status) fprintf(out, "%s\n", error.text);
    assert_true(status == SEQ_OK || status == SEQ_BAD_INPUT || status == SEQ_BAD_USAGE);
    seq_reader_close(reader);
    fclose(out);
    return text;
}

static void expect(const char *what, char *text, const char *expected) {
    size_t size = strlen(expected);
    bool begins = size && expected[size - 1] == '*';
    if (begins ? strncmp(text, expected, size - 1) : strcmp(text, expected))
        fail_msg("%s, expected:\n%s\nfound:\n%s", what, expected, text);
    free(text);
}

static void files_are_read(void **state) {
    static const struct {
        const char *file;
        seq_reader_settings settings;
        const char *expected;
    } cases[] = {
        {"types.h5",
         {.reader = "hdf5"},
         "1x2 /a/b4 near 0 1\n1x2 /a/f2 a 0 1\n1x2 /a/f4 a 0 1\n1x2 /a/f8 far 0 1\n"
         "1x2 /a/flag a 0 1\n1x2 /a/i2 -7 0 1\n2x2 /a/inside a 0 3\n1x2 /a/u1 0.5 0 1\n"
         "3x1 /b/c/row c 0 2\n0x3 /b/none b\n2 data sets that are no frames\n"},
        {"types.h5",
         {.reader = "hdf5", .columns = "label=no"},
         "top/k/f: data set /a/b4 has no attribute 'no' (--columns label=NAME)\n"},
        {"types.h5",
         {.reader = "hdf5", .columns = "label=label", .unlabelled = true},
         "1x2 /a/b4 near 0 1\n1x2 /a/f2 0 1\n*"},
        {"types.h5", {.reader = "hdf5", .columns = "label=1"}, "--columns label=1: HDF5 has*"},
        {"many.h5",
         {.reader = "hdf5", .group = "subject"},
         "3x2 /X[0] one 1 0 5\n3x2 /X[1] two 1 6 11\n3x2 /X[2] three 2 12 17\n"
         "3x2 /X[3] one 2 18 23\n3x2 /X[4] two 300 24 29\n3 data sets that are no frames\n"},
        {"many.h5",
         {.reader = "hdf5", .columns = "label=subject,text=y"},
         "3x2 /X[0] 1 one 0 5\n*"},
        {"many.h5", {.reader = "hdf5", .columns = "label=other"}, "top/k/f: data set /other: *"},
        {"tree.h5", {.reader = "hdf5", .root = "top"}, "70x2 /x k 0 139\n"},
        {"latest.h5",
         {.reader = "hdf5"},
         "3x3 /g/capped g 0 8\n5x3 /g/fixed g 0 14\n30x1 /g/grows g 0 29\n3x3 /g/implicit g 0 8\n"
         "2x3 /g/single g 0 5\n2x2 /g/whole latest 0 3\n"},
        {"refused-growing.h5", {.reader = "hdf5"}, "top/k/f: /x lists its chunks in a B-tree of*"},
        {"refused-filter.h5", {.reader = "hdf5"}, "top/k/f: /x has filters that are not allowed*"},
        {"refused-unwritten.h5", {.reader = "hdf5"}, "top/k/f: /x has a chunk that was never w*"},
        {"refused-labels.h5",
         {.reader = "hdf5"},
         "top/k/f: data set /y: expected one axis of 3 values, one for each item of /X\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seq_reader_settings settings = cases[i].settings;
        content content = load(cases[i].file);
        char path[1024];
        expect(cases[i].file, read_all(&settings, content), cases[i].expected);
        snprintf(path, sizeof path, "%s/%s", ARRAYS_DIRECTORY, cases[i].file);
        settings.file = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(settings.file > 0);
        expect(cases[i].file, read_all(&settings, (struct content){0}), cases[i].expected);
        close(settings.file);
        free(content.bytes);
    }
}

static void pages_are_found(void **state) {
    const seq_reader_settings settings = {.reader = "hdf5"};
    content content = load("paged.h5");
    byte_memory memory = {content.bytes, content.size, 0, 4096};
    seq_byte_stream stream = {byte_memory_read, &memory};
    seq_reader *reader = NULL;
    seq_error error = {0};
    seq_item item;
    bool more;
    (void)state;
    assert_int_equal(seq_reader_open(&settings, &stream, "f", &reader, &error), SEQ_OK);
    assert_int_equal(seq_reader_next(reader, &item, &more, &error), SEQ_OK);
    assert_true(more && item.frames->rows == 1030 && item.frames->width == 1);
    for (int i = 0; i < 1030; i++)
        assert_true(item.frames->values[i] == (float)(i % 256));
    seq_reader_close(reader);
    free(content.bytes);
}

static void many_links(void **state) {
    const seq_reader_settings settings = {.reader = "hdf5"};
    content content = load("dense.h5");
    char expected[8192];
    int size = snprintf(expected, sizeof expected, "1x2 /a one of many 0 1\n");
    (void)state;
    for (int i = 0; i < 80; i++)
        size += snprintf(expected + size, sizeof expected - (size_t)size,
                         "1x2 /links/this-is-a-long-name-%02d one of many 0 1\n", i);
    expect("dense.h5", read_all(&settings, content), expected);
    free(content.bytes);
}

// The place of `size` bytes behind `from`; the test stops where there are none.
static char *find(content content, const void *wanted, size_t size) {
    for (size_t at = 0; at + size <= content.size; at++)
        if (memcmp(content.bytes + at, wanted, size) == 0) return content.bytes + at;
    fail_msg("the file has changed: write this test anew");
    return NULL;
}

static void changed_files(void **state) {
    const seq_reader_settings settings = {.reader = "hdf5"};
    static const char sizes[] = "\5\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0";
    static const char leaf[] = "TREE\1\0", upper[] = "TREE\1\1";
    (void)state;
    content many = load("many.h5"), tree = load("tree.h5");
    char *place = find(many, sizes, 24);
    place[5] = 1; // 2^40 items
    expect("sizes", read_all(&settings, many),
           "top/k/f: /X claims more values than the file can hold, or was never written\n");
    place[5] = 0;
    place = find(many, leaf, 6);
    place[24] ^= 64; // of the first chunk
    expect("size of a chunk", read_all(&settings, many), "top/k/f: /X has a chunk that is *");
    place[24] ^= 64;
    place[32] = 1; // where it begins
    expect("offset of a chunk", read_all(&settings, many),
           "top/k/f: /X has a damaged index of its chunks\n");
    place[32] = 0;
    place = find(many, "GCOL", 4);
    place[15] = 1; // its size
    expect("a text", read_all(&settings, many), "top/k/f: /y has a text that cannot be found\n");
    place = find(tree, upper, 6);
    uint64_t self = (uint64_t)(place - tree.bytes);
    memcpy(place + 24 + 32, &self, sizeof self); // the first child (little-endian)
    expect("a tree in itself", read_all(&settings, tree),
           "top/k/f: /x has a damaged index of its chunks\n");
    content dense = load("dense.h5");
    place = find(dense, "BTLF\0\5", 6); // a leaf: hash, then the name of an object of the heap
    place[6 + 4 + 4] = 127;
    expect("a link", read_all(&settings, dense),
           "top/k/f: /links has a damaged list of links or attributes\n");
    free(dense.bytes);
    free(many.bytes);
    free(tree.bytes);
}

static void cut_files(void **state) {
    static const char *const names[] = {"types.h5", "many.h5", "latest.h5"};
    const seq_reader_settings settings = {.reader = "hdf5"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        content content = load(names[i]);
        for (size_t size = 0; size < content.size; size += 1 + size / 16) {
            struct content cut = {content.bytes, size};
            char *text = read_all(&settings, cut);
            assert_non_null(strstr(text, "top/k/f: it is "));
            free(text);
        }
        free(content.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read), cmocka_unit_test(pages_are_found),
        cmocka_unit_test(many_links), cmocka_unit_test(changed_files), cmocka_unit_test(cut_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
