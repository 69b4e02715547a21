#include "dataset_private.h"
#include "prepare_private.h"
#include "tokenizer.h"
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a split holds.
typedef struct split_counts {
    int64_t tokens, characters, unknown;
} split_counts;

typedef struct writer {
    const seq_prepare *prepare;
    const seq_unit_stream *stream;
    const seq_vocabulary *vocabulary;
    const char *directory;
    seq_element element;
    int32_t *ids;        // by number of a type
    int32_t *characters; // that a type stands for in running text
    seq_manifest manifest;
    split_counts counts[SEQ_SPLITS];
    // The shard that is open.
    seq_split split;
    int64_t shard, in_shard;
    char name[32];
    seq_vector_file *file;
} writer;

static int32_t characters_of(const seq_vocabulary *vocabulary, const char *text, size_t size) {
    if (strcmp(text, seq_eos_text) == 0 || vocabulary->rules.unit == SEQ_UNIT_BYTE) return 1;
    return (int32_t)seq_count_points(text, size) + (vocabulary->rules.unit == SEQ_UNIT_WORD);
}

static seq_status map_types(writer *writer, seq_error *error) {
    const seq_types *types = &writer->stream->types;
    seq_status status =
        seq_allocate(&writer->ids, types->count, sizeof *writer->ids, "the ids of types", error);
    if (!status)
        status = seq_allocate(&writer->characters, types->count, sizeof *writer->characters,
                              "the lengths of types", error);
    for (size_t number = 0; !status && number < types->count; number++) {
        const char *text = seq_types_text(types, number);
        int id = seq_vocabulary_find(writer->vocabulary, text, types->items[number].size);
        writer->ids[number] = id == SEQ_NO_ID ? writer->vocabulary->unk : id;
        writer->characters[number] =
            characters_of(writer->vocabulary, text, types->items[number].size);
    }
    return status;
}

static seq_status end_shard(writer *writer, seq_error *error) {
    char path[SEQ_PATH];
    seq_digest digest;
    if (!writer->file) return SEQ_OK;
    seq_status status = seq_vector_end(writer->file, error);
    seq_error closing = {0};
    if (seq_vector_file_close(writer->file, &closing) && !status)
        status = seq_error_set(error, closing.status, "%s", closing.text);
    writer->file = NULL;
    if (!status) status = seq_path_join(path, writer->directory, writer->name, error);
    if (!status) status = seq_digest_file(path, &digest, error);
    return status ? status : seq_manifest_add_file(&writer->manifest, writer->name, &digest, error);
}

static seq_status begin_shard(writer *writer, seq_error *error) {
    char path[SEQ_PATH];
    seq_shard_file_name(writer->split, writer->shard++, writer->name);
    writer->in_shard = 0;
    seq_status status = seq_path_join(path, writer->directory, writer->name, error);
    if (!status) status = seq_vector_file_create(path, &writer->file, error);
    return status ? status
                  : seq_vector_begin(writer->file, "tokens", writer->element, SEQ_TOKEN_CHUNK,
                                     writer->prepare->pipeline, error);
}

static seq_status append_ids(writer *writer, const uint32_t *numbers, size_t count,
                             seq_error *error) {
    enum { SOME = 4096 };
    uint32_t wide[SOME];
    uint16_t medium[SOME];
    uint8_t narrow[SOME];
    seq_status status = SEQ_OK;
    for (size_t start = 0; !status && start < count; start += SOME) {
        size_t some = count - start < SOME ? count - start : SOME;
        for (size_t i = 0; i < some; i++) {
            wide[i] = (uint32_t)writer->ids[numbers[start + i]];
            medium[i] = (uint16_t)wide[i];
            narrow[i] = (uint8_t)wide[i];
        }
        const void *values = writer->element == SEQ_U8    ? (const void *)narrow
                             : writer->element == SEQ_U16 ? (const void *)medium
                                                          : wide;
        status = seq_vector_append(writer->file, values, some, error);
    }
    return status;
}

static void count_ids(writer *writer, const uint32_t *numbers, size_t count) {
    split_counts *counts = &writer->counts[writer->split];
    counts->tokens += (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        counts->characters += writer->characters[numbers[i]];
        counts->unknown += writer->ids[numbers[i]] == writer->vocabulary->unk;
    }
}

static seq_status write_piece(void *context, const uint32_t *numbers, size_t count,
                              seq_error *error) {
    writer *writer = context;
    count_ids(writer, numbers, count);
    while (count) {
        if (!writer->file && begin_shard(writer, error)) return error->status;
        size_t room = writer->prepare->shard_tokens - (size_t)writer->in_shard,
               some = count < room ? count : room;
        seq_status status = append_ids(writer, numbers, some, error);
        writer->in_shard += (int64_t)some;
        if (!status && some == room) status = end_shard(writer, error);
        if (status) return status;
        numbers += some;
        count -= some;
    }
    return SEQ_OK;
}

static seq_status write_splits(writer *writer, const seq_range ranges[SEQ_SPLITS],
                               seq_error *error) {
    seq_status status = SEQ_OK;
    for (int split = 0; !status && split < SEQ_SPLITS; split++) {
        writer->split = (seq_split)split;
        writer->shard = 0;
        status = seq_units_visit(writer->stream, ranges[split], write_piece, writer, error);
        if (!status) status = end_shard(writer, error);
    }
    return status;
}

static seq_status describe(writer *writer, seq_error *error) {
    seq_record *rules = seq_manifest_section_get(&writer->manifest, "rules");
    if (!rules)
        return seq_error_set(error, SEQ_NO_MEMORY, "describing the data set: out of memory");
    seq_status status = seq_text_rules_write(&writer->vocabulary->rules, rules, error);
    seq_record *data = seq_manifest_section_get(&writer->manifest, "data");
    if (!data) return seq_error_set(error, SEQ_NO_MEMORY, "describing the data set: out of memory");
    if (!status)
        status = seq_record_set_integer(data, "vocabulary", seq_vocabulary_size(writer->vocabulary),
                                        error);
    if (!status)
        status = seq_record_set_integer(data, "shard_tokens",
                                        (int64_t)writer->prepare->shard_tokens, error);
    for (int split = 0; !status && split < SEQ_SPLITS; split++) {
        const char *const names[] = {"tokens", "characters", "unknown"};
        const int64_t values[] = {writer->counts[split].tokens, writer->counts[split].characters,
                                  writer->counts[split].unknown};
        for (int i = 0; !status && i < 3; i++) {
            char key[40];
            snprintf(key, sizeof key, "%s_%s", seq_split_name((seq_split)split), names[i]);
            status = seq_record_set_integer(data, key, values[i], error);
        }
    }
    return status;
}

static void print_rules(FILE *stream, const seq_manifest *manifest) {
    const seq_record *rules = seq_manifest_section_find(manifest, "rules");
    for (size_t i = 0; i < rules->count; i++)
        fprintf(stream, "%s%s %s", i ? ", " : "text       ", rules->entries[i].key,
                rules->entries[i].text);
    fputc('\n', stream);
}

static void print_summary(const writer *writer, FILE *stream) {
    const seq_vocabulary *vocabulary = writer->vocabulary;
    print_rules(stream, &writer->manifest);
    fprintf(stream, "vocabulary %d tokens%s%s\n", seq_vocabulary_size(vocabulary),
            vocabulary->unk != SEQ_NO_ID ? ", with <unk>" : ", no <unk>",
            vocabulary->eos != SEQ_NO_ID ? ", with <eos>" : ", no <eos>");
    fprintf(stream,
            "input      %lld documents, %lld bytes, %lld distinct units, %lld invalid sequences "
            "replaced\n",
            (long long)writer->stream->documents, (long long)writer->stream->bytes,
            (long long)writer->stream->types.count, (long long)writer->stream->replaced);
    fprintf(stream, "%-10s %14s %14s %14s %9s\n", "split", "tokens", "characters", "unknown",
            "rate");
    for (int split = 0; split < SEQ_SPLITS; split++) {
        const split_counts *counts = &writer->counts[split];
        if (counts->tokens)
            fprintf(stream, "%-10s %14lld %14lld %14lld %8.3f%%\n",
                    seq_split_name((seq_split)split), (long long)counts->tokens,
                    (long long)counts->characters, (long long)counts->unknown,
                    100.0 * (double)counts->unknown / (double)counts->tokens);
    }
}

static seq_status write_summary(writer *writer, seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size = 0;
    seq_status status = seq_path_join(path, writer->directory, "summary.txt", error);
    FILE *stream = status ? NULL : open_memstream(&text, &size);
    if (!stream)
        return status ? status
                      : seq_error_set(error, SEQ_NO_MEMORY, "writing %s: out of memory", path);
    print_summary(writer, stream);
    if (fclose(stream))
        status = seq_error_set(error, SEQ_NO_MEMORY, "writing %s: out of memory", path);
    if (!status) status = seq_file_write_atomic(path, text, size, error);
    free(text);
    return status;
}

static seq_status add_file(writer *writer, const char *name, seq_error *error) {
    char path[SEQ_PATH];
    seq_digest digest;
    seq_status status = seq_path_join(path, writer->directory, name, error);
    if (!status) status = seq_digest_file(path, &digest, error);
    return status ? status : seq_manifest_add_file(&writer->manifest, name, &digest, error);
}

static seq_status write_side_files(writer *writer, seq_error *error) {
    char path[SEQ_PATH];
    seq_status status = seq_path_join(path, writer->directory, "vocabulary.tsv", error);
    if (!status) status = seq_vocabulary_write(writer->vocabulary, path, error);
    if (!status) status = write_summary(writer, error);
    if (!status) status = add_file(writer, "vocabulary.tsv", error);
    return status ? status : add_file(writer, "summary.txt", error);
}

seq_status seq_prepare_write(const seq_prepare *prepare, const seq_unit_stream *stream,
                             const seq_range ranges[SEQ_SPLITS], const seq_vocabulary *vocabulary,
                             const char *directory, seq_error *error) {
    writer writer = {.prepare = prepare,
                     .stream = stream,
                     .vocabulary = vocabulary,
                     .directory = directory,
                     .element = seq_token_element(seq_vocabulary_size(vocabulary)),
                     .manifest = {.kind = SEQ_DATASET_KIND, .version = SEQ_DATASET_VERSION}};
    seq_error ignored = {0};
    seq_status status = map_types(&writer, error);
    if (!status) status = write_splits(&writer, ranges, error);
    if (!status) status = describe(&writer, error);
    if (!status) status = write_side_files(&writer, error);
    if (!status) status = seq_directory_sync(directory, error);
    if (!status) status = seq_manifest_write(&writer.manifest, directory, "dataset.json", error);
    seq_vector_file_close(writer.file, &ignored);
    seq_manifest_clear(&writer.manifest);
    free(writer.ids);
    free(writer.characters);
    return status;
}
