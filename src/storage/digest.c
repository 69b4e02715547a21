// XXH3-128 of bytes and of files, the latter in pieces of 1 MB; hashes are kept
// in the canonical (big-endian) form. It finds damage, not intent: who can
// write can make a hash that fits. Invariant: only regular files are opened,
// since a pipe would never end. Tests: tests/unit/storage/test_manifest.c,
// tests/fault/bit_flips.sh.
#include <errno.h>
#include <fcntl.h>
#include <seqtrain/base/file.h>
#include <seqtrain/storage/manifest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIECE = 1 << 20 };

static void finish(XXH128_hash_t hash, uint64_t size, seq_digest *out) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    out->size = size;
    memcpy(out->hash, canonical.digest, sizeof out->hash);
}

void seq_digest_bytes(const void *bytes, size_t size, seq_digest *out) {
    finish(XXH3_128bits(bytes, size), size, out);
}

static seq_status digest_descriptor(int descriptor, const char *path, XXH3_state_t *state,
                                    char *piece, seq_digest *out, seq_error *error) {
    uint64_t size = 0;
    ssize_t got;
    XXH3_128bits_reset(state);
    while ((got = read(descriptor, piece, PIECE)) != 0) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return seq_error_set_errno(error, "reading %s", path);
        XXH3_128bits_update(state, piece, (size_t)got);
        size += (uint64_t)got;
    }
    finish(XXH3_128bits_digest(state), size, out);
    return SEQ_OK;
}

seq_status seq_digest_file(const char *path, seq_digest *out, seq_error *error) {
    uint64_t size;
    if (seq_file_size(path, &size, error)) return error->status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return seq_error_set_errno(error, "opening %s", path);
    XXH3_state_t *state = XXH3_createState();
    char *piece = malloc(PIECE);
    seq_status status =
        state && piece ? digest_descriptor(descriptor, path, state, piece, out, error)
                       : seq_error_set(error, SEQ_NO_MEMORY, "hashing %s: out of memory", path);
    free(piece);
    XXH3_freeState(state);
    close(descriptor);
    return status;
}

void seq_digest_text(const seq_digest *digest, char out[33]) {
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", digest->hash[i]);
}
