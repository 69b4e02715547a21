// Readers of frames: the right values of every form, refusals with their place,
// and what a hostile file may claim. Every input is read one byte at a time,
// five at a time and whole: the answers are the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <byte_memory.h>
#include <math.h>
#include <seqtrain/prep/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct answer {
    seq_reader_settings settings;
    const char *input, *expected; // the whole, or the beginning of the last line when it ends in *
} answer;

static void show(FILE *out, const seq_item *item) {
    assert_non_null(item->frames);
    fprintf(out, "%zux%d", item->frames->rows, item->frames->width);
    for (size_t i = 0; i < item->frames->rows * (size_t)item->frames->width; i++)
        fprintf(out, "%s%.9g", i % (size_t)item->frames->width ? "," : " ",
                (double)item->frames->values[i]);
    for (int i = 0; i < item->field_count; i++) {
        fprintf(out, " %s", item->fields[i].name);
        for (size_t k = 0; k < item->fields[i].count; k++)
            fprintf(out, "%s%s", k ? "|" : ":", item->fields[i].values[k].bytes);
    }
    putc('\n', out);
}

static char *read_all(const answer *answer, size_t size, size_t piece) {
    char *text = NULL;
    size_t text_size;
    byte_memory memory = {answer->input, size, 0, piece};
    seq_byte_stream stream = {byte_memory_read, &memory};
    seq_reader *reader = NULL;
    seq_error error = {0};
    seq_item item;
    bool more = true;
    FILE *out = open_memstream(&text, &text_size);
    seq_status status = seq_reader_open(&answer->settings, &stream, "top/pos/f", &reader, &error);
    while (!status && more) {
        status = seq_reader_next(reader, &item, &more, &error);
        if (!status && more) show(out, &item);
    }
    for (int i = 0; !status && i < SEQ_SKIPS; i++)
        if (seq_reader_skipped(reader)[i])
            fprintf(out, "%d %s\n", (int)seq_reader_skipped(reader)[i], seq_skip_names[i]);
    if (status) fprintf(out, "%s%s\n", status == SEQ_BAD_USAGE ? "usage: " : "", error.text);
    seq_reader_close(reader);
    fclose(out);
    return text;
}

static void check(const answer *answer, size_t length) {
    static const size_t pieces[] = {1, 5, 1 << 20};
    for (int i = 0; i < 3; i++) {
        char *text = read_all(answer, length, pieces[i]);
        size_t size = strlen(answer->expected);
        bool begins = size && answer->expected[size - 1] == '*';
        if (begins ? strncmp(text, answer->expected, size - 1) : strcmp(text, answer->expected))
            fail_msg("%s, pieces of %zu, input:\n%s\nexpected:\n%s\nfound:\n%s",
                     answer->settings.reader, pieces[i], answer->input, answer->expected, text);
        free(text);
    }
}

#define CSV  .reader = "csv-frames"
#define FILL .missing = SEQ_MISSING_INTERPOLATE
static const answer texts[] = {
    {{CSV}, "1,2\n3,4\n", "2x2 1,2 3,4\n"},
    {{CSV}, "a,b\r\n 1 ,\t2\r\n\r\n# note\n3,-4.5e1", "2x2 1,2 3,-45\n1 blank lines\n1 comments\n"},
    {{CSV}, "1\t2\n", "1x2 1,2\n"},
    {{CSV}, "1;2\n", "1x2 1,2\n"},
    {{CSV}, "  1  2 \n3\t 4\n", "2x2 1,2 3,4\n"},
    {{CSV}, "5\n6\n", "2x1 5 6\n"},
    {{CSV, .delimiter = "|"}, "1|2\n", "1x2 1,2\n"},
    {{CSV, .delimiter = "||"}, "", "usage: --delimiter '||': expected one character*"},
    {{CSV, .root = "top"}, "1\n", "1x1 1 label:pos\n"},
    {{CSV, .header = SEQ_HEADER_YES}, "0,1\n1,2\n", "1x2 1,2\n"},
    {{CSV, .header = SEQ_HEADER_NO}, "a,b\n", "top/pos/f line 1, column 1: 'a' is no number*"},
    {{CSV}, "a,b\n", "0x2\n"},
    {{CSV}, "", "top/pos/f: the file is empty, so that the width of a frame is not known\n"},
    {{CSV}, "1,2\n3\n", "top/pos/f line 2: the line has 1 columns, the first one has 2\n"},
    {{CSV}, "1,2\n3,x4\n", "top/pos/f line 2, column 3: 'x4' is no number (decimal, to 3.4e38)\n"},
    {{CSV}, "1,2\n3,0x4\n", "top/pos/f line 2, column 3: '0x4' is no number*"},
    {{CSV}, "1,2\n3,inf\n", "top/pos/f line 2, column 3: 'inf' is no number*"},
    {{CSV}, "1,2\n3,1e39\n", "top/pos/f line 2, column 3: '1e39' is no number*"},
    {{CSV}, "1,2\n3,\n", "top/pos/f line 2, column 3: the value is missing (''); --missing*"},
    {{CSV}, "1,2\n3,nan\n", "top/pos/f line 2, column 3: the value is missing ('nan')*"},
    {{CSV, FILL}, "0,?\n1,2\nNA,\n,5\n4,NaN\n", "5x2 0,2 1,2 2,3.5 3,5 4,5\n5 missing values\n"},
    {{CSV, FILL}, "1,?\n2,?\n", "top/pos/f, frame 1, value 2 is *"},
    {{CSV, .root = "top"}, "t,x,label\n1,2,walk\n2,3,walk\n", "2x2 1,2 2,3 label:walk\n"},
    {{CSV, .columns = "label=3,tag=1", .ignore = "4"},
     "A,1,w,9,2\nB,3,w,8,4\n",
     "2x2 1,2 3,4 tag:A|B label:w\n"},
    {{CSV, .ignore = "time", .group = "who"}, "\"time\",\"x\",\"who\"\n1,2,me\n", "1x1 2 who:me\n"},
    {{CSV, .columns = "label=2"},
     "1,a\n2,b\n",
     "top/pos/f line 2, column 3: field 'label' is 'b' here and was 'a': a file is one item\n"},
    {{CSV, .columns = "tag=1-2"}, "a,b,1\n", "usage: --columns tag=...: expected one column\n"},
    {{CSV, .ignore = "1"},
     "1\n",
     "top/pos/f: no column is left for the frames: --columns frames=*"},
    {{CSV, .columns = "frames=2"}, "1,2,3\n", "1x1 2\n"},
    {{CSV, .comment = "x"}, "", "usage: --comment: without effect with --reader csv-frames\n"},
    // ts
    {{.reader = "ts"},
     "#c\n@problemName x y\n@dimensions 2\n@equalLength false\n@seriesLength 9\n"
     "@classLabel true a B\n@data\n1,2,3:4,5,6:a\n\n7 : 8 : B\n",
     "3x2 1,4 2,5 3,6 label:a\n1x2 7,8 label:B\n1 blank lines\n1 comments\n"},
    {{.reader = "ts"}, "@classLabel false\n@data\n1,2\n3\n", "2x1 1 2\n1x1 3\n"},
    {{.reader = "ts", .root = "top"}, "@classLabel false\n@data\n1:2\n", "1x2 1,2 label:pos\n"},
    {{.reader = "ts"},
     "@univariate true\n@targetLabel true\n@data\n1,2:0.5\n",
     "2x1 1 2 label:0.5\n"},
    {{.reader = "ts"}, "@DATA\n::x\n", "0x2 label:x\n"},
    {{.reader = "ts"},
     "@data\n1,?:2,3:x\n",
     "top/pos/f line 2, column 3: the value is missing ('?')*"},
    {{.reader = "ts", FILL},
     "@data\n1,?,4:2,3,NaN:x\n",
     "3x2 1,2 2.5,3 4,3 label:x\n2 missing values\n"},
    {{.reader = "ts"},
     "@data\n1,2:3:x\n",
     "top/pos/f line 2, column 5: dimension 2 has 1 values, and the first one has 2\n"},
    {{.reader = "ts"},
     "@dimensions 3\n@data\n1:3:x\n",
     "top/pos/f line 3, column 1: the item has 2 dimensions, expected 3\n"},
    {{.reader = "ts"},
     "@data\n1:2:x\n1:x\n",
     "1x2 1,2 label:x\ntop/pos/f line 3, column 1: the item has 1 dimensions, expected 2\n"},
    {{.reader = "ts"},
     "@seriesLength 3\n@data\n1,2:x\n",
     "top/pos/f line 3, column 1: the item has 2 values a dimension, and @seriesLength is 3\n"},
    {{.reader = "ts"},
     "@classLabel true a b\n@data\n1:c\n",
     "top/pos/f line 3, column 3: 'c' is none of the labels that @classLabel lists\n"},
    {{.reader = "ts", .unlabelled = true}, "@classLabel true a b\n@data\n1:?\n", "1x1 1 label:?\n"},
    {{.reader = "ts"},
     "@timeStamps true\n@data\n(0,1):x\n",
     "top/pos/f line 1, column 1: series with time stamps are not read*"},
    {{.reader = "ts"},
     "@missing maybe\n@timeStamps maybe\n",
     "top/pos/f line 2, column 13: expected true or*"},
    {{.reader = "ts"},
     "@dimensions 0\n",
     "top/pos/f line 1, column 13: expected a whole number from 1\n"},
    {{.reader = "ts"}, "@data\n1,2\n", "top/pos/f line 2, column 4: expected VALUES:LABEL*"},
    {{.reader = "ts"}, "1,2\n", "top/pos/f line 1, column 1: expected @NAME VALUE*"},
    {{.reader = "ts"}, "@dimensions 3\n", "top/pos/f line 2: the file ends before @data*"},
    {{.reader = "ts"},
     "@dimensions 268435456\n@data\n1:x\n",
     "top/pos/f line 3, column 1: the item has 1*"},
    // skeleton
    {{.reader = "skeleton", .group = "subject"},
     "1 3 2 1 2 3\n1 2 3\n\n 4  5 6 \n2 5 1 1 0 3\n",
     "2x3 1,2,3 4,5,6 label:1 subject:3 instance:2\n0x3 label:2 subject:5 instance:1\n1 blank "
     "lines\n"},
    {{.reader = "skeleton"},
     "1 3 2 0 1 3\n1 2 3\n1 3 2 1 1 3\n0 0 0\n",
     "1x3 0,0,0 label:1 subject:3 instance:2\n1 items marked as not used\n"},
    {{.reader = "skeleton"},
     "1 3 2 1 1\n",
     "top/pos/f line 1, column 1: expected a header of six*"},
    {{.reader = "skeleton"},
     "1 3 2 2 1 3\n",
     "top/pos/f line 1, column 7: expected a whole number to 1\n"},
    {{.reader = "skeleton"}, "1 3 2 1 1 0\n", "top/pos/f line 1, column 11: frames of width 0*"},
    {{.reader = "skeleton"},
     "1 3 2 1 0 3\n1 3 2 1 1 4\n",
     "0x3 label:1 subject:3 instance:2\ntop/pos/f line 2, column 11: frames of width 4, and*"},
    {{.reader = "skeleton"},
     "1 3 2 1 2000000000 3\n1 2 3\n",
     "top/pos/f line 1: the file ends after 1 of 2000000000 frames of this item\n"},
    {{.reader = "skeleton"},
     "1 3 2 1 1 3\n1 2\n",
     "top/pos/f line 2, column 4: the frame has 2 values, and the header says 3\n"},
    {{.reader = "skeleton"},
     "1 3 2 1 1 1\n1 2\n",
     "top/pos/f line 2, column 3: the frame has more*"},
    {{.reader = "skeleton"}, "1 3 2 1 1 1\nx\n", "top/pos/f line 2, column 1: 'x' is no number*"},
};

static void texts_are_read(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(&texts[i], strlen(texts[i].input));
}

// ---- npy

// An array: version, dictionary, bytes of the values.
static size_t build(char *out, int version, const char *dictionary, const void *values,
                    size_t size) {
    size_t length = strlen(dictionary), head = version == 1 ? 10 : 12;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (char)version;
    out[7] = 0;
    for (size_t i = 8; i < head; i++)
        out[i] = (char)(length >> 8 * (i - 8));
    memcpy(out + head, dictionary, length);
    if (size) memcpy(out + head + length, values, size);
    return head + length + size;
}

static void check_array(int version, const char *dictionary, const void *values, size_t size,
                        seq_missing_values missing, const char *expected) {
    char bytes[2000];
    const answer answer = {{.reader = "npy", .missing = missing}, bytes, expected};
    check(&answer, build(bytes, version, dictionary, values, size));
}

#define HEAD(descr, order, shape)                                                                  \
    "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }\n"
static const float six[] = {1, 2, 3, 4, 5, 6};

static void arrays_of_every_type(void **state) {
    static const struct {
        const char *head, *bytes;
        size_t size;
        const char *expected;
    } cases[] = {
        {HEAD("<f8", "False", "(1, 2)"), "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0", 16,
         "1x2 1.5,-2\n"},
        {HEAD(">f4", "False", "(1, 2)"), "\x3f\xc0\0\0\xc0\0\0\0", 8, "1x2 1.5,-2\n"},
        // 1.5, -2, the least subnormal, the largest
        {HEAD("<f2", "False", "(1, 4)"), "\0\x3e\0\xc0\1\0\xff\x7b", 8,
         "1x4 1.5,-2,5.96046448e-08,65504\n"},
        {HEAD("|i1", "False", "(3, 1)"), "\xff\x80\x7f", 3, "3x1 -1 -128 127\n"},
        {HEAD("|u1", "False", "(2, 1)"), "\xff\x80", 2, "2x1 255 128\n"},
        {HEAD("|b1", "False", "(2, 1)"), "\1\0", 2, "2x1 1 0\n"},
        {HEAD("<i2", "False", "(2, 1)"), "\xfe\xff\0\1", 4, "2x1 -2 256\n"},
        {HEAD(">u2", "False", "(2, 1)"), "\xfe\xff\0\1", 4, "2x1 65279 1\n"},
        {HEAD("<i8", "False", "(2, 1)"), "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x80", 16,
         "2x1 -1 -9.22337204e+18\n"},
        {HEAD("<i4", "False", "(1, 1)"), "\0\0\0\x80", 4, "1x1 -2.14748365e+09\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_array(1, cases[i].head, cases[i].bytes, cases[i].size, 0, cases[i].expected);
}

static void arrays_of_every_shape(void **state) {
    (void)state;
    check_array(1, HEAD("<f4", "False", "(2, 3)"), six, 24, 0, "2x3 1,2,3 4,5,6\n");
    check_array(2, HEAD("<f4", "True", "(2, 3)"), six, 24, 0, "2x3 1,3,5 2,4,6\n");
    check_array(3, HEAD("<f4", "False", "(6,)"), six, 24, 0, "6x1 1 2 3 4 5 6\n");
    check_array(1, HEAD("<f4", "False", "(3, 1, 2)"), six, 24, 0, "1x2 1,2\n1x2 3,4\n1x2 5,6\n");
    check_array(1, HEAD("<f4", "True", "(3, 1, 2)"), six, 24, 0, "1x2 1,4\n1x2 2,5\n1x2 3,6\n");
    check_array(1, HEAD("<f4", "False", "(0, 3)"), six, 0, 0, "0x3\n");
    check_array(1, HEAD("<f4", "False", "(0, 5, 3)"), six, 0, 0, "");
    check_array(1, "{\"shape\":(1L, 2L),\"fortran_order\":False,\"descr\":\"<f4\"}", six, 8, 0,
                "1x2 1,2\n");
    // two arrays in one file
    char bytes[400];
    size_t size = build(bytes, 1, HEAD("<f4", "False", "(1, 2)"), six, 8);
    size += build(bytes + size, 1, HEAD("<f4", "False", "(1, 3)"), six, 12);
    const answer answer = {{.reader = "npy"}, bytes, "1x2 1,2\n1x3 1,2,3\n"};
    check(&answer, size);
    const float gap[] = {1, NAN, 3, INFINITY};
    check_array(1, HEAD("<f4", "False", "(3, 1)"), gap, 12, SEQ_MISSING_INTERPOLATE,
                "3x1 1 2 3\n1 missing values\n");
    check_array(1, HEAD("<f4", "False", "(3, 1)"), gap, 12, 0, "top/pos/f, frame 2, value 1 is *");
    check_array(1, HEAD("<f4", "False", "(4, 1)"), gap, 16, SEQ_MISSING_INTERPOLATE,
                "top/pos/f, frame 4, value 1 is inf*");
}

static void hostile_arrays(void **state) {
    static const struct {
        const char *head, *expected;
    } cases[] = {
        {HEAD("<f4", "False", "(7, 3)"), "the file ends inside of the array"},
        {HEAD("<f4", "True", "(7, 3)"), "the file ends inside of the array"},
        {HEAD("<f4", "False", "(60000000,)"), "the file ends inside of the array"},
        {HEAD("<f4", "False", "(999999999999999999, 1, 1)"), NULL},
        {HEAD("<f4", "True", "(999999999999999999, 1, 1)"), "an array in Fortran's order has*"},
        {HEAD("<f4", "False", "(999999999999999999, 0, 1)"), "its items have no frames"},
        {HEAD("<f4", "False", "(1, 999999999)"), "an item has more than 268435456 bytes of values"},
        {HEAD("<f4", "False", "(999999999, 999999999)"), "an item has more than 268435456 bytes*"},
        {HEAD("<f4", "False", "(99999999999999999999,)"), "expected an array of*"},
        {HEAD("<f4", "False", "(1, 0)"), "its frames have a width of 0"},
        {HEAD("<f4", "False", "()"), "expected an array of (rows, width), (rows), or*"},
        {HEAD("<f4", "False", "(1, 1, 1, 1)"), "expected an array of*"},
        {HEAD("<f4", "False", "(-1, 1)"), "expected an array of*"},
        {HEAD("<f4", "False", "(1 1)"), "expected an array of*"},
        {HEAD("<c8", "False", "(1,)"), "expected elements that are real numbers of 2, 4 or*"},
        {HEAD("|f1", "False", "(1,)"), "expected elements*"},
        {HEAD("<f16", "False", "(1,)"), "expected elements*"},
        {HEAD("|O", "False", "(1,)"), "expected elements*"},
        {"{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}", "expected elements*"},
        {HEAD("<f4", "Maybe", "(1,)"), "its header is damaged"},
        {"{'descr': '<f4', 'fortran_order': False}", "its header is damaged"},
        {"{'descr': '<f4'", "its header is damaged"},
        {"{'descr", "its header is damaged"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (", "expected an array of*"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "its header is damaged"},
        {"", "its header is damaged"},
    };
    char expected[200];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!cases[i].expected) continue;
        bool begins = strchr(cases[i].expected, '*') != NULL;
        snprintf(expected, sizeof expected, "top/pos/f: %s%s", cases[i].expected,
                 begins ? "" : "\n");
        check_array(1, cases[i].head, six, 4, 0, expected);
    }
    check_array(1, HEAD("<f4", "False", "(99999999999999999, 1, 1)"), six, 4, 0,
                "1x1 1\ntop/pos/f: the file ends inside of the array\n");
    check_array(4, HEAD("<f4", "False", "(1,)"), six, 4, 0,
                "top/pos/f: expected NumPy's format 1, 2 or 3\n");
    const struct {
        const char *bytes;
        size_t size;
        const char *expected;
    } others[] = {
        {"", 0, "top/pos/f: it is no NumPy array (.npy)\n"},
        {"PK\3\4aaaaaaaaaaaa", 16, "top/pos/f: it is a zip archive and no .npy*"},
        {"\x93NUMPY\1\0\377\377{", 11, "top/pos/f: its header is damaged\n"},
        {"\x93NUMPY\2\0\377\377\377\377", 12, "top/pos/f: its header*"},
        {"\x93NUMPY\2\0\1\0", 10, "top/pos/f: its header is damaged\n"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const answer other = {{.reader = "npy"}, others[i].bytes, others[i].expected};
        check(&other, others[i].size);
    }
    char bytes[300];
    size_t size = build(bytes, 1, HEAD("<f4", "False", "(1,)"), six, 12); // 8 bytes too many
    const answer behind = {{.reader = "npy"},
                           bytes,
                           "1x1 1\ntop/pos/f, array 2: other bytes follow the array before\n"};
    check(&behind, size);
}

static void settings_of_frames(void **state) {
    (void)state;
    seq_record record = {0};
    seq_error error = {0};
    const seq_reader_settings given = {.reader = "ts", .missing = SEQ_MISSING_INTERPOLATE};
    seq_reader_settings read;
    assert_int_equal(seq_reader_settings_write(&given, &record, &error), SEQ_OK);
    assert_int_equal(seq_reader_settings_read(&read, &record, &error), SEQ_OK);
    assert_int_equal(read.missing, SEQ_MISSING_INTERPOLATE);
    assert_int_equal(seq_record_set_integer(&record, "missing_values", 2, &error), SEQ_OK);
    assert_int_not_equal(seq_reader_settings_read(&read, &record, &error), SEQ_OK);
    seq_record_clear(&record);
    const answer refused = {{.reader = "csv", .missing = SEQ_MISSING_INTERPOLATE},
                            "",
                            "usage: --missing-values: without effect with --reader csv\n"};
    check(&refused, 0);
    assert_string_equal(seq_reader_of_file("a/b.npy.zst"), "npy");
    assert_string_equal(seq_reader_of_file("X_TRAIN.ts"), "ts");
    assert_true(seq_reader_takes_bytes("npy") && !seq_reader_takes_bytes("ts"));
    assert_string_equal(seq_reader_input_field("npy"), "frames");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read),        cmocka_unit_test(arrays_of_every_type),
        cmocka_unit_test(arrays_of_every_shape), cmocka_unit_test(hostile_arrays),
        cmocka_unit_test(settings_of_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
