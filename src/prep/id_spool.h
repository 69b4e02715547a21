// Numbers of a corpus in order, in one temporary file, packed in groups: a number takes one, two or
// four bytes, as the greatest of its group needs.
#ifndef SEQ_PREP_ID_SPOOL_H
#define SEQ_PREP_ID_SPOOL_H

#include <seqtrain/base/file.h>
#include <stdint.h>

enum { SEQ_UNIT_GROUP = 1 << 16 };

// Zero-initialise before use.
typedef struct seq_id_spool {
    char path[SEQ_PATH];
    int descriptor;
    int64_t count;     // of numbers
    uint32_t *pending; // of the group that is not full yet
    void *packed;
    uint64_t size;    // bytes written
    uint64_t *groups; // where each begins, times 4, plus the logarithm of a number's bytes
    size_t group_count, group_capacity;
} seq_id_spool;

// Creates DIRECTORY/units.tmp.
seq_status seq_id_spool_begin(seq_id_spool *file, const char *directory, seq_error *error);
seq_status seq_id_spool_append(seq_id_spool *file, const uint32_t *numbers, size_t count,
                               seq_error *error);
// Numbers [at, at + count) of those appended. Many threads may read at once.
seq_status seq_id_spool_read(const seq_id_spool *file, int64_t at, size_t count, uint32_t *out,
                             seq_error *error);
// Removes the file.
void seq_id_spool_end(seq_id_spool *file);

#endif
