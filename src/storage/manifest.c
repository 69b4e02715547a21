// Writes and reads manifests: JSON with kind, version, sections of texts, and
// files with size and hash. The last line is the hash of all bytes before it.
// Invariant: names of files are plain, so a manifest never leads out of its
// directory; damage, a newer version and a lack of memory are different errors.
// Tests: tests/unit/storage/test_manifest.c, tests/fuzz/fuzz_manifest.c.
#include <seqtrain/storage/manifest.h>
#include <jansson.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANIFEST_LIMIT = 1 << 20, // bytes: ten thousand files; JSON takes fifty times as much memory
    KEYS_LIMIT = 1 << 10,     // of a section: a record is searched from its beginning
};
static const char hash_key[] = "  \"hash\": \""; // the hash covers all bytes before this line

void seq_manifest_clear(seq_manifest *manifest) {
    for (int i = 0; i < manifest->section_count; i++) {
        free(manifest->sections[i].name);
        seq_record_clear(&manifest->sections[i].record);
    }
    for (size_t i = 0; i < manifest->file_count; i++)
        free(manifest->files[i].name);
    free(manifest->files);
    *manifest = (seq_manifest){0};
}

static seq_manifest_section *find_section(const seq_manifest *manifest, const char *name) {
    for (int i = 0; i < manifest->section_count; i++)
        if (strcmp(manifest->sections[i].name, name) == 0)
            return (seq_manifest_section *)&manifest->sections[i];
    return NULL;
}

seq_record *seq_manifest_section_get(seq_manifest *manifest, const char *name) {
    seq_manifest_section *section = find_section(manifest, name);
    if (section) return &section->record;
    char *copy = manifest->section_count < SEQ_MANIFEST_SECTIONS ? strdup(name) : NULL;
    if (!copy) return NULL;
    section = &manifest->sections[manifest->section_count++];
    section->name = copy;
    return &section->record;
}

const seq_record *seq_manifest_section_find(const seq_manifest *manifest, const char *name) {
    static const seq_record empty;
    const seq_manifest_section *section = find_section(manifest, name);
    return section ? &section->record : &empty;
}

seq_status seq_manifest_add_file(seq_manifest *manifest, const char *name, const seq_digest *digest,
                                 seq_error *error) {
    seq_status status =
        seq_grow(&manifest->files, &manifest->file_capacity, manifest->file_count + 1,
                 sizeof *manifest->files, "the list of files", error);
    char *copy = status ? NULL : strdup(name);
    if (!copy)
        return status ? status
                      : seq_error_set(error, SEQ_NO_MEMORY, "listing %s: out of memory", name);
    manifest->files[manifest->file_count++] = (seq_manifest_file){copy, *digest};
    return SEQ_OK;
}

static void write_sections(const seq_manifest *manifest, FILE *stream) {
    for (int i = 0; i < manifest->section_count; i++) {
        const seq_record *record = &manifest->sections[i].record;
        fputs(i ? ",\n    " : "\n    ", stream);
        seq_json_print(stream, manifest->sections[i].name);
        fputs(": {", stream);
        for (size_t j = 0; j < record->count; j++) {
            fputs(j ? ",\n      " : "\n      ", stream);
            seq_json_print(stream, record->entries[j].key);
            fputs(": ", stream);
            seq_json_print(stream, record->entries[j].text);
        }
        fputs("\n    }", stream);
    }
}

static void write_files(const seq_manifest *manifest, FILE *stream) {
    for (size_t i = 0; i < manifest->file_count; i++) {
        char hash[33];
        seq_digest_text(&manifest->files[i].digest, hash);
        fputs(i ? ",\n    {\"name\": " : "\n    {\"name\": ", stream);
        seq_json_print(stream, manifest->files[i].name);
        fprintf(stream, ", \"size\": %llu, \"xxh3_128\": \"%s\"}",
                (unsigned long long)manifest->files[i].digest.size, hash);
    }
}

static void write_body(const seq_manifest *manifest, FILE *stream) {
    fputs("{\n  \"kind\": ", stream);
    seq_json_print(stream, manifest->kind);
    fprintf(stream, ",\n  \"version\": %d,\n  \"sections\": {", manifest->version);
    write_sections(manifest, stream);
    fputs("\n  },\n  \"files\": [", stream);
    write_files(manifest, stream);
    fputs("\n  ],\n", stream);
}

// The hash is that of the text before it.
static void print(const seq_manifest *manifest, FILE *stream, char **text, const size_t *size) {
    char hash[33];
    seq_digest digest;
    write_body(manifest, stream);
    if (fflush(stream)) return;
    seq_digest_bytes(*text, *size, &digest);
    seq_digest_text(&digest, hash);
    fprintf(stream, "%s%s\"\n}\n", hash_key, hash);
}

seq_status seq_manifest_write(const seq_manifest *manifest, const char *directory, const char *name,
                              seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size = 0;
    seq_status status = seq_path_join(path, directory, name, error);
    if (status) return status;
    FILE *stream = open_memstream(&text, &size);
    if (stream) print(manifest, stream, &text, &size);
    status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}

// What may not be read is not damaged.
static seq_status status_of(const char *path, const seq_error *reason, seq_status failure) {
    bool damaged = reason->status == SEQ_BAD_INPUT && !seq_path_is_forbidden(path);
    return damaged ? failure : reason->status;
}

static const char *last_occurrence(const char *text, const char *part) {
    const char *found = NULL;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        found = at;
    return found;
}

static bool own_hash_fits(const char *text) {
    const char *line = last_occurrence(text, hash_key);
    char hash[33];
    seq_digest digest;
    if (!line) return false;
    seq_digest_bytes(text, (size_t)(line - text), &digest);
    seq_digest_text(&digest, hash);
    const char *found = line + sizeof hash_key - 1;
    return strncmp(found, hash, 32) == 0 && strcmp(found + 32, "\"\n}\n") == 0;
}

static bool is_plain_name(const char *name) {
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strlen(name) < 256;
}

static bool parse_hash(const char *text, unsigned char out[16]) {
    if (strlen(text) != 32 || strspn(text, "0123456789abcdef") != 32) return false;
    for (int i = 0; i < 16; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        out[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return true;
}

// False when the content is not as it should be, or with an error when memory is out.
static bool read_sections(seq_manifest *out, json_t *sections, seq_error *error) {
    const char *name, *key;
    json_t *section, *value;
    if (!json_is_object(sections) || json_object_size(sections) > SEQ_MANIFEST_SECTIONS)
        return false;
    json_object_foreach(sections, name, section) {
        if (!json_is_object(section) || json_object_size(section) > KEYS_LIMIT) return false;
        seq_record *record = seq_manifest_section_get(out, name);
        if (!record) {
            seq_error_set(error, SEQ_NO_MEMORY, "out of memory");
            return false;
        }
        json_object_foreach(section, key, value) {
            if (!json_is_string(value) ||
                seq_record_set_text(record, key, json_string_value(value), error))
                return false;
        }
    }
    return true;
}

static bool read_files(seq_manifest *out, json_t *files, seq_error *error) {
    size_t index;
    json_t *file;
    if (!json_is_array(files)) return false;
    json_array_foreach(files, index, file) {
        seq_digest digest;
        const char *name = json_string_value(json_object_get(file, "name"));
        const char *hash = json_string_value(json_object_get(file, "xxh3_128"));
        json_t *size = json_object_get(file, "size");
        if (!name || !hash || !is_plain_name(name) || !parse_hash(hash, digest.hash) ||
            !json_is_integer(size) || json_integer_value(size) < 0)
            return false;
        digest.size = (uint64_t)json_integer_value(size);
        if (seq_manifest_add_file(out, name, &digest, error)) return false;
    }
    return true;
}

static seq_status interpret(seq_manifest *out, json_t *root, const char *path, const char *kind,
                            int version, seq_status failure, seq_error *error) {
    const char *found = json_string_value(json_object_get(root, "kind"));
    json_t *number = json_object_get(root, "version");
    if (!found || strcmp(found, kind) != 0)
        return seq_error_set(error, failure, "reading %s: not the manifest of a %s", path, kind);
    if (!json_is_integer(number) || json_integer_value(number) < 1 ||
        json_integer_value(number) > version)
        return seq_error_set(
            error, failure,
            "reading %s: format version is not within 1 to %d: written by a newer program?", path,
            version);
    snprintf(out->kind, sizeof out->kind, "%s", kind);
    out->version = (int)json_integer_value(number);
    seq_error reason = {0};
    if (read_sections(out, json_object_get(root, "sections"), &reason) &&
        read_files(out, json_object_get(root, "files"), &reason))
        return SEQ_OK;
    return seq_error_set(error, reason.status ? reason.status : failure, "reading %s: %s", path,
                         reason.status ? reason.text
                                       : "sections or files are not as they should be");
}

static seq_status parse(seq_manifest *out, const char *text, size_t size, const char *path,
                        const char *kind, int version, seq_status failure, seq_error *error) {
    json_error_t where;
    if (strlen(text) != size || !own_hash_fits(text))
        return seq_error_set(error, failure,
                             "reading %s: the file is damaged: its own hash does not fit", path);
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return seq_error_set(
            error, json_error_code(&where) == json_error_out_of_memory ? SEQ_NO_MEMORY : failure,
            "reading %s line %d: %s", path, where.line, where.text);
    seq_status status = interpret(out, root, path, kind, version, failure, error);
    json_decref(root);
    return status;
}

seq_status seq_manifest_read(seq_manifest *out, const char *directory, const char *name,
                             const char *kind, int version, seq_status failure, seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size;
    seq_error reason = {0};
    *out = (seq_manifest){0};
    seq_status status = seq_path_join(path, directory, name, error);
    if (status) return status;
    uint64_t listed;
    if (seq_file_size(path, &listed, &reason) ||
        seq_file_read(path, MANIFEST_LIMIT, &text, &size, &reason))
        return seq_error_set(error, status_of(path, &reason, failure), "%s", reason.text);
    status = parse(out, text, size, path, kind, version, failure, error);
    free(text);
    if (status) seq_manifest_clear(out);
    return status;
}

seq_status seq_manifest_verify_file(const seq_manifest *manifest, const char *directory,
                                    size_t index, seq_status failure, seq_error *error) {
    char path[SEQ_PATH], expected[33], found[33];
    const seq_manifest_file *file = &manifest->files[index];
    seq_digest digest;
    seq_error reason = {0};
    seq_status status = seq_path_join(path, directory, file->name, error);
    if (status) return status;
    // A file of another size is not hashed: it may be endless.
    bool whole = !seq_file_size(path, &digest.size, &reason) && digest.size == file->digest.size;
    if (reason.status || (whole && seq_digest_file(path, &digest, &reason)))
        return seq_error_set(error, status_of(path, &reason, failure), "%s", reason.text);
    if (digest.size != file->digest.size)
        return seq_error_set(error, failure, "verifying %s: it has %llu bytes, expected %llu", path,
                             (unsigned long long)digest.size,
                             (unsigned long long)file->digest.size);
    if (memcmp(digest.hash, file->digest.hash, sizeof digest.hash) == 0) return SEQ_OK;
    seq_digest_text(&file->digest, expected);
    seq_digest_text(&digest, found);
    return seq_error_set(error, failure, "verifying %s: the file is damaged: hash %s, expected %s",
                         path, found, expected);
}
