// What a message or a table shows of text that holds more than text; and JSON
// that every reader takes. A table has each kind of control character; random
// bytes must come back from their escapes. Checks src/base/escape.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/random.h>
#include <stdlib.h>
#include <string.h>

static void every_kind(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"plain, Z\xC3\xBCrich \xE6\xBC\xA2 \xF0\x9F\x98\x80",
         "plain, Z\xC3\xBCrich \xE6\xBC\xA2 \xF0\x9F\x98\x80"},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"\x1B[31m\x07\x7F", "\\x1B[31m\\x07\\x7F"},
        {"\xC2\x85\xC2\x9B", "\\xC2\\x85\\xC2\\x9B"}, // C1: NEL, CSI
        {"\xE2\x80\xAE"
         "abc",
         "\\xE2\\x80\\xAE"
         "abc"},                                               // right-to-left override
        {"\xE2\x81\xA6\xD8\x9C", "\\xE2\\x81\\xA6\\xD8\\x9C"}, // isolate, Arabic letter mark
        {"\xE2\x80\xA8\xEF\xBB\xBF", "\\xE2\\x80\\xA8\\xEF\\xBB\\xBF"}, // line separator, BOM
        {"\xFF\xC3", "\\xFF\\xC3"},                                     // no UTF-8; cut off
        {"\xC0\xAF\xED\xA0\x80", "\\xC0\\xAF\\xED\\xA0\\x80"},          // overlong; a surrogate
        {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},                   // beyond U+10FFFF
        {"\xE2\x80\x8D\xC2\xA0", "\xE2\x80\x8D\xC2\xA0"}, // joiner, no-break space: text
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char out[200];
        size_t size = seq_escape(pairs[i][0], strlen(pairs[i][0]), false, out, sizeof out);
        assert_string_equal(out, pairs[i][1]);
        assert_int_equal(size, strlen(pairs[i][1]));
    }
    char out[20];
    seq_escape("a\\n\0b", 5, true, out, sizeof out);
    assert_string_equal(out, "a\\\\n\\x00b");
    seq_escape("C:\\x", 4, false, out, sizeof out);
    assert_string_equal(out, "C:\\x");
}

// No escape is cut; the size is that of the whole; nothing beyond the capacity is touched.
static void short_buffers(void **state) {
    (void)state;
    static const char text[] = "ab\x1B\xC2\x9B";
    for (size_t capacity = 0; capacity < 20; capacity++) {
        char out[24];
        memset(out, '#', sizeof out);
        assert_int_equal(seq_escape(text, 5, false, out, capacity), 14);
        size_t kept = capacity > 14  ? 14
                      : capacity > 6 ? 6
                      : capacity > 2 ? 2
                      : capacity     ? capacity - 1
                                     : 0;
        if (capacity) assert_int_equal(strlen(out), kept);
        for (size_t i = capacity; i < sizeof out; i++)
            assert_int_equal(out[i], '#');
    }
}

static int value_of(char digit) {
    return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

static size_t undo(const char *text, char *out) {
    static const char letters[] = "ntr\\", values[] = "\n\t\r\\";
    size_t size = 0;
    for (const char *at = text; *at; size++) {
        if (*at != '\\') {
            out[size] = *at++;
        } else if (at[1] == 'x') {
            out[size] = (char)(value_of(at[2]) * 16 + value_of(at[3]));
            at += 4;
        } else {
            out[size] = values[strchr(letters, at[1]) - letters];
            at += 2;
        }
    }
    return size;
}

// Random bytes, mostly of the kinds above: the result is one line of valid UTF-8 without a control
// character, and gives the bytes back.
static void random_bytes_come_back(void **state) {
    (void)state;
    static const char pieces[] = "a\\n\n\t\x1B\x7F\xC2\x85\xE2\x80\xAE\xF0\x9F\x98\x80\xEF\xBB\xBF";
    for (uint32_t round = 0; round < 5000; round++) {
        char text[24], out[200], back[200];
        uint32_t words[4];
        for (uint32_t i = 0; i < sizeof text; i++) {
            seq_random_words((seq_random_key){5, SEQ_RANDOM_TEST}, round, i, 0, words);
            text[i] = words[0] % 4 ? pieces[words[1] % (sizeof pieces)] : (char)words[1];
        }
        size_t size = seq_escape(text, sizeof text, true, out, sizeof out);
        assert_int_equal(size, strlen(out));
        assert_int_equal(seq_utf8_invalid(out, size), size);
        for (size_t i = 0; i < size; i++)
            assert_true((unsigned char)out[i] >= 0x20 && out[i] != 0x7F);
        assert_int_equal(undo(out, back), sizeof text);
        assert_memory_equal(back, text, sizeof text);
    }
}

static void json_is_json(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    seq_json_print(stream, "a\"\\\n\x1B\x7F\xC2\x9B\xE2\x80\xAE\xFFz\xC3\xBC");
    fclose(stream);
    assert_string_equal(text,
                        "\"a\\\"\\\\\\u000a\\u001b\\u007f\\u009b\\u202e\xEF\xBF\xBDz\xC3\xBC\"");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(short_buffers),
        cmocka_unit_test(random_bytes_come_back),
        cmocka_unit_test(json_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
