// Manifest of a checkpoint: JSON, sections, files, schema, options of groups, what it promises, and
// the records in it that describe a model. The bytes get the own hash that fits, so that they are
// read at all; those that begin with '!' (dropped) are taken as they are. Nothing but the manifest
// is there: what is accepted fails at the first file.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/checkpoint/checkpoint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *seal(const uint8_t *data, size_t size, size_t *out_size) {
    enum { TAIL = 64 };
    char hash[33], *text = malloc(size + TAIL);
    seq_digest digest;
    assert(text);
    if (size) memcpy(text, data, size);
    seq_digest_bytes(text, size, &digest);
    seq_digest_text(&digest, hash);
    *out_size = size + (size_t)snprintf(text + size, TAIL, "  \"hash\": \"%s\"\n}\n", hash);
    return text;
}

static void use(const seq_manifest *manifest) {
    seq_model_config config;
    seq_settings settings;
    seq_state state;
    seq_error error = {0}, unread = {0}, unlisted = {0};
    fuzz_check(seq_model_config_read(&config, seq_manifest_section_find(manifest, "model"), &error),
               &error);
    seq_status status = seq_settings_read(
        seq_task_groups, seq_manifest_section_find(manifest, "options"), &settings, &unread);
    fuzz_check(status, &unread);
    seq_settings_clear(&settings);
    fuzz_check(seq_checkpoint_state("it", manifest, &state, &unlisted), &unlisted);
    for (size_t i = 0; i < manifest->file_count; i++)
        assert(!strchr(manifest->files[i].name, '/'));
}

static void use_opened(seq_loaded *loaded) {
    seq_compute compute;
    seq_error error = {0}, missing = {0};
    int shards = seq_checkpoint_shards(&loaded->manifest);
    assert(shards > 0 && loaded->manifest.file_count ==
                             (size_t)shards + 1 + (size_t)loaded->schema.vocabulary_count);
    assert(!seq_compute_find("portable", SEQ_FP32, NULL, &compute, &error));
    assert(seq_checkpoint_build(loaded, &compute, &missing) == SEQ_NO_CHECKPOINT);
    missing = (seq_error){0};
    assert(seq_checkpoint_verify(loaded->directory, &loaded->manifest, 0, 1, &missing) ==
           SEQ_NO_CHECKPOINT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    char directory[64], path[80];
    seq_manifest manifest;
    seq_loaded loaded = {0};
    seq_error error = {0}, opening = {0};
    if (size && *data == '!') {
        fuzz_file_create(&file, data + 1, size - 1);
    } else {
        size_t sealed;
        char *text = seal(data, size, &sealed);
        fuzz_file_create(&file, text, sealed);
        free(text);
    }
    snprintf(directory, sizeof directory, "%.50s.d", file.path);
    snprintf(path, sizeof path, "%s/manifest.json", directory);
    assert(!mkdir(directory, 0700) && !rename(file.path, path));
    seq_status status = seq_manifest_read(&manifest, directory, "manifest.json",
                                          "seqtrain checkpoint", 1, SEQ_NO_CHECKPOINT, &error);
    fuzz_check(status, &error);
    if (!status) use(&manifest);
    seq_manifest_clear(&manifest);
    status = seq_checkpoint_open(directory, &loaded, &opening);
    fuzz_check(status, &opening);
    if (!status) use_opened(&loaded);
    seq_loaded_clear(&loaded);
    assert(!unlink(path) && !rmdir(directory));
    return 0;
}
