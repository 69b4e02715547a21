// What a terminal, a table or a JSON reader would take for more than text is written as escapes.
// The text is cut into characters: whole UTF-8 sequences, or single bytes that are none. Each is
// copied or escaped as a whole, so no escape is cut. Tested by tests/unit/base/test_escape.c.
#include <seqtrain/base/escape.h>
#include <stdint.h>
#include <string.h>

enum { NOT_UTF8 = -1, LONGEST = 16 }; // bytes of a character's escape

// Bytes of a sequence by its first one, and the bounds of its second (Unicode, table 3-7).
static size_t sequence(unsigned char first, unsigned char *low, unsigned char *high) {
    *low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return first < 0x80                    ? 1
           : first >= 0xC2 && first < 0xE0 ? 2
           : first >= 0xE0 && first < 0xF0 ? 3
           : first >= 0xF0 && first < 0xF5 ? 4
                                           : 0;
}

// The first character of `size` > 0 bytes, or NOT_UTF8, which is one byte long.
static int32_t take(const char *text, size_t size, size_t *out_length) {
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char low, high;
    size_t length = sequence(bytes[0], &low, &high);
    *out_length = 1;
    if (length == 0 || length > size) return NOT_UTF8;
    int32_t point = length == 1 ? bytes[0] : bytes[0] & (0x7F >> length);
    for (size_t i = 1; i < length; i++) {
        if (bytes[i] < (i == 1 ? low : 0x80) || bytes[i] > (i == 1 ? high : 0xBF)) return NOT_UTF8;
        point = point << 6 | (bytes[i] & 0x3F);
    }
    *out_length = length;
    return point;
}

static bool is_plain(int32_t point) {
    static const int32_t hidden[][2] = {
        {NOT_UTF8, 0x1F}, {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},   {0x2028, 0x202E},
        {0x2066, 0x2069}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (point >= hidden[i][0] && point <= hidden[i][1]) return false;
    return true;
}

// The character of `length` bytes at `text` as it is shown; the size of that.
static size_t show(const char *text, size_t length, int32_t point, bool reversible,
                   char out[LONGEST + 1]) {
    static const char controls[] = "\n\t\r\\", letters[] = "ntr\\";
    const char *named = point > 0 && point < 0x80 ? strchr(controls, (int)point) : NULL;
    if (named && (point != '\\' || reversible)) {
        out[0] = '\\';
        out[1] = letters[named - controls];
        return 2;
    }
    if (is_plain(point)) {
        memcpy(out, text, length);
        return length;
    }
    for (size_t i = 0; i < length; i++)
        snprintf(out + 4 * i, 5, "\\x%02X", (unsigned char)text[i]);
    return 4 * length;
}

size_t seq_escape(const char *text, size_t size, bool reversible, char *out, size_t capacity) {
    size_t total = 0;
    bool full = capacity == 0;
    if (capacity) *out = '\0';
    for (size_t at = 0, length; at < size; at += length) {
        char piece[LONGEST + 1];
        int32_t point = take(text + at, size - at, &length);
        size_t shown = show(text + at, length, point, reversible, piece);
        full = full || total + shown >= capacity;
        if (!full) memcpy(out + total, piece, shown);
        total += shown;
        if (!full) out[total] = '\0';
    }
    return total;
}

void seq_escape_print(FILE *stream, const char *text, size_t size) {
    for (size_t at = 0, length; at < size; at += length) {
        char piece[LONGEST + 1];
        int32_t point = take(text + at, size - at, &length);
        fwrite(piece, 1, show(text + at, length, point, true, piece), stream);
    }
}

void seq_json_print(FILE *stream, const char *text) {
    seq_json_print_bytes(stream, text, strlen(text));
}

void seq_json_print_bytes(FILE *stream, const char *text, size_t size) {
    fputc('"', stream);
    for (size_t at = 0, length; at < size; at += length) {
        int32_t point = take(text + at, size - at, &length);
        if (point == '"' || point == '\\')
            fprintf(stream, "\\%c", text[at]);
        else if (point == NOT_UTF8)
            fputs("\xEF\xBF\xBD", stream);
        else if (point < 0x10000 && !is_plain(point))
            fprintf(stream, "\\u%04x", (unsigned)point);
        else
            fwrite(text + at, 1, length, stream);
    }
    fputc('"', stream);
}

size_t seq_utf8_invalid(const char *text, size_t size) {
    size_t at = 0, length;
    while (at < size && take(text + at, size - at, &length) != NOT_UTF8)
        at += length;
    return at;
}
