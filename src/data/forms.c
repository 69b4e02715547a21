// Forms of files, told by their signs. A sign counts only where no text could begin so: signs of
// letters alone need a byte beside them that no text has. A tar archive is told by the checksum of
// its first header. UTF-16 and UTF-32 without a BOM: nearly all code points are assigned, and half
// of the bytes are NUL as in Latin text, or the bytes are no other text and blanks or stops of
// Chinese and Japanese occur, or ideographs alone do. Tests: tests/unit/data/test_forms.c,
// tests/cli/seqprep_files.sh.
#include <seqtrain/data/forms.h>
#include <seqtrain/data/text_file.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

typedef struct sign {
    seq_form form;
    size_t at, size;
    const char *bytes;
    bool letters; // a text might begin so
} sign;

#define PACKED(name, packing, bytes)                                                               \
    { {name, "unpack it first", packing}, 0, sizeof bytes - 1, bytes, false }
#define BINARY(name, advice, at, bytes)                                                            \
    { {name, advice, SEQ_PLAIN}, at, sizeof bytes - 1, bytes, false }
#define LETTERS(name, advice, at, bytes)                                                           \
    { {name, advice, SEQ_PLAIN}, at, sizeof bytes - 1, bytes, true }

static const char unpack_archive[] = "unpack it, and give the files or the folder",
                  extract_text[] = "extract its text first", decode_first[] = "export its text",
                  decrypt_first[] = "decrypt it first",
                  take_sound[] = "items of sound are read with --reader sound";

static const sign signs[] = {
    PACKED("gzip data", SEQ_GZIP, "\x1F\x8B"),
    PACKED("zstd data", SEQ_ZSTD, "\x28\xB5\x2F\xFD"),
    PACKED("xz data", SEQ_XZ,
           "\xFD"
           "7zXZ\0"),
    PACKED("bzip2 data", SEQ_BZIP2, "BZh#1AY&SY"),       // '#': a digit
    PACKED("bzip2 data", SEQ_BZIP2, "BZh#\x17rE8P\x90"), // of nothing
    BINARY("a zip archive (or docx, xlsx, odt, epub, jar, PyTorch)",
           "unpack it with unzip, and give the files or the folder", 0, "PK\3\4"),
    BINARY("an empty zip archive", NULL, 0, "PK\5\6"),
    BINARY("a part of a zip archive", unpack_archive, 0, "PK\7\b"),
    BINARY("a 7z archive", "unpack it with 7z x, and give the files or the folder", 0,
           "7z\xBC\xAF\x27\x1C"),
    BINARY("a rar archive", "unpack it with unrar x, and give the files or the folder", 0,
           "Rar!\x1A\7"),
    BINARY("lz4 data", "unpack it with lz4 -d", 0, "\4\x22\x4D\x18"),
    BINARY("lz4 data", "unpack it with lz4 -d", 0, "\2\x21\x4C\x18"),
    BINARY("lzip data", "unpack it with lzip -d", 0, "LZIP\1"),
    BINARY("lzop data", "unpack it with lzop -d", 0, "\x89LZO\0"),
    BINARY("compress data (.Z)", "unpack it with gzip -d", 0, "\x1F\x9D"),
    BINARY("pack data (.z)", "unpack it with gzip -d", 0, "\x1F\x1E"),
    BINARY("lzh data", unpack_archive, 0, "\x1F\xA0"),
    BINARY("snappy data", "unpack it first", 0, "\xFF\6\0\0sNaPpY"),
    BINARY("zlib data", "unpack it with zlib-flate -uncompress or Python's zlib", 0, "\x78\x01"),
    BINARY("zlib data", "unpack it with zlib-flate -uncompress or Python's zlib", 0, "\x78\x9C"),
    BINARY("zlib data", "unpack it with zlib-flate -uncompress or Python's zlib", 0, "\x78\xDA"),
    BINARY("a zstd dictionary", NULL, 0, "\x37\xA4\x30\xEC"),
    LETTERS("a zip archive of the kind xar", unpack_archive, 0, "xar!"),
    LETTERS("a cabinet archive", unpack_archive, 0, "MSCF"),
    BINARY("an ar archive (or a Debian package)", unpack_archive, 0, "!<arch>\n"),
    BINARY("an rpm package", unpack_archive, 0, "\xED\xAB\xEE\xDB"),
    BINARY("a cpio archive", unpack_archive, 0, "\xC7\x71"),
    BINARY("a squashfs image", unpack_archive, 0, "hsqs\0"),
    BINARY("a PDF document", "extract its text with pdftotext", 0, "%PDF-"),
    BINARY("an Office document (doc, xls, ppt)", extract_text, 0,
           "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
    BINARY("a DjVu document", "extract its text with djvutxt", 0, "AT&TFORM"),
    BINARY("a PNG image", NULL, 0, "\x89PNG"),
    BINARY("a JPEG image", NULL, 0, "\xFF\xD8\xFF"),
    LETTERS("a GIF image", NULL, 0, "GIF87a"),
    LETTERS("a GIF image", NULL, 0, "GIF89a"),
    LETTERS("a BMP image", NULL, 0, "BM"),
    BINARY("a TIFF image", NULL, 0, "II*\0"),
    BINARY("a TIFF image", NULL, 0, "MM\0*"),
    LETTERS("a WebP image", NULL, 8, "WEBP"),
    LETTERS("a wave sound file", take_sound, 8, "WAVE"),
    LETTERS("an AVI video", NULL, 8, "AVI "),
    LETTERS("an MP4 video", NULL, 4, "ftyp"),
    BINARY("a Matroska video", NULL, 0, "\x1A\x45\xDF\xA3"),
    LETTERS("an MP3 sound file", NULL, 0, "ID3"),
    LETTERS("an Ogg sound file", NULL, 0, "OggS"),
    LETTERS("a FLAC sound file", take_sound, 0, "fLaC"),
    LETTERS("a font", NULL, 0, "wOFF"),
    LETTERS("a font", NULL, 0, "wOF2"),
    LETTERS("a font", NULL, 0, "OTTO"),
    BINARY("an Access database", decode_first, 0, "\0\1\0\0Standard"),
    BINARY("a font", NULL, 0, "\0\1\0\0\0"),
    BINARY("an ELF program or library", NULL, 0,
           "\x7F"
           "ELF"),
    LETTERS("a Windows program", NULL, 0, "MZ"),
    BINARY("a Mach-O program or Java class", NULL, 0, "\xCA\xFE\xBA\xBE"),
    BINARY("a Mach-O program", NULL, 0, "\xCF\xFA\xED\xFE"),
    BINARY("a WebAssembly program", NULL, 0, "\0asm"),
    BINARY("an HDF5 file", decode_first, 0, "\x89HDF\r\n\x1A\n"),
    BINARY("a NetCDF file", decode_first, 0, "CDF\1"),
    BINARY("a NetCDF file", decode_first, 0, "CDF\2"),
    BINARY("a NumPy array", decode_first, 0, "\x93NUMPY"),
    BINARY("a SQLite database", "export its text with sqlite3", 0, "SQLite format 3\0"),
    LETTERS("a Parquet file", decode_first, 0, "PAR1"),
    LETTERS("an encrypted Parquet file", decode_first, 0, "PARE"),
    BINARY("an Arrow file", decode_first, 0, "ARROW1\0\0"),
    BINARY("an Avro file", decode_first, 0, "Obj\1"),
    LETTERS("an ORC file", decode_first, 0, "ORC"),
    BINARY("a Python pickle", decode_first, 0, "\x80\2"),
    BINARY("a Python pickle", decode_first, 0, "\x80\3"),
    BINARY("a Python pickle", decode_first, 0, "\x80\4"),
    BINARY("a Python pickle", decode_first, 0, "\x80\5"),
    LETTERS("a GGUF model", NULL, 0, "GGUF"),
    LETTERS("a safetensors model", NULL, 8, "{\""),
    LETTERS("a TensorFlow Lite model", NULL, 4, "TFL3"),
    BINARY("a fastText model", NULL, 0, "\xBA\x16\x4F\x2F"),
    BINARY("a kenlm model", NULL, 0, "mmap lm http://kheafield.com/code format version"),
    LETTERS("a Feather file", decode_first, 0, "FEA1"),
    BINARY("an Arrow stream", decode_first, 0, "\xFF\xFF\xFF\xFF"),
    BINARY("a MATLAB file", decode_first, 0, "MATLAB 5.0 MAT-file, Platform: "),
    BINARY("a MATLAB file", decode_first, 0, "MATLAB 7.3 MAT-file, Platform: "),
    BINARY("an R workspace", decode_first, 0, "RDX2\nX\n"),
    BINARY("an R workspace", decode_first, 0, "RDX3\nX\n"),
    BINARY("R data", decode_first, 0, "X\n\0\0"),
    BINARY("a NetCDF file", decode_first, 0, "CDF\5"),
    LETTERS("an Outlook mailbox", decode_first, 0, "!BDN"),
    LETTERS("a Mobipocket book", extract_text, 60, "BOOKMOBI"),
    LETTERS("a Windows help file", extract_text, 0, "ITSF"),
    BINARY("a PostScript document with a preview", "extract its text with ps2ascii", 0,
           "\xC5\xD0\xD3\xC6"),
    LETTERS("a git pack", "check its files out with git", 0, "PACK\0\0\0"),
    BINARY("a git index", NULL, 0, "DIRC\0\0\0"),
    BINARY("data encrypted with age", decrypt_first, 0, "age-encryption.org/v1\n-> "),
    LETTERS("data encrypted with openssl", decrypt_first, 0, "Salted__"),
    BINARY("data encrypted with gpg", decrypt_first, 0, "\x85\1\x0C\3"),
    BINARY("data encrypted with gpg", decrypt_first, 0, "\x85\2\x0C\3"),
    BINARY("data encrypted with gpg", decrypt_first, 0, "\x84\x5E\3"),
    BINARY("data encrypted with gpg", decrypt_first, 0, "\x8C\x0D\4"),
    BINARY("an encrypted disk (LUKS)", decrypt_first, 0, "LUKS\xBA\xBE"),
    LETTERS("lrzip data", "unpack it with lrzip -d", 0, "LRZI"),
    LETTERS("lzfse data", "unpack it first", 0, "bvx2"),
    BINARY("zpaq data", "unpack it with zpaq x", 0, "7kSt\xA0"),
    LETTERS("an arj archive", unpack_archive, 0, "\x60\xEA"),
    BINARY("a Windows disk image", unpack_archive, 0, "MSWIM\0\0\0"),
    BINARY("a disk image of QEMU", unpack_archive, 0, "QFI\xFB"),
    LETTERS("a disk image of VMware", unpack_archive, 0, "KDMV"),
    BINARY("a JPEG 2000 image", NULL, 0, "\0\0\0\x0CjP"),
    BINARY("a JPEG XL image", NULL, 0, "\0\0\0\x0CJXL"),
    LETTERS("a Photoshop image", NULL, 0, "8BPS"),
    BINARY("an icon", NULL, 0, "\0\0\1\0\1\0"),
    LETTERS("an AIFF sound file", NULL, 8, "AIFF"),
    LETTERS("an AU sound file", NULL, 0, ".snd"),
    LETTERS("a MIDI file", NULL, 0, "MThd"),
    BINARY("an MP3 sound file", NULL, 0, "\xFF\xFB"),
    BINARY("an MP3 sound file", NULL, 0, "\xFF\xF3"),
    BINARY("an AAC sound file", NULL, 0, "\xFF\xF1"),
    BINARY("a Windows media file", NULL, 0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"),
    BINARY("an MPEG video", NULL, 0, "\0\0\1\xBA\x44"),
    LETTERS("a Flash video", NULL, 0, "FLV\1"),
    LETTERS("a font", NULL, 0, "ttcf"),
    BINARY("a Mach-O program", NULL, 0, "\xCE\xFA\xED\xFE"),
    BINARY("LLVM bitcode", NULL, 0, "BC\xC0\xDE"),
    LETTERS("an Android program", NULL, 0, "dex\n03"),
    BINARY("a Lua program", NULL, 0, "\x1BLua"),
    BINARY("a gettext catalogue", "export its text with msgunfmt", 0, "\xDE\x12\4\x95"),
    BINARY("a network trace (pcap)", NULL, 0, "\xD4\xC3\xB2\xA1"),
};

// Forms without a sign, by the end of a file's name.
static const struct {
    const char *end;
    seq_form form;
} named[] = {{".br", {"brotli data", "unpack it with brotli -d", SEQ_PLAIN}},
             {".iso", {"a CD image", unpack_archive, SEQ_PLAIN}},
             {".tfrecord", {"TensorFlow records", decode_first, SEQ_PLAIN}},
             {".tfrecords", {"TensorFlow records", decode_first, SEQ_PLAIN}},
             {".onnx", {"an ONNX model", NULL, SEQ_PLAIN}},
             {".msgpack", {"MessagePack data", decode_first, SEQ_PLAIN}},
             {".bson", {"BSON data", decode_first, SEQ_PLAIN}},
             {".pyc", {"a Python program, compiled", NULL, SEQ_PLAIN}}};

static const seq_form cpio = {"a cpio archive", unpack_archive, SEQ_PLAIN},
                      ebcdic = {"text in EBCDIC",
                                "convert it to UTF-8: iconv -f IBM1047 -t UTF-8 (or IBM037, ...)",
                                SEQ_PLAIN},
                      tar = {"a tar archive", "unpack it with tar xf, and give the folder",
                             SEQ_PLAIN},
                      lzma = {"lzma data", "unpack it with xz -d --format=lzma", SEQ_PLAIN},
                      old_zstd = {"zstd data of a version before 0.8", "pack it anew", SEQ_PLAIN},
                      skippable = {"zstd data", "unpack it first", SEQ_ZSTD};

// NUL and control characters other than white space and escape.
static bool is_control(unsigned char byte) {
    return byte < 0x20 && !(byte >= '\t' && byte <= '\r') && byte != 0x1B;
}

// A byte that is rare in text among the first ones.
static bool has_control(const unsigned char *bytes, size_t size) {
    enum { NEAR = 64 };
    for (size_t i = 0; i < size && i < NEAR; i++)
        if (is_control(bytes[i])) return true;
    return false;
}

static bool matches(const sign *sign, const unsigned char *bytes, size_t size) {
    if (size < sign->at + sign->size || bytes[sign->at] != (unsigned char)*sign->bytes)
        return false;
    if (sign->form.packing != SEQ_BZIP2)
        return memcmp(bytes + sign->at, sign->bytes, sign->size) == 0 &&
               (!sign->letters || has_control(bytes, size));
    return memcmp(bytes, "BZh", 3) == 0 && bytes[3] >= '1' && bytes[3] <= '9' &&
           memcmp(bytes + 4, sign->bytes + 4, sign->size - 4) == 0;
}

// The checksum is the sum of the header's bytes, its own counting as blanks.
static bool is_tar(const unsigned char *bytes, size_t size) {
    enum { HEADER = 512, SUM = 148, SUM_SIZE = 8 };
    unsigned long sum = 0, noted = 0;
    if (size < HEADER || bytes[0] == 0) return false;
    for (int i = 0; i < HEADER; i++)
        sum += i >= SUM && i < SUM + SUM_SIZE ? ' ' : bytes[i];
    int at = SUM, digits = 0;
    while (at < SUM + SUM_SIZE && bytes[at] == ' ')
        at++;
    for (; at < SUM + SUM_SIZE && bytes[at] >= '0' && bytes[at] <= '7'; at++, digits++)
        noted = noted * 8 + (unsigned long)(bytes[at] - '0');
    return digits > 0 && noted == sum;
}

// Properties, a dictionary size that is 2^n or 3 * 2^n, an unpacked size that is not absurd, and
// the zero byte with which the coder's stream begins.
static bool is_lzma(const unsigned char *bytes, size_t size) {
    if (size < 14 || bytes[0] != 0x5D || bytes[13] != 0) return false;
    uint32_t dictionary = 0;
    uint64_t unpacked = 0;
    for (int i = 4; i > 0; i--)
        dictionary = dictionary << 8 | bytes[i];
    for (int i = 12; i > 4; i--)
        unpacked = unpacked << 8 | bytes[i];
    uint32_t odd = dictionary;
    while (odd && odd % 2 == 0)
        odd /= 2;
    return (odd == 1 || odd == 3 || dictionary == UINT32_MAX) &&
           (unpacked == UINT64_MAX || unpacked >> 48 == 0);
}

// Written in letters: "070701" or "070702" and 13 numbers of 8 hexadecimal digits, or "070707" and
// 70 octal digits.
static bool is_cpio(const unsigned char *bytes, size_t size) {
    enum { OLD = 76, NEW = 110 };
    char header[NEW + 1] = "";
    memcpy(header, bytes, size < NEW ? size : NEW);
    if (strncmp(header, "070707", 6) == 0) return strspn(header, "01234567") >= OLD;
    return (strncmp(header, "070701", 6) == 0 || strncmp(header, "070702", 6) == 0) &&
           strspn(header, "0123456789abcdefABCDEF") == NEW;
}

// Letters and blanks of EBCDIC make up most of the bytes, and those of ASCII do not.
static bool is_ebcdic(const unsigned char *bytes, size_t size) {
    enum { LEAST = 16 };
    size_t letters = 0, blanks = 0, other = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char high = bytes[i] & 0xF0, low = bytes[i] & 0x0F;
        bool letter = (high >= 0x80 && high <= 0xA0) || (high >= 0xC0 && high <= 0xF0);
        letters += letter && low <= 9 && (low > 0 || high == 0xF0);
        blanks += bytes[i] == 0x40;
        other += bytes[i] == ' ' || (bytes[i] >= 'a' && bytes[i] <= 'z' && bytes[i] != 'k');
    }
    return size >= LEAST && blanks > size / 32 && letters + blanks > size / 4 * 3 &&
           other < size / 32 + 1;
}

const seq_form *seq_form_find(const char *text, size_t size) {
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (matches(&signs[i], bytes, size)) return &signs[i].form;
    if (size >= 4 && memcmp(bytes + 1, "\xB5\x2F\xFD", 3) == 0 && *bytes >= 0x22 && *bytes < 0x28)
        return &old_zstd;
    if (size >= 4 && (*bytes & 0xF0) == 0x50 && memcmp(bytes + 1, "\x2A\x4D\x18", 3) == 0)
        return &skippable;
    if (is_cpio(bytes, size)) return &cpio;
    if (is_ebcdic(bytes, size)) return &ebcdic;
    return is_tar(bytes, size) ? &tar : is_lzma(bytes, size) ? &lzma : NULL;
}

typedef struct reading {
    size_t units, strange, stops;
    size_t ideographs,
        controls; // Chinese and Japanese; units whose low byte is a control character
} reading;

static void count_point(reading *reading, uint32_t point) {
    static const uint32_t stops[] = {' ', '\n', '\r', '\t', 0x3000, 0x3001, 0x3002, 0xFF0C};
    utf8proc_category_t category =
        point > 0x10FFFF ? UTF8PROC_CATEGORY_CN : utf8proc_category((utf8proc_int32_t)point);
    bool blank = point >= '\t' && point <= '\r';
    reading->strange += category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO ||
                        category == UTF8PROC_CATEGORY_CS ||
                        (category == UTF8PROC_CATEGORY_CC && !blank);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        reading->stops += point == stops[i];
    reading->ideographs += (point >= 0x3040 && point < 0x3100) ||
                           (point >= 0x3400 && point < 0x4DC0) ||
                           (point >= 0x4E00 && point < 0xA000);
    reading->controls += is_control((unsigned char)(point & 0xFF));
    reading->units++;
}

static uint32_t unit_at(const unsigned char *bytes, int width, bool big) {
    uint32_t unit = 0;
    for (int i = 0; i < width; i++)
        unit = unit << 8 | bytes[big ? i : width - 1 - i];
    return unit;
}

static reading read_as(const unsigned char *bytes, size_t size, int width, bool big) {
    reading reading = {0};
    for (size_t at = 0; at + (size_t)width <= size; at += (size_t)width) {
        uint32_t unit = unit_at(bytes + at, width, big);
        if (width == 2 && unit >> 10 == 0x36) {
            if (at + 4 > size) break;
            uint32_t low = unit_at(bytes + at + 2, width, big);
            if (low >> 10 == 0x37) {
                unit = 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF);
                at += 2;
            }
        }
        count_point(&reading, unit);
    }
    return reading;
}

// Whether the bytes without NUL are UTF-8, and, where there are NUL, have no control characters.
// (Some texts are separated by such.)
static bool is_clean(const unsigned char *bytes, size_t size) {
    bool nul = memchr(bytes, 0, size);
    const uint64_t each = 0x0101010101010101u, high = 0x80 * each;
    for (size_t at = 0; at < size;) {
        uint64_t word = 0;
        if (at + 8 <= size) memcpy(&word, bytes + at, 8);
        if (((word | (word - 0x20 * each)) & high) == 0) { // 0x20 to 0x7F, all of them
            at += 8;
            continue;
        }
        if (bytes[at] < 0x80) {
            if (nul && bytes[at] != 0 && is_control(bytes[at])) return false;
            at++;
            continue;
        }
        utf8proc_int32_t point = 0;
        utf8proc_ssize_t length =
            utf8proc_iterate(bytes + at, (utf8proc_ssize_t)(size - at), &point);
        bool cut_off = length < 1 && size - at < 4;
        if (cut_off) return true;
        if (length < 1) return false;
        at += (size_t)length;
    }
    return true;
}

static bool is_wide(const unsigned char *bytes, size_t size, int width, bool big) {
    size_t nul[2] = {0, 0}; // in the byte that is high, and elsewhere
    for (size_t at = 0; at < size - size % (size_t)width; at++) {
        int place = (int)(at % (size_t)width);
        nul[place != (big ? 0 : width - 1)] += bytes[at] == 0;
    }
    reading reading = read_as(bytes, size, width, big);
    if (reading.units == 0 || reading.strange > reading.units / 64) return false;
    if (width == 4) return true;
    if (nul[0] > 1 && nul[0] > reading.units / 4 && nul[0] > 8 * nul[1]) return true;
    if (is_clean(bytes, size)) return false;
    // Without stops: low bytes of ideographs are spread evenly, and bytes of no other text are
    // control characters so often.
    bool even = reading.ideographs > reading.units / 4 * 3 &&
                reading.controls > reading.units / 32 && reading.units >= 16;
    return even || reading.stops > reading.units / 256;
}

const char *seq_form_wide_encoding(const char *text, size_t size) {
    static const struct {
        const char *name;
        int width;
        bool big;
    } encodings[] = {{"UTF-32LE", 4, false},
                     {"UTF-32BE", 4, true},
                     {"UTF-16LE", 2, false},
                     {"UTF-16BE", 2, true}};
    const unsigned char *bytes = (const unsigned char *)text;
    if (size >= 4 &&
        (memcmp(bytes, "\xFF\xFE\0\0", 4) == 0 || memcmp(bytes, "\0\0\xFE\xFF", 4) == 0))
        return "UTF-32";
    if (size >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0))
        return "UTF-16";
    if (size > SEQ_FORM_BYTES) size = SEQ_FORM_BYTES;
    if (!memchr(bytes, 0, size) && is_clean(bytes, size)) return NULL;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (is_wide(bytes, size, encodings[i].width, encodings[i].big)) return encodings[i].name;
    return NULL;
}

const seq_form *seq_form_find_named(const char *name, const char *text, size_t size) {
    const seq_form *form = seq_form_find(text, size);
    size_t length = strlen(name), seen = size < SEQ_FORM_BYTES ? size : SEQ_FORM_BYTES;
    const unsigned char *bytes = (const unsigned char *)text;
    if (form || (is_clean(bytes, seen) && !has_control(bytes, seen))) return form;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        size_t end = strlen(named[i].end);
        if (length > end && strcasecmp(name + length - end, named[i].end) == 0)
            return &named[i].form;
    }
    return NULL;
}

seq_status seq_form_check_text(const char *name, const char *bytes, size_t size, seq_error *error) {
    const seq_form *form = seq_form_find_named(name, bytes, size);
    const char *encoding = form ? NULL : seq_form_wide_encoding(bytes, size);
    if (form)
        return seq_error_set(error, SEQ_BAD_INPUT, "reading %s: it is %s, not text%s%s", name,
                             form->name, form->advice ? "; " : "",
                             form->advice ? form->advice : "");
    if (!encoding) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading %s: it is text in %s; convert it to UTF-8: iconv -f %s -t UTF-8",
                         name, encoding, encoding);
}
