// xz and bzip2, where the build found their libraries (SEQ_WITH_LZMA, SEQ_WITH_BZIP2): elsewhere
// such data are refused, and `package` says what to install before building anew. An xz block names
// the memory it needs, and the decoder keeps to the limit. Test:
// tests/unit/prep/test_byte_reader.c.
#include "unpack.h"
#include <stdio.h>
#include <stdlib.h>

#ifdef SEQ_WITH_LZMA
#include <lzma.h>

static seq_unpack_result begin_xz(void **state, uint64_t limit, seq_unpack_step *step) {
    static const lzma_stream fresh = LZMA_STREAM_INIT;
    lzma_stream *xz = *state;
    (void)step;
    if (!xz) {
        xz = *state = malloc(sizeof *xz);
        if (!xz) return SEQ_UNPACK_NO_MEMORY;
        *xz = fresh;
    }
    return lzma_stream_decoder(xz, limit, LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK
               ? SEQ_UNPACK_OK
               : SEQ_UNPACK_NO_MEMORY;
}

static const char *describe_xz(lzma_ret code) {
    return code == LZMA_FORMAT_ERROR        ? "not the header of a stream"
           : code == LZMA_OPTIONS_ERROR     ? "options that liblzma does not know"
           : code == LZMA_UNSUPPORTED_CHECK ? "a kind of check that liblzma does not know"
                                            : "corrupt data";
}

static seq_unpack_result step_xz(void *state, seq_unpack_step *step) {
    lzma_stream *xz = state;
    xz->next_in = step->in;
    xz->avail_in = step->in_size;
    xz->next_out = step->out;
    xz->avail_out = step->out_size;
    lzma_ret code = lzma_code(xz, LZMA_RUN);
    step->in_used = step->in_size - xz->avail_in;
    step->out_used = step->out_size - xz->avail_out;
    step->ended = code == LZMA_STREAM_END;
    if (code == LZMA_OK || code == LZMA_BUF_ERROR || step->ended) return SEQ_UNPACK_OK;
    step->memory = lzma_memusage(xz);
    if (code == LZMA_MEMLIMIT_ERROR) return SEQ_UNPACK_LIMIT;
    if (code == LZMA_MEM_ERROR) return SEQ_UNPACK_NO_MEMORY;
    snprintf(step->reason, sizeof step->reason, "%s", describe_xz(code));
    return code == LZMA_UNSUPPORTED_CHECK ? SEQ_UNPACK_REFUSED : SEQ_UNPACK_DAMAGED;
}

static void end_xz(void *state) {
    if (state) lzma_end(state);
    free(state);
}

const seq_unpacker seq_unpacker_xz = {"xz", "stream", NULL, NULL, begin_xz, step_xz, end_xz};
#else
const seq_unpacker seq_unpacker_xz = {
    .name = "xz", .frame = "stream", .library = "liblzma", .package = "liblzma-dev"};
#endif

#ifdef SEQ_WITH_BZIP2
#include <bzlib.h>

static void end_bzip2(void *state) {
    if (state) BZ2_bzDecompressEnd(state);
    free(state);
}

static seq_unpack_result begin_bzip2(void **state, uint64_t limit, seq_unpack_step *step) {
    (void)limit; // 4 MB at most
    (void)step;
    bz_stream *bzip2 = *state;
    if (bzip2)
        BZ2_bzDecompressEnd(bzip2);
    else
        bzip2 = malloc(sizeof *bzip2);
    *state = bzip2;
    if (!bzip2) return SEQ_UNPACK_NO_MEMORY;
    *bzip2 = (bz_stream){0};
    return BZ2_bzDecompressInit(bzip2, 0, 0) == BZ_OK ? SEQ_UNPACK_OK : SEQ_UNPACK_NO_MEMORY;
}

static seq_unpack_result step_bzip2(void *state, seq_unpack_step *step) {
    bz_stream *bzip2 = state;
    bzip2->next_in = (char *)step->in;
    bzip2->avail_in = (unsigned)step->in_size;
    bzip2->next_out = (char *)step->out;
    bzip2->avail_out = (unsigned)step->out_size;
    int code = BZ2_bzDecompress(bzip2);
    step->in_used = step->in_size - bzip2->avail_in;
    step->out_used = step->out_size - bzip2->avail_out;
    step->ended = code == BZ_STREAM_END;
    if (code == BZ_OK || step->ended) return SEQ_UNPACK_OK;
    if (code == BZ_MEM_ERROR) return SEQ_UNPACK_NO_MEMORY;
    snprintf(step->reason, sizeof step->reason, "%s",
             code == BZ_DATA_ERROR_MAGIC ? "not the header of a stream" : "corrupt data");
    return SEQ_UNPACK_DAMAGED;
}

const seq_unpacker seq_unpacker_bzip2 = {"bzip2",     "stream",   NULL,     NULL,
                                         begin_bzip2, step_bzip2, end_bzip2};
#else
const seq_unpacker seq_unpacker_bzip2 = {
    .name = "bzip2", .frame = "stream", .library = "libbz2", .package = "libbz2-dev"};
#endif
