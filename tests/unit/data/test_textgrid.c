// TextGrid and CTM: both text forms and encodings give the same intervals, what
// was written is read back, and each fault is told with its line. The examples
// are in the form that Praat's manual describes. Checks src/data/textgrid.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <seqtrain/data/textgrid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "temporary.h"

static const char long_form[] =
    "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0 \nxmax = 2.5 \n"
    "tiers? <exists> \nsize = 3 \nitem []: \n    item [1]:\n        class = \"IntervalTier\" \n"
    "        name = \"Mary\" \n        xmin = 0 \n        xmax = 2.5 \n"
    "        intervals: size = 2 \n        intervals [1]:\n            xmin = 0 \n"
    "            xmax = 0.75 \n            text = \"say \"\"\xc3\xa4\"\" \" \n"
    "        intervals [2]:\n            xmin = 0.75 \n            xmax = 2.5 \n"
    "            text = \"\" \n    item [2]:\n        class = \"TextTier\" \n"
    "        name = \"bell\" \n        xmin = 0 \n        xmax = 2.5 \n"
    "        points: size = 1 \n        points [1]:\n            number = 1 \n"
    "            mark = \"ding\" \n    item [3]:\n        class = \"IntervalTier\" \n"
    "        name = \"words\" \n        xmin = 0 \n        xmax = 2.5 \n"
    "        intervals: size = 1 \n        intervals [1]:\n            xmin = 1 \n"
    "            xmax = 2.5 \n            text = \"two\nlines\" \n";
static const char short_form[] =
    "\"ooTextFile\"\n\"TextGrid\"\n! a comment with 7 and \"quotes\"\n0\n2.5\n<exists>\n3\n"
    "\"IntervalTier\" \"Mary\" 0 2.5 2\n0 0.75 \"say \"\"\xc3\xa4\"\" \"\n0.75 2.5 \"\"\n"
    "\"TextTier\" \"bell\" 0 2.5 1\n1 \"ding\"\n\"IntervalTier\" \"words\" 0 2.5 1\n"
    "1 2.5 \"two\nlines\"";

static seq_textgrid grid;
static seq_ctm ctm;
static seq_error error;

static seq_status parse(const char *bytes, size_t size) {
    error = (seq_error){0};
    return seq_textgrid_parse(bytes, size, "a.TextGrid", &grid, &error);
}

static void assert_interval(const seq_tier_interval *interval, double start, double end,
                            const char *label) {
    assert_true(interval->start == start && interval->end == end);
    assert_string_equal(interval->label, label);
}

static void assert_example(void) {
    if (error.status) fail_msg("%s", error.text);
    assert_true(grid.start == 0 && grid.end == 2.5);
    assert_int_equal(grid.tier_count, 2);
    assert_int_equal(grid.point_tiers, 1);
    assert_string_equal(grid.tiers[0].name, "Mary");
    assert_int_equal(grid.tiers[0].count, 2);
    assert_interval(&grid.tiers[0].intervals[0], 0, 0.75, "say \"\xc3\xa4\" ");
    assert_interval(&grid.tiers[0].intervals[1], 0.75, 2.5, "");
    assert_string_equal(grid.tiers[1].name, "words");
    assert_int_equal(grid.tiers[1].count, 1);
    assert_interval(&grid.tiers[1].intervals[0], 1, 2.5, "two\nlines");
}

static size_t put(unsigned unit, bool big, unsigned char *out) {
    out[!big] = (unsigned char)(unit >> 8);
    out[big] = (unsigned char)unit;
    return 2;
}

// The text as UTF-16 with a BOM; characters below U+0800, and U+1F600 for \x01.
static size_t widen(const char *text, bool big, unsigned char *out) {
    size_t used = put(0xFEFF, big, out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == 1) used += put(0xD83D, big, out + used);
        unsigned unit = c == 1 ? 0xDE00 : c;
        if (c >= 0x80) unit = (c & 0x1Fu) << 6 | (unsigned char)(*++text & 0x3F);
        used += put(unit, big, out + used);
    }
    return used;
}

static void forms_and_encodings(void **state) {
    (void)state;
    static char marked[sizeof long_form + 3];
    static unsigned char wide[2 * sizeof long_form + 2];
    for (int form = 0; form < 2; form++) {
        const char *text = form ? short_form : long_form;
        parse(text, strlen(text));
        assert_example();
        seq_textgrid_clear(&grid);
        parse(marked, (size_t)snprintf(marked, sizeof marked, "\xEF\xBB\xBF%s", text));
        assert_example();
        seq_textgrid_clear(&grid);
        for (int big = 0; big < 2; big++) {
            parse((const char *)wide, widen(text, big, wide));
            assert_example();
            seq_textgrid_clear(&grid);
        }
    }
    const char *pair = "\"ooTextFile\" \"TextGrid\" 0 1 <exists> 1 \"IntervalTier\" \"\x01\" 0 1 0";
    for (int big = 0; big < 2; big++) {
        assert_int_equal(parse((const char *)wide, widen(pair, big, wide)), SEQ_OK);
        assert_string_equal(grid.tiers[0].name, "\xF0\x9F\x98\x80");
        seq_textgrid_clear(&grid);
    }
    // Line ends of other systems.
    const char *ends = "\"ooTextFile\"\r\n\"TextGrid\"\r0\r\n1\r\n<absent>\r\n";
    assert_int_equal(parse(ends, strlen(ends)), SEQ_OK);
    assert_int_equal(grid.tier_count, 0);
    seq_textgrid_clear(&grid);
}

// Gaps come back as intervals "", all else as it was.
static void written_is_read(void **state) {
    (void)state;
    seq_tier_interval intervals[] = {{0.1 + 0.2, 0.5, "a \"b\"", 0}, {0.5, 0.7, "\xc3\xa4", 0}};
    seq_tier tiers[] = {{"t \"1\"", 0, 1, intervals, 2, 0}, {"empty", 0, 1, NULL, 0, 0}};
    seq_textgrid written = {.start = 0, .end = 1, .tiers = tiers, .tier_count = 2};
    for (int form = 0; form < 2; form++) {
        char *text = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&text, &size);
        assert_non_null(stream);
        seq_textgrid_print(stream, &written, form);
        assert_int_equal(fclose(stream), 0);
        assert_int_equal(parse(text, size), SEQ_OK);
        assert_string_equal(grid.tiers[0].name, "t \"1\"");
        assert_int_equal(grid.tiers[0].count, 4);
        assert_interval(&grid.tiers[0].intervals[0], 0, 0.3, "");
        assert_interval(&grid.tiers[0].intervals[1], 0.3, 0.5, "a \"b\"");
        assert_interval(&grid.tiers[0].intervals[2], 0.5, 0.7, "\xc3\xa4");
        assert_interval(&grid.tiers[0].intervals[3], 0.7, 1, "");
        assert_int_equal(grid.tiers[1].count, 1);
        assert_interval(&grid.tiers[1].intervals[0], 0, 1, "");
        seq_textgrid_clear(&grid);
        free(text);
    }
    // The short form, byte by byte.
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_non_null(stream);
    written.tier_count = 1;
    written.tiers[0].count = 0;
    seq_textgrid_print(stream, &written, true);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\n0\n1\n"
                              "<exists>\n1\n\"IntervalTier\"\n\"t \"\"1\"\"\"\n0\n1\n1\n0\n1\n"
                              "\"\"\n");
    free(text);
}

static void faults_have_lines(void **state) {
    (void)state;
#define HEAD "\"ooTextFile\"\n\"TextGrid\"\n0\n2\n<exists>\n1\n\"IntervalTier\" \"t\" 0 2\n"
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"", "line 1: expected the file's type: a text in quotes, found the end of the file"},
        {"\"ooTextFile\"\n\"Pitch 1\"\n", "line 2: it is no TextGrid: its class is \"Pitch 1\""},
        {"ooBinaryFile\bTextGrid", "line 1: it is a TextGrid in binary form"},
        {"\"ooTextFile\"\n\"TextGrid\"\n2\n1\n", "line 4: the times of the file end at 1, before"},
        {"\"ooTextFile\"\n\"TextGrid\"\n0\n1e999\n", "line 4: 1e999 is not a finite number"},
        {"\"ooTextFile\"\n\"TextGrid\"\n0\n\n\n\"1\"", "line 6: expected the times of the file: a "
                                                       "number, found the text \"1\""},
        {HEAD "1.5\n", "line 8: the size of a tier is 1.5, expected a whole number"},
        {HEAD "9000000000\n", "line 8: the size of a tier is 9000000000"},
        {HEAD "2\n0 1 \"a\"\n", "line 10: expected the times of an interval: a number, found the "
                                "end of the file"},
        {HEAD "2\n0 1 \"a\"\n0.5 2 \"b\"\n",
         "line 10: an interval of the tier \"t\" begins at 0.5, before 1"},
        {HEAD "1\n0 1 \"a\n\n", "line 9: a quote is opened and never closed"},
        {HEAD "1\n0 1 \"a\"\n\n3\n", "line 11: expected nothing behind the last tier"},
        {HEAD "1\n0 1 \"\xe4\"\n", "line 9: byte 0xe4 is no text: expected UTF-8"},
        {"\"ooTextFile\"\n\"TextGrid\"\n0\n2\n<exists>\n1\n\"PitchTier\"", "line 7: a tier's class "
                                                                           "is \"PitchTier\""},
        {"\"ooTextFile\"\n\"TextGrid\"\n0\n2\n<exists", "line 5: a flag as <exists> is not closed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(parse(rows[i].text, strlen(rows[i].text)), SEQ_BAD_INPUT);
        if (!strstr(error.text, rows[i].expected) || !strstr(error.text, "reading a.TextGrid, "))
            fail_msg("%s\nis not\n%s", error.text, rows[i].expected);
    }
    assert_int_equal(parse(HEAD "1\n0 1 \"\0\"\n", sizeof HEAD "1\n0 1 \"\0\"\n" - 1),
                     SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "line 9: a NUL byte is not text"));
    assert_int_equal(parse("\xFF\xFE\"\0\n\0\x00\xD8", 8), SEQ_BAD_INPUT);
    assert_non_null(strstr(error.text, "line 2: byte 0xff is no text"));
    assert_int_equal(parse("\xFF\xFE\"", 3), SEQ_BAD_INPUT);
#undef HEAD
}

static void tiers_and_times(void **state) {
    (void)state;
    const seq_tier *tier;
    size_t at = 0;
    assert_int_equal(parse(long_form, strlen(long_form)), SEQ_OK);
    assert_int_equal(seq_textgrid_find(&grid, "words", "a", &tier, &error), SEQ_OK);
    assert_null(seq_tier_label(tier, 0.999, &at));
    assert_string_equal(seq_tier_label(tier, 1, &at), "two\nlines");
    assert_null(seq_tier_label(tier, 2.5, &at));
    assert_string_equal(seq_tier_label(tier, 2.4, &at), "two\nlines"); // back
    assert_int_equal(seq_textgrid_find(&grid, "Mary", "a", &tier, &error), SEQ_OK);
    at = 0;
    assert_string_equal(seq_tier_label(tier, 0, &at), "say \"\xc3\xa4\" ");
    assert_string_equal(seq_tier_label(tier, 0.75, &at), "");
    assert_int_equal(seq_textgrid_find(&grid, NULL, "a.TextGrid", &tier, &error), SEQ_BAD_INPUT);
    assert_string_equal(error.text, "reading a.TextGrid: which interval tier is meant is not told; "
                                    "it has \"Mary\", \"words\"");
    error = (seq_error){0};
    assert_int_equal(seq_textgrid_find(&grid, "bell", "a.TextGrid", &tier, &error), SEQ_BAD_INPUT);
    assert_string_equal(error.text, "reading a.TextGrid: it has no interval tier \"bell\"; it has "
                                    "\"Mary\", \"words\"");
    seq_textgrid_clear(&grid);
}

static void ctm_lines(void **state) {
    (void)state;
    const char *text = ";; a comment\nf1 1 0.5 0.25 \xc3\xa4 0.9\n\n  f1\tA 1e0 0 two  \r\n";
    error = (seq_error){0};
    assert_int_equal(seq_ctm_parse(text, strlen(text), "a.ctm", &ctm, &error), SEQ_OK);
    assert_int_equal(ctm.count, 2);
    assert_string_equal(ctm.entries[0].file, "f1");
    assert_string_equal(ctm.entries[0].channel, "1");
    assert_interval(&ctm.entries[0].interval, 0.5, 0.75, "\xc3\xa4");
    assert_true(ctm.entries[0].confidence == 0.9);
    assert_int_equal(ctm.entries[0].interval.line, 2);
    assert_string_equal(ctm.entries[1].channel, "A");
    assert_interval(&ctm.entries[1].interval, 1, 1, "two");
    assert_true(isnan(ctm.entries[1].confidence));
    assert_int_equal(ctm.entries[1].interval.line, 4);
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    assert_non_null(stream);
    seq_ctm_print(stream, &ctm.entries[0]);
    seq_ctm_print(stream, &(seq_ctm_entry){"a b", "1", {0.1, 0.4, " ", 0}, NAN});
    seq_ctm_print(stream, &(seq_ctm_entry){"a", "1", {0.4, 0.5, "", 0}, NAN});
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(out, "f1 1 0.500 0.250 \xc3\xa4 0.900\na<space>b 1 0.100 0.300 <space>\n");
    free(out);
    seq_ctm_clear(&ctm);
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"f 1 0 1 a\nf 1 0 1\n", "line 2: 4 fields, expected FILE CHANNEL START DURATION LABEL"},
        {"f 1 0 1 a 1 x", "line 1: 7 fields"},
        {"f 1 0 -1 a", "line 1: START and DURATION are 0 and -1"},
        {"f 1 nan 1 a", "line 1: START and DURATION are nan and 1"},
        {"f 1 0 1 a high", "line 1: CONFIDENCE is high"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error = (seq_error){0};
        assert_int_equal(seq_ctm_parse(rows[i].text, strlen(rows[i].text), "a.ctm", &ctm, &error),
                         SEQ_BAD_INPUT);
        if (!strstr(error.text, rows[i].expected)) fail_msg("%s", error.text);
    }
}

static void files(void **state) {
    (void)state;
    temporary place;
    temporary_create(&place);
    error = (seq_error){0};
    write_bytes(temporary_path(&place, "a.TextGrid"), short_form, strlen(short_form));
    assert_int_equal(seq_textgrid_read(place.path, &grid, &error), SEQ_OK);
    assert_example();
    seq_textgrid_clear(&grid);
    write_bytes(temporary_path(&place, "a.ctm"), "f 1 0 1 a\n", 10);
    assert_int_equal(seq_ctm_read(place.path, &ctm, &error), SEQ_OK);
    assert_int_equal(ctm.count, 1);
    seq_ctm_clear(&ctm);
    assert_int_equal(seq_textgrid_read(temporary_path(&place, "none"), &grid, &error),
                     SEQ_BAD_INPUT);
    temporary_destroy(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_and_encodings), cmocka_unit_test(written_is_read),
        cmocka_unit_test(faults_have_lines),   cmocka_unit_test(tiers_and_times),
        cmocka_unit_test(ctm_lines),           cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
