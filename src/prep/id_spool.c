// Packs groups of 65536 numbers into one, two or four bytes each, whatever the
// largest of them needs. An index in memory has each group's offset and width,
// so any range can be read with pread. Invariant: reads never change the file's
// position, so threads share the descriptor. Test:
// tests/unit/prep/test_text_blocks.c.
#include "id_spool.h"
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/memory.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

seq_status seq_id_spool_begin(seq_id_spool *file, const char *directory, seq_error *error) {
    *file = (seq_id_spool){.descriptor = -1};
    seq_status status = seq_path_join(file->path, directory, "units.tmp", error);
    if (!status)
        status = seq_allocate(&file->pending, SEQ_UNIT_GROUP, sizeof *file->pending,
                              "the units' file", error);
    if (!status)
        status = seq_allocate(&file->packed, SEQ_UNIT_GROUP, sizeof *file->pending,
                              "the units' file", error);
    if (status) return status;
    file->descriptor = open(file->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return file->descriptor >= 0 ? SEQ_OK : seq_error_set_errno(error, "creating %s", file->path);
}

void seq_id_spool_end(seq_id_spool *file) {
    if (file->descriptor >= 0) close(file->descriptor);
    if (*file->path) unlink(file->path);
    free(file->pending);
    free(file->packed);
    free(file->groups);
    *file = (seq_id_spool){.descriptor = -1};
}

static seq_status write_all(const seq_id_spool *file, const char *bytes, size_t size,
                            seq_error *error) {
    while (size) {
        ssize_t put = write(file->descriptor, bytes, size);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return seq_error_set_errno(error, "writing %s", file->path);
        bytes += put;
        size -= (size_t)put;
    }
    return SEQ_OK;
}

// The logarithm of the bytes that each number needs.
static unsigned width_of(const uint32_t *numbers) {
    uint32_t all = 0;
    for (size_t i = 0; i < SEQ_UNIT_GROUP; i++)
        all |= numbers[i];
    return all < 1 << 8 ? 0 : all < 1 << 16 ? 1 : 2;
}

static void pack(const uint32_t *numbers, unsigned width, void *out) {
    uint8_t *narrow = out;
    uint16_t *medium = out;
    if (width == 0)
        for (size_t i = 0; i < SEQ_UNIT_GROUP; i++)
            narrow[i] = (uint8_t)numbers[i];
    else if (width == 1)
        for (size_t i = 0; i < SEQ_UNIT_GROUP; i++)
            medium[i] = (uint16_t)numbers[i];
    else
        memcpy(out, numbers, SEQ_UNIT_GROUP * sizeof *numbers);
}

static seq_status write_group(seq_id_spool *file, const uint32_t *numbers, seq_error *error) {
    unsigned width = width_of(numbers);
    size_t size = (size_t)SEQ_UNIT_GROUP << width;
    seq_status status = seq_grow(&file->groups, &file->group_capacity, file->group_count + 1,
                                 sizeof *file->groups, "the index of units", error);
    if (status) return status;
    pack(numbers, width, file->packed);
    file->groups[file->group_count++] = file->size << 2 | width;
    file->size += size;
    return write_all(file, file->packed, size, error);
}

seq_status seq_id_spool_append(seq_id_spool *file, const uint32_t *numbers, size_t count,
                               seq_error *error) {
    while (count) {
        size_t held = (size_t)file->count % SEQ_UNIT_GROUP, room = SEQ_UNIT_GROUP - held,
               some = count < room ? count : room;
        const uint32_t *group = some == SEQ_UNIT_GROUP ? numbers : file->pending;
        if (group == file->pending) memcpy(file->pending + held, numbers, some * sizeof *numbers);
        if (some == room && write_group(file, group, error)) return error->status;
        file->count += (int64_t)some;
        numbers += some;
        count -= some;
    }
    return SEQ_OK;
}

static seq_status read_all(const seq_id_spool *file, uint64_t offset, size_t size, char *out,
                           seq_error *error) {
    while (size) {
        ssize_t got = pread(file->descriptor, out, size, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return seq_error_set_errno(error, "reading %s", file->path);
        if (got == 0)
            return seq_error_set(error, SEQ_IO, "reading %s: it is shorter than it was",
                                 file->path);
        out += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return SEQ_OK;
}

static void unpack(const void *packed, unsigned width, size_t count, uint32_t *out) {
    const uint8_t *narrow = packed;
    const uint16_t *medium = packed;
    if (width == 0)
        for (size_t i = 0; i < count; i++)
            out[i] = narrow[i];
    else
        for (size_t i = 0; i < count; i++)
            out[i] = medium[i];
}

// Of one group.
static seq_status read_packed(const seq_id_spool *file, uint64_t group, size_t at, size_t count,
                              uint32_t *out, seq_error *error) {
    enum { SOME = 1 << 13 };
    uint16_t packed[SOME];
    unsigned width = group & 3;
    uint64_t offset = (group >> 2) + ((uint64_t)at << width);
    if (width == 2) return read_all(file, offset, count * sizeof *out, (char *)out, error);
    for (size_t some; count; count -= some, out += some, offset += some << width) {
        some = count < SOME ? count : SOME;
        if (read_all(file, offset, some << width, (char *)packed, error)) return error->status;
        unpack(packed, width, some, out);
    }
    return SEQ_OK;
}

seq_status seq_id_spool_read(const seq_id_spool *file, int64_t at, size_t count, uint32_t *out,
                             seq_error *error) {
    while (count) {
        size_t group = (size_t)(at / SEQ_UNIT_GROUP), within = (size_t)(at % SEQ_UNIT_GROUP),
               left = SEQ_UNIT_GROUP - within, some = count < left ? count : left;
        if (group == file->group_count)
            memcpy(out, file->pending + within, some * sizeof *out);
        else if (read_packed(file, file->groups[group], within, some, out, error))
            return error->status;
        at += (int64_t)some;
        out += some;
        count -= some;
    }
    return SEQ_OK;
}
