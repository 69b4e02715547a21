// Opens checkpoints in order of trust: the manifest, then what it promises by
// itself, then the small files and the model that they describe, then hashes of
// the shards; content.c decodes them. Invariant: no memory is taken for
// parameters that the shards cannot hold (64 of them a byte at most), or that
// the model does not have. Tests: tests/unit/checkpoint/test_checkpoint.c,
// tests/fault/damage.sh, tests/fault/hostile.sh.
#include "layout.h"
#include <seqtrain/base/signals.h>
#include <stdio.h>
#include <string.h>

// A directory that is called after a step holds that one.
static seq_status check_step(const char *directory, const seq_manifest *manifest,
                             seq_error *error) {
    const char *slash = strrchr(directory, '/');
    int64_t named = seq_step_of_name(slash ? slash + 1 : directory), found;
    const seq_record *position = seq_manifest_section_find(manifest, "position");
    if (named < 0 || !seq_record_text(position, "step")) return SEQ_OK;
    seq_status status = seq_record_get_integer(position, "step", 0, INT64_MAX, &found, error);
    if (status) return seq_error_add_context(error, "reading %s/manifest.json", directory);
    return found == named ? SEQ_OK
                          : seq_error_set(error, SEQ_NO_CHECKPOINT,
                                          "reading %s/manifest.json: it is that of step %lld",
                                          directory, (long long)found);
}

seq_status seq_checkpoint_read_manifest(const char *directory, seq_manifest *out,
                                        seq_error *error) {
    seq_status status = seq_manifest_read(out, directory, "manifest.json", SEQ_CHECKPOINT_KIND,
                                          SEQ_CHECKPOINT_VERSION, SEQ_NO_CHECKPOINT, error);
    if (status) return status;
    status = check_step(directory, out, error);
    if (status) seq_manifest_clear(out);
    return status;
}

int seq_checkpoint_shards(const seq_manifest *manifest) {
    int64_t shards = 0;
    seq_error ignored = {0};
    seq_record_get_integer(seq_manifest_section_find(manifest, "state"), "shards", 1,
                           SEQ_MAX_SHARDS, &shards, &ignored);
    return ignored.status ? 0 : (int)shards;
}

// The manifest must list every shard, the views and the vocabularies: a file that is not listed
// would not be verified.
static seq_status check_files(const char *directory, const seq_manifest *manifest,
                              const seq_schema *schema, seq_error *error) {
    size_t shards = (size_t)seq_checkpoint_shards(manifest),
           vocabularies = (size_t)schema->vocabulary_count;
    char name[SEQ_VOCABULARY_FILE];
    size_t at = shards + 1;
    bool complete = shards > 0 && manifest->file_count >= shards + 1 + vocabularies;
    for (size_t shard = 0; complete && shard < shards; shard++) {
        seq_shard_name((int)shard, name);
        complete = strcmp(manifest->files[shard].name, name) == 0;
    }
    complete = complete && strcmp(manifest->files[shards].name, "model.h5") == 0;
    for (size_t i = 0; complete && i < vocabularies; i++) {
        seq_schema_vocabulary_file(schema, (int)i, name);
        complete = at < manifest->file_count && strcmp(manifest->files[at].name, name) == 0;
        at++;
        // Merges may follow: a vocabulary of subwords has their hash, and reads them.
        seq_schema_merges_file(schema, (int)i, name);
        at += at < manifest->file_count && strcmp(manifest->files[at].name, name) == 0;
    }
    return complete && at == manifest->file_count
               ? SEQ_OK
               : seq_error_set(error, SEQ_NO_CHECKPOINT,
                               "verifying %s: its manifest does not list the files of a checkpoint",
                               directory);
}

seq_status seq_checkpoint_interrupted(const char *directory, seq_error *error) {
    return seq_error_set(error, SEQ_STOPPED,
                         "stopped by a signal while reading %s, nothing is lost; the same command "
                         "line continues",
                         directory);
}

// Before memory or time is taken for what a manifest promises. The most compressible state that
// training writes, moments that are zero, is held back by the parameters, which are not.
static seq_status check_plausible(const char *directory, const seq_manifest *manifest,
                                  seq_error *error) {
    enum {
        OVERHEAD = 1 << 24, // bytes of a shard: chunks that are not full
        OTHERS = 1 << 30,   // bytes of a vocabulary or of the views, at most
        DENSITY = 64        // values in a byte
    };
    const seq_record *record = seq_manifest_section_find(manifest, "state");
    size_t shards = (size_t)seq_checkpoint_shards(manifest);
    int64_t parameters = 0;
    double total = 0, bytes = 0;
    seq_error reason = {0};
    seq_record_get_integer(record, "parameters", 1, INT64_MAX, &parameters, &reason);
    for (size_t i = 0; !reason.status && i < record->count; i++) {
        int64_t count = 0;
        seq_record_get_integer(record, record->entries[i].key, 0, INT64_MAX, &count, &reason);
        total += (double)count;
    }
    for (size_t shard = 0; shard < shards; shard++)
        bytes += (double)manifest->files[shard].digest.size;
    for (size_t file = shards; !reason.status && file < manifest->file_count; file++)
        if (manifest->files[file].digest.size > OTHERS)
            seq_error_set(&reason, SEQ_NO_CHECKPOINT, "%s is not worth its size of %.0f bytes",
                          manifest->files[file].name, (double)manifest->files[file].digest.size);
    if (reason.status)
        return seq_error_set(error, SEQ_NO_CHECKPOINT, "verifying %s: %s", directory, reason.text);
    if ((double)parameters > DENSITY * bytes)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "verifying %s: shards of %.0f bytes cannot hold %lld parameters",
                             directory, bytes, (long long)parameters);
    if (bytes > 2 * sizeof(float) * total + (double)shards * OVERHEAD)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "verifying %s: %.0f values are not worth shards of %.0f bytes",
                             directory, total, bytes);
    return SEQ_OK;
}

seq_status seq_checkpoint_open(const char *directory, seq_loaded *out, seq_error *error) {
    seq_error reason = {0};
    snprintf(out->directory, sizeof out->directory, "%s", directory);
    seq_status status = seq_checkpoint_read_manifest(directory, &out->manifest, error);
    if (status) return status;
    if (seq_schema_read(&out->schema, &out->manifest, &reason))
        return seq_error_set(error,
                             reason.status == SEQ_NO_MEMORY ? SEQ_NO_MEMORY : SEQ_NO_CHECKPOINT,
                             "verifying %s: %s", directory, reason.text);
    status = check_files(directory, &out->manifest, &out->schema, error);
    return status ? status : check_plausible(directory, &out->manifest, error);
}

static seq_status verify_files(const char *directory, const seq_manifest *manifest, size_t begin,
                               size_t end, size_t stride, seq_error *error) {
    seq_status status = SEQ_OK;
    for (size_t file = begin; !status && file < end; file += stride)
        status = seq_signals_caught() ? seq_checkpoint_interrupted(directory, error)
                                      : seq_manifest_verify_file(manifest, directory, file,
                                                                 SEQ_NO_CHECKPOINT, error);
    return status;
}

seq_status seq_checkpoint_verify(const char *directory, const seq_manifest *manifest, int index,
                                 int of, seq_error *error) {
    return verify_files(directory, manifest, (size_t)index, (size_t)seq_checkpoint_shards(manifest),
                        (size_t)of, error);
}

// The model is made from the vocabularies, and one row more may hide in its padding.
static seq_status check_size(const seq_loaded *loaded, int index, seq_error *error) {
    char key[SEQ_SIZE_KEY], name[SEQ_VOCABULARY_FILE];
    const seq_record *record = seq_manifest_section_find(&loaded->manifest, "schema");
    int found = seq_vocabulary_size(loaded->vocabularies[index]);
    int64_t size;
    seq_size_key(&loaded->schema, index, key);
    if (!seq_record_text(record, key)) return SEQ_OK;
    seq_schema_vocabulary_file(&loaded->schema, index, name);
    if (seq_record_get_integer(record, key, 0, INT32_MAX, &size, error))
        return seq_error_add_context(error, "verifying %s", loaded->directory);
    return size == found ? SEQ_OK
                         : seq_error_set(error, SEQ_NO_CHECKPOINT,
                                         "verifying %s: the model was made for %lld symbols of %s, "
                                         "which has %d",
                                         loaded->directory, (long long)size, name, found);
}

static seq_status read_vocabularies(seq_loaded *loaded, seq_error *error) {
    char name[SEQ_VOCABULARY_FILE], path[SEQ_PATH];
    seq_status status = SEQ_OK;
    for (int i = 0; !status && i < loaded->schema.vocabulary_count; i++) {
        seq_schema_vocabulary_file(&loaded->schema, i, name);
        status = seq_path_join(path, loaded->directory, name, error);
        if (!status)
            status = seq_vocabulary_read(path, SEQ_NO_CHECKPOINT, &loaded->vocabularies[i], error);
        if (!status) status = check_size(loaded, i, error);
    }
    loaded->vocabulary = loaded->vocabularies[0];
    return status;
}

static seq_status read_settings(seq_loaded *loaded, seq_model_config *out_config,
                                seq_error *error) {
    const seq_manifest *manifest = &loaded->manifest;
    const seq_vocabulary *first = loaded->vocabulary;
    int words = first ? seq_vocabulary_size(first) : 1; // as in training: of features there is none
    loaded->task = seq_task_find(loaded->schema.task);
    if (!loaded->task)
        return seq_error_set(error, SEQ_NO_CHECKPOINT,
                             "its task is %s, which this version does not have",
                             loaded->schema.task);
    seq_status status =
        seq_model_config_read(out_config, seq_manifest_section_find(manifest, "model"), error);
    if (!status && out_config->vocabulary != words)
        status = seq_error_set(error, SEQ_NO_CHECKPOINT,
                               "the model has %d tokens, vocabulary.tsv has %d",
                               out_config->vocabulary, words);
    return status
               ? status
               : seq_settings_read(seq_task_groups, seq_manifest_section_find(manifest, "options"),
                                   &loaded->settings, error);
}

// The one place where a checkpoint's manifest becomes a model.
static seq_status create_model(seq_loaded *loaded, const seq_compute *compute, seq_error *error) {
    seq_model_config config;
    seq_error reason = {0};
    seq_status status = read_settings(loaded, &config, &reason);
    const seq_task_input input = {.config = &config,
                                  .settings = &loaded->settings.parsed,
                                  .schema = &loaded->schema,
                                  .vocabularies =
                                      (const seq_vocabulary *const *)loaded->vocabularies};
    if (!status) status = seq_task_model(loaded->task, &input, compute, &loaded->model, &reason);
    if (!status) return SEQ_OK;
    bool content = status == SEQ_BAD_USAGE || status == SEQ_BAD_INPUT; // of the files, here
    return seq_error_set(error, content ? SEQ_NO_CHECKPOINT : status, "verifying %s: %s",
                         loaded->directory, reason.text);
}

seq_status seq_checkpoint_build(seq_loaded *loaded, const seq_compute *compute, seq_error *error) {
    const seq_manifest *manifest = &loaded->manifest;
    seq_status status =
        verify_files(loaded->directory, manifest, (size_t)seq_checkpoint_shards(manifest),
                     manifest->file_count, 1, error);
    if (!status) status = read_vocabularies(loaded, error);
    if (!status) status = create_model(loaded, compute, error);
    if (status) return status;
    const seq_state parameters = {
        .vectors = {{"parameters", NULL, seq_model_parameters(loaded->model)->size}}, .count = 1};
    return seq_checkpoint_check_counts(loaded->directory, manifest, &parameters, error);
}

seq_status seq_checkpoint_state(const char *directory, const seq_manifest *manifest, seq_state *out,
                                seq_error *error) {
    const seq_record *record = seq_manifest_section_find(manifest, "state");
    *out = (seq_state){.count = 0};
    for (size_t i = 0; i < record->count; i++) {
        int64_t count;
        if (strcmp(record->entries[i].key, "shards") == 0) continue;
        if (out->count == SEQ_STATE_VECTORS)
            return seq_error_set(error, SEQ_NO_CHECKPOINT, "%s: more than %d vectors of state",
                                 directory, SEQ_STATE_VECTORS);
        if (seq_record_get_integer(record, record->entries[i].key, 0, INT64_MAX, &count, error))
            return seq_error_add_context(error, "reading %s", directory);
        out->vectors[out->count++] =
            (seq_state_vector){record->entries[i].key, NULL, (size_t)count};
    }
    return SEQ_OK;
}

seq_status seq_checkpoint_check_counts(const char *directory, const seq_manifest *manifest,
                                       const seq_state *state, seq_error *error) {
    const seq_record *record = seq_manifest_section_find(manifest, "state");
    for (int i = 0; i < state->count; i++) {
        int64_t count = 0;
        seq_status status =
            seq_record_get_integer(record, state->vectors[i].name, 0, INT64_MAX, &count, error);
        if (status) return seq_error_add_context(error, "reading %s", directory);
        if ((size_t)count != state->vectors[i].count)
            return seq_error_set(error, SEQ_NO_CHECKPOINT,
                                 "reading %s: %s has %lld values, the model needs %zu", directory,
                                 state->vectors[i].name, (long long)count, state->vectors[i].count);
    }
    return SEQ_OK;
}
