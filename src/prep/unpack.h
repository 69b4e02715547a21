// Packed data -> bytes, one frame (a gzip member, a zstd frame, an xz or bzip2 stream) at a time.
// Who calls has the input, joins frames and words the messages.
#ifndef SEQ_PREP_UNPACK_H
#define SEQ_PREP_UNPACK_H

#include <seqtrain/data/forms.h>
#include <seqtrain/base/status.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum seq_unpack_result {
    SEQ_UNPACK_OK,
    SEQ_UNPACK_DAMAGED,   // `reason`
    SEQ_UNPACK_REFUSED,   // `reason`: whole, but not for us
    SEQ_UNPACK_LIMIT,     // needs `memory` bytes, more than the limit
    SEQ_UNPACK_NO_MEMORY, // needs `memory` bytes, or 0: not known
} seq_unpack_result;

// A step takes from `in` and puts to `out`; both pointers stay where they are.
typedef struct seq_unpack_step {
    const unsigned char *in;
    unsigned char *out;
    size_t in_size, in_used, out_size, out_used;
    bool ended; // the frame
    char reason[128];
    uint64_t memory;
} seq_unpack_step;

typedef struct seq_unpacker {
    const char *name, *frame;      // "gzip", "member"
    const char *library, *package; // Debian's, when this build has it not; else NULL
    // A frame begins, at least SEQ_FRAME_HEAD bytes of it, or all there are, in step->in. *state is
    // NULL at first; it is kept from frame to frame.
    seq_unpack_result (*begin)(void **state, uint64_t limit, seq_unpack_step *step);
    seq_unpack_result (*step)(void *state, seq_unpack_step *step);
    void (*end)(void *state);
} seq_unpacker;

enum { SEQ_FRAME_HEAD = 32 };
// For a packing other than SEQ_PLAIN.
const seq_unpacker *seq_unpacker_find(seq_packing packing);

// unpack_optional.c
extern const seq_unpacker seq_unpacker_xz, seq_unpacker_bzip2;

#endif
