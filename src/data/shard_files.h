// The files of a data set, opened as what its manifest promises.
#ifndef SEQ_DATA_SHARD_FILES_H
#define SEQ_DATA_SHARD_FILES_H

#include <seqtrain/base/file.h>
#include <seqtrain/data/dataset.h>
#include <seqtrain/storage/vector_file.h>

enum { SEQ_OPEN_SHARDS = 16 }; // files that stay open

typedef struct seq_file_state seq_file_state;
typedef struct seq_open_shard {
    seq_vector_file *file;
    seq_split split;
    int64_t shard, used; // `used`: when, in openings
} seq_open_shard;

// Zero-initialise before use.
typedef struct seq_shard_files {
    const char *path;             // of the data set
    const char *hash;             // of its manifest at the start
    const seq_manifest *manifest; // the caller's, as is the rest
    seq_file_state *verified;     // of each file of the manifest: when its hash was last right
    seq_open_shard open[SEQ_OPEN_SHARDS];
    int64_t openings;
} seq_shard_files;

seq_status seq_shard_files_begin(seq_shard_files *files, const char *path, const char *hash,
                                 const seq_manifest *manifest, seq_error *error);
void seq_shard_files_end(seq_shard_files *files);
// The index of a name in the manifest.
seq_status seq_shard_files_find(const seq_shard_files *files, const char *name, size_t *out_index,
                                seq_error *error);
// The shard as the manifest lists it: hashed when it is opened first, and again when the file
// behind its name has changed since. The file stays this struct's; it is open until
// SEQ_OPEN_SHARDS others were.
seq_status seq_shard_files_open(seq_shard_files *files, seq_split split, int64_t shard,
                                seq_vector_file **out, seq_error *error);

#endif
