// Reader `kaldi`: a folder of Kaldi's, by its wav.scp. A line is ID PATH, and the
// file is read as one that a table names (table_files.c). Fields: id, path; from
// the files beside it text (`text`: ID TRANSCRIPT) and speaker (`utt2spk`: ID
// SPEAKER), where these have the ID. Commands (lines that end in |) are refused:
// nothing is run. Invariant: an ID stands once in each file beside wav.scp. Tests:
// tests/cli/transcribe.sh, tests/fuzz/fuzz_reader.c.
#include "byte_reader.h"
#include "reader_private.h"
#include <errno.h>
#include <seqtrain/base/escape.h>
#include <seqtrain/base/file.h>
#include <seqtrain/base/log.h>
#include <seqtrain/base/memory.h>
#include <seqtrain/data/string_table.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A file of lines ID VALUE.
typedef struct kaldi_map {
    char path[SEQ_PATH];
    seq_string_table ids;
    seq_string_table values; // not distinct ones: the number is that of `of`
    size_t *of, capacity;    // by ID: its value
    int64_t *lines;
    size_t line_capacity, used; // IDs that wav.scp has
} kaldi_map;

enum { TEXT, SPEAKER, MAPS };

typedef struct kaldi_state {
    kaldi_map maps[MAPS];
} kaldi_state;

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

// Cuts a line into its first word and the rest, both trimmed.
static void split(const char *line, size_t size, size_t *out_id, const char **out_rest,
                  size_t *out_size) {
    *out_id = 0;
    while (*out_id < size && !is_blank(line[*out_id]))
        ++*out_id;
    *out_rest = line + *out_id;
    *out_size = size - *out_id;
    seq_trim(out_rest, out_size);
}

static seq_status add_line(kaldi_map *map, const seq_line_reader *lines, seq_error *error) {
    const char *id = lines->line, *rest;
    size_t size = lines->size, id_size, rest_size, number;
    seq_trim(&id, &size);
    if (!size) return SEQ_OK;
    split(id, size, &id_size, &rest, &rest_size);
    seq_status status = seq_string_table_add(&map->ids, id, id_size, &number, error);
    if (!status && number + 1 < map->ids.count)
        return seq_item_refuse(map->path, lines->number, 1, error,
                               "this ID stands on line %lld already",
                               (long long)map->lines[number]);
    if (!status)
        status = seq_grow(&map->of, &map->capacity, number + 1, sizeof *map->of, "IDs", error);
    if (!status)
        status = seq_grow(&map->lines, &map->line_capacity, number + 1, sizeof *map->lines, "IDs",
                          error);
    if (status) return status;
    map->lines[number] = lines->number;
    return seq_string_table_add(&map->values, rest, rest_size, &map->of[number], error);
}

static seq_status read_stream(void *context, char *out, size_t capacity, size_t *out_size,
                              seq_error *error) {
    return seq_byte_reader_read(context, out, capacity, out_size, error);
}

// The file beside wav.scp, if it is there.
static seq_status load(const seq_reader *reader, const char *name, kaldi_map *map,
                       seq_error *error) {
    static const seq_byte_reader_rules plain = {.memory = UINT64_C(4) << 30};
    const char *slash = strrchr(reader->name, '/');
    seq_byte_reader_rules rules = reader->settings->files ? *reader->settings->files : plain;
    seq_byte_reader *bytes = NULL;
    seq_line_reader lines = {0};
    bool more = true;
    int folder = slash ? (int)(slash + 1 - reader->name) : 0;
    if (snprintf(map->path, SEQ_PATH, "%.*s%s", folder, reader->name, name) >= SEQ_PATH ||
        access(map->path, F_OK) != 0)
        return SEQ_OK;
    rules.text = true;
    seq_status status = seq_byte_reader_open(map->path, &rules, &bytes, error);
    const seq_byte_stream stream = {read_stream, bytes};
    if (!status) status = seq_line_reader_begin(&lines, &stream, map->path, false, error);
    while (!status && !(status = seq_line_reader_next(&lines, &more, error)) && more)
        status = add_line(map, &lines, error);
    seq_line_reader_end(&lines);
    seq_byte_reader_close(bytes);
    return status;
}

static seq_status open_kaldi(seq_reader *reader, seq_error *error) {
    kaldi_state *state = reader->state;
    seq_status status = load(reader, "text", &state->maps[TEXT], error);
    return status ? status : load(reader, "utt2spk", &state->maps[SPEAKER], error);
}

static void close_kaldi(seq_reader *reader) {
    kaldi_state *state = reader->state;
    for (int i = 0; i < MAPS; i++) {
        kaldi_map *map = &state->maps[i];
        seq_string_table_clear(&map->ids);
        seq_string_table_clear(&map->values);
        free(map->of);
        free(map->lines);
    }
}

static seq_status build(seq_reader *reader, const char *field, kaldi_map *map, const char *id,
                        size_t size, seq_error *error) {
    size_t number = seq_string_table_find(&map->ids, id, size);
    if (number == SIZE_MAX) return SEQ_OK;
    map->used++;
    return seq_build_text(reader, field, seq_string_table_text(&map->values, map->of[number]),
                          map->values.items[map->of[number]].size, 0, 0, error);
}

static void tell_unused(const kaldi_map *map) {
    if (map->used < map->ids.count)
        seq_log_warning("%s: %zu of its IDs are not in wav.scp", map->path,
                        map->ids.count - map->used);
}

static seq_status next(seq_reader *reader, bool *out_more, seq_error *error) {
    kaldi_state *state = reader->state;
    seq_line_reader *lines = &reader->lines;
    const char *id, *path;
    size_t size, id_size, path_size;
    for (;;) {
        if (seq_line_reader_next(lines, out_more, error)) return error->status;
        if (!*out_more) {
            tell_unused(&state->maps[TEXT]);
            return SEQ_OK;
        }
        id = lines->line;
        size = lines->size;
        seq_trim(&id, &size);
        if (size) break;
        reader->skipped[SEQ_SKIP_BLANK]++;
    }
    split(id, size, &id_size, &path, &path_size);
    if (!path_size)
        return seq_item_refuse(reader->name, lines->number, 1, error,
                               "expected ID PATH, and there is no path");
    if (path[path_size - 1] == '|')
        return seq_item_refuse(reader->name, lines->number, 1, error,
                               "a command in place of a path: seqtrain runs none");
    seq_build_item(reader, lines->number);
    seq_status status = seq_build_text(reader, "id", id, id_size, lines->number, 1, error);
    if (!status)
        status = seq_build_text(reader, "path", path, path_size, lines->number,
                                path - lines->line + 1, error);
    if (!status) status = build(reader, "text", &state->maps[TEXT], id, id_size, error);
    return status ? status : build(reader, "speaker", &state->maps[SPEAKER], id, id_size, error);
}

const seq_reader_kind seq_reader_kaldi = {
    .name = "kaldi",
    .summary = "a folder with Kaldi's wav.scp, and text and utt2spk beside it",
    .input = "frames",
    .target = "label",
    .suffixes = ".scp ",
    .only = "wav.scp",
    .uses = SEQ_USES_FILES,
    .state = sizeof(kaldi_state),
    .open = open_kaldi,
    .next = next,
    .close = close_kaldi,
};
