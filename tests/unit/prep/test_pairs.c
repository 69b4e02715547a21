// Pairs of texts: references to characters, and two files in step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "byte_memory.h"
#include "items/item_pairs.h"
#include "items/unescape.h"
#include <stdio.h>
#include <string.h>

static void becomes(const char *text, const char *expected) {
    char bytes[200];
    size_t size = strlen(text);
    memcpy(bytes, text, size + 1);
    size = seq_unescape(bytes, size);
    bytes[size] = '\0';
    assert_string_equal(bytes, expected);
}

static void references_are_resolved_once(void **state) {
    (void)state;
    becomes("&apos;&quot;&amp;&lt;&gt;&#91;&#93;&#124;", "'\"&<>[]|");
    becomes("a &amp;lt; b &AMP; &amp", "a &lt; b &AMP; &amp");
    becomes("&#xe4;&#XE4;&#228;&auml;&thetasym;&zwj;", "ääääϑ\xE2\x80\x8D");
    becomes("&#x10FFFF;&#65;", "\xF4\x8F\xBF\xBF"
                               "A");
    becomes("x&#10;y&#9;z&nbsp;.&#130;", "x y z\xC2\xA0. ");
    becomes("&#0;&#xD800;&#1114112;&#;&#x;&;&#99999999999;&#x1g;&uml uml;&-1;",
            "&#0;&#xD800;&#1114112;&#;&#x;&;&#99999999999;&#x1g;&uml uml;&-1;");
    becomes("&", "&");
    becomes("", "");
}

// The two files as pairs, "source|target" each, or the message.
static void in_step(const char *sources, const char *targets, const char *expected) {
    byte_memory memories[2] = {{sources, strlen(sources), 0, 3}, {targets, strlen(targets), 0, 5}};
    const seq_byte_stream streams[2] = {{byte_memory_read, &memories[0]},
                                        {byte_memory_read, &memories[1]}};
    const seq_reader_settings settings = {
        .reader = "lines", .unlabelled = true, .blank_items = true};
    seq_pair_lines pairs = {.names = {"de", "en"}};
    const seq_item_field *fields[2];
    seq_item item;
    seq_error error = {0};
    char found[400] = "";
    bool more = true;
    for (int side = 0; side < 2; side++)
        assert_int_equal(seq_reader_open(&settings, &streams[side], pairs.names[side],
                                         &pairs.readers[side], &error),
                         SEQ_OK);
    while (!seq_pair_lines_next(&pairs, &item, &more, &error) && more) {
        assert_int_equal(seq_pair_find(&item, fields, &error), SEQ_OK);
        assert_int_equal(fields[1]->values->line, pairs.lines[1]);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s|%s;",
                 fields[0]->values->bytes, fields[1]->values->bytes);
    }
    assert_string_equal(error.status ? error.text : found, expected);
    seq_reader_close(pairs.readers[0]);
    seq_reader_close(pairs.readers[1]);
}

static void lines_are_read_in_step(void **state) {
    (void)state;
    in_step("a\nb\n", "1\r\n2", "a|1;b|2;");
    in_step("\xEF\xBB\xBF"
            "a\n\nc\n",
            "\n2\n\n", "a|;|2;c|;");
    in_step("a b\xE2\x80\xA8\x0B\n", "\xC2\x85\n", "a b\xE2\x80\xA8\x0B|\xC2\x85;");
    in_step("", "", "");
    in_step("a\nb\nc\n", "1\n",
            "de has 3 lines and en has 1: expected as many, line by line a text and its "
            "translation");
    in_step("", "1\n\n3",
            "de has 0 lines and en has 3: expected as many, line by line a text and its "
            "translation");
    in_step("a\n\xFF\n", "1\n2\n3\n", "de line 2, column 1: byte 0xff is not UTF-8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_resolved_once),
        cmocka_unit_test(lines_are_read_in_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
