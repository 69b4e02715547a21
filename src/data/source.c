#include "source.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { BUFFER = 1 << 17 };
typedef enum seq_packing { PLAIN, GZIP, ZSTD } seq_packing;

struct seq_source {
    const char *path; // the caller's
    bool (*stopped)(void);
    int descriptor;
    seq_packing packing;
    char *buffer; // packed bytes
    size_t used, filled;
    bool at_end;   // of the file
    bool in_frame; // a gzip member or zstd frame has begun and not ended
    z_stream gzip;
    ZSTD_DStream *zstd;
};

// Until there is something to read, or the end. The signal that stops the program may have been
// another thread's, so that no call of this one is interrupted: it looks now and then.
static seq_status await_bytes(const seq_source *source, seq_error *error) {
    enum { MILLISECONDS = 100 };
    struct pollfd wanted = {.fd = source->descriptor, .events = POLLIN};
    for (;;) {
        int ready = poll(&wanted, 1, MILLISECONDS);
        if (ready < 0 && errno != EINTR)
            return seq_error_set_errno(error, "reading %s", source->path);
        if (ready > 0) return SEQ_OK;
        if (source->stopped && source->stopped())
            return seq_error_set(error, SEQ_STOPPED, "reading %s: interrupted", source->path);
    }
}

static seq_status read_some(seq_source *source, char *out, size_t capacity, size_t *out_size,
                            seq_error *error) {
    ssize_t got;
    do {
        if (await_bytes(source, error)) return error->status;
        got = read(source->descriptor, out, capacity);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0) return seq_error_set_errno(error, "reading %s", source->path);
    *out_size = (size_t)got;
    source->at_end = got == 0;
    return SEQ_OK;
}

static seq_status refill(seq_source *source, seq_error *error) {
    source->used = source->filled = 0;
    return read_some(source, source->buffer, BUFFER, &source->filled, error);
}

static bool begins_with(const seq_source *source, const char *bytes, size_t count) {
    return source->filled >= count && memcmp(source->buffer, bytes, count) == 0;
}

static seq_status begin_unpacking(seq_source *source, seq_error *error) {
    if (begins_with(source, "\x1f\x8b", 2)) {
        source->packing = GZIP;
        if (inflateInit2(&source->gzip, 15 + 16) == Z_OK) // 16: gzip only
            return SEQ_OK;
        source->packing = PLAIN; // nothing to release
    } else if (begins_with(source, "\x28\xb5\x2f\xfd", 4)) {
        source->packing = ZSTD;
        source->zstd = ZSTD_createDStream();
        if (source->zstd) return SEQ_OK;
    } else {
        return SEQ_OK;
    }
    return seq_error_set(error, SEQ_NO_MEMORY, "reading %s: out of memory", source->path);
}

static seq_status open_descriptor(seq_source *source, seq_error *error) {
    struct stat status;
    bool standard = strcmp(source->path, "-") == 0;
    // A pipe without a writer is waited for where bytes are.
    source->descriptor =
        standard ? dup(STDIN_FILENO) : open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->descriptor < 0) return seq_error_set_errno(error, "opening %s", source->path);
    if (fstat(source->descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return seq_error_set_errno(error, "opening %s", source->path);
    }
    return SEQ_OK;
}

seq_status seq_source_open(const char *path, bool (*stopped)(void), seq_source **out,
                           seq_error *error) {
    seq_source *source = NULL;
    seq_status status = seq_allocate(&source, 1, sizeof *source, "an input", error);
    if (status) return status;
    source->path = path;
    source->stopped = stopped;
    source->descriptor = -1;
    status = seq_allocate(&source->buffer, BUFFER, 1, "an input", error);
    if (!status) status = open_descriptor(source, error);
    if (!status) status = refill(source, error);
    if (!status) status = begin_unpacking(source, error);
    if (status)
        seq_source_close(source);
    else
        *out = source;
    return status;
}

void seq_source_close(seq_source *source) {
    if (!source) return;
    if (source->packing == GZIP) inflateEnd(&source->gzip);
    ZSTD_freeDStream(source->zstd);
    if (source->descriptor >= 0) close(source->descriptor);
    free(source->buffer);
    free(source);
}

static seq_status damaged(const seq_source *source, const char *why, seq_error *error) {
    return seq_error_set(error, SEQ_BAD_INPUT, "reading %s: damaged %s data: %s", source->path,
                         source->packing == GZIP ? "gzip" : "zstd", why);
}

static seq_status inflate_some(seq_source *source, char *out, size_t capacity, size_t *out_size,
                               seq_error *error) {
    z_stream *gzip = &source->gzip;
    gzip->next_in = (unsigned char *)source->buffer + source->used;
    gzip->avail_in = (unsigned)(source->filled - source->used);
    gzip->next_out = (unsigned char *)out;
    gzip->avail_out = (unsigned)capacity;
    source->in_frame = true;
    int code = inflate(gzip, Z_NO_FLUSH);
    source->used = source->filled - gzip->avail_in;
    *out_size = capacity - gzip->avail_out;
    if (code == Z_STREAM_END) {
        source->in_frame = false;
        inflateReset(gzip); // another member may follow
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return damaged(source, gzip->msg ? gzip->msg : "unknown", error);
    }
    return SEQ_OK;
}

static seq_status unzstd_some(seq_source *source, char *out, size_t capacity, size_t *out_size,
                              seq_error *error) {
    ZSTD_inBuffer in = {source->buffer, source->filled, source->used};
    ZSTD_outBuffer unpacked = {out, capacity, 0};
    size_t code = ZSTD_decompressStream(source->zstd, &unpacked, &in);
    if (ZSTD_isError(code)) return damaged(source, ZSTD_getErrorName(code), error);
    source->in_frame = code != 0;
    source->used = in.pos;
    *out_size = unpacked.pos;
    return SEQ_OK;
}

static seq_status copy_some(seq_source *source, char *out, size_t capacity, size_t *out_size) {
    size_t left = source->filled - source->used;
    *out_size = left < capacity ? left : capacity;
    memcpy(out, source->buffer + source->used, *out_size);
    source->used += *out_size;
    return SEQ_OK;
}

static seq_status unpack_some(seq_source *source, char *out, size_t capacity, size_t *out_size,
                              seq_error *error) {
    if (source->packing == GZIP) return inflate_some(source, out, capacity, out_size, error);
    if (source->packing == ZSTD) return unzstd_some(source, out, capacity, out_size, error);
    return copy_some(source, out, capacity, out_size);
}

seq_status seq_source_read(seq_source *source, char *out, size_t capacity, size_t *out_size,
                           seq_error *error) {
    *out_size = 0;
    for (;;) {
        bool empty = source->used == source->filled && !source->at_end;
        if (empty && source->packing == PLAIN)
            return read_some(source, out, capacity, out_size, error);
        if (empty && refill(source, error)) return error->status;
        if (source->at_end && source->packing == PLAIN) return SEQ_OK;
        bool had_bytes = source->used < source->filled;
        if (had_bytes || source->in_frame) {
            seq_status status = unpack_some(source, out, capacity, out_size, error);
            if (status || *out_size) return status;
        }
        if (source->at_end)
            return source->in_frame ? damaged(source, "the file ends too early", error) : SEQ_OK;
    }
}
