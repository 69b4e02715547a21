// A data set as its readers see it. The manifest is read once, at the start; from then on it is
// what the files must be. A shard is hashed when it is opened first, and again whenever the file
// behind its name has changed since, so no token comes from another data set that has taken this
// one's place. tests/unit/data/test_dataset.c, tests/fault/names.sh.
#include <seqtrain/data/dataset_format.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECE = 1 << 15 }; // tokens converted at once

// Tells a file from another one, or from what it was before it was written to.
typedef struct file_state {
    uint64_t device, node, size;
    struct timespec modified, changed;
} file_state;

struct seq_dataset {
    char path[SEQ_PATH];
    seq_manifest manifest;
    seq_vocabulary *vocabulary;
    char vocabulary_hash[33], hash[33];
    seq_element element;
    int64_t shard_tokens;
    int64_t tokens[SEQ_SPLITS];
    file_state *verified;  // of each file of the manifest: when its hash was last right
    seq_vector_file *file; // the shard that was read last
    seq_split file_split;
    int64_t file_shard;
    void *piece; // PIECE elements as stored
};

const char *seq_split_name(seq_split split) {
    static const char *const names[] = {"train", "valid", "test"};
    return names[split];
}

void seq_shard_file_name(seq_split split, int64_t shard, char out[32]) {
    snprintf(out, 32, "%s-%04lld.h5", seq_split_name(split), (long long)shard);
}

seq_element seq_token_element(int vocabulary) {
    return vocabulary <= 256 ? SEQ_U8 : vocabulary <= 65536 ? SEQ_U16 : SEQ_U32;
}

static seq_status read_counts(seq_dataset *dataset, seq_error *error) {
    const seq_record *record = seq_manifest_section_find(&dataset->manifest, "data");
    int64_t characters; // must be there
    seq_status status =
        seq_record_get_integer(record, "shard_tokens", 1, INT64_MAX, &dataset->shard_tokens, error);
    for (int split = 0; !status && split < SEQ_SPLITS; split++) {
        char key[40];
        snprintf(key, sizeof key, "%s_tokens", seq_split_name((seq_split)split));
        status =
            seq_record_get_integer(record, key, 0, INT64_MAX / 2, &dataset->tokens[split], error);
        snprintf(key, sizeof key, "%s_characters", seq_split_name((seq_split)split));
        if (!status) status = seq_record_get_integer(record, key, 0, INT64_MAX, &characters, error);
    }
    return status;
}

// Before memory is taken for what a manifest promises: no text is so uniform that a byte of its
// shards holds more tokens.
static seq_status check_sizes(const seq_dataset *dataset, seq_split split, seq_error *error) {
    enum { DENSITY = 4096 };
    int64_t tokens = dataset->tokens[split], missing = tokens / DENSITY;
    for (int64_t shard = 0; missing > 0; shard++) {
        char name[32], path[SEQ_PATH];
        uint64_t size;
        seq_error ignored = {0};
        seq_shard_file_name(split, shard, name);
        if (seq_path_join(path, dataset->path, name, error)) return error->status;
        if (seq_file_size(path, &size, &ignored))
            return seq_error_set(
                error, SEQ_BAD_INPUT, "data set %s: %s_tokens %lld: too many for its %lld shards",
                dataset->path, seq_split_name(split), (long long)tokens, (long long)shard);
        missing -= size < (uint64_t)missing ? (int64_t)size : missing;
    }
    return SEQ_OK;
}

// Before time is taken to hash what a manifest lists: a sparse file of any size is soon made.
static seq_status check_worth(const seq_dataset *dataset, seq_error *error) {
    enum {
        VOCABULARY = 1 << 30,
        OVERHEAD = 1 << 24
    }; // bytes: at most; of a file, chunks that are not full
    double tokens = 0, bytes = 0;
    for (int split = 0; split < SEQ_SPLITS; split++)
        tokens += (double)dataset->tokens[split];
    for (size_t i = 0; i < dataset->manifest.file_count; i++)
        bytes += (double)dataset->manifest.files[i].digest.size;
    if (bytes <=
        2 * sizeof(int32_t) * tokens + (double)dataset->manifest.file_count * OVERHEAD + VOCABULARY)
        return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "data set %s: %.0f tokens are not worth files of %.0f bytes",
                         dataset->path, tokens, bytes);
}

static seq_status find_file(const seq_dataset *dataset, const char *name, size_t *out_index,
                            seq_error *error) {
    size_t index = 0;
    while (index < dataset->manifest.file_count &&
           strcmp(dataset->manifest.files[index].name, name) != 0)
        index++;
    *out_index = index;
    return index < dataset->manifest.file_count
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT, "data set %s: its manifest lists no %s",
                               dataset->path, name);
}

static seq_status read_vocabulary(seq_dataset *dataset, seq_error *error) {
    char path[SEQ_PATH];
    size_t index;
    if (find_file(dataset, "vocabulary.tsv", &index, error)) return error->status;
    seq_status status =
        seq_manifest_verify_file(&dataset->manifest, dataset->path, index, SEQ_BAD_INPUT, error);
    if (!status) status = seq_path_join(path, dataset->path, "vocabulary.tsv", error);
    if (!status) status = seq_vocabulary_read(path, SEQ_BAD_INPUT, &dataset->vocabulary, error);
    if (status) return status;
    seq_digest_text(&dataset->manifest.files[index].digest, dataset->vocabulary_hash);
    dataset->element = seq_token_element(seq_vocabulary_size(dataset->vocabulary));
    return SEQ_OK;
}

// The manifest's content is its hash: the shards' and the vocabulary's hashes are in it.
static seq_status hash_manifest(seq_dataset *dataset, seq_error *error) {
    char path[SEQ_PATH];
    seq_digest digest;
    seq_status status = seq_path_join(path, dataset->path, "dataset.json", error);
    if (!status) status = seq_digest_file(path, &digest, error);
    if (!status) seq_digest_text(&digest, dataset->hash);
    return status;
}

// What was taken for a data set by mistake is named.
static seq_status check_kind(const char *path, seq_error *error) {
    static const char *const marks[][2] = {{"dataset.json", NULL},
                                           {"manifest.json", "a checkpoint"},
                                           {"config.ini", "a run"},
                                           {"checkpoints", "a run"}};
    seq_error ignored = {0}; // a link that leads nowhere is told where it is read
    if (!seq_path_check(path, &ignored) && !seq_path_is_directory(path))
        return seq_error_set(error, SEQ_BAD_INPUT,
                             "data set %s: it is a file: seqprep makes a data set of it", path);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (!seq_path_holds(path, marks[i][0])) continue;
        return marks[i][1] ? seq_error_set(error, SEQ_BAD_INPUT,
                                           "data set %s: it is %s, name what seqprep made", path,
                                           marks[i][1])
                           : SEQ_OK;
    }
    return SEQ_OK;
}

seq_status seq_dataset_open(const char *path, seq_dataset **out, seq_error *error) {
    seq_dataset *dataset = NULL;
    seq_error counts = {0};
    seq_status status = seq_allocate(&dataset, 1, sizeof *dataset, "a data set", error);
    if (status) return status;
    snprintf(dataset->path, sizeof dataset->path, "%s", path);
    status = check_kind(path, error);
    if (!status)
        status = seq_manifest_read(&dataset->manifest, path, "dataset.json", SEQ_DATASET_KIND,
                                   SEQ_DATASET_VERSION, SEQ_BAD_INPUT, error);
    if (!status && read_counts(dataset, &counts))
        status = seq_error_set(error, SEQ_BAD_INPUT, "data set %s: %s", path, counts.text);
    for (int split = 0; !status && split < SEQ_SPLITS; split++)
        status = check_sizes(dataset, (seq_split)split, error);
    if (!status) status = check_worth(dataset, error);
    if (!status) status = hash_manifest(dataset, error);
    if (!status) status = read_vocabulary(dataset, error);
    if (!status) status = seq_allocate(&dataset->piece, PIECE, 4, "a piece of tokens", error);
    if (!status)
        status = seq_allocate(&dataset->verified, dataset->manifest.file_count,
                              sizeof *dataset->verified, "the files of a data set", error);
    if (status) {
        seq_dataset_close(dataset);
        return status;
    }
    *out = dataset;
    return SEQ_OK;
}

void seq_dataset_close(seq_dataset *dataset) {
    seq_error ignored = {0};
    if (!dataset) return;
    seq_vector_file_close(dataset->file, &ignored);
    seq_manifest_clear(&dataset->manifest);
    seq_vocabulary_destroy(dataset->vocabulary);
    free(dataset->verified);
    free(dataset->piece);
    free(dataset);
}

const char *seq_dataset_path(const seq_dataset *dataset) {
    return dataset->path;
}

const seq_manifest *seq_dataset_manifest(const seq_dataset *dataset) {
    return &dataset->manifest;
}

const seq_vocabulary *seq_dataset_vocabulary(const seq_dataset *dataset) {
    return dataset->vocabulary;
}

const char *seq_dataset_vocabulary_hash(const seq_dataset *dataset) {
    return dataset->vocabulary_hash;
}

const char *seq_dataset_hash(const seq_dataset *dataset) {
    return dataset->hash;
}

int64_t seq_dataset_tokens(const seq_dataset *dataset, seq_split split) {
    return dataset->tokens[split];
}

seq_status seq_dataset_verify(seq_dataset *dataset, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t i = 0; !status && i < dataset->manifest.file_count; i++)
        status =
            seq_manifest_verify_file(&dataset->manifest, dataset->path, i, SEQ_BAD_INPUT, error);
    return status;
}

// False: the file cannot be looked at.
static bool look_at(const char *path, file_state *out) {
    struct stat found;
    if (stat(path, &found)) return false;
    memset(out, 0, sizeof *out); // to be compared as bytes
    out->device = (uint64_t)found.st_dev;
    out->node = (uint64_t)found.st_ino;
    out->size = (uint64_t)found.st_size;
    out->modified = found.st_mtim;
    out->changed = found.st_ctim;
    return true;
}

static bool is_same(const file_state *a, const file_state *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

// The shard is not what the manifest said: damaged, or part of another data set that has taken the
// place of this one.
static seq_status blame(const seq_dataset *dataset, const char *path, const seq_error *reason,
                        seq_error *error) {
    char manifest[SEQ_PATH], now[33] = "none";
    seq_digest digest;
    seq_error ignored = {0};
    if (!seq_path_join(manifest, dataset->path, "dataset.json", &ignored) &&
        !seq_digest_file(manifest, &digest, &ignored))
        seq_digest_text(&digest, now);
    if (strcmp(now, dataset->hash) == 0)
        return seq_error_set(error, reason->status, "data set %s: %s", dataset->path, reason->text);
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "reading %s: the data set %s was replaced or removed while it was read "
                         "(hash %s at the start, %s now): bring the old one back, or begin another "
                         "run on the new one",
                         path, dataset->path, dataset->hash, now);
}

// Hashes and opens one and the same file: its state is looked at before and after.
static seq_status open_verified(seq_dataset *dataset, size_t index, const char *path,
                                seq_error *reason) {
    enum { TRIES = 3 };
    file_state before, after;
    for (int attempt = 0; attempt < TRIES; attempt++) {
        seq_vector_file_close(dataset->file, reason);
        dataset->file = NULL;
        if (!look_at(path, &before)) return seq_error_set_errno(reason, "opening %s", path);
        if (!is_same(&before, &dataset->verified[index]) &&
            seq_manifest_verify_file(&dataset->manifest, dataset->path, index, SEQ_BAD_INPUT,
                                     reason))
            return reason->status;
        if (seq_vector_file_open(path, &dataset->file, reason)) return reason->status;
        if (look_at(path, &after) && is_same(&before, &after)) {
            dataset->verified[index] = before;
            return SEQ_OK;
        }
    }
    return seq_error_set(reason, SEQ_BAD_INPUT, "reading %s: it is being written to", path);
}

// A shard that stays open is as it was, even when its name has gone; what has taken the name since
// must be the same.
static seq_status open_shard(seq_dataset *dataset, seq_split split, int64_t shard,
                             seq_error *error) {
    char name[32], path[SEQ_PATH];
    size_t length = 0, index;
    file_state now;
    seq_error reason = {0};
    bool is_open = dataset->file && dataset->file_split == split && dataset->file_shard == shard;
    seq_shard_file_name(split, shard, name);
    if (seq_path_join(path, dataset->path, name, error) || find_file(dataset, name, &index, error))
        return error->status;
    if (is_open && (!look_at(path, &now) || is_same(&now, &dataset->verified[index])))
        return SEQ_OK;
    dataset->file_split = split;
    dataset->file_shard = shard;
    if (open_verified(dataset, index, path, &reason)) return blame(dataset, path, &reason, error);
    return seq_vector_length(dataset->file, "tokens", dataset->element, &length, error);
}

static int32_t token_at(const seq_dataset *dataset, size_t i) {
    switch (dataset->element) {
    case SEQ_U8:
        return ((const uint8_t *)dataset->piece)[i];
    case SEQ_U16:
        return ((const uint16_t *)dataset->piece)[i];
    default:
        return (int32_t)((const uint32_t *)dataset->piece)[i];
    }
}

static seq_status convert(const seq_dataset *dataset, size_t count, int32_t *out,
                          seq_error *error) {
    int size = seq_vocabulary_size(dataset->vocabulary);
    for (size_t i = 0; i < count; i++) {
        out[i] = token_at(dataset, i);
        if (out[i] < 0 || out[i] >= size)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "data set %s: a %s shard holds token %u, the vocabulary has %d: "
                                 "the data set is damaged",
                                 dataset->path, seq_split_name(dataset->file_split),
                                 (unsigned)out[i], size);
    }
    return SEQ_OK;
}

seq_status seq_dataset_read(seq_dataset *dataset, seq_split split, int64_t offset, size_t count,
                            int32_t *out, seq_error *error) {
    while (count) {
        int64_t shard = offset / dataset->shard_tokens, within = offset % dataset->shard_tokens;
        size_t left = (size_t)(dataset->shard_tokens - within),
               some = count < PIECE ? count : PIECE;
        some = some < left ? some : left;
        seq_status status = open_shard(dataset, split, shard, error);
        if (!status)
            status = seq_vector_read(dataset->file, "tokens", dataset->element, (size_t)within,
                                     some, dataset->piece, error);
        if (!status) status = convert(dataset, some, out, error);
        if (status) return status;
        offset += (int64_t)some;
        out += some;
        count -= some;
    }
    return SEQ_OK;
}
