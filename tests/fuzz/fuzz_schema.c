// The schema of a data set: lines KEY=TEXT are the manifest's section "schema",
// with @ before them its section "reader" (the manifest itself has a target of
// its own). What is accepted is used: written, read again, and found to be the
// same. Checks src/data/schema.c; run by tests/fault/fuzz.sh and
// tests/fuzz/run.sh.
#include "fuzz.h"
#include <assert.h>
#include <seqtrain/data/schema.h>
#include <stdlib.h>
#include <string.h>

static void use(const seq_schema *schema) {
    seq_manifest manifest = {.kind = SEQ_DATASET_KIND, .version = 2};
    seq_schema again;
    seq_error error = {0};
    char hash[33], other[33], name[SEQ_VOCABULARY_FILE];
    assert(schema->axis_count >= 1 && schema->axes[0].parent == -1);
    for (int i = 1; i < schema->axis_count; i++)
        assert(schema->axes[i].parent >= 0 && schema->axes[i].parent < i);
    for (int i = 0; i < schema->field_count; i++)
        assert(seq_schema_find_field(schema, schema->fields[i].name) == i);
    for (int i = 0; i < schema->vocabulary_count; i++) {
        seq_schema_vocabulary_file(schema, i, name);
        assert(!strchr(name, '/'));
    }
    assert(!seq_schema_check(schema, &error));
    if (!schema->streams) {
        assert(!seq_schema_write(schema, &manifest, &error));
        assert(!seq_schema_read(&again, &manifest, &error));
        assert(!seq_schema_hash(schema, hash, &error) && !seq_schema_hash(&again, other, &error));
        assert(strcmp(hash, other) == 0);
        seq_schema_clear(&again);
    }
    seq_manifest_clear(&manifest);
}

static void fill(seq_manifest *manifest, char *text) {
    seq_error error = {0};
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        bool reader = *line == '@';
        char *equals = strchr(line, '=');
        if (!equals) continue;
        *equals = '\0';
        seq_record *record = seq_manifest_section_get(manifest, reader ? "reader" : "schema");
        assert(record && !seq_record_set_text(record, line + reader, equals + 1, &error));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = calloc(size + 1, 1);
    seq_manifest manifest = {.kind = SEQ_DATASET_KIND, .version = 2};
    seq_schema schema;
    seq_error error = {0};
    assert(text);
    if (size) memcpy(text, data, size);
    fill(&manifest, text);
    free(text);
    seq_status status = seq_schema_read(&schema, &manifest, &error);
    fuzz_check(status, &error);
    if (!status) use(&schema);
    seq_schema_clear(&schema);
    seq_manifest_clear(&manifest);
    return 0;
}
