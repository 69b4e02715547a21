// Units of the corpus -> shards, vocabulary, summary, manifest. A crew
// translates pieces of at most 65536 tokens; commits append them in order and
// open and close shards. Invariant: a shard is hashed after it was closed, and
// the manifest is written last, so an unfinished data set has none. Tests:
// tests/unit/data/test_dataset.c, tests/cli/seqprep.sh.
#include "ordered_pipeline.h"
#include <seqtrain/data/dataset_format.h>
#include "prepare_private.h"
#include <seqtrain/data/tokenizer.h>
#include <seqtrain/base/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a split holds.
typedef struct split_counts {
    int64_t tokens, characters, unknown;
} split_counts;

// Consecutive tokens of one shard: at most a chunk of its file.
typedef struct piece {
    seq_split split;
    int64_t begin; // unit of the stream
    size_t count;
    bool starts, ends; // the shard
    uint32_t *numbers; // of types
    void *values;      // tokens as they are stored
    split_counts counts;
} piece;

typedef struct writer {
    const seq_prepare *prepare;
    const seq_unit_stream *stream;
    const seq_unit_range *ranges; // of the splits
    const seq_vocabulary *vocabulary;
    const char *directory;
    seq_element element;
    uint32_t *ids;       // by number of a type
    int32_t *characters; // that a type stands for in running text
    seq_manifest manifest;
    split_counts counts[SEQ_SPLITS];
    piece *pieces; // a thread's
    int split;     // from here on: of the next piece
    int64_t at;    // in its range
    // The shard that is open.
    int64_t shard;
    char name[32];
    seq_vector_file *file;
} writer;

static int32_t characters_of(const seq_vocabulary *vocabulary, const char *text, size_t size) {
    if (strcmp(text, seq_eos_text) == 0) return 1;
    return (int32_t)seq_unit_characters(seq_vocabulary_rules(vocabulary)->unit, text, size);
}

static seq_status map_types(writer *writer, seq_error *error) {
    const seq_string_table *types = &writer->stream->types;
    seq_status status =
        seq_allocate(&writer->ids, types->count, sizeof *writer->ids, "the ids of types", error);
    if (!status)
        status = seq_allocate(&writer->characters, types->count, sizeof *writer->characters,
                              "the lengths of types", error);
    split_counts *counts = &writer->counts[SEQ_TRAIN];
    for (size_t number = 0; !status && number < types->count; number++) {
        const seq_string *type = &types->items[number];
        const char *text = seq_string_table_text(types, number);
        int id = seq_vocabulary_find(writer->vocabulary, text, type->size);
        if (id == SEQ_NO_ID) id = seq_vocabulary_unk(writer->vocabulary);
        writer->ids[number] = (uint32_t)id;
        writer->characters[number] = characters_of(writer->vocabulary, text, type->size);
        counts->tokens += type->count;
        counts->characters += type->count * writer->characters[number];
        if (id == seq_vocabulary_unk(writer->vocabulary)) counts->unknown += type->count;
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

static seq_status begin_shard(writer *writer, const piece *piece, seq_error *error) {
    char path[SEQ_PATH];
    if (piece->begin == writer->ranges[piece->split].begin) writer->shard = 0;
    seq_shard_file_name(piece->split, writer->shard++, writer->name);
    seq_status status = seq_path_join(path, writer->directory, writer->name, error);
    if (!status) status = seq_vector_file_create(path, &writer->file, error);
    return status ? status
                  : seq_vector_begin(writer->file, "tokens", writer->element, SEQ_TOKEN_CHUNK,
                                     writer->prepare->pipeline, error);
}

static seq_status fetch_piece(void *context, seq_ordered_pipeline *crew, int worker, bool *out_any,
                              seq_error *error) {
    struct writer *writer = context;
    piece *piece = &writer->pieces[worker];
    (void)crew;
    while (writer->split < SEQ_SPLITS && writer->at == writer->ranges[writer->split].end)
        writer->at = ++writer->split < SEQ_SPLITS ? writer->ranges[writer->split].begin : 0;
    *out_any = writer->split < SEQ_SPLITS;
    if (!*out_any) return SEQ_OK;
    const seq_unit_range *range = &writer->ranges[writer->split];
    int64_t shard = (int64_t)writer->prepare->shard_tokens,
            in_shard = (writer->at - range->begin) % shard, left = range->end - writer->at,
            some = shard - in_shard < SEQ_TOKEN_CHUNK ? shard - in_shard : SEQ_TOKEN_CHUNK;
    some = left < some ? left : some;
    piece->split = (seq_split)writer->split;
    piece->begin = writer->at;
    piece->count = (size_t)some;
    piece->starts = in_shard == 0;
    piece->ends = some == left || in_shard + some == shard;
    writer->at += some;
    return seq_units_check_stopped(writer->stream, error);
}

static void count_piece(const writer *writer, piece *piece) {
    piece->counts = (split_counts){.tokens = (int64_t)piece->count};
    for (size_t i = 0; i < piece->count; i++) {
        piece->counts.characters += writer->characters[piece->numbers[i]];
        piece->counts.unknown +=
            writer->ids[piece->numbers[i]] == (uint32_t)seq_vocabulary_unk(writer->vocabulary);
    }
}

static void encode_piece(const writer *writer, const piece *piece) {
    const uint32_t *ids = writer->ids, *numbers = piece->numbers;
    uint8_t *narrow = piece->values;
    uint16_t *medium = piece->values;
    uint32_t *wide = piece->values;
    if (writer->element == SEQ_U8)
        for (size_t i = 0; i < piece->count; i++)
            narrow[i] = (uint8_t)ids[numbers[i]];
    else if (writer->element == SEQ_U16)
        for (size_t i = 0; i < piece->count; i++)
            medium[i] = (uint16_t)ids[numbers[i]];
    else
        for (size_t i = 0; i < piece->count; i++)
            wide[i] = ids[numbers[i]];
}

static seq_status work_on_piece(void *context, int worker, seq_error *error) {
    const writer *writer = context;
    piece *piece = &writer->pieces[worker];
    seq_status status =
        seq_id_spool_read(&writer->stream->file, piece->begin, piece->count, piece->numbers, error);
    if (status) return status;
    encode_piece(writer, piece);
    // The training part's counts are those of the types.
    if (piece->split != SEQ_TRAIN) count_piece(writer, piece);
    return SEQ_OK;
}

static seq_status commit_piece(void *context, int worker, seq_error *error) {
    writer *writer = context;
    const piece *piece = &writer->pieces[worker];
    split_counts *counts = &writer->counts[piece->split];
    if (piece->starts && begin_shard(writer, piece, error)) return error->status;
    if (seq_vector_append(writer->file, piece->values, piece->count, error)) return error->status;
    counts->tokens += piece->counts.tokens;
    counts->characters += piece->counts.characters;
    counts->unknown += piece->counts.unknown;
    return piece->ends ? end_shard(writer, error) : SEQ_OK;
}

static seq_status write_splits(writer *writer, seq_error *error) {
    int threads = writer->stream->threads;
    const seq_ordered_pipeline_job job = {fetch_piece, work_on_piece, commit_piece, writer};
    seq_status status = seq_allocate(&writer->pieces, (size_t)threads, sizeof *writer->pieces,
                                     "the writers", error);
    for (int i = 0; !status && i < threads; i++) {
        status = seq_allocate(&writer->pieces[i].numbers, SEQ_TOKEN_CHUNK, sizeof(uint32_t),
                              "a piece of tokens", error);
        if (!status)
            status = seq_allocate(&writer->pieces[i].values, SEQ_TOKEN_CHUNK, sizeof(uint32_t),
                                  "a piece of tokens", error);
    }
    if (!status) status = seq_ordered_pipeline_run(threads, &job, error);
    for (int i = 0; writer->pieces && i < threads; i++) {
        free(writer->pieces[i].numbers);
        free(writer->pieces[i].values);
    }
    free(writer->pieces);
    return status;
}

static seq_status describe(writer *writer, seq_error *error) {
    seq_record *rules = seq_manifest_section_get(&writer->manifest, "rules");
    if (!rules)
        return seq_error_set(error, SEQ_NO_MEMORY, "describing the data set: out of memory");
    seq_status status =
        seq_text_rules_write(seq_vocabulary_rules(writer->vocabulary), rules, error);
    seq_record *data = seq_manifest_section_get(&writer->manifest, "data");
    if (!data) return seq_error_set(error, SEQ_NO_MEMORY, "describing the data set: out of memory");
    if (!status)
        status = seq_record_set_integer(data, "vocabulary", seq_vocabulary_size(writer->vocabulary),
                                        error);
    if (!status)
        status = seq_record_set_integer(data, "shard_tokens",
                                        (int64_t)writer->prepare->shard_tokens, error);
    if (!status && writer->prepare->reverse)
        status = seq_record_set_text(data, "reverse", "yes", error);
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

static void print_notes(const char *notes, FILE *stream) {
    while (notes && *notes) {
        int length = (int)strcspn(notes, "\n");
        fprintf(stream, "note       %.*s\n", length, notes);
        notes += length + 1;
    }
}

static void print_summary(const writer *writer, FILE *stream) {
    const seq_vocabulary *vocabulary = writer->vocabulary;
    print_rules(stream, &writer->manifest);
    if (writer->prepare->reverse) fprintf(stream, "order      reversed\n");
    fprintf(stream, "vocabulary %d tokens%s%s\n", seq_vocabulary_size(vocabulary),
            seq_vocabulary_unk(vocabulary) != SEQ_NO_ID ? ", with <unk>" : ", no <unk>",
            seq_vocabulary_eos(vocabulary) != SEQ_NO_ID ? ", with <eos>" : ", no <eos>");
    const seq_subword *subword = seq_vocabulary_subword(vocabulary);
    if (subword) fprintf(stream, "merges     %lld\n", (long long)seq_subword_merges(subword));
    fprintf(stream,
            "input      %lld documents, %lld bytes, %lld distinct units, %lld invalid sequences "
            "replaced\n",
            (long long)writer->stream->documents, (long long)writer->stream->bytes,
            (long long)writer->stream->types.count, (long long)writer->stream->counts.replaced);
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
    print_notes(writer->stream->notes, stream);
}

static seq_status write_summary(writer *writer, seq_error *error) {
    char path[SEQ_PATH], *text = NULL;
    size_t size = 0;
    seq_status status = seq_path_join(path, writer->directory, "summary.txt", error);
    if (status) return status;
    FILE *stream = open_memstream(&text, &size);
    if (stream) print_summary(writer, stream);
    status = seq_memory_stream_close(stream, &text, error, "writing %s", path);
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
    if (!status && seq_vocabulary_subword(writer->vocabulary))
        status = add_file(writer, "merges.txt", error);
    return status ? status : add_file(writer, "summary.txt", error);
}

// A manifest that lists more files is refused when it is read.
static seq_status check_shards(const seq_prepare *prepare, const seq_unit_range ranges[SEQ_SPLITS],
                               seq_error *error) {
    enum { MOST = 10000 };
    int64_t shards = 0, units = 0, size = (int64_t)prepare->shard_tokens;
    for (int split = 0; split < SEQ_SPLITS; split++) {
        int64_t count = ranges[split].end - ranges[split].begin;
        shards += count / size + (count % size != 0);
        units += count;
    }
    if (shards <= MOST) return SEQ_OK;
    return seq_error_set(error, SEQ_BAD_USAGE,
                         "--shard-tokens %lld makes %lld files, and a data set has %d at most: at "
                         "least %lld tokens a file are needed",
                         (long long)size, (long long)shards, MOST,
                         (long long)(units / (MOST - SEQ_SPLITS) + 1));
}

seq_status seq_prepare_write(const seq_prepare *prepare, const seq_unit_stream *stream,
                             const seq_unit_range ranges[SEQ_SPLITS],
                             const seq_vocabulary *vocabulary, const char *directory,
                             seq_error *error) {
    writer writer = {.prepare = prepare,
                     .stream = stream,
                     .ranges = ranges,
                     .at = ranges[SEQ_TRAIN].begin,
                     .vocabulary = vocabulary,
                     .directory = directory,
                     .element = seq_token_element(seq_vocabulary_size(vocabulary)),
                     .manifest = {.kind = SEQ_DATASET_KIND, .version = SEQ_DATASET_VERSION}};
    seq_error ignored = {0};
    seq_status status = check_shards(prepare, ranges, error);
    if (!status) status = map_types(&writer, error);
    if (!status) status = write_splits(&writer, error);
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
