// Manifest: JSON, sections, files, and the records in it that describe a model. The bytes get the
// own hash that fits, so that they are read at all; those that begin with '!' (dropped) are taken
// as they are.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/model/model.h>
#include <seqtrain/storage/manifest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    seq_error error = {0};
    fuzz_check(seq_model_config_read(&config, seq_manifest_section_find(manifest, "model"), &error),
               &error);
    for (size_t i = 0; i < manifest->file_count; i++)
        assert(!strchr(manifest->files[i].name, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_file file;
    seq_manifest manifest;
    seq_error error = {0};
    if (size && *data == '!') {
        fuzz_file_create(&file, data + 1, size - 1);
    } else {
        size_t sealed;
        char *text = seal(data, size, &sealed);
        fuzz_file_create(&file, text, sealed);
        free(text);
    }
    seq_status status = seq_manifest_read(&manifest, file.directory, file.name,
                                          "seqtrain checkpoint", 1, SEQ_NO_CHECKPOINT, &error);
    fuzz_check(status, &error);
    if (!status) use(&manifest);
    seq_manifest_clear(&manifest);
    fuzz_file_destroy(&file);
    return 0;
}
