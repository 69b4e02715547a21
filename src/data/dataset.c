// A data set as its readers see it. The manifest is read once, at the start; from then on it is
// what the files must be (shard_files.c). Tokens of streams are read here, items in items.c.
// Invariant: no memory and no hashing time is taken for what a manifest promises before the sizes
// of its files were looked at. Tests: tests/unit/data/test_dataset.c, test_items.c,
// tests/fault/names.sh.
#include "dataset_private.h"
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/vocabulary_builder.h>
#include <seqtrain/storage/vector_file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 15 }; // tokens converted at once

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

seq_status seq_dataset_check_size(const seq_dataset *dataset, seq_split split, const char *what,
                                  int64_t count, seq_error *error) {
    enum { DENSITY = 4096 };
    int64_t missing = count / DENSITY;
    for (int64_t shard = 0; missing > 0; shard++) {
        char name[32], path[SEQ_PATH];
        uint64_t size;
        seq_error ignored = {0};
        seq_shard_file_name(split, shard, name);
        if (seq_path_join(path, dataset->path, name, error)) return error->status;
        if (seq_file_size(path, &size, &ignored))
            return seq_error_set(
                error, SEQ_BAD_INPUT, "data set %s: %s_%s %lld: too many for its %lld shards",
                dataset->path, seq_split_name(split), what, (long long)count, (long long)shard);
        missing -= size < (uint64_t)missing ? (int64_t)size : missing;
    }
    return SEQ_OK;
}

// Before time is taken to hash what a manifest lists: a sparse file of any size is soon made.
static seq_status check_worth(const seq_dataset *dataset, seq_error *error) {
    enum {
        VOCABULARY = 1 << 30,
        OVERHEAD = 1 << 24
    }; // bytes: at most, each; of a file, chunks that are not full
    double tokens = 0, bytes = 0, worth;
    for (int split = 0; split < SEQ_SPLITS; split++)
        tokens += (double)dataset->tokens[split];
    for (size_t i = 0; i < dataset->manifest.file_count; i++)
        bytes += (double)dataset->manifest.files[i].digest.size;
    worth = 2 * (dataset->store ? seq_item_store_bytes(dataset) : sizeof(int32_t) * tokens);
    worth += (double)dataset->manifest.file_count * OVERHEAD;
    worth += (double)dataset->schema.vocabulary_count * VOCABULARY;
    if (bytes <= worth) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_INPUT,
                         "data set %s: %.0f tokens are not worth files of %.0f bytes",
                         dataset->path, tokens, bytes);
}

static seq_status read_vocabulary(seq_dataset *dataset, int number, char out_hash[33],
                                  seq_error *error) {
    char name[SEQ_VOCABULARY_FILE], path[SEQ_PATH];
    size_t index;
    seq_schema_vocabulary_file(&dataset->schema, number, name);
    seq_status status = seq_shard_files_find(&dataset->files, name, &index, error);
    if (!status)
        status = seq_manifest_verify_file(&dataset->manifest, dataset->path, index, SEQ_BAD_INPUT,
                                          error);
    if (!status) status = seq_path_join(path, dataset->path, name, error);
    if (!status)
        status = seq_vocabulary_read(path, SEQ_BAD_INPUT, &dataset->vocabularies[number], error);
    if (!status) seq_digest_text(&dataset->manifest.files[index].digest, out_hash);
    return status;
}

static seq_status read_vocabularies(seq_dataset *dataset, seq_error *error) {
    char hashes[SEQ_VOCABULARIES][33];
    seq_digest digest;
    seq_status status = SEQ_OK;
    int count = dataset->schema.vocabulary_count;
    for (int i = 0; !status && i < count; i++)
        status = read_vocabulary(dataset, i, hashes[i], error);
    if (status) return status;
    if (count == 0) {
        seq_text_rules none = {0};
        status = seq_vocabulary_create(&none, &dataset->vocabularies[0], error);
    } else if (count == 1) {
        snprintf(dataset->vocabulary_hash, sizeof dataset->vocabulary_hash, "%s", hashes[0]);
    } else {
        seq_digest_bytes(hashes, (size_t)count * sizeof hashes[0], &digest);
        seq_digest_text(&digest, dataset->vocabulary_hash);
    }
    if (dataset->schema.streams)
        dataset->element = seq_token_element(seq_vocabulary_size(dataset->vocabularies[0]));
    return status;
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

// The part of opening that reads what the manifest says, and looks at the files' sizes only.
static seq_status open_counts(seq_dataset *dataset, seq_error *error) {
    seq_error counts = {0};
    seq_status status = seq_schema_read(&dataset->schema, &dataset->manifest, &counts);
    if (!status && !dataset->schema.streams) status = seq_item_store_open(dataset, &counts);
    if (!status && dataset->schema.streams && read_counts(dataset, &counts)) status = SEQ_BAD_INPUT;
    if (status)
        return seq_error_set(error, counts.status == SEQ_NO_MEMORY ? SEQ_NO_MEMORY : SEQ_BAD_INPUT,
                             "data set %s: %s", dataset->path, counts.text);
    if (dataset->store) status = seq_item_store_check(dataset, error);
    for (int split = 0; !status && split < SEQ_SPLITS && !dataset->store; split++)
        status = seq_dataset_check_size(dataset, (seq_split)split, "tokens", dataset->tokens[split],
                                        error);
    return status ? status : check_worth(dataset, error);
}

seq_status seq_dataset_open(const char *path, seq_dataset **out, seq_error *error) {
    seq_dataset *dataset = NULL;
    seq_status status = seq_allocate(&dataset, 1, sizeof *dataset, "a data set", error);
    if (status) return status;
    snprintf(dataset->path, sizeof dataset->path, "%s", path);
    status = check_kind(path, error);
    if (!status)
        status = seq_manifest_read(&dataset->manifest, path, "dataset.json", SEQ_DATASET_KIND,
                                   SEQ_ITEMS_VERSION, SEQ_BAD_INPUT, error);
    if (!status) status = open_counts(dataset, error);
    if (!status) status = hash_manifest(dataset, error);
    if (!status)
        status = seq_shard_files_begin(&dataset->files, dataset->path, dataset->hash,
                                       &dataset->manifest, error);
    if (!status) status = read_vocabularies(dataset, error);
    if (!status) status = seq_allocate(&dataset->piece, PIECE, 4, "a piece of tokens", error);
    if (status) {
        seq_dataset_close(dataset);
        return status;
    }
    *out = dataset;
    return SEQ_OK;
}

void seq_dataset_close(seq_dataset *dataset) {
    if (!dataset) return;
    seq_shard_files_end(&dataset->files);
    seq_item_store_close(dataset->store);
    seq_manifest_clear(&dataset->manifest);
    for (int i = 0; i < SEQ_VOCABULARIES; i++)
        seq_vocabulary_destroy(dataset->vocabularies[i]);
    seq_schema_clear(&dataset->schema);
    free(dataset->piece);
    free(dataset);
}

const char *seq_dataset_path(const seq_dataset *dataset) {
    return dataset->path;
}

const seq_manifest *seq_dataset_manifest(const seq_dataset *dataset) {
    return &dataset->manifest;
}

const seq_schema *seq_dataset_schema(const seq_dataset *dataset) {
    return &dataset->schema;
}

seq_status seq_dataset_normalise_as(seq_dataset *dataset, const seq_schema *schema,
                                    seq_error *error) {
    seq_status status = SEQ_OK;
    for (int f = 0; !status && f < schema->field_count; f++)
        status = seq_field_normalise_as(&dataset->schema.fields[f], &schema->fields[f], error);
    return status;
}

const seq_vocabulary *seq_dataset_vocabulary(const seq_dataset *dataset) {
    return dataset->vocabularies[0];
}

const seq_vocabulary *seq_dataset_vocabulary_at(const seq_dataset *dataset, int index) {
    return dataset->vocabularies[index];
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

static seq_status convert(const seq_dataset *dataset, seq_split split, size_t count, int32_t *out,
                          seq_error *error) {
    int size = seq_vocabulary_size(dataset->vocabularies[0]);
    for (size_t i = 0; i < count; i++) {
        out[i] = token_at(dataset, i);
        if (out[i] < 0 || out[i] >= size)
            return seq_error_set(error, SEQ_BAD_INPUT,
                                 "data set %s: a %s shard holds token %u, the vocabulary has %d: "
                                 "the data set is damaged",
                                 dataset->path, seq_split_name(split), (unsigned)out[i], size);
    }
    return SEQ_OK;
}

seq_status seq_dataset_require_stream(const seq_dataset *dataset, seq_error *error) {
    return dataset->schema.streams
               ? SEQ_OK
               : seq_error_set(error, SEQ_BAD_INPUT,
                               "data set %s: it was prepared for the task %s and holds items, not "
                               "a stream of tokens",
                               dataset->path, dataset->schema.task);
}

seq_status seq_dataset_read(seq_dataset *dataset, seq_split split, int64_t offset, size_t count,
                            int32_t *out, seq_error *error) {
    if (seq_dataset_require_stream(dataset, error)) return error->status;
    while (count) {
        seq_vector_file *file;
        int64_t shard = offset / dataset->shard_tokens, within = offset % dataset->shard_tokens;
        size_t left = (size_t)(dataset->shard_tokens - within),
               some = count < PIECE ? count : PIECE;
        some = some < left ? some : left;
        seq_status status = seq_shard_files_open(&dataset->files, split, shard, &file, error);
        if (!status)
            status = seq_vector_read(file, "tokens", dataset->element, (size_t)within, some,
                                     dataset->piece, error);
        if (!status) status = convert(dataset, split, some, out, error);
        if (status) return status;
        offset += (int64_t)some;
        out += some;
        count -= some;
    }
    return SEQ_OK;
}
