// Files are told by their first bytes: every form by its name, UTF-16 and
// UTF-32 in many scripts. Texts that begin with the letters of a sign, texts in
// another encoding, and noise are none of them. Checks src/data/forms.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <seqtrain/data/forms.h>
#include <seqtrain/base/random.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#define OCTAL14 "00010264012345"
#define OCTAL70 OCTAL14 OCTAL14 OCTAL14 OCTAL14 OCTAL14
#define HEX26   "0010aB640000000000001A2c01"
#define HEX104  HEX26 HEX26 HEX26 HEX26

static const struct {
    const char *bytes;
    size_t size;
    const char *name; // a part of it
} forms[] = {
#define FORM(bytes, name)                                                                          \
    { bytes, sizeof bytes - 1, name }
    FORM("\x1F\x8B\b\0\0", "gzip"),
    FORM("\x28\xB5\x2F\xFD\4", "zstd"),
    FORM("\x53\x2A\x4D\x18\1\0\0\0", "zstd"),
    FORM("\x25\xB5\x2F\xFD\4", "zstd data of a version"),
    FORM("\xFD"
         "7zXZ\0\0\4",
         "xz"),
    FORM("BZh91AY&SY\x12", "bzip2"),
    FORM("BZh9\x17rE8P\x90\0\0", "bzip2"),
    FORM("PK\3\4\x14\0", "zip archive"),
    FORM("PK\5\6\0\0", "zip archive"),
    FORM("7z\xBC\xAF\x27\x1C\0", "7z"),
    FORM("Rar!\x1A\7\1\0", "rar"),
    FORM("\4\x22\x4D\x18\x64", "lz4"),
    FORM("\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\x20", "lzma"),
    FORM("LZIP\1\x0C", "lzip"),
    FORM("\x1F\x9D\x90", "compress"),
    FORM("\x78\x9C\x4B", "zlib"),
    FORM("!<arch>\ndebian-binary   ", "Debian"),
    FORM("%PDF-1.7\n", "PDF"),
    FORM("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "Office"),
    FORM("\x89PNG\r\n\x1A\n", "PNG"),
    FORM("\xFF\xD8\xFF\xE0", "JPEG"),
    FORM("GIF89a\1\0\1\0", "GIF"),
    FORM("RIFF\x24\0\0\0WAVEfmt ", "wave"),
    FORM("\x7F"
         "ELF\2\1\1\0",
         "ELF"),
    FORM("MZ\x90\0\3\0", "Windows"),
    FORM("\x89HDF\r\n\x1A\n", "HDF5"),
    FORM("\x93NUMPY\1\0", "NumPy"),
    FORM("SQLite format 3\0", "SQLite"),
    FORM("PAR1\x15\4\x15", "Parquet"),
    FORM("ARROW1\0\0", "Arrow"),
    FORM("\x80\4\x95\x10\0", "pickle"),
    FORM("070701" HEX104 "name\0", "cpio"),
    FORM("070702" HEX104 "name\0", "cpio"),
    FORM("070707" OCTAL70 "name\0", "cpio"),
    FORM("\x80\4K\1.", "pickle"),
    FORM("\x50\0\0\0\0\0\0\0{\"w\":{\"dtype\"", "safetensors"),
    FORM("FEA1\0\0\0\0", "Feather"),
    FORM("\xFF\xFF\xFF\xFF\x78\0", "Arrow"),
    FORM("MATLAB 5.0 MAT-file, Platform: GLNXA64", "MATLAB"),
    FORM("RDX3\nX\n", "R workspace"),
    FORM("\0\1\0\0Standard Jet DB\0", "Access"),
    FORM("\0\1\0\0\0\x0C\0\x80", "font"),
    FORM("!BDN\1\2", "Outlook"),
    FORM("ITSF\3\0\0\0", "help"),
    FORM("\xC5\xD0\xD3\xC6\x20\0\0\0\x45\x1A", "PostScript"),
    FORM("PACK\0\0\0\2\0\0\0\3", "git pack"),
    FORM("age-encryption.org/v1\n-> X25519 ", "age"),
    FORM("Salted__\1\2\3\4", "openssl"),
    FORM("\x8C\x0D\4\x09\3", "gpg"),
    FORM("\x85\2\x0C\3\xAA", "gpg"),
    FORM("LUKS\xBA\xBE\0\2", "LUKS"),
    FORM("LRZI\0\6", "lrzip"),
    FORM("\x89LZO\0", "lzop"),
    FORM("\2\x21\x4C\x18\1", "lz4"),
    FORM("\xFF\6\0\0sNaPpY", "snappy"),
    FORM("\x60\xEA\x2B\0\x22", "arj"),
    FORM("\xED\xAB\xEE\xDB\3", "rpm"),
    FORM("\0\0\0\x0CjP  \r\n", "JPEG 2000"),
    FORM("8BPS\0\1", "Photoshop"),
    FORM("FORM\0\0\x10\0AIFFCOMM", "AIFF"),
    FORM("MThd\0\0\0\6", "MIDI"),
    FORM("\xFF\xFB\x90\0", "MP3"),
    FORM("ID3\3\0\0", "MP3"),
    FORM("fLaC\0\0\0\x22", "FLAC"),
    FORM("OggS\0\2", "Ogg"),
    FORM("\xCA\xFE\xBA\xBE\0\0", "Java class"),
    FORM("\xDE\x12\4\x95", "gettext"),
    FORM("\xD4\xC3\xB2\xA1\2\0", "pcap"),
    FORM("mmap lm http://kheafield.com/code format version 5\n\0", "kenlm"),
    FORM("\xBA\x16\x4F\x2F\x0C", "fastText"),
    FORM("\xA3\x88\x85\x40\x98\xA4\x89\x83\x92\x40\x82\x99\x96\xA6\x95\x40\x86\x96\xA7\x6B\x40\xF1"
         "\xF2\x15",
         "EBCDIC"),
};

static void forms_have_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const seq_form *form = seq_form_find(forms[i].bytes, forms[i].size);
        if (!form || !strstr(form->name, forms[i].name))
            fail_msg("%s is called %s", forms[i].name, form ? form->name : "text");
        const char *wide = seq_form_wide_encoding(forms[i].bytes, forms[i].size);
        if (wide) fail_msg("%s is text in %s", forms[i].name, wide);
    }
    char header[512] = "folder/file", old[512];
    unsigned sum = 8 * ' ';
    snprintf(header + 100, 8, "%07o", 0644);
    memcpy(header + 257, "ustar", 5);
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    memcpy(old, header, sizeof old);
    snprintf(header + 148, 8, "%06o", sum);
    assert_string_equal(seq_form_find(header, sizeof header)->name, "a tar archive");
    memset(old + 257, 0, 5); // of the time before POSIX
    snprintf(old + 148, 8, "%6o", sum - 'u' - 's' - 't' - 'a' - 'r');
    assert_string_equal(seq_form_find(old, sizeof old)->name, "a tar archive");
    old[0]++;
    assert_null(seq_form_find(old, sizeof old));
}

static const char *const texts[] = {
    "",
    "a",
    "BMW is a maker of cars.",
    "GIF89a is a format of images, older than PNG.",
    "ID3 tags\n",
    "MZ",
    "PAR1 of the course\n",
    "ORCs and others",
    "PK is a shop",
    "7z is a program",
    "Rar! it said",
    "BZh91 is no word",
    "BZh",
    "xar!",
    "II* or MM*",
    "RIFF of the WAVE here",
    "OggS",
    "x^2 + y^2\n",
    "`\xEA\xB0\x80` in quotes",
    "070701 is a number",
    "070707 070707 070707 070707 070707 070707 070707 070707 070707 070707 070707 070707\n",
    "PACK and LRZI, Salted__ by hand\n",
    "0707010000000000000000000000000000000000000000000000000000000000000000000000000000000000\n",
    "a@b.c, d@e.f, @all, @none: @ @ @ @ @ @ @ @ @ @ @ @ @\n",
    "\xC9 \xCE\xD4\xCF \xC9 \xD7\xD3\xC5, \xDE\xD4\xCF \xC5\xD3\xD4\xD8\n", // KOI8-R
    "LZIP packs",
    "ustar",
    "%PDF is a sign\n",
    "]quoted[",
    "\xEF\xBB\xBF"
    "a text with a BOM\n",
    "\xE7\xBB\x9F\xE4\xB8\x80\xE7\xA0\x81\xE3\x80\x82",
    "caf\xE9 cr\xE8me br\xFBl\xE9"
    "e\n\xC0 la carte\n",                                 // Latin-1
    "\xEF\xF0\xE8\xE2\xE5\xF2 \xEC\xE8\xF0\n",            // Windows-1251
    "\x82\xB1\x82\xF1\x82\xC9\x82\xBF\x82\xCD\x81\x42\n", // Shift-JIS
    "\xC4\xE3\xBA\xC3\xA1\xA3\xCA\xC0\xBD\xE7\n",         // GB 2312
    "\x1B[1mbold\x1B[0m\n",
    "a=0\1bcd=0\1ef=0\1gh=0\1ij=0\1kl=0\1\n", // fields ended by a control character
};

static void texts_have_none(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const seq_form *form = seq_form_find(texts[i], strlen(texts[i]));
        const char *encoding = seq_form_wide_encoding(texts[i], strlen(texts[i]));
        if (form || encoding) fail_msg("'%s' is called %s", texts[i], form ? form->name : encoding);
    }
    static const char with_nul[] = "Some lines of a text\nwith one \0 NUL in it\nand no other.\n";
    assert_null(seq_form_wide_encoding(with_nul, sizeof with_nul - 1));
    assert_null(seq_form_wide_encoding("ab\0c", 4));
    assert_null(seq_form_wide_encoding("\0\0\0\0\0\0\0\0", 8));
}

// Of a form without a sign the name's end tells, but only of what is no text.
static void names_tell(void **state) {
    (void)state;
    static const char packed[] = "\x1B\x0F\0\xF8\x8D\x94\x6E\xC6";
    assert_null(seq_form_find(packed, sizeof packed - 1));
    assert_null(seq_form_find_named("text.txt", packed, sizeof packed - 1));
    assert_string_equal(seq_form_find_named("a/text.txt.br", packed, sizeof packed - 1)->name,
                        "brotli data");
    assert_string_equal(seq_form_find_named("TEXT.BR", packed, sizeof packed - 1)->name,
                        "brotli data");
    assert_null(seq_form_find_named("poem.br", "in Breton\n", 10));
    assert_null(seq_form_find_named(".br", packed, sizeof packed - 1));
    assert_string_equal(seq_form_find_named("x.br", "\x1F\x8B\b", 3)->name, "gzip data");
}

static void no_wide_text_in_noise(void **state) {
    (void)state;
    char noise[200];
    for (uint32_t round = 0; round < 2000; round++) {
        for (uint32_t i = 0; i < sizeof noise; i += 4) {
            uint32_t words[4];
            seq_random_words((seq_random_key){3, SEQ_RANDOM_TEST}, round, i, 0, words);
            memcpy(noise + i, words, 4);
        }
        noise[0] &= 0x7F; // no BOM by chance
        assert_null(seq_form_wide_encoding(noise, sizeof noise));
    }
}

static size_t put(char *out, uint32_t unit, int width, bool big) {
    for (int i = 0; i < width; i++)
        out[big ? width - 1 - i : i] = (char)(unit >> 8 * i);
    return (size_t)width;
}

static size_t encode(const char *text, int width, bool big, bool mark, char *out) {
    size_t size = mark ? put(out, 0xFEFF, width, big) : 0;
    for (size_t at = 0, left = strlen(text); at < left;) {
        utf8proc_int32_t point;
        at += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text + at, -1, &point);
        if (width == 2 && point > 0xFFFF) {
            size += put(out + size, 0xD800 + ((uint32_t)(point - 0x10000) >> 10), 2, big);
            point = 0xDC00 + ((point - 0x10000) & 0x3FF);
        }
        size += put(out + size, (uint32_t)point, width, big);
    }
    return size;
}

static void wide_encodings(void **state) {
    (void)state;
    static const char *const scripts[] = {
        "hi",
        "Some lines of a text\r\nwith a few\n",
        "d\xC3\xA9j\xC3\xA0 vu, na\xC3\xAFve, \xC3\x9Cmlaut\n",
        "\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xD0\xBC\xD0\xB8\xD1\x80\n",
        "\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xB8\x96\xE7\x95\x8C\xE3\x80\x82", // no blank
        "\xE3\x81\x93\xE3\x82\x93\xE3\x81\xAB\xE3\x81\xA1\xE3\x81\xAF\xE3\x80\x82\n",
        // ideographs alone: no blank, no stop, no line end
        ("\u5929\u5730\u7384\u9EC4\u5B87\u5B99\u6D2A\u8352\u65E5\u6708\u76C8\u6603\u8FB0\u5BBF"
         "\u5217\u5F20\u5BD2\u6765\u6691\u5F80\u79CB\u6536\u51AC\u85CF\u95F0\u9980\u6210\u5C81"),
        "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D \xD7\xA2\xD7\x95\xD7\x9C\xD7\x9D\n",
        "smile \xF0\x9F\x98\x80 and go\n",
        "\xEC\x95\x88\xEB\x85\x95 \xEC\x84\xB8\xEC\x83\x81\n",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        for (int kind = 0; kind < 8; kind++) {
            static char bytes[400];
            int width = kind & 1 ? 4 : 2;
            bool big = kind & 2, mark = kind & 4;
            char expected[20];
            size_t size = encode(scripts[i], width, big, mark, bytes);
            snprintf(expected, sizeof expected, "UTF-%d%s", 8 * width,
                     mark  ? ""
                     : big ? "BE"
                           : "LE");
            const char *found = seq_form_wide_encoding(bytes, size);
            if (!found || strcmp(found, expected) != 0)
                fail_msg("'%s' in %s is called %s", scripts[i], expected, found ? found : "none");
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_have_names), cmocka_unit_test(texts_have_none),
        cmocka_unit_test(names_tell),       cmocka_unit_test(no_wide_text_in_noise),
        cmocka_unit_test(wide_encodings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
