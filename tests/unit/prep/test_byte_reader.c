// Packed inputs: every prefix of them, padding and garbage between frames,
// windows beyond what is allowed, forms inside of forms. Bytes that arrive one
// at a time are read as well. Each refusal must name the offset. Checks
// src/prep/byte_reader.c, unpack.c and unpack_optional.c.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "byte_reader.h"
#include "temporary.h"
#include "unpack.h"
#include <fcntl.h>
#include <pthread.h>
#include <seqtrain/base/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { MOST = 1 << 16 };
static temporary place;
typedef struct bytes {
    unsigned char at[MOST];
    size_t size;
} bytes;
static const char text[] = "one line of text\none line of text\none line of text\n";

// Of `text`, by xz --check=crc32 -0 and bzip2.
static const unsigned char xz_stream[] = {
    0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00, 0x01, 0x69, 0x22, 0xDE, 0x36, 0x02, 0x00, 0x21, 0x01,
    0x0C, 0x00, 0x00, 0x00, 0x8F, 0x98, 0x41, 0x9C, 0xE0, 0x00, 0x32, 0x00, 0x17, 0x5D, 0x00, 0x37,
    0x9B, 0x88, 0xCE, 0x76, 0x9A, 0x9D, 0xF2, 0x25, 0xE7, 0x35, 0x71, 0x03, 0xE1, 0xA5, 0x16, 0x36,
    0x59, 0x91, 0x8C, 0x00, 0x00, 0x00, 0x00, 0x00, 0xD9, 0xFA, 0x6E, 0x79, 0x00, 0x01, 0x2F, 0x33,
    0x50, 0xEC, 0x4A, 0x8D, 0x90, 0x42, 0x99, 0x0D, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5A};
static const unsigned char bzip2_stream[] = {
    0x42, 0x5A, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0x89, 0x5A, 0x8D, 0x73, 0x00,
    0x00, 0x14, 0xD1, 0x80, 0x00, 0x10, 0x40, 0x00, 0x03, 0x25, 0x84, 0x40, 0x20, 0x00, 0x31,
    0x00, 0x30, 0x2B, 0xFD, 0x54, 0xD0, 0x3D, 0x24, 0x6B, 0x0D, 0xBD, 0x86, 0x91, 0x1E, 0x52,
    0x29, 0x16, 0xA5, 0xBE, 0x2E, 0xE4, 0x8A, 0x70, 0xA1, 0x21, 0x12, 0xB5, 0x1A, 0xE6};

static int begin(void **state) {
    (void)state;
    temporary_create(&place);
    seq_log_open(NULL, SEQ_LOG_ERROR, "test");
    return 0;
}

static int end(void **state) {
    (void)state;
    temporary_destroy(&place);
    return 0;
}

static void add(bytes *out, const void *from, size_t size) {
    assert_true(out->size + size <= MOST);
    memcpy(out->at + out->size, from, size);
    out->size += size;
}

static void add_zeros(bytes *out, size_t count) {
    memset(out->at + out->size, 0, count);
    out->size += count;
}

static void add_gzip(bytes *out, const void *from, size_t size) {
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
    stream.next_in = (unsigned char *)from;
    stream.avail_in = (unsigned)size;
    stream.next_out = out->at + out->size;
    stream.avail_out = (unsigned)(MOST - out->size);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out->size = MOST - stream.avail_out;
    deflateEnd(&stream);
}

// A frame with a window descriptor in byte 5, as of a stream whose size was not known.
static void add_zstd(bytes *out, const void *from, size_t size, int window_log) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer in = {from, size, 0};
    ZSTD_outBuffer packed = {out->at + out->size, MOST - out->size, 0};
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 17);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    assert_false(ZSTD_isError(ZSTD_compressStream2(context, &packed, &in, ZSTD_e_flush)));
    assert_int_equal(ZSTD_compressStream2(context, &packed, &in, ZSTD_e_end), 0);
    ZSTD_freeCCtx(context);
    if (window_log) out->at[out->size + 5] = (unsigned char)((window_log - 10) << 3);
    out->size += packed.pos;
}

static void add_skippable(bytes *out, unsigned char kind) {
    unsigned char frame[8 + 300] = {0x50 | kind, 0x2A, 0x4D, 0x18, 44, 1};
    memset(frame + 8, 'z', 300);
    add(out, frame, sizeof frame);
}

static seq_status read_path(const char *path, const seq_byte_reader_rules *rules, bytes *out,
                            seq_error *error) {
    seq_byte_reader *source = NULL;
    *error = (seq_error){0};
    out->size = 0;
    seq_status status = seq_byte_reader_open(path, rules, &source, error);
    for (size_t got = 1; !status && got; out->size += got)
        status = seq_byte_reader_read(source, (char *)out->at + out->size, 7, &got, error);
    seq_byte_reader_close(source);
    return status;
}

static seq_status read_back(const bytes *file, uint64_t memory, bytes *out, seq_error *error) {
    const seq_byte_reader_rules rules = {.text = true, .memory = memory};
    char path[200];
    snprintf(path, sizeof path, "%s", temporary_path(&place, "input"));
    unlink(path); // a file that is overwritten goes to the disk at once
    write_bytes(path, file->at, file->size);
    return read_path(path, &rules, out, error);
}

static void expect_text(const bytes *file, int times) {
    static bytes found;
    seq_error error;
    if (read_back(file, UINT64_MAX, &found, &error)) fail_msg("%s", error.text);
    assert_int_equal(found.size, (size_t)times * strlen(text));
    for (int i = 0; i < times; i++)
        assert_memory_equal(found.at + (size_t)i * strlen(text), text, strlen(text));
}

static void expect_refused(const bytes *file, uint64_t memory, const char *words, long offset) {
    static bytes found;
    seq_error error;
    char where[60];
    snprintf(where, sizeof where, "byte offset %ld", offset);
    assert_int_equal(read_back(file, memory, &found, &error), SEQ_BAD_INPUT);
    if (!strstr(error.text, words) || !strstr(error.text, "input") ||
        (offset >= 0 && !strstr(error.text, where)))
        fail_msg("'%s' does not say '%s' and %s", error.text, words, offset >= 0 ? where : "no");
}

// One frame twice: every prefix is refused at its end, but for the whole frames.
static void check_prefixes(const bytes *frame, const char *kind) {
    static bytes file;
    char words[60];
    snprintf(words, sizeof words, "damaged %s data: the file ends too early", kind);
    file.size = 0;
    add(&file, frame->at, frame->size);
    add(&file, frame->at, frame->size);
    for (size_t size = 10; size <= 2 * frame->size; size++) {
        file.size = size;
        size_t behind = size - frame->size;
        if (size % frame->size == 0)
            expect_text(&file, (int)(size / frame->size));
        else if (size < frame->size || behind >= 10)
            expect_refused(&file, UINT64_MAX, words, (long)size);
        else // too little of it to tell a frame from garbage, for some
            expect_refused(&file, UINT64_MAX, kind, -1);
    }
}

// Padding, further frames, garbage.
static void check_borders(const bytes *frame, const char *kind) {
    static bytes file;
    char words[60];
    snprintf(words, sizeof words, "what follows the last %s ", kind);
    file.size = 0;
    add(&file, frame->at, frame->size);
    add_zeros(&file, 1024);
    expect_text(&file, 1);
    add(&file, frame->at, frame->size);
    expect_text(&file, 2);
    add_zeros(&file, 3);
    long offset = (long)file.size;
    add(&file, "garbage behind it", 17);
    expect_refused(&file, UINT64_MAX, words, offset);
    file.size = frame->size;
    add(&file, text, strlen(text));
    expect_refused(&file, UINT64_MAX, words, (long)frame->size);
}

// A byte of the packed text changed: refused, at a place behind the frame's begin and not beyond
// its end. (Some bytes of headers say nothing about the text.)
static void check_damage(const bytes *frame, const char *kind, size_t from) {
    static bytes file, found;
    int refused = 0;
    for (size_t at = from; at < frame->size; at++) {
        seq_error error;
        file = *frame;
        file.at[at] ^= 0x55;
        if (!read_back(&file, 1 << 26, &found, &error)) {
            fail_msg("a change of byte %zu of the %s data goes unnoticed", at, kind);
        }
        assert_int_equal(error.status, SEQ_BAD_INPUT);
        char *where = strstr(error.text, "byte offset ");
        assert_non_null(where);
        assert_true(strtoul(where + 12, NULL, 10) <= frame->size);
        refused++;
    }
    assert_int_equal(refused, frame->size - from);
}

static void gzip(void **state) {
    (void)state;
    static bytes frame;
    frame.size = 0;
    add_gzip(&frame, text, strlen(text));
    check_prefixes(&frame, "gzip");
    check_borders(&frame, "gzip");
    check_damage(&frame, "gzip", 10);
}

static void zstd(void **state) {
    (void)state;
    static bytes frame, file;
    frame.size = 0;
    add_zstd(&frame, text, strlen(text), 0);
    check_prefixes(&frame, "zstd");
    check_borders(&frame, "zstd");
    check_damage(&frame, "zstd", 6);
    file.size = 0;
    for (unsigned char i = 0; i < 16; i++) {
        add_skippable(&file, i);
        add(&file, frame.at, frame.size);
        add_skippable(&file, i);
    }
    expect_text(&file, 16);
    file.size -= 5;
    expect_refused(&file, UINT64_MAX, "ends too early", (long)file.size);
    file.size = 0;
    add_skippable(&file, 3);
    expect_text(&file, 0);
    add(&file, "\4\x22\x4D\x18", 4);
    add(&file, text, strlen(text));
    expect_refused(&file, UINT64_MAX, "lz4", 308);
}

// A frame tells how far it looks back: up to 2 GiB if memory allows.
static void zstd_windows(void **state) {
    (void)state;
    static bytes file;
    for (int logarithm = 20; logarithm <= 31; logarithm++) {
        char need[40];
        file.size = 0;
        add_zstd(&file, text, strlen(text), logarithm);
        expect_text(&file, 1);
        if (logarithm < 22) continue;
        uint64_t window = UINT64_C(1) << logarithm;
        snprintf(need, sizeof need, "takes %.0f MB", (double)(window + (1 << 20)) / 1e6);
        expect_refused(&file, window, need, 0);
        expect_refused(&file, window, "--max-memory", 0);
    }
    file.at[5] = 21 << 3 | 1;
    expect_refused(&file, UINT64_MAX, "a window of 2416 MB", 0);
    static const unsigned char dictionary[] = {0x28, 0xB5, 0x2F, 0xFD, 0x23, 0x39, 0x30, 0, 0, 50};
    file.size = 0;
    add(&file, dictionary, sizeof dictionary);
    add(&file, text, strlen(text));
    expect_refused(&file, UINT64_MAX, "dictionary 12345 is needed", 0);
}

static void check_optional(const unsigned char *stream, size_t size, seq_packing packing,
                           size_t from) {
    static bytes frame;
    const seq_unpacker *unpacker = seq_unpacker_find(packing);
    frame.size = 0;
    add(&frame, stream, size);
    if (unpacker->package) {
        expect_refused(&frame, UINT64_MAX, unpacker->package, -1);
        print_message("%s: this build has it not; its refusal was tested\n", unpacker->name);
        return;
    }
    check_prefixes(&frame, unpacker->name);
    check_borders(&frame, unpacker->name);
    check_damage(&frame, unpacker->name, from);
    if (packing == SEQ_XZ) expect_refused(&frame, 1000, "--max-memory", -1);
}

static void xz(void **state) {
    (void)state;
    check_optional(xz_stream, sizeof xz_stream, SEQ_XZ, 12);
}

static void bzip2(void **state) {
    (void)state;
    check_optional(bzip2_stream, sizeof bzip2_stream, SEQ_BZIP2, 10);
}

// What packed data hold is looked at, too.
static void packed_forms(void **state) {
    (void)state;
    static bytes inner, file;
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } table[] = {
        {"PK\3\4 and more", 13, "gzip data hold a zip archive"},
        {"\x1F\x8B\b and more", 12, "gzip data hold gzip data"},
        {"\xFF\xFEo\0n\0e\0", 8, "gzip data hold text in UTF-16; convert"},
        {"o\0n\0e\0 \0t\0e\0x\0t\0", 16, "gzip data hold text in UTF-16LE; convert"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file.size = 0;
        add_gzip(&file, table[i].bytes, table[i].size);
        expect_refused(&file, UINT64_MAX, table[i].words, -1);
    }
    inner.size = 0;
    add(&inner, "name", 4);
    add_zeros(&inner, 508);
    snprintf((char *)inner.at + 148, 8, "%06o", 8 * 32 + 'n' + 'a' + 'm' + 'e');
    file.size = 0;
    add_zstd(&file, inner.at, inner.size, 0);
    expect_refused(&file, UINT64_MAX, "zstd data hold a tar archive", -1);
}

// The first bytes go one by one, each when the one before has been taken.
static void *write_slowly(void *context) {
    const bytes *file = context;
    char path[200];
    snprintf(path, sizeof path, "%s/pipe", place.directory);
    int pipe = open(path, O_WRONLY);
    for (size_t i = 0, some = 1; i < file->size; i += some) {
        int waiting = 1;
        while (ioctl(pipe, FIONREAD, &waiting) == 0 && waiting)
            usleep(100);
        if (i == 5) some = file->size - i;
        if (write(pipe, file->at + i, some) != (ssize_t)some) break;
    }
    close(pipe);
    return NULL;
}

static void bytes_one_by_one(void **state) {
    (void)state;
    static bytes file, found;
    char path[200];
    for (int i = 0; i < 3; i++) {
        const seq_byte_reader_rules rules = {.text = true, .memory = UINT64_MAX};
        pthread_t writer;
        seq_error error;
        file.size = 0;
        if (i == 0) add(&file, text, strlen(text));
        if (i == 1) add_gzip(&file, text, strlen(text));
        if (i == 2) add_zstd(&file, text, strlen(text), 0);
        snprintf(path, sizeof path, "%s/pipe", place.directory);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(pthread_create(&writer, NULL, write_slowly, &file), 0);
        if (read_path(path, &rules, &found, &error)) fail_msg("%s", error.text);
        pthread_join(writer, NULL);
        unlink(path);
        assert_int_equal(found.size, strlen(text));
        assert_memory_equal(found.at, text, found.size);
    }
}

static void as_it_is(void **state) {
    (void)state;
    static bytes file, found;
    const seq_byte_reader_rules rules = {.as_is = true, .text = true};
    char path[200];
    seq_error error;
    snprintf(path, sizeof path, "%s", temporary_path(&place, "raw"));
    file.size = 0;
    add_gzip(&file, text, strlen(text));
    write_bytes(path, file.at, file.size);
    assert_int_equal(read_path(path, &rules, &found, &error), SEQ_OK);
    assert_int_equal(found.size, file.size);
    assert_memory_equal(found.at, file.at, found.size);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip),
        cmocka_unit_test(zstd),
        cmocka_unit_test(zstd_windows),
        cmocka_unit_test(xz),
        cmocka_unit_test(bzip2),
        cmocka_unit_test(packed_forms),
        cmocka_unit_test(bytes_one_by_one),
        cmocka_unit_test(as_it_is),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
