// manifest.json: the last file written to a directory is its commit. It holds sections of key =
// text pairs and the list of files with size and XXH3-128, and its own hash. Reading goes through
// jansson with a size limit.
#ifndef SEQTRAIN_STORAGE_MANIFEST_H
#define SEQTRAIN_STORAGE_MANIFEST_H

#include <seqtrain/base/record.h>
#include <seqtrain/base/status.h>
#include <stddef.h>
#include <stdint.h>

// Plain data: may be sent between ranks as bytes.
typedef struct seq_digest {
    uint64_t size;          // bytes of the file
    unsigned char hash[16]; // XXH3-128, canonical (big-endian) order
} seq_digest;

seq_status seq_digest_file(const char *path, seq_digest *out, seq_error *error);
void seq_digest_bytes(const void *bytes, size_t size, seq_digest *out);
void seq_digest_text(const seq_digest *digest, char out[33]);

#define SEQ_DATASET_KIND    "seqtrain dataset"
#define SEQ_CHECKPOINT_KIND "seqtrain checkpoint"

typedef struct seq_manifest_file {
    char *name; // relative, no '/' and not "." or ".."
    seq_digest digest;
} seq_manifest_file;

typedef struct seq_manifest_section {
    char *name;
    seq_record record;
} seq_manifest_section;

enum { SEQ_MANIFEST_SECTIONS = 16 };
// Zero-initialise before use.
typedef struct seq_manifest {
    char kind[32]; // SEQ_DATASET_KIND or SEQ_CHECKPOINT_KIND
    int version;   // format version
    seq_manifest_section sections[SEQ_MANIFEST_SECTIONS];
    int section_count;
    seq_manifest_file *files;
    size_t file_count, file_capacity;
} seq_manifest;

void seq_manifest_clear(seq_manifest *manifest);
// Finds or adds; NULL when all sections are in use (an assertion of ours) or memory is out.
seq_record *seq_manifest_section_get(seq_manifest *manifest, const char *name);
// Finds; an empty record when absent.
const seq_record *seq_manifest_section_find(const seq_manifest *manifest, const char *name);
seq_status seq_manifest_add_file(seq_manifest *manifest, const char *name, const seq_digest *digest,
                                 seq_error *error);

// Atomic write of DIRECTORY/NAME; deterministic bytes.
seq_status seq_manifest_write(const seq_manifest *manifest, const char *directory, const char *name,
                              seq_error *error);
// Checks syntax, kind, version <= `version`, its own hash and the file names. `failure` is the
// status of a damaged or missing manifest (SEQ_BAD_INPUT for data sets, SEQ_NO_CHECKPOINT for
// checkpoints).
seq_status seq_manifest_read(seq_manifest *out, const char *directory, const char *name,
                             const char *kind, int version, seq_status failure, seq_error *error);
// Size and hash of file number `index`; the message names path, expected and found.
seq_status seq_manifest_verify_file(const seq_manifest *manifest, const char *directory,
                                    size_t index, seq_status failure, seq_error *error);

#endif
