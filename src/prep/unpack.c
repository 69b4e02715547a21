// gzip and zstd. A zstd frame says in its header how far back it refers: that much memory the
// decoder takes, so the header is read here first, and a window beyond the limit is refused with
// its size. Test: tests/unit/prep/test_byte_reader.c.
#include "unpack.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

static seq_unpack_result begin_gzip(void **state, uint64_t limit, seq_unpack_step *step) {
    (void)limit; // 32 KB always
    (void)step;
    if (*state) return inflateReset(*state) == Z_OK ? SEQ_UNPACK_OK : SEQ_UNPACK_NO_MEMORY;
    z_stream *gzip = calloc(1, sizeof *gzip);
    if (gzip && inflateInit2(gzip, 15 + 16) != Z_OK) { // 16: gzip only
        free(gzip);
        gzip = NULL;
    }
    *state = gzip;
    return gzip ? SEQ_UNPACK_OK : SEQ_UNPACK_NO_MEMORY;
}

static seq_unpack_result step_gzip(void *state, seq_unpack_step *step) {
    z_stream *gzip = state;
    gzip->next_in = (unsigned char *)step->in;
    gzip->avail_in = (unsigned)step->in_size;
    gzip->next_out = step->out;
    gzip->avail_out = (unsigned)step->out_size;
    int code = inflate(gzip, Z_NO_FLUSH);
    step->in_used = step->in_size - gzip->avail_in;
    step->out_used = step->out_size - gzip->avail_out;
    step->ended = code == Z_STREAM_END;
    if (code == Z_OK || code == Z_BUF_ERROR || step->ended) return SEQ_UNPACK_OK;
    if (code == Z_MEM_ERROR) return SEQ_UNPACK_NO_MEMORY;
    snprintf(step->reason, sizeof step->reason, "%s", gzip->msg ? gzip->msg : "unknown");
    return SEQ_UNPACK_DAMAGED;
}

static void end_gzip(void *state) {
    if (state) inflateEnd(state);
    free(state);
}

static uint64_t little_endian(const unsigned char *bytes, int count) {
    uint64_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

typedef struct zstd_state {
    ZSTD_DCtx *stream;
    size_t wanted; // bytes to the end of a block: fed one by one, they tell where damage is
} zstd_state;

typedef struct zstd_header {
    uint64_t window, dictionary; // bytes; number, or 0
} zstd_header;

// RFC 8878, 3.1.1.1. A header that is cut off, or of a skippable frame, needs nothing.
static zstd_header read_header(const unsigned char *in, size_t size) {
    static const int dictionary_sizes[] = {0, 1, 2, 4}, content_sizes[] = {0, 2, 4, 8};
    zstd_header header = {0};
    if (size < 18 || (in[0] & 0xF0) == 0x50) return header;
    unsigned descriptor = in[4];
    bool single = descriptor & 0x20;
    const unsigned char *at = in + 5;
    if (!single) {
        header.window = UINT64_C(1) << (10 + (*at >> 3));
        header.window += header.window / 8 * (*at++ & 7);
    }
    header.dictionary = little_endian(at, dictionary_sizes[descriptor & 3]);
    at += dictionary_sizes[descriptor & 3];
    int content = content_sizes[descriptor >> 6];
    if (single) header.window = content ? little_endian(at, content) + (content == 2) * 256 : *at;
    return header;
}

static seq_unpack_result begin_zstd(void **state, uint64_t limit, seq_unpack_step *step) {
    enum { OTHER = 1 << 20, WIDEST = 31 }; // bytes besides the window; logarithm of the widest one
    zstd_header header = read_header(step->in, step->in_size);
    step->memory = header.window + OTHER;
    if (header.window > (UINT64_C(1) << WIDEST)) {
        snprintf(step->reason, sizeof step->reason,
                 "a window of %.0f MB, and --long=31 (2148 MB) is the widest that is read; pack it "
                 "anew",
                 (double)header.window / 1e6);
        return SEQ_UNPACK_REFUSED;
    }
    if (step->memory > limit && header.window > OTHER) return SEQ_UNPACK_LIMIT;
    if (header.dictionary) {
        snprintf(step->reason, sizeof step->reason,
                 "dictionary %llu is needed: unpack it with zstd -d -D DICTIONARY first",
                 (unsigned long long)header.dictionary);
        return SEQ_UNPACK_REFUSED;
    }
    zstd_state *zstd = *state;
    if (!zstd) {
        zstd = *state = calloc(1, sizeof *zstd);
        if (zstd) zstd->stream = ZSTD_createDCtx();
        if (!zstd || !zstd->stream ||
            ZSTD_isError(ZSTD_DCtx_setParameter(zstd->stream, ZSTD_d_windowLogMax, WIDEST)))
            return SEQ_UNPACK_NO_MEMORY;
    }
    zstd->wanted = SEQ_FRAME_HEAD / 2;
    return SEQ_UNPACK_OK;
}

static seq_unpack_result step_zstd(void *state, seq_unpack_step *step) {
    zstd_state *zstd = state;
    size_t some = step->in_size < zstd->wanted ? step->in_size : zstd->wanted;
    ZSTD_inBuffer in = {step->in, some, 0};
    ZSTD_outBuffer out = {step->out, step->out_size, 0};
    size_t code = ZSTD_decompressStream(zstd->stream, &out, &in);
    step->in_used = in.pos;
    step->out_used = out.pos;
    step->ended = code == 0;
    zstd->wanted = code;
    if (!ZSTD_isError(code)) return SEQ_UNPACK_OK;
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation) return SEQ_UNPACK_NO_MEMORY;
    snprintf(step->reason, sizeof step->reason, "%s", ZSTD_getErrorName(code));
    return SEQ_UNPACK_DAMAGED;
}

static void end_zstd(void *state) {
    zstd_state *zstd = state;
    if (zstd) ZSTD_freeDCtx(zstd->stream);
    free(zstd);
}

const seq_unpacker *seq_unpacker_find(seq_packing packing) {
    static const seq_unpacker gzip = {"gzip",     "member",  NULL,    NULL,
                                      begin_gzip, step_gzip, end_gzip},
                              zstd = {"zstd", "frame", NULL, NULL, begin_zstd, step_zstd, end_zstd};
    return packing == SEQ_GZIP   ? &gzip
           : packing == SEQ_ZSTD ? &zstd
           : packing == SEQ_XZ   ? &seq_unpacker_xz
                                 : &seq_unpacker_bzip2;
}
