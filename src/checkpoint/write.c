// Writes a checkpoint in phases: directory, shards, side files, manifest. The
// views in model.h5 are virtual data sets: each parameter is a list of ranges
// of the shards. Invariant: the rename of the manifest is the commit. All that
// it names, and the directory entries up to the run's, are on the disk before
// it. Tests: tests/unit/checkpoint/test_checkpoint.c,
// tests/fault/crash_points.sh, tests/fault/full_disk.sh.
#include "layout.h"
#include <seqtrain/base/fault.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

seq_status seq_checkpoint_begin(const char *run, int64_t step, char out_directory[SEQ_PATH],
                                seq_error *error) {
    char manifest[SEQ_PATH];
    seq_fault_point("checkpoint.begin");
    seq_status status = seq_checkpoint_directory(run, step, out_directory, error);
    if (!status) status = seq_path_join(manifest, out_directory, "manifest.json", error);
    if (!status && seq_path_exists(manifest))
        status =
            seq_error_set(error, SEQ_BAD_USAGE, "%s: holds a checkpoint already", out_directory);
    if (!status && seq_path_exists(out_directory))
        status = seq_directory_remove(out_directory, error);
    seq_fault_point("checkpoint.making-directory");
    if (!status) status = seq_directory_create(out_directory, error);
    seq_fault_point("checkpoint.directory-made");
    return status;
}

void seq_checkpoint_slice(const seq_state *state, int shard, int shards, seq_state *out_slices) {
    *out_slices = *state;
    for (int i = 0; i < state->count; i++) {
        seq_state_vector *slice = &out_slices->vectors[i];
        seq_vector_range range = seq_shard_of(slice->count, shard, shards);
        slice->values += range.begin;
        slice->count = range.end - range.begin;
    }
}

static seq_status write_slices(seq_vector_file *file, const seq_state *slices,
                               seq_pipeline pipeline, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < slices->count; i++) {
        const seq_state_vector *slice = &slices->vectors[i];
        status = seq_vector_write(file, slice->name, SEQ_F32, slice->values, slice->count,
                                  SEQ_CHECKPOINT_CHUNK, pipeline, error);
    }
    return status;
}

seq_status seq_checkpoint_write_shard(const char *directory, int shard, const seq_state *slices,
                                      seq_pipeline pipeline, seq_digest *out_digest,
                                      seq_error *error) {
    char name[32], path[SEQ_PATH];
    seq_vector_file *file = NULL;
    seq_shard_name(shard, name);
    seq_status status = seq_path_join(path, directory, name, error);
    if (!status) status = seq_vector_file_create(path, &file, error);
    seq_fault_point("checkpoint.shard-created");
    if (!status) status = write_slices(file, slices, pipeline, error);
    seq_fault_point("checkpoint.shard-written");
    seq_error closing = {0};
    if (seq_vector_file_close(file, &closing) && !status)
        status = seq_error_set(error, closing.status, "%s", closing.text);
    seq_fault_point("checkpoint.shard-synced");
    if (!status) status = seq_digest_file(path, out_digest, error);
    seq_fault_point("checkpoint.shard-digested");
    return status;
}

// The parts of a parameter in the shards that its range crosses.
static size_t find_parts(const seq_parameter *parameter, size_t count, int shards,
                         char (*names)[32], seq_view_part *parts) {
    size_t used = 0, begin = parameter->offset,
           end = parameter->offset + seq_parameter_size(parameter);
    for (int shard = 0; shard < shards; shard++) {
        seq_vector_range range = seq_shard_of(count, shard, shards);
        size_t from = begin > range.begin ? begin : range.begin,
               to = end < range.end ? end : range.end;
        if (from < to)
            parts[used++] = (seq_view_part){names[shard], "parameters", range.end - range.begin,
                                            from - range.begin, to - from};
    }
    return used;
}

static seq_status write_views(seq_vector_file *file, int shards, const seq_state *state,
                              const seq_parameter_table *table, seq_error *error) {
    char(*names)[32] = NULL;
    seq_view_part *parts = NULL;
    seq_status status =
        seq_allocate(&names, (size_t)shards, sizeof *names, "the shards' names", error);
    if (!status)
        status = seq_allocate(&parts, (size_t)shards, sizeof *parts, "the parts of a view", error);
    for (int shard = 0; !status && shard < shards; shard++)
        seq_shard_name(shard, names[shard]);
    for (int row = 0; !status && row < table->count; row++) {
        const seq_parameter *parameter = &table->items[row];
        size_t count = find_parts(parameter, state->vectors[0].count, shards, names, parts);
        status = seq_vector_write_view(file, parameter->name, parameter->dimensions,
                                       parameter->rows, parameter->columns, parts, count, error);
    }
    free(parts);
    free(names);
    return status;
}

static seq_status write_model_file(const char *path, int shards, const seq_state *state,
                                   const seq_parameter_table *table, seq_error *error) {
    seq_vector_file *file = NULL;
    seq_status status = seq_vector_file_create(path, &file, error);
    if (!status) status = write_views(file, shards, state, table, error);
    seq_error closing = {0};
    if (seq_vector_file_close(file, &closing) && !status)
        status = seq_error_set(error, closing.status, "%s", closing.text);
    return status;
}

static seq_status list_file(const char *directory, const char *name, seq_manifest *manifest,
                            seq_error *error) {
    char path[SEQ_PATH];
    seq_digest digest;
    seq_status status = seq_path_join(path, directory, name, error);
    if (!status) status = seq_digest_file(path, &digest, error);
    return status ? status : seq_manifest_add_file(manifest, name, &digest, error);
}

static seq_status describe_state(int shards, const seq_state *state, seq_manifest *manifest,
                                 seq_error *error) {
    seq_record *record = seq_manifest_section_get(manifest, "state");
    if (!record)
        return seq_error_set(error, SEQ_NO_MEMORY, "describing a checkpoint: out of memory");
    seq_status status = seq_record_set_integer(record, "shards", shards, error);
    for (int i = 0; !status && i < state->count; i++)
        status = seq_record_set_integer(record, state->vectors[i].name,
                                        (int64_t)state->vectors[i].count, error);
    return status;
}

static seq_status write_side_files(const char *directory, int shards, const seq_state *state,
                                   const seq_parameter_table *table, const seq_schema *schema,
                                   const seq_vocabulary *const *vocabularies, seq_error *error) {
    char path[SEQ_PATH], name[SEQ_VOCABULARY_FILE];
    seq_status status = seq_path_join(path, directory, "model.h5", error);
    if (!status) status = write_model_file(path, shards, state, table, error);
    seq_fault_point("checkpoint.views-written");
    for (int i = 0; !status && i < schema->vocabulary_count; i++) {
        seq_schema_vocabulary_file(schema, i, name);
        status = seq_path_join(path, directory, name, error);
        if (!status) status = seq_vocabulary_write(vocabularies[i], path, error);
    }
    return status;
}

// In the order in which read.c expects them.
static seq_status list_files(const char *directory, int shards, const seq_digest *digests,
                             const seq_schema *schema, const seq_vocabulary *const *vocabularies,
                             seq_manifest *description, seq_error *error) {
    char name[SEQ_VOCABULARY_FILE];
    seq_status status = SEQ_OK;
    for (int shard = 0; !status && shard < shards; shard++) {
        seq_shard_name(shard, name);
        status = seq_manifest_add_file(description, name, &digests[shard], error);
    }
    if (!status) status = list_file(directory, "model.h5", description, error);
    for (int i = 0; !status && i < schema->vocabulary_count; i++) {
        seq_schema_vocabulary_file(schema, i, name);
        status = list_file(directory, name, description, error);
        if (status || !seq_vocabulary_subword(vocabularies[i])) continue;
        seq_schema_merges_file(schema, i, name);
        status = list_file(directory, name, description, error);
    }
    return status;
}

// The entries of `directory` in RUN/checkpoints, of that in RUN, and of RUN.
static seq_status sync_above(const char *directory, seq_error *error) {
    char above[SEQ_PATH];
    seq_status status = SEQ_OK;
    snprintf(above, sizeof above, "%s", directory);
    for (int level = 0; !status && level < 3; level++) {
        char *slash = strrchr(above, '/');
        if (slash) slash[slash == above] = '\0';
        status = seq_directory_sync(slash ? above : ".", error);
    }
    return status;
}

// Of items: how many symbols each vocabulary has. (The model section has those of a language
// model.)
static seq_status describe_vocabularies(const seq_schema *schema,
                                        const seq_vocabulary *const *vocabularies,
                                        seq_manifest *manifest, seq_error *error) {
    seq_status status = SEQ_OK;
    for (int i = 0; !status && !schema->streams && i < schema->vocabulary_count; i++) {
        char key[SEQ_SIZE_KEY];
        seq_record *record = seq_manifest_section_get(manifest, "schema");
        seq_size_key(schema, i, key);
        status =
            record
                ? seq_record_set_integer(record, key, seq_vocabulary_size(vocabularies[i]), error)
                : seq_error_set(error, SEQ_NO_MEMORY, "describing a checkpoint: out of memory");
    }
    return status;
}

seq_status seq_checkpoint_commit(const char *directory, int shards, const seq_digest *digests,
                                 const seq_state *state, const seq_parameter_table *table,
                                 const seq_vocabulary *const *vocabularies,
                                 seq_manifest *description, seq_error *error) {
    seq_schema schema;
    snprintf(description->kind, sizeof description->kind, "%s", SEQ_CHECKPOINT_KIND);
    description->version = SEQ_CHECKPOINT_VERSION;
    seq_status status = seq_schema_read(&schema, description, error);
    if (!status)
        status = write_side_files(directory, shards, state, table, &schema, vocabularies, error);
    if (!status)
        status = list_files(directory, shards, digests, &schema, vocabularies, description, error);
    if (!status) status = describe_vocabularies(&schema, vocabularies, description, error);
    seq_schema_clear(&schema);
    if (!status) status = describe_state(shards, state, description, error);
    seq_fault_point("checkpoint.files-written");
    if (!status)
        status = seq_directory_sync(directory, error); // the shards' names, before the commit
    if (!status) status = sync_above(directory, error);
    seq_fault_point("checkpoint.names-synced");
    if (!status) status = seq_manifest_write(description, directory, "manifest.json", error);
    seq_fault_point("checkpoint.committed");
    return status;
}
